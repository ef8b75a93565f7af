"""Own depths: how many decisions a player makes before each infostate."""

from jaxtyping import Int
import numpy as np

# Sweeps are unrolled: each level of a treeplex adds to the compiled program.
MAX_LEVELS = 250


def own_depths(
  parent: Int[np.ndarray, " I"], owner: Int[np.ndarray, " _"]
) -> Int[np.ndarray, " I"]:
  """Returns how many decisions of the player stand above each infostate.

  Args:
    parent: The sequence above each infostate; sequence 0 is empty.
    owner: The infostate of each sequence but the empty one.

  Raises:
    ValueError: If an infostate is below itself, or levels are too many.
  """
  # The infostate above each; for those that follow the empty sequence, a root.
  root = len(parent)
  parent_infostate = np.concatenate([[root], owner])[parent]
  # Pointer doubling, as trees may be deep: `depth` counts the steps from each
  # infostate to `ancestor`, and every round doubles them until all are at the
  # root.
  ancestor = np.append(parent_infostate, root)
  depth = np.append(np.ones(root, int), 0)
  for _ in range(root.bit_length() + 1):
    if (ancestor == root).all():
      break
    depth, ancestor = depth + depth[ancestor], ancestor[ancestor]
  else:
    raise ValueError(
      "`parent` must lead up to the empty sequence, got infostates that are "
      "below themselves; number infostates so that parents come first"
    )
  levels = int(depth.max())
  if levels > MAX_LEVELS:
    raise ValueError(
      f"`parent` must lead through at most {MAX_LEVELS} decisions of one "
      f"player, got {levels}: a program has a part for each, and would "
      "compile for minutes or hours; shorten the game"
    )
  return depth[:-1] - 1
