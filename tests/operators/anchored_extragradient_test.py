"""Tests of the anchored extragradient: a numpy oracle, and its O(1/k^2)."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl.games import matrix_game
from mdrl.operators import anchored_extragradient
from mdrl.operators import base as operator_lib
from tests.operators import linear


def _trace(operator, start, step_size, num_updates):
  return linear.trace(
    anchored_extragradient.AnchoredExtragradient(step_size=step_size),
    operator,
    jnp.asarray(start),
    num_updates=num_updates,
  )


def _bounds(distance, step_size, lipschitz, num_updates):
  c = step_size * lipschitz
  factor = 4 * (1 + c + c**2) / (step_size**2 * (1 + c))
  return factor * distance / np.arange(1, num_updates + 2) ** 2


class AnchoredExtragradientTest(parameterized.TestCase):
  def test_steps_equal_their_definition(self):
    rng = np.random.default_rng(0)
    matrix, start = rng.normal(size=(3, 3)), rng.normal(size=3)
    z = start
    for k in range(6):
      center = z + (start - z) / (k + 2)
      half = center - 0.1 * matrix @ z
      z = center - 0.1 * matrix @ half
    trace = _trace(linear.operator(matrix), start, 0.1, 6)
    np.testing.assert_allclose(trace.points[-1], z, rtol=1e-13)

  def test_the_constant_at_the_largest_step(self):
    bounds = _bounds(1.0, 1 / 8, 1.0, 0)
    self.assertBetween(bounds[0], 259.5, 260)

  @parameterized.parameters(*range(5))
  def test_bound_on_random_monotone_operators(self, seed):
    rng = np.random.default_rng(seed)
    zero, start = rng.normal(size=(2, 6))
    matrix = linear.random_monotone(rng, 6)
    lipschitz = np.linalg.norm(matrix, 2)
    step_size = 1 / (8 * lipschitz)
    trace = _trace(linear.operator(matrix, zero), start, step_size, 400)
    distance = linear.distance(zero, start)
    bounds = _bounds(distance, step_size, lipschitz, 400)
    linear.bounds_are_kept(self, trace.residuals, bounds)

  def test_bound_on_a_bilinear_game(self):
    # Slow directions of every length keep the residual near its rate.
    payoff = np.diag(np.geomspace(1, 1e-3, 12))
    operator = operator_lib.of_game(matrix_game.zero_sum_game(payoff))
    start = np.ones(24)
    trace = _trace(operator, start, 1 / 8, 2000)
    bounds = _bounds(24.0, 1 / 8, 1.0, 2000)
    linear.bounds_are_kept(self, trace.residuals, bounds)
    early, late = np.asarray(trace.residuals)[[100, 2000]]
    self.assertBetween(np.log(early / late) / np.log(20), 1.5, 2.5)


if __name__ == "__main__":
  absltest.main()
