"""Tests of extragradient: PEPit's exact worst cases, and bounds."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl.operators import extragradient
from tests.operators import linear

_START = jnp.array([1.0, 0.0])


def _method(look_ahead, step_size):
  return extragradient.Extragradient(look_ahead=look_ahead, step_size=step_size)


class ExtragradientTest(parameterized.TestCase):
  # The mean of the first 31 squared residuals from a unit point. The first is
  # what the authors' notebook prints as the worst case of all operators, where
  # the theorem says .286738; both steps are their largest for the second.
  @parameterized.parameters(
    (0.1, 0.3, 0.2796473918793889, 1e-12), (0.05, 0.4, 0.213659, 5e-7)
  )
  def test_average_of_the_worst_case(self, rho, step_size, expected, atol):
    trace = linear.trace(
      _method(0.5, step_size), linear.worst_case(rho), _START, num_updates=30
    )
    average = float(jnp.mean(trace.residuals))
    self.assertAlmostEqual(average, expected, delta=atol)
    self.assertLess(average, 1 / (0.5 * step_size * 0.75 * 31))

  @parameterized.parameters((0.1, 20, 0.340082), (0.05, 30, 0.0198342))
  def test_last_iterate_of_the_worst_case(self, rho, num_updates, expected):
    trace = linear.trace(
      _method(0.5, 0.5),
      linear.worst_case(rho),
      _START,
      num_updates=num_updates,
    )
    self.assertAlmostEqual(float(trace.residuals[-1]), expected, delta=1e-6)

  @parameterized.product(seed=[0, 1, 2, 3], rho=[0.0, 0.05, 0.124])
  def test_bounds_on_random_operators(self, seed, rho):
    rng = np.random.default_rng(seed)
    zero, start = rng.normal(size=(2, 6))
    operator = linear.operator(linear.random_comonotone(rng, 6, rho), zero)
    distance, last = linear.distance(zero, start), np.arange(1, 201)

    ahead, step = 0.6, 0.6 - 2 * rho
    trace = linear.trace(
      _method(ahead, step), operator, jnp.asarray(start), num_updates=200
    )
    sums = np.cumsum(trace.residuals)
    bound = distance / (ahead * step * (1 - ahead**2))
    linear.bounds_are_kept(self, sums, bound)

    trace = linear.trace(
      _method(0.5, 0.5), operator, jnp.asarray(start), num_updates=200
    )
    bound = 28 * distance / (last * 0.5**2 + 320 * 0.5 * rho)
    linear.bounds_are_kept(self, trace.residuals[1:], bound)

  def test_steps_equal_their_definition(self):
    rng = np.random.default_rng(0)
    matrix, start = rng.normal(size=(3, 3)), rng.normal(size=3)
    x = start
    for _ in range(5):
      x = x - 0.2 * matrix @ (x - 0.3 * matrix @ x)
    operator = linear.operator(matrix)
    trace = linear.trace(
      _method(0.3, 0.2), operator, jnp.asarray(start), num_updates=5
    )
    np.testing.assert_allclose(trace.points[-1], x, rtol=1e-13)
    self.assertAlmostEqual(
      float(trace.residuals[-1]), np.sum((matrix @ x) ** 2), places=12
    )


if __name__ == "__main__":
  absltest.main()
