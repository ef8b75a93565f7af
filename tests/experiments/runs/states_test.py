"""Tests that states come back from disk as they were, or are refused."""

import contextlib
import io
import json
import os
import pathlib
import shutil
import tempfile
from typing import Any, NamedTuple

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from experiments.runs import saved_files, states


class _State(NamedTuple):
  step: Any
  parts: Any


def _state(step):
  # Infinite duals and the smallest of numbers come back as well.
  parts = {
    "duals": (jnp.array([-jnp.inf, step / 3]), jnp.array(5e-324)),
    "short": jnp.full((2, 1), step, jnp.bfloat16),
    "keys": jax.random.split(jax.random.key(step), 3),
    "other_key": jax.random.key(step, impl="rbg"),
    "none": (jnp.zeros((0, 3)), None, jnp.array(True)),
  }
  return _State(jnp.asarray(step), parts)


def _saved(folder, steps, fingerprint="mine", save_seconds=0.0):
  """Saves states; returns the object that did."""
  saver = states.States(folder, fingerprint, save_seconds)
  for step in steps:
    saver.save(step, _state(step), {"seconds": 0.1 * step})
  saver.wait()
  saver.close()
  return saver


def _found(folder, fingerprint="mine"):
  saver = states.States(folder, fingerprint, 0.0)
  with contextlib.closing(saver):
    return saver.restore(jax.eval_shape(lambda: _state(0)))


def _steps(folder):
  return sorted(path.name for path in folder.iterdir())


class StatesTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.folder = pathlib.Path(folder) / "states"

  def test_nothing_where_none_is_saved(self):
    self.assertIsNone(_found(self.folder))
    self.assertFalse(self.folder.exists())

  def test_latest_state_comes_back_bit_for_bit(self):
    _saved(self.folder, (1, 2, 7, 7))
    found = _found(self.folder)
    self.assertEqual(found.clock, {"seconds": 0.1 * 7})
    self.assertEqual(found.damaged, [])
    self.assertIsInstance(found.state, _State)
    for x, y in zip(
      jax.tree.leaves(found.state), jax.tree.leaves(_state(7)), strict=True
    ):
      self.assertEqual(x.dtype, y.dtype)
      if jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
        x, y = jax.random.key_data(x), jax.random.key_data(y)
      np.testing.assert_array_equal(x, y)

  def test_two_states_are_kept(self):
    _saved(self.folder, (1, 2, 7))
    self.assertEqual(_steps(self.folder), ["2", "7"])

  def test_what_a_kill_has_cut_off_is_deleted(self):
    _saved(self.folder, (1, 2))
    partial = self.folder / "3.partial"
    partial.mkdir()
    (partial / "state.bin").write_bytes(b"0123")
    self.assertEqual(int(_found(self.folder).state.step), 2)
    self.assertEqual(_steps(self.folder), ["1", "2"])

  def test_due_after_some_seconds(self):
    self.assertFalse(_saved(self.folder, (1,), save_seconds=1e6).due)
    self.assertTrue(_saved(self.folder, (), save_seconds=0.0).due)

  def test_states_of_another_run_are_refused(self):
    _saved(self.folder, (1,), "another")
    with self.assertRaisesRegex(ValueError, "of this run.*--overwrite"):
      _found(self.folder)

  def test_states_of_other_arrays_are_refused(self):
    _saved(self.folder, (1,))
    saver = states.States(self.folder, "mine", 0.0)
    for other in ({"x": jnp.zeros(3)}, _state(0)._replace(step=jnp.zeros(2))):
      with self.assertRaisesRegex(ValueError, "of this solver.*--overwrite"):
        saver.restore(other)
    saver.close()

  def test_states_after_damaged_ones_take_their_place(self):
    _saved(self.folder, (1, 2))
    (self.folder / "2" / "manifest.json").unlink()
    saver = states.States(self.folder, "mine", 0.0)
    self.assertEqual(saver.restore(_state(0)).clock["seconds"], 0.1)
    saver.save(2, _state(2), {"seconds": 9.0})
    saver.close()
    self.assertEqual(_found(self.folder).clock["seconds"], 9.0)
    (self.folder / "2" / "manifest.json").unlink()
    (self.folder / "1" / "extra").mkdir()
    _saved(self.folder, ())
    saver = states.States(self.folder, "mine", 0.0)
    saver.restore(_state(0))
    os.rename(self.folder / "2", self.folder / "9")
    saver.save(3, _state(3), {"seconds": 0.3})
    saver.close()
    self.assertEqual(_steps(self.folder), ["1", "3"])

  def test_state_that_cannot_be_written(self):
    self.folder.write_text("in the way")
    saver = states.States(self.folder, "mine", 0.0)
    saver.save(1, _state(1), {})
    with self.assertRaisesRegex(ValueError, "states/1, which cannot be writt"):
      saver.wait()
    saver.close()


