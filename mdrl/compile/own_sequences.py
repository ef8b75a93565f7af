"""Features of infostates for games that have none of their own.

With perfect recall, a player's own past tells its infostates apart: what it has
seen before each of its moves, and what it did. Each of these is counted, and
encoded by zeros and a single one, as OpenSpiel's tensors are:

- what was seen, by the place of the infostate among those of the player that
  follow the same moves of its own, in the order of the index of the tree;
- what was done, by the place of the action among those of the infostate.

For each own decision up to the most that the player makes, a block for what was
seen is followed by one for what was done. A block is as wide as the widest that
the tree has there. What lies ahead of an infostate is zero, and so is the block
for what is done at the infostate itself.
"""

import numpy as np

from mdrl.trees import own_depths


def num_features(parent: np.ndarray, width: np.ndarray) -> int:
  """Returns how many numbers describe each infostate of a player.

  Args:
    parent: The own sequence above each infostate; sequence 0 is empty.
    width: The number of actions of each infostate.
  """
  _, _, seen, done = _blocks(parent, width)
  return int(seen.sum() + done.sum())


def encode(parent: np.ndarray, width: np.ndarray) -> np.ndarray:
  """Returns what a player has seen and done before each of its infostates.

  Args:
    parent: The own sequence above each infostate; sequence 0 is empty.
    width: The number of actions of each infostate.

  Returns:
    Zeros and ones as bytes, `[I, F]`; no two rows are alike.
  """
  depth, place, seen, done = _blocks(parent, width)
  first = np.cumsum(width) - width
  owner = np.repeat(np.arange(len(width)), width)
  features = np.zeros((len(width), int(seen.sum() + done.sum())), np.uint8)
  start = np.cumsum(seen + done) - seen - done
  for d in range(len(seen)):
    rows = np.flatnonzero(depth == d)
    if d:
      sequence = parent[rows] - 1
      above = owner[sequence]
      action = sequence - first[above]
      features[rows] = features[above]
      features[rows, start[d - 1] + seen[d - 1] + action] = 1
    features[rows, start[d] + place[rows]] = 1
  return features


def _blocks(parent, width):
  """Returns depths, places among siblings, and how wide both blocks are."""
  owner = np.repeat(np.arange(len(width)), width)
  depth = own_depths.own_depths(parent, owner)
  place = _places(parent)
  levels = depth.max(initial=-1) + 1
  seen, done = np.zeros((2, levels), int)
  np.maximum.at(seen, depth, place + 1)
  np.maximum.at(done, depth, width)
  # Nothing follows what is done last.
  done[-1:] = 0
  return depth, place, seen, done


def _places(parent):
  """Returns how many infostates before each follow the same sequence."""
  order = np.argsort(parent, kind="stable")
  new = np.append(True, np.diff(parent[order]) != 0)[: len(order)]
  start = np.flatnonzero(new)
  place = np.empty(len(parent), int)
  place[order] = np.arange(len(order)) - start[np.cumsum(new) - 1]
  return place
