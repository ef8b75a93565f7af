"""Tests of measurements: the start, every iterate, and squared norms."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.operators import extragradient, measures
from tests.operators import linear


class MeasuresTest(parameterized.TestCase):
  def test_iterates_and_their_residuals(self):
    rng = np.random.default_rng(0)
    operator = linear.operator(rng.normal(size=(4, 4)), rng.normal(size=4))
    method = extragradient.Extragradient(look_ahead=0.1, step_size=0.2)
    trace = linear.trace(method, operator, jnp.ones(4), 3)
    self.assertEqual(trace.points.shape, (4, 4))
    state = method.init(operator, jnp.ones(4))
    for k in range(4):
      self.assertEqual(int(state.step), k)
      np.testing.assert_allclose(trace.points[k], state.point, rtol=1e-13)
      norm = np.linalg.norm(operator(state.point))
      np.testing.assert_allclose(trace.residuals[k], norm**2, rtol=1e-13)
      state = jax.jit(method.update)(operator, state)

  def test_of_an_operator_that_is_a_bare_function(self):
    method = extragradient.Extragradient(look_ahead=0.1, step_size=0.2)
    start = run.init(method, jnp.sinh, jnp.ones(2))
    state, trace = run.run(
      method, jnp.sinh, measures.squared_residual, [0, 5], start
    )
    again = run.advance(method, jnp.sinh, start, 5)
    np.testing.assert_array_equal(state.point, again.point)
    self.assertAlmostEqual(float(trace.metrics[0]), 2 * np.sinh(1) ** 2)


if __name__ == "__main__":
  absltest.main()