def _truncated(path):
  data = path.read_bytes()
  path.write_bytes(data[: len(data) // 2])


def _emptied(path):
  path.write_bytes(b"")


def _flipped(path):
  data = bytearray(path.read_bytes())
  data[len(data) // 2] ^= 4
  path.write_bytes(bytes(data))


def _deleted(path):
  path.unlink()


def _replaced(path):
  path.unlink()
  path.mkdir()


class DamageTest(parameterized.TestCase):
  """Every file of a state, damaged in every way."""

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    folder = cls.enterClassContext(tempfile.TemporaryDirectory())
    cls.whole = pathlib.Path(folder) / "whole"
    _saved(cls.whole, (1, 2))

  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.folder = pathlib.Path(folder) / "states"

  def _files(self):
    newest = self.whole / "2"
    files = [p for p in sorted(newest.rglob("*")) if p.is_file()]
    self.assertLen(files, 2)
    for path in files:
      shutil.rmtree(self.folder, ignore_errors=True)
      shutil.copytree(self.whole, self.folder)
      with self.subTest(str(path.relative_to(newest))):
        yield self.folder / path.relative_to(self.whole)

  def _falls_back(self):
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
      found = _found(self.folder)
    self.assertEqual(found.clock["seconds"], 0.1)
    self.assertEqual(int(found.state.step), 1)
    self.assertRegex(found.damaged[0], "states/2 cannot be read: ")
    self.assertLen(found.damaged[0].splitlines(), 1)
    self.assertEmpty(stderr.getvalue())

  @parameterized.parameters(_truncated, _emptied, _flipped, _deleted, _replaced)
  def test_the_state_before_is_taken(self, damage):
    for path in self._files():
      damage(path)
      self._falls_back()

  @parameterized.parameters("clock", "fingerprint", "arrays", "step", "files")
  def test_entries_of_the_manifest(self, name):
    shutil.copytree(self.whole, self.folder)
    path = self.folder / "2" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest[name] = (
      json.loads((self.folder / "1" / "manifest.json").read_text())[name]
      if name in ("clock", "step")
      else {}
    )
    path.write_text(json.dumps(manifest))
    self._falls_back()

  def test_files_of_another_state(self):
    for path in self._files():
      twin = self.folder / "1" / path.relative_to(self.folder / "2")
      if twin.exists() and twin.read_bytes() != path.read_bytes():
        shutil.copy(twin, path)
        self._falls_back()

  def test_folders_that_are_lost_or_another_state(self):
    shutil.copytree(self.whole, self.folder)
    (self.folder / "2" / "state.bin").unlink()
    self._falls_back()
    shutil.rmtree(self.folder / "2")
    shutil.copytree(self.folder / "1", self.folder / "2")
    self._falls_back()

  def test_one_line_where_none_can_be_read(self):
    shutil.copytree(self.whole, self.folder)
    for step in ("1", "2"):
      _flipped(self.folder / step / "manifest.json")
    with self.assertRaisesRegex(ValueError, "can be read.*--overwrite"):
      _found(self.folder)


class DeleteTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.folder = pathlib.Path(folder) / "checkpoint"

  def test_states_of_one_job_and_of_many(self):
    _saved(self.folder, (1, 2))
    _saved(self.folder / "solver=cfr", (3,))
    (self.folder / "4.partial").mkdir()
    (self.folder / "4.partial" / "state.bin").touch()
    saved_files.delete(self.folder)
    self.assertFalse(self.folder.exists())

  def test_anything_else_is_left_and_named(self):
    for name in ("notes.txt", "100/model.pt", "run/weights.npy"):
      _saved(self.folder, (1,))
      foreign = self.folder / name
      foreign.parent.mkdir(exist_ok=True)
      foreign.write_text("mine")
      with self.assertRaisesRegex(ValueError, f"got .*{name}"):
        saved_files.delete(self.folder)
      self.assertEqual(foreign.read_text(), "mine")
      self.assertTrue((self.folder / "1" / "manifest.json").exists())
      shutil.rmtree(self.folder)


if __name__ == "__main__":
  absltest.main()
