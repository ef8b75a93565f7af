"""Tests of traces: their first and their last row."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.operators import extragradient, traces
from tests.operators import linear


class TraceTest(parameterized.TestCase):
  def test_begins_with_the_start(self):
    rng = np.random.default_rng(0)
    operator = linear.operator(rng.normal(size=(4, 4)), rng.normal(size=4))
    point = jnp.ones(4)
    method = extragradient.Extragradient(look_ahead=0.1, step_size=0.2)
    trace = traces.trace(method, operator, point, 3)
    self.assertEqual(trace.points.shape, (4, 4))
    state = method.init(operator, point)
    for k in range(4):
      self.assertEqual(int(state.step), k)
      iterate = method.point(state)
      np.testing.assert_allclose(trace.points[k], iterate, rtol=1e-13)
      norm = np.linalg.norm(operator(iterate))
      np.testing.assert_allclose(trace.residuals[k], norm**2, rtol=1e-13)
      state = jax.jit(method.update)(operator, state)


if __name__ == "__main__":
  absltest.main()
