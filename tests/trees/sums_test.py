"""Tests of sums whose terms are added in one order."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.batching import lanes
from mdrl.trees import sums

_ROWS = np.random.default_rng(0).normal(size=(7, 5))


def _in_order(x, axis):
  """Returns the sums of numpy's, term by term."""
  found = np.zeros(np.delete(x.shape, axis), x.dtype)
  for term in np.moveaxis(x, axis, 0):
    found = found + term
  return found


class TotalTest(parameterized.TestCase):
  @parameterized.product(axis=(0, 1, -1), dtype=(np.float32, np.float64))
  def test_adds_term_by_term(self, axis, dtype):
    x = _ROWS.astype(dtype)
    np.testing.assert_array_equal(
      jax.jit(sums.total, static_argnums=1)(jnp.asarray(x), axis),
      _in_order(x, axis % 2),
    )

  def test_of_all_elements_and_with_the_axis_kept(self):
    self.assertAlmostEqual(
      float(sums.total(jnp.asarray(_ROWS))), _ROWS.sum(), delta=1e-13
    )
    kept = sums.total(jnp.asarray(_ROWS), 1, keepdims=True)
    np.testing.assert_array_equal(kept[:, 0], _in_order(_ROWS, 1))

  def test_of_nothing_is_zero(self):
    np.testing.assert_array_equal(sums.total(jnp.zeros((3, 0)), 1), np.zeros(3))

  @parameterized.parameters(range(5))
  def test_keeps_what_is_not_finite(self, place):
    for value in (np.nan, -np.inf):
      x = jnp.asarray(_ROWS).at[:, place].set(value)
      for compiled in (sums.total, jax.jit(sums.total, static_argnums=1)):
        np.testing.assert_array_equal(compiled(x, 1), np.full(7, value))

  def test_has_the_derivatives_of_a_sum(self):
    x = jnp.asarray(_ROWS[0])
    np.testing.assert_allclose(
      jax.grad(lambda y: sums.total(y**3))(x), 3 * x**2, rtol=1e-12
    )
    np.testing.assert_allclose(
      jax.hessian(lambda y: sums.total(y**3))(x), np.diag(6 * x), atol=1e-12
    )
    moved = jax.jvp(lambda y: sums.total(y, 0), (x,), (jnp.ones(5),))[1]
    self.assertEqual(moved, 5)
    back = jax.linear_transpose(lambda y: jnp.sum(2 * y), x)(1.0)
    np.testing.assert_array_equal(
      jax.vjp(lambda y: sums.total(2 * y), x)[1](1.0)[0], back[0]
    )

  @parameterized.parameters(5, 40)
  def test_maps_over_lanes_and_other_axes(self, length):
    # Short sums are written out over lanes, long ones are not.
    x = np.random.default_rng(1).normal(size=(3, length, 4))
    expected = _in_order(x, 1)
    for function in (lambda y: sums.total(y, 1), lambda y: -sums.total(-y, 1)):
      for mapped in (
        lanes.vmap_last(function, (True,)),
        jax.vmap(function, -1, -1),
      ):
        # XLA adds up long sums in parts.
        np.testing.assert_allclose(
          mapped(jnp.asarray(x)), expected, rtol=0, atol=1e-13
        )


if __name__ == "__main__":
  absltest.main()
