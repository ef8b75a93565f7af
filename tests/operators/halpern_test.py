"""Tests of Halpern's iteration: a closed form, and Lieder's tight bound."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl.operators import halpern
from tests.operators import linear


def _trace(operator, start, step_size, num_updates):
  return linear.trace(
    halpern.Halpern(step_size=step_size),
    operator,
    jnp.asarray(start),
    num_updates=num_updates,
  )


class HalpernTest(parameterized.TestCase):
  def test_is_the_mean_of_the_powers_of_a_linear_map(self):
    rng = np.random.default_rng(0)
    matrix, start = linear.random_cocoercive(rng, 4), rng.normal(size=4)
    trace = _trace(linear.operator(matrix), start, 0.7, 12)
    step = np.eye(4) - 0.7 * matrix
    powers = [np.linalg.matrix_power(step, k) @ start for k in range(13)]
    means = np.cumsum(powers, axis=0) / np.arange(1, 14)[:, None]
    np.testing.assert_allclose(trace.points, means, rtol=1e-12)

  @parameterized.parameters(1, 7, 30, 100)
  def test_a_rotation_attains_the_bound(self, num_updates):
    # The map is a rotation that takes num_updates + 1 turns to a half circle.
    turn = linear.rotation(np.pi / (num_updates + 1))
    operator = linear.operator((np.eye(2) - turn) / 0.4)
    trace = _trace(operator, [0.6, 0.8], 0.4, num_updates)
    bounds = 4 / (0.4**2 * np.arange(1, num_updates + 2) ** 2)
    linear.bounds_are_kept(self, trace.residuals, bounds)
    np.testing.assert_allclose(trace.residuals[-1], bounds[-1], rtol=1e-10)

  @parameterized.product(seed=[0, 1, 2, 3], share=[0.5, 1.0])
  def test_bound_on_random_operators(self, seed, share):
    rng = np.random.default_rng(seed)
    zero, start = rng.normal(size=(2, 6))
    operator = linear.operator(linear.random_cocoercive(rng, 6, 0.2), zero)
    step_size = 2 * 0.2 * share
    trace = _trace(operator, start, step_size, 300)
    scale = 4 * linear.distance(zero, start) / step_size**2
    bounds = scale / np.arange(1, 302) ** 2
    linear.bounds_are_kept(self, trace.residuals, bounds)


if __name__ == "__main__":
  absltest.main()
