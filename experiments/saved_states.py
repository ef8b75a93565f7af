"""States on disk, so that a run that is killed goes on where it was."""

import pathlib
import time
from typing import Any

import jax
import orbax.checkpoint as ocp


class SavedStates:
  """The latest states of a run, saved in the background."""

  def __init__(self, folder: pathlib.Path, save_seconds: float):
    self._manager = ocp.CheckpointManager(
        folder.resolve(), options=ocp.CheckpointManagerOptions(max_to_keep=2)
    )
    self._save_seconds = save_seconds
    self._due = time.monotonic() + save_seconds

  def restore(self, first: Any) -> tuple[Any, float]:
    """Returns the latest state and its seconds, or the first state and zero.

    Args:
      first: The first state, whose structure the saved ones have.

    Raises:
      ValueError: If the saved state has another structure.
    """
    step = self._manager.latest_step()
    if step is None:
      return first, 0.0
    target = jax.tree.map(ocp.utils.to_shape_dtype_struct, first)
    saved = self._manager.restore(
        step,
        args=ocp.args.Composite(
            state=ocp.args.StandardRestore(target),
            clock=ocp.args.JsonRestore(),
        ),
    )
    return saved["state"], saved["clock"]["seconds"]

  def save(self, step: int, state: Any, seconds: float) -> None:
    """Saves a state, unless it is there already."""
    self._due = time.monotonic() + self._save_seconds
    if step == self._manager.latest_step():
      return
    self._manager.save(
        step,
        args=ocp.args.Composite(
            state=ocp.args.StandardSave(state),
            clock=ocp.args.JsonSave({"seconds": seconds}),
        ),
    )

  def save_if_due(self, step: int, state: Any, seconds: float) -> None:
    """Saves a state if the last one is old enough."""
    if time.monotonic() >= self._due:
      self.save(step, state, seconds)

  def close(self) -> None:
    """Waits until all states are on disk."""
    self._manager.wait_until_finished()
    self._manager.close()
