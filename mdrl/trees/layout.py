"""Lays a player's decisions out as a treeplex, on the host.

The host numbers infostates and sequences as they were found; a layout sorts
infostates into rows, and gives every sequence a slot, as `treeplex` says.
"""

from typing import NamedTuple

import jax
import numpy as np

from mdrl.trees import own_depths, segment_plans
from mdrl.trees.treeplex import Group, Treeplex

# What one more group costs a sweep, in slots: its share of compilation and of
# the overhead of small operations.
_GROUP_COST = 400


class Layout(NamedTuple):
  """A treeplex, and the maps to it from the numbering of the host.

  Attributes:
    treeplex: The player's decisions.
    slot: The slot of each of the host's sequences.
    order: The host's infostate of each row.
    start: The first slot of each of the host's infostates.
    stride: The distance between the slots of each of the host's infostates.
  """

  treeplex: Treeplex
  slot: np.ndarray
  order: np.ndarray
  start: np.ndarray
  stride: np.ndarray


def lay_out(parent: np.ndarray, width: np.ndarray, dtype: np.dtype) -> Layout:
  """Lays out a player's decisions.

  Args:
    parent: The sequence above each infostate. Infostates are numbered so that
      parents come first; sequence 0 is empty, and the sequences of infostate k
      follow those of infostate k - 1.
    width: The number of actions of each infostate.
    dtype: Floating type of the game.

  Returns:
    The treeplex and the maps from the given numbering to it.

  Raises:
    ValueError: If an infostate is below itself, or levels are too many.
  """
  # The infostate and the action of every sequence but the empty one.
  infostate = np.repeat(np.arange(len(width)), width)
  first = np.cumsum(width) - width
  action = np.arange(len(infostate)) - first[infostate]

  # Rows are sorted into groups; ties are broken by the sequence above, so that
  # what is read from there is read in order.
  depth = own_depths.own_depths(parent, infostate)
  padded = _padded_widths(width, depth)
  order = np.lexsort((parent, padded, depth))

  start, stride = _slots(order, depth, padded)
  slot = np.zeros(1 + len(infostate), int)
  slot[1:] = start[infostate] + action * stride[infostate]
  uniform = np.zeros(1 + padded.sum(), dtype)
  uniform[slot[1:]] = 1 / width[infostate]

  levels, parents, children = [], [], []
  for d in range(depth.max(initial=-1) + 1):
    rows = np.flatnonzero(depth[order] == d)
    levels.append(_groups(rows, order, start, width, padded))
    if d:
      slot_above = slot[parent[order[rows]]]
      parents.append(segment_plans.to_device(slot_above))
      children.append(_sum_into(slot_above, levels[-2], dtype))
  is_empty_sequence = np.arange(len(uniform)) == 0
  treeplex = Treeplex(
    levels=tuple(levels),
    legal=jax.device_put((uniform > 0) | is_empty_sequence),
    uniform=jax.device_put(uniform),
    parents=tuple(parents),
    children=tuple(children),
  )
  return Layout(treeplex, slot, order, start, stride)


def _sum_into(slot, groups, dtype):
  """Plans the sum of infostates' values into the slots of the level above.

  Args:
    slot: The slot above each infostate, in order of rows.
    groups: Those of the level above.
    dtype: Floating type of the game.
  """
  first, last = groups[0].start, groups[-1]
  num_slots = last.start + last.num_rows * last.width - first
  ones, row = np.ones(len(slot)), np.arange(len(slot))
  return segment_plans.segment_sum(slot - first, (row,), ones, num_slots, dtype)


def _slots(order, depth, padded):
  """Returns the first slot of each infostate, and how far apart its slots are.

  A group is a run of rows of one depth and one width. Its slots lie action by
  action: those of an infostate are as far apart as the group has rows.
  """
  depth_and_width = np.stack([depth, padded])[:, order]
  is_first = np.ones(len(order), bool)
  is_first[1:] = (depth_and_width[:, 1:] != depth_and_width[:, :-1]).any(axis=0)
  group = np.cumsum(is_first) - 1

  num_rows = np.bincount(group)
  num_slots = num_rows * padded[order[is_first]]
  first_row = np.cumsum(num_rows) - num_rows
  # Slot 0 is the empty sequence.
  first_slot = 1 + np.cumsum(num_slots) - num_slots
  start, stride = np.empty((2, len(order)), int)
  start[order] = first_slot[group] + np.arange(len(order)) - first_row[group]
  stride[order] = num_rows[group]
  return start, stride


def _padded_widths(width, depth):
  """Pads widths where a group less is worth more than the slots it takes."""
  padded = width.copy()
  for d in range(depth.max(initial=-1) + 1):
    level = depth == d
    widths, counts = np.unique(width[level], return_counts=True)
    place = np.searchsorted(widths, width[level])
    padded[level] = _merged_widths(widths, counts)[place]
  return padded


def _merged_widths(widths, counts):
  """Returns, for each width of a level, the width that its group is padded to.

  A group takes a run of widths, padded to the widest. `cost[j]` is the least
  cost of the j narrowest widths, and `first[j - 1]` is where the last of their
  groups begins: dynamic programming over the widest of a group.

  Args:
    widths: The widths of a level, in increasing order.
    counts: The number of its infostates of each width.
  """
  num_rows = np.concatenate([[0], np.cumsum(counts)])
  cost, first = [0], []
  for j, width in enumerate(widths.tolist(), 1):
    costs = [
      cost[i] + _GROUP_COST + width * (num_rows[j] - num_rows[i])
      for i in range(j)
    ]
    first.append(int(np.argmin(costs)))
    cost.append(min(costs))

  # Read the groups off from the widest to the narrowest.
  merged, stop = np.empty_like(widths), len(widths)
  while stop:
    start = first[stop - 1]
    merged[start:stop] = widths[stop - 1]
    stop = start
  return merged


def _groups(rows, order, start, width, padded):
  """Returns the groups of a level, given its rows."""
  groups = []
  for padded_width in np.unique(padded[order[rows]]).tolist():
    members = rows[padded[order[rows]] == padded_width]
    groups.append(
      Group(
        start=int(start[order[members[0]]]),
        first_row=int(members[0]),
        num_rows=len(members),
        width=padded_width,
        padded=bool((width[order[members]] < padded_width).any()),
      )
    )
  return tuple(groups)
