"""Tests that states come back from disk as they were."""

import pathlib
import tempfile
from typing import Any, NamedTuple

from absl.testing import absltest
import jax
import jax.numpy as jnp
import numpy as np

from experiments import saved_states


class _State(NamedTuple):
  step: Any
  parts: Any


def _state(step):
  # Infinite duals and the smallest of numbers come back as well.
  parts = (jnp.array([-jnp.inf, step / 3]), jnp.array(5e-324))
  return _State(jnp.asarray(step), parts)


class SavedStatesTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.folder = pathlib.Path(folder) / "states"

  def test_first_state_where_none_is_saved(self):
    states = saved_states.SavedStates(self.folder, 0.0)
    first = _state(0)
    self.assertIs(states.restore(first)[0], first)
    self.assertEqual(states.restore(first)[1], 0)
    states.close()

  def test_latest_state_comes_back_bit_for_bit(self):
    states = saved_states.SavedStates(self.folder, 0.0)
    for step in (1, 2, 7):
      states.save(step, _state(step), 0.1 * step)
    states.save(7, _state(7), 0.7)
    states.close()
    again = saved_states.SavedStates(self.folder, 0.0)
    found, seconds = again.restore(_state(0))
    again.close()
    self.assertEqual(seconds, 0.1 * 7)
    self.assertIsInstance(found, _State)
    for x, y in zip(
        jax.tree.leaves(found), jax.tree.leaves(_state(7)), strict=True
    ):
      self.assertEqual(x.dtype, y.dtype)
      np.testing.assert_array_equal(x, y)

  def test_saves_when_due(self):
    states = saved_states.SavedStates(self.folder, 1e6)
    states.save_if_due(1, _state(1), 0.0)
    self.assertEqual(int(states.restore(_state(0))[0].step), 0)
    states.close()
    eager = saved_states.SavedStates(self.folder, 0.0)
    eager.save_if_due(2, _state(2), 0.0)
    eager.close()
    again = saved_states.SavedStates(self.folder, 0.0)
    self.assertEqual(int(again.restore(_state(0))[0].step), 2)
    again.close()


if __name__ == "__main__":
  absltest.main()
