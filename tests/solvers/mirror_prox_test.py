"""Tests of Mirror Prox: a numpy oracle and its O(1/T) bound."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.evaluation import gaps
from mdrl.games import matrix_game
from mdrl.solvers import averaged, mirror_prox
from mdrl.testing import games
from tests.solvers import oracle


class MirrorProxTest(parameterized.TestCase):
  def test_equals_two_steps_of_multiplicative_weights(self):
    game = matrix_game.zero_sum_game(oracle.PAYOFF)
    solver = mirror_prox.MirrorProx(step_size=0.4)
    state = run.init(solver, game)
    center = oracle.uniform()
    for _ in range(6):
      midpoint = self._steps(center, center)
      ours = oracle.policies(solver.policies(game, state))
      np.testing.assert_allclose(ours[0], midpoint[0], atol=1e-14)
      np.testing.assert_allclose(ours[1], midpoint[1], atol=1e-14)
      center = self._steps(center, midpoint)
      state = run.advance(solver, game, state, 1)

  @staticmethod
  def _steps(center, at):
    return [
      oracle.entropic_step(p, g, 0.4) for p, g in zip(center, oracle.gains(at))
    ]

  @parameterized.parameters(0, 1, 2)
  def test_average_keeps_its_bound(self, seed):
    # The gap of the averaged midpoints is at most max D(z, z_1) / (eta T), for
    # eta at most the inverse of the greatest payoff; here the divergence from
    # uniform policies is at most log 7 + log 5.
    game = games.random_zero_sum_game(7, 5, seed)
    step_size = 1 / float(jnp.abs(game.payoffs[0]).max())
    solver = averaged.Averaged(
      solver=mirror_prox.MirrorProx(step_size=step_size)
    )
    updates = np.array([1, 3, 10, 30, 100, 1000, 10_000])
    _, trace = run.run(
      solver, game, run.of_plans(gaps.duality_gap), updates.tolist()
    )
    bound = (np.log(7) + np.log(5)) / (step_size * updates)
    self.assertTrue((np.asarray(trace.metrics) <= bound).all())

  def test_last_iterate_converges_on_kuhn(self):
    game, _ = games.compiled("kuhn")
    solver = mirror_prox.MirrorProx(step_size=2.0)
    _, trace = run.run(
      solver, game, run.of_plans(gaps.exploitability), [20_000]
    )
    self.assertLess(float(trace.metrics[0]), 1e-3)


if __name__ == "__main__":
  absltest.main()
