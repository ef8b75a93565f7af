"""Tests of the proximal point method: its worst cases, stall and resolvent."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.operators import base as operator_lib
from mdrl.operators import proximal_point
from tests.operators import linear

_START = jnp.array([1.0, 0.0])


def _method(step_size):
  return proximal_point.ProximalPoint(step_size=step_size)


class ProximalPointTest(parameterized.TestCase):
  # The squared residual after 30 updates from a unit point.
  @parameterized.parameters(
    (0.1, 0.15, 1.253),
    (0.1, 0.3, 0.412),
    (0.1, 1.0, 2.2e-8),
    (0.05, 0.15, 0.79919),
    (0.05, 0.2, 0.55207),
    (0.05, 0.3, 0.17411),
    (0.05, 1.0, 4.3e-9),
  )
  def test_known_residuals(self, rho, step_size, expected):
    trace = linear.trace(
      _method(step_size), linear.worst_case(rho), _START, num_updates=30
    )
    residual = float(trace.residuals[-1])
    digits = len(f"{expected:g}".split("e")[0].replace(".", "").lstrip("0"))
    rounded = float(f"{residual:.{digits - 1}e}")
    self.assertAlmostEqual(rounded / expected, 1, places=12)

  def test_stalls_at_twice_the_comonotonicity(self):
    trace = linear.trace(
      _method(0.2), linear.worst_case(0.1), _START, num_updates=30
    )
    np.testing.assert_allclose(trace.residuals, 1, rtol=1e-13)

  @parameterized.parameters(2.05, 3.0)
  def test_attains_the_worst_case_of_the_authors(self, step_size):
    # With rho = 1, over all operators of whatever Lipschitz constant, the
    # notebook's worst case after N + 1 updates is 1 / (c N (1 + 1/N)^(N + 1)),
    # c = step_size (step_size - 2). The 2x2 operator with L^2 = 1 / (c N) is
    # one where it has rho L <= 1.
    c = step_size * (step_size - 2)
    for n in (10, 30):
      operator = linear.worst_case(1.0, 1 / np.sqrt(c * n))
      trace = linear.trace(
        _method(step_size), operator, _START, num_updates=n + 1
      )
      expected = 1 / (c * n * (1 + 1 / n) ** (n + 1))
      np.testing.assert_allclose(trace.residuals[-1], expected, rtol=1e-10)

  @parameterized.product(
    seed=[0, 1, 2], rho=[0.0, 0.1], step_size=[0.25, 1.0, 10.0]
  )
  def test_bound_on_random_operators(self, seed, rho, step_size):
    rng = np.random.default_rng(seed)
    zero, start = rng.normal(size=(2, 6))
    operator = linear.operator(linear.random_comonotone(rng, 6, rho), zero)
    trace = linear.trace(
      _method(step_size), operator, jnp.asarray(start), num_updates=100
    )
    scale = step_size * (step_size - 2 * rho)
    bounds = linear.distance(zero, start) / (scale * np.arange(1, 101))
    residuals = np.asarray(trace.residuals[1:])
    kept = np.maximum(residuals - 1e-24, 0)
    linear.bounds_are_kept(self, kept, bounds)


class ResolventTest(parameterized.TestCase):
  def test_solves_its_equation_exactly_if_linear(self):
    rng = np.random.default_rng(1)
    matrix, zero, point = rng.normal(size=(4, 4)), *rng.normal(size=(2, 4))
    operator = linear.operator(matrix, zero)
    z = proximal_point.resolvent(operator, jnp.asarray(point), 0.3)
    np.testing.assert_allclose(z + 0.3 * operator(z), point, rtol=1e-12)

  def test_one_newton_step_is_exact_on_sums_of_linear_operators(self):
    rng = np.random.default_rng(2)
    matrices, offsets = rng.normal(size=(3, 4, 4)), rng.normal(size=(3, 4))
    total = operator_lib.FiniteSum(
      matrices=jnp.asarray(matrices), offsets=jnp.asarray(offsets)
    )
    mean = operator_lib.Linear(
      matrix=total.matrices.mean(0), offset=total.offsets.mean(0)
    )
    point = jnp.asarray(rng.normal(size=4))
    np.testing.assert_allclose(
      proximal_point.resolvent(total, point, 0.7, newton_steps=1),
      proximal_point.resolvent(mean, point, 0.7),
      rtol=1e-12,
    )

  def test_newton_solves_the_equation_of_matrices_of_points(self):
    def operator(x):
      return x**3 + 2 * x + x[::-1, ::-1] - 1

    point = jnp.asarray(np.random.default_rng(3).normal(size=(2, 3)))
    z = jax.jit(
      lambda p: proximal_point.resolvent(operator, p, 0.5, newton_steps=12)
    )(point)
    self.assertEqual(z.shape, (2, 3))
    np.testing.assert_allclose(z + 0.5 * operator(z), point, atol=1e-13)

  def test_the_method_hands_on_its_newton_steps(self):
    for steps in (1, 5):
      method = proximal_point.ProximalPoint(step_size=2.0, newton_steps=steps)
      state = method.init(jnp.sinh, _START)
      state = method.update(jnp.sinh, state)
      expected = proximal_point.resolvent(jnp.sinh, _START, 2.0, steps)
      np.testing.assert_array_equal(state.point, expected)
    error = state.point + 2 * jnp.sinh(state.point) - _START
    np.testing.assert_allclose(error, 0, atol=1e-14)


if __name__ == "__main__":
  absltest.main()
