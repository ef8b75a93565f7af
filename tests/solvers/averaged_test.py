"""Tests of averages of plans."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl import run
from mdrl.solvers import averaged, mirror_descent
from mdrl.testing import games


class AveragedTest(parameterized.TestCase):
  @parameterized.parameters(0.0, 1.0, 2.0, 0.5)
  def test_equals_the_weighted_mean_of_the_plans_played(self, power):
    game, _ = games.compiled("kuhn")
    inner = mirror_descent.MirrorDescent(step_size=0.7)
    solver = averaged.Averaged(solver=inner, power=power)
    state = run.init(inner, game)
    total, weights = [0.0, 0.0], 0.0
    for t in range(1, 8):
      plans = inner.plans(game, state)
      total = [a + t**power * np.asarray(p) for a, p in zip(total, plans)]
      weights += t**power
      state = run.advance(inner, game, state, 1)
    end = run.advance(solver, game, run.init(solver, game), 7)
    for ours, mean in zip(solver.plans(game, end), total):
      np.testing.assert_allclose(ours, mean / weights, atol=1e-14)
    for ours, last in zip(
      solver.last_policies(game, end), inner.policies(game, state)
    ):
      np.testing.assert_allclose(ours, last, atol=1e-14)

  def test_is_not_the_average_of_behavioural_policies(self):
    game, _ = games.compiled("kuhn")
    inner = mirror_descent.MirrorDescent(step_size=2.0)
    solver = averaged.Averaged(solver=inner)
    state, mean = run.init(inner, game), 0.0
    for _ in range(4):
      mean = mean + np.asarray(inner.policies(game, state)[0]) / 4
      state = run.advance(inner, game, state, 1)
    end = run.advance(solver, game, run.init(solver, game), 4)
    ours = np.asarray(solver.policies(game, end)[0])
    self.assertGreater(np.abs(ours - mean)[1:].max(), 1e-3)

  def test_before_the_first_update_it_is_the_first_plan(self):
    game, _ = games.compiled("kuhn")
    inner = mirror_descent.MirrorDescent(step_size=0.5)
    solver = averaged.Averaged(solver=inner)
    for ours, first in zip(
      solver.plans(game, run.init(solver, game)),
      inner.plans(game, run.init(inner, game)),
    ):
      np.testing.assert_array_equal(ours, first)

  def test_refuses_a_negative_power(self):
    with self.assertRaisesRegex(ValueError, "`power` must lie in"):
      averaged.Averaged(
        solver=mirror_descent.MirrorDescent(step_size=0.5), power=-1.0
      )


if __name__ == "__main__":
  absltest.main()
