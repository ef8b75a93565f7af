"""Tests of the memory of samples."""

import collections
import inspect

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.learning import replay


def _batch(start, size):
  number = jnp.arange(start, start + size, dtype=jnp.int32)
  return {"number": number, "pair": jnp.stack([number, -number], 1)}


class ReplayTest(parameterized.TestCase):
  def test_keeps_the_newest(self):
    sample = jax.tree.map(lambda x: x[0], _batch(0, 1))
    memory, held = replay.empty(sample, 12), collections.deque(maxlen=12)
    add = jax.jit(replay.add)
    draw = jax.jit(replay.draw, static_argnums=2)
    for start in range(0, 40, 4):
      memory = add(memory, _batch(start, 4))
      held.extend(range(start, start + 4))
      drawn = draw(memory, jax.random.key(start), 400)
      self.assertEqual(set(np.asarray(drawn["number"]).tolist()), set(held))
      np.testing.assert_array_equal(drawn["pair"][:, 1], -drawn["number"])

  def test_draws_are_uniform(self):
    memory = replay.add(
      replay.empty(jnp.int32(0), 8), jnp.arange(4, dtype=jnp.int32)
    )
    drawn = np.asarray(replay.draw(memory, jax.random.key(0), 40_000))
    np.testing.assert_allclose(np.bincount(drawn) / 40_000, 0.25, atol=0.01)

  def test_refuses_what_does_not_fit(self):
    memory = replay.empty(jnp.int32(0), 8)
    with self.assertRaisesRegex(ValueError, "divides the capacity 8, got 3"):
      replay.add(memory, jnp.arange(3, dtype=jnp.int32))
    with self.assertRaisesRegex(ValueError, "`capacity` must be a positive"):
      inspect.unwrap(replay.empty)(jnp.int32(0), 0)


if __name__ == "__main__":
  absltest.main()
