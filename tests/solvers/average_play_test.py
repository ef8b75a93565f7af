"""Tests of averages of what was played."""

from absl.testing import absltest
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.games import matrix_game
from mdrl.solvers import average_play, averaged, mirror_descent
from mdrl.trees import quantities


class AveragePlayTest(absltest.TestCase):
  def test_toward_makes_the_mean(self):
    rows = np.random.default_rng(0).normal(size=(5, 3))
    mean = quantities.Plans((jnp.full(3, 7.0),))
    for count, row in enumerate(rows, 1):
      mean = average_play.toward(
        mean, quantities.Plans((jnp.asarray(row),)), jnp.asarray(float(count))
      )
    np.testing.assert_allclose(mean[0], rows.mean(axis=0), atol=1e-14)

  def test_results_are_those_of_the_plan_in_the_state(self):
    game = matrix_game.zero_sum_game(np.eye(3))
    solver = averaged.Averaged(
      solver=mirror_descent.MirrorDescent(step_size=0.3)
    )
    self.assertIsInstance(solver, average_play.AveragePlay)
    state = run.advance(solver, game, run.init(solver, game), 5)
    for plan, shown in zip(state.plan, solver.plans(game, state)):
      np.testing.assert_array_equal(plan, shown)
    for plan, policy in zip(state.plan, solver.policies(game, state)):
      np.testing.assert_allclose(policy[1:], plan[1:], atol=1e-15)


if __name__ == "__main__":
  absltest.main()
