"""Tests that operations keep the batch last, without moving it."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.batching import lanes

_SIZE = 4
_INDEX = np.array([2, 0, 1])
# Operations with a rule of their own; a fallback would move the batch about.
_RULED = {
  "elementwise": lambda x, y: jnp.where(x > y, jnp.exp(x), x * y - 1),
  "scalar predicate": lambda x, y: jnp.where(x[0, 0] > 0, x, y),
  "by axis": lambda x, y: jnp.cumsum(x + y, axis=0),
  "short sum": lambda x, y: jnp.sum(x * y, axis=1),
  "long sum": lambda x, y: jnp.sum(jnp.tile(x, (1, 9)), axis=1),
  "sum of exponentials": lambda x, y: jnp.sum(jnp.exp(x - y), axis=1),
  "concatenate": lambda x, y: jnp.concatenate([x, y], axis=1),
  "pad": lambda x, y: jnp.pad(x, ((1, 0), (0, 2))),
  "slice": lambda x, y: x[1:, ::2],
  "dynamic slice": lambda x, y: jax.lax.dynamic_slice(x, (1, 0), (2, 2)),
  "update": lambda x, y: jax.lax.dynamic_update_slice(x, y[1:], (1, 0)),
  "update of what is shared": lambda x, y: jax.lax.dynamic_update_slice(
    y, x[:2, 1:], (0, 1)
  ),
  "gather": lambda x, y: x[_INDEX],
  "reshape": lambda x, y: x.reshape(-1),
  "broadcast": lambda x, y: jnp.broadcast_to(x[None], (2, 3, 3)),
}


class LaneRulesTest(parameterized.TestCase):
  @parameterized.parameters(*_RULED)
  def test_is_vmap_and_moves_nothing(self, name):
    fn = _RULED[name]
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(3, 3, _SIZE)))
    y = jnp.asarray(rng.normal(size=(3, 3)))
    mapped = lanes.vmap_last(fn, (True, False))
    wanted = jax.vmap(fn, in_axes=(-1, None), out_axes=-1)(x, y)
    np.testing.assert_allclose(mapped(x, y), wanted, rtol=1e-14, atol=1e-14)
    self.assertNotIn("transpose", str(jax.make_jaxpr(mapped)(x, y)))

  def test_only_sums_of_cheap_terms_are_written_out(self):
    x, y = jnp.ones((3, 3, _SIZE)), jnp.ones((3, 3))
    for name, reduces in (
      ("short sum", False),
      ("long sum", True),
      ("sum of exponentials", True),
    ):
      mapped = lanes.vmap_last(_RULED[name], (True, False))
      text = str(jax.make_jaxpr(mapped)(x, y))
      self.assertEqual("reduce_sum" in text, reduces, name)

  def test_what_has_no_rule_goes_through_vmap(self):
    x, y = jnp.ones((3, 3, _SIZE)), jnp.ones((3, 3))
    mapped = lanes.vmap_last(lambda a, b: jnp.sort(a @ b), (True, False))
    np.testing.assert_array_equal(mapped(x, y), np.full((3, 3, _SIZE), 3.0))


if __name__ == "__main__":
  absltest.main()
