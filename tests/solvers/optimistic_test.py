"""Tests of optimistic mirror descent: a numpy oracle and its last iterate."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl import run
from mdrl.evaluation import gaps
from mdrl.games import matrix_game
from mdrl.geometry import mirror_maps
from mdrl.solvers import mirror_descent, optimistic
from mdrl.testing import games
from tests.solvers import oracle

ROCK_PAPER_SCISSORS = [[0.0, -3.0, 1.0], [3.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]


class OptimisticTest(parameterized.TestCase):
  def test_equals_optimistic_multiplicative_weights(self):
    game = matrix_game.zero_sum_game(oracle.PAYOFF)
    solver = optimistic.OptimisticMirrorDescent(step_size=0.3)
    state = run.advance(solver, game, run.init(solver, game), 9)
    policies = oracle.uniform()
    last = [np.zeros_like(p) for p in policies]
    for _ in range(9):
      gains = oracle.gains(policies)
      policies = [
        oracle.entropic_step(p, 2 * g - m, 0.3)
        for p, g, m in zip(policies, gains, last)
      ]
      last = gains
    ours = oracle.policies(solver.policies(game, state))
    np.testing.assert_allclose(ours[0], policies[0], atol=1e-13)
    np.testing.assert_allclose(ours[1], policies[1], atol=1e-13)

  def test_last_iterate_converges_where_mirror_descent_spirals(self):
    game = matrix_game.zero_sum_game(ROCK_PAPER_SCISSORS)
    gap = {}
    for solver in (
      optimistic.OptimisticMirrorDescent(step_size=0.1),
      mirror_descent.MirrorDescent(step_size=0.1),
    ):
      _, trace = run.run(solver, game, run.of_plans(gaps.duality_gap), [5000])
      gap[type(solver).__name__] = float(trace.metrics[0])
    self.assertLess(gap["OptimisticMirrorDescent"], 1e-6)
    self.assertGreater(gap["MirrorDescent"], 1.0)

  @parameterized.parameters(
    (mirror_maps.NegativeEntropy(), 2.0), (mirror_maps.Euclidean(), 1.0)
  )
  def test_last_iterate_converges_on_kuhn(self, mirror_map, step_size):
    game, _ = games.compiled("kuhn")
    solver = optimistic.OptimisticMirrorDescent(
      step_size=step_size, mirror_map=mirror_map
    )
    _, trace = run.run(
      solver, game, run.of_plans(gaps.exploitability), [20_000]
    )
    self.assertLess(float(trace.metrics[0]), 1e-3)


if __name__ == "__main__":
  absltest.main()
