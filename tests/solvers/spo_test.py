"""Tests of SPO: the average nears the minimax winner, the last does not."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl import run
from mdrl.evaluation import gaps, linear_program
from mdrl.solvers import averaged, mirror_descent, schedules, spo
from tests.solvers import preferences as oracle


class SPOTest(parameterized.TestCase):
  @parameterized.parameters(
    (oracle.HARD, oracle.REFERENCE, (3.13e-2, 8.08e-3), (0.323, 0.963)),
    (oracle.DICE, oracle.REFERENCE, (4.14e-2, 2.57e-3), (0.0650, 0.0598)),
    (oracle.RANDOM, np.full(10, 0.1), (3.34e-2, 3.59e-3), (0.115, 0.280)),
  )
  def test_gaps_computed_elsewhere(self, matrix, reference, average, last):
    solver, game = spo.SPO(step_size=0.1), oracle.game(matrix, reference)
    for count, of_average, of_last in zip((1000, 10_000), average, last):
      policy = oracle.policy_after(solver, game, count)
      np.testing.assert_allclose(
        oracle.gap(matrix, policy), of_average, rtol=3e-3
      )
      policy = oracle.last_after(solver, game, count)
      np.testing.assert_allclose(oracle.gap(matrix, policy), of_last, rtol=4e-3)

  @parameterized.parameters(0.05, 0.5)
  def test_the_regret_bound_holds_at_every_update(self, step_size):
    game = oracle.game(oracle.RANDOM, None)
    steps = np.arange(1, 500)
    _, trace = run.run(
      spo.SPO(step_size=step_size), game, run.of_plans(gaps.duality_gap), steps
    )
    bound = 2 * (np.log(10) / (step_size * steps) + step_size / 8)
    np.testing.assert_array_less(trace.metrics, bound)

  def test_it_is_the_average_of_mirror_descent(self):
    game = oracle.game(oracle.HARD)
    steps = schedules.PowerDecay(initial=1.0)
    other = averaged.Averaged(
      solver=mirror_descent.MirrorDescent(step_size=steps)
    )
    np.testing.assert_allclose(
      oracle.policy_after(spo.SPO(step_size=steps), game, 30),
      oracle.policy_after(other, game, 30),
      atol=1e-14,
    )

  def test_approaches_the_minimax_winner(self):
    game = oracle.game(oracle.RANDOM, None)
    solver = spo.SPO(step_size=schedules.PowerDecay(initial=1.0))
    policy = oracle.policy_after(solver, game, 100_000)
    (winner,) = linear_program.minimax_winner(game)
    self.assertLess(oracle.gap(oracle.RANDOM, winner), 1e-9)
    np.testing.assert_allclose(policy, winner, atol=0.1)
    self.assertLess(oracle.gap(oracle.RANDOM, policy), 0.01)


if __name__ == "__main__":
  absltest.main()
