"""Saves states to disk, so that a killed run can be resumed.

A state is a file of all arrays' bytes, and a manifest. It is written under
another name and moved into place, so that it is whole or absent; whatever does
not have the hashes of the manifest is not read. Orbax was tried: on a full disk
and about damaged states, its threads print tracebacks that cannot be caught.
"""

from collections.abc import Callable, Mapping
from concurrent import futures
import functools
import os
import pathlib
import shutil
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.runs import saved_files, whole_files

_KEPT = 2
_KEY_KINDS = ("threefry2x32", "rbg", "unsafe_rbg")


class Saved(NamedTuple):
  """A state read from disk.

  Attributes:
    state: The state.
    clock: What the host had counted by then.
    damaged: What later states could not be read, a sentence each.
  """

  state: Any
  clock: dict[str, Any]
  damaged: list[str]


class States:
  """The latest saved states of a job, written in the background."""

  def __init__(
    self, folder: pathlib.Path, fingerprint: str, save_seconds: float
  ):
    """Prepares to save.

    Args:
      folder: Of the job; it is made when a state is saved.
      fingerprint: Of what decides the run's numbers.
      save_seconds: Time between states.
    """
    self._folder = folder.resolve()
    self._fingerprint = fingerprint
    self._save_seconds = save_seconds
    self._due = time.monotonic() + save_seconds
    self._latest: int | None = None
    self._thread = futures.ThreadPoolExecutor(1)
    self._pending: futures.Future | None = None

  def restore(self, first: Any) -> Saved | None:
    """Returns the latest state that can be read, or None if there is none.

    Args:
      first: A state, or the shapes of one.

    Raises:
      ValueError: If states are there and none of them can be read, or one is
        of another run.
    """
    # What a kill has cut off is no state, and nobody else's.
    for partial in self._folder.glob(f"*{saved_files.PARTIAL}"):
      shutil.rmtree(partial, ignore_errors=True)
    damaged = []
    for folder in saved_files.found(self._folder):
      try:
        state, clock = self._read(folder, first)
      except saved_files.Damaged as error:
        damaged.append(f"{folder} cannot be read: {error}")
        continue
      self._latest = int(folder.name)
      return Saved(state, clock, damaged)
    if damaged:
      raise ValueError(
        f"`--resume` must find a state that can be read, got {damaged[0]}; "
        "start anew by --overwrite"
      )
    return None

  def save(
    self,
    step: int,
    state: Any,
    clock: Mapping[str, Any],
    before: Callable[[], None] = lambda: None,
  ) -> None:
    """Saves a state, unless it is there already.

    Args:
      step: Updates made.
      state: The state.
      clock: What the host has counted by now, as JSON holds it.
      before: Called in the background before the state is there.

    Raises:
      WriteError: If this or the state before cannot be written.
    """
    self._due = time.monotonic() + self._save_seconds
    if step == self._latest:
      return
    self.wait()
    self._latest = step
    self._pending = self._thread.submit(
      self._write, step, state, dict(clock), before
    )

  @property
  def due(self) -> bool:
    """Whether the last state is old enough."""
    return time.monotonic() >= self._due

  def wait(self) -> None:
    """Waits until the last state is on disk.

    Raises:
      WriteError: If it cannot be written.
    """
    if self._pending is not None:
      pending, self._pending = self._pending, None
      pending.result()

  def close(self) -> None:
    """Waits until all states are on disk, whatever became of them."""
    self._thread.shutdown()

  def _write(self, step, state, clock, before):
    before()
    folder = self._folder / str(step)
    partial = folder.with_name(f"{step}{saved_files.PARTIAL}")
    with whole_files.writing(folder):
      shutil.rmtree(partial, ignore_errors=True)
      partial.mkdir(parents=True)
      try:
        _write(partial / saved_files.STATE, state)
        manifest = {
          "fingerprint": self._fingerprint,
          "step": step,
          "clock": clock,
          "arrays": _arrays(state),
        }
        saved_files.seal(partial, manifest)
        # A damaged state of that number of updates may be in the way.
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
      except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    # Later ones were damaged, or they would have been gone on with.
    saved = saved_files.found(self._folder)
    later = [path for path in saved if int(path.name) > step]
    for path in [*later, *saved[len(later) + _KEPT :]]:
      shutil.rmtree(path, ignore_errors=True)

  def _read(self, folder, first):
    manifest = saved_files.check(folder)
    if manifest["step"] != int(folder.name):
      raise saved_files.Damaged(
        f"it is the state after {manifest['step']} updates"
      )
    if manifest["fingerprint"] != self._fingerprint:
      raise ValueError(
        "`--resume` must find states of this run, got one of a run with "
        f"other flags or contents in {folder}; start anew by --overwrite"
      )
    if manifest["arrays"] != _arrays(first):
      raise ValueError(
        "`--resume` must find states of this solver, got arrays of another "
        f"in {folder}; start anew by --overwrite"
      )
    return _restored(folder / saved_files.STATE, first), manifest["clock"]


def _is_key(leaf):
  return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _arrays(state):
  """The types and shapes of a state's arrays, as JSON holds them."""
  return [
    [str(leaf.dtype), list(leaf.shape)] for leaf in jax.tree.leaves(state)
  ]


def _write(path, state):
  """Writes the bytes of all arrays, as NumPy's files lack types of JAX."""
  with open(path, "wb") as file:
    for leaf in jax.tree.leaves(state):
      bits = jax.random.key_data(leaf) if _is_key(leaf) else leaf
      array = np.ascontiguousarray(jax.device_get(bits))
      file.write(array.reshape(-1).view(np.uint8).data)
    file.flush()
    os.fsync(file.fileno())


def _key(bits, leaf):
  """Returns keys of random numbers, of the kind of a leaf."""
  for kind in _KEY_KINDS:
    made = jax.eval_shape(functools.partial(jax.random.key, 0, impl=kind))
    if made.dtype == leaf.dtype:
      return jax.random.wrap_key_data(bits, impl=kind)
  raise ValueError(
    f"`--resume` must find keys of the kinds {', '.join(_KEY_KINDS)}, got "
    f"{leaf.dtype}; keep jax.random.key_data of others in the state"
  )


def _restored(path, first):
  """Returns the arrays of a file that is whole, in the structure of `first`."""
  leaves, structure = jax.tree.flatten(first)
  arrays = []
  with open(path, "rb") as file:
    for leaf in leaves:
      # Keys of random numbers are read as their bits.
      key = _is_key(leaf)
      bits = jax.eval_shape(jax.random.key_data, leaf) if key else leaf
      data = file.read(bits.size * bits.dtype.itemsize)
      array = np.frombuffer(data, bits.dtype).reshape(bits.shape)
      arrays.append(_key(array, leaf) if key else array)
  return structure.unflatten(jax.device_put(arrays, jax.devices()[0]))
