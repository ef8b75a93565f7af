"""Tests of the optimistic gradient method: known values, and bounds."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl.operators import optimistic_gradient
from tests.operators import linear

_START = jnp.array([1.0, 0.0])
_LARGEST = 10 / 31


def _method(look_ahead, step_size):
  return optimistic_gradient.OptimisticGradient(
    look_ahead=look_ahead, step_size=step_size
  )


class OptimisticGradientTest(parameterized.TestCase):
  # From a unit point, with the midpoint before the first one there too.
  @parameterized.parameters((0.1, 0.3387, 5e-5), (0.05, 0.0878368, 5e-8))
  def test_last_iterate_of_the_worst_case(self, rho, expected, atol):
    trace = linear.trace(
      _method(_LARGEST, _LARGEST),
      linear.worst_case(rho),
      _START,
      num_updates=30,
    )
    self.assertAlmostEqual(float(trace.residuals[-1]), expected, delta=atol)

  def test_stays_below_the_worst_cases_of_the_authors(self):
    # PEPit's values over all operators, in the authors' notebook. Starting
    # with the first midpoint at the first point would exceed the second.
    trace = linear.trace(
      _method(0.5, 0.2), linear.worst_case(0.1), _START, num_updates=30
    )
    self.assertLess(float(jnp.mean(trace.residuals)), 0.378858)
    trace = linear.trace(
      _method(_LARGEST, _LARGEST),
      linear.worst_case(0.05),
      _START,
      num_updates=10,
    )
    self.assertBetween(float(trace.residuals[-1]), 0.45, 0.473343)

  @parameterized.product(seed=[0, 1, 2, 3], rho=[0.0, 0.05, 0.0806])
  def test_bounds_on_random_operators(self, seed, rho):
    rng = np.random.default_rng(seed)
    zero, start = rng.normal(size=(2, 6))
    operator = linear.operator(linear.random_comonotone(rng, 6, rho), zero)
    distance, last = linear.distance(zero, start), np.arange(201)

    ahead = 0.55
    step = 0.9 * min(1 - ahead, ahead - 2 * rho)
    trace = linear.trace(
      _method(ahead, step), operator, jnp.asarray(start), num_updates=200
    )
    bound = distance / (ahead * step * (1 - (ahead + step) ** 2))
    linear.bounds_are_kept(self, np.cumsum(trace.residuals), bound)

    step = _LARGEST
    trace = linear.trace(
      _method(step, step), operator, jnp.asarray(start), num_updates=200
    )
    denominator = last * step * (step - 3 * rho) + 800 * step**2
    linear.bounds_are_kept(self, trace.residuals, 717 * distance / denominator)

  def test_steps_equal_their_definition(self):
    rng = np.random.default_rng(0)
    matrix, start = rng.normal(size=(3, 3)), rng.normal(size=3)
    x, past = start, start
    for _ in range(5):
      past = x - 0.3 * matrix @ past
      x = x - 0.2 * matrix @ past
    trace = linear.trace(
      _method(0.3, 0.2),
      linear.operator(matrix),
      jnp.asarray(start),
      num_updates=5,
    )
    np.testing.assert_allclose(trace.points[-1], x, rtol=1e-13)


if __name__ == "__main__":
  absltest.main()
