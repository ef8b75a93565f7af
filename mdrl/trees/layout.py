"""Lays a player's decisions out as a treeplex, on the host."""

from typing import NamedTuple

import jax
import numpy as np

from mdrl.trees import own_depths, segment_plans
from mdrl.trees.treeplex import Group, Treeplex

# What a group costs a sweep, in slots: its share of compilation and of the
# overhead of small operations.
_GROUP_COST = 400


class Layout(NamedTuple):
  """A treeplex, and where the host's numbering went.

  Attributes:
    treeplex: The player's decisions.
    slot: The slot of each sequence in the host's numbering.
    order: The host's infostate that stands at each row.
    start: The first slot of each of the host's infostates.
    stride: How far apart the slots of each of them are.
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
  owner = np.repeat(np.arange(len(width)), width)
  depth = own_depths.own_depths(parent, owner)
  padded = _padded_widths(width, depth)
  order = np.lexsort((parent, padded, depth))
  start, stride = _places(order, depth, padded)
  slot = np.zeros(1 + len(owner), int)
  action = np.arange(len(owner)) - (np.cumsum(width) - width)[owner]
  slot[1:] = start[owner] + action * stride[owner]
  uniform = np.zeros(1 + padded.sum(), dtype)
  uniform[slot[1:]] = 1 / width[owner]
  levels, parents, children = [], [], []
  for d in range(depth.max(initial=-1) + 1):
    at = np.flatnonzero(depth[order] == d)
    levels.append(_groups(order, at, start, width, padded))
    if d:
      base, last = levels[-2][0].start, levels[-2][-1]
      size = last.start + last.num_rows * last.width - base
      above = slot[parent[order[at]]]
      ones, source = np.ones(len(at)), np.arange(len(at))
      parents.append(segment_plans.to_device(above))
      children.append(
        segment_plans.segment_sum(above - base, (source,), ones, size, dtype)
      )
  treeplex = Treeplex(
    levels=tuple(levels),
    legal=jax.device_put((uniform > 0) | (np.arange(len(uniform)) == 0)),
    uniform=jax.device_put(uniform),
    parents=tuple(parents),
    children=tuple(children),
  )
  return Layout(treeplex, slot, order, start, stride)


def _places(order, depth, padded):
  """Returns the first slot of each infostate, and how far apart its slots are.

  Infostates of one depth and one width are a group, in which they lie side by
  side.
  """
  key = np.stack([depth, padded])[:, order]
  new = np.ones(len(order), bool)
  new[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
  group = np.cumsum(new) - 1
  rows = np.bincount(group)
  slots = rows * padded[order[new]]
  first_row, first_slot = np.cumsum(rows) - rows, 1 + np.cumsum(slots) - slots
  start, stride = np.empty((2, len(order)), int)
  start[order] = first_slot[group] + np.arange(len(order)) - first_row[group]
  stride[order] = rows[group]
  return start, stride


def _padded_widths(width, depth):
  """Pads widths where a group less is worth more than the slots it takes."""
  padded = width.copy()
  for d in range(depth.max(initial=-1) + 1):
    here = depth == d
    sizes, counts = np.unique(width[here], return_counts=True)
    padded[here] = _merged(sizes, counts)[np.searchsorted(sizes, width[here])]
  return padded


def _merged(sizes, counts):
  """Returns, for each width in order, the width that its group is padded to.

  Groups are runs of widths, padded to the widest; dynamic programming over the
  last width finds the runs of least cost.
  """
  total = np.concatenate([[0], np.cumsum(counts)])
  cost, first = [0], []
  for j, size in enumerate(sizes.tolist(), 1):
    costs = [
      cost[i] + _GROUP_COST + size * (total[j] - total[i]) for i in range(j)
    ]
    first.append(int(np.argmin(costs)))
    cost.append(min(costs))
  merged, stop = np.empty_like(sizes), len(sizes)
  while stop:
    start = first[stop - 1]
    merged[start:stop] = sizes[stop - 1]
    stop = start
  return merged


def _groups(order, at, start, width, padded):
  groups = []
  for size in np.unique(padded[order[at]]).tolist():
    rows = at[padded[order[at]] == size]
    groups.append(
      Group(
        start=int(start[order[rows[0]]]),
        first_row=int(rows[0]),
        num_rows=len(rows),
        width=size,
        padded=bool((width[order[rows]] < size).any()),
      )
    )
  return tuple(groups)
