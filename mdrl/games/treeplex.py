"""Treeplexes: one player's decisions, laid out for fast sweeps.

Sequences (an infostate and an action, with all that precedes them) live in
slots of flat arrays. Slot 0 is the empty sequence. Infostates are sorted by own
depth, then by width; a run of one depth and one width is a group, whose slots
are contiguous, so that a group is a reshape and never a gather. Within a group
the first actions of all infostates come first, then all second ones, and so
on: what is done to the actions of an infostate is then done to whole columns
at once. (von Stengel, 1996, https://doi.org/10.1006/game.1996.0050, for the
sequence form; Hoda et al., 2010, https://doi.org/10.1287/moor.1100.0452, for
the treeplex.)

A *policy* holds a probability per slot, given the infostate; a *plan* holds
the product of a player's own probabilities up to each slot; a *gain* is the
derivative of a player's utility with respect to its plan. Slot 0 of a policy
carries no choice and is not read.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int
import numpy as np

from mdrl import struct
from mdrl.games import own_depths, segments
from mdrl.geometry import simplex

# What a group costs a sweep, in slots: its share of compilation and of the
# overhead of small operations.
_GROUP_COST = 400
# Columns of at least this many infostates are joined one by one.
_LONG = 256


class Group(NamedTuple):
  """A run of infostates of one depth and one width.

  Attributes:
    start: First slot.
    row: First infostate.
    rows: Number of infostates.
    width: Slots of each infostate.
    padded: Whether some of the slots are illegal.
  """

  start: int
  row: int
  rows: int
  width: int
  padded: bool

  def view(self, x: Array) -> Array:
    """Returns the `[rows, width]` part of an array over slots."""
    stop = self.start + self.rows * self.width
    return x[self.start : stop].reshape(self.width, self.rows).T

  def parts(self, rows: Array) -> list[Array]:
    """Returns arrays that, joined, are the slots of `[rows, width]` values.

    A program that joins long columns runs faster than one that joins blocks,
    and with short ones it only compiles more slowly.
    """
    if self.rows < _LONG:
      return [rows.T.reshape(-1)]
    return [rows[:, k] for k in range(self.width)]


# Maps the action values of a group to the infostates' values and to rows to
# keep: `(q[R, W], group) -> (value[R], rows[R, W])`.
RowFn = Callable[[Array, Group], tuple[Array, Array]]


@struct.dataclass
class Treeplex:
  """The decisions of one player.

  Attributes:
    levels: The groups at each own depth.
    legal: Which slots are sequences.
    uniform: Uniform policy; its dtype is that of the game.
    parents: For each depth but the first, the slot above each infostate.
    children: For each depth but the first, the sum of the values of its
      infostates into the slots of the depth above.
  """

  levels: tuple[tuple[Group, ...], ...] = struct.static()
  legal: Bool[Array, " S"]
  uniform: Float[Array, " S"]
  parents: tuple[Int[Array, " _"], ...]
  children: tuple[segments.SegmentSum, ...]

  @property
  def groups(self) -> tuple[Group, ...]:
    """All groups, in order of slots."""
    return tuple(group for level in self.levels for group in level)

  @property
  def num_slots(self) -> int:
    """Number of slots, the empty sequence and padding included."""
    last = self.groups[-1:]
    return 1 + sum(g.rows * g.width for g in self.groups) if last else 1

  @property
  def num_infostates(self) -> int:
    """Number of infostates."""
    return sum(group.rows for group in self.groups)

  @property
  def dtype(self):
    """Floating type of the game."""
    return self.uniform.dtype

  def rows(self, group: Group) -> Bool[Array, "R W"] | None:
    """Returns the legal slots of a group, or None where all are."""
    return group.view(self.legal) if group.padded else None

  def mask(self, x: Float[Array, " S"]) -> Float[Array, " S"]:
    """Returns `x` with zeros at padding."""
    if any(group.padded for group in self.groups):
      return jnp.where(self.legal, x, jnp.zeros_like(x))
    return x

  def map_groups(
    self, fn: Callable[[Group], Float[Array, "R W"]]
  ) -> Float[Array, " S"]:
    """Returns what `fn` makes of each group; slot 0 becomes zero."""
    parts = [jnp.zeros(1, self.dtype)]
    for group in self.groups:
      parts += group.parts(fn(group))
    return jnp.concatenate(parts)

  @jax.jit
  def to_policy(self, weights: Float[Array, " S"]) -> Float[Array, " S"]:
    """Returns the policy in proportion to a plan, or to any weights.

    Uniform at infostates whose weights are all zero, as where a plan does not
    reach.
    """
    weights = self.mask(weights)

    def normalize(group):
      uniform = group.view(self.uniform) if group.padded else 1 / group.width
      return simplex.normalize(group.view(weights), uniform)

    return self.map_groups(normalize)

  @jax.jit
  def to_table(self, x: Float[Array, " S"]) -> Float[Array, "I A"]:
    """Returns one row per infostate, padded with zeros to the widest."""
    if not self.groups:
      return jnp.zeros((0, 0), x.dtype)
    widest = max(group.width for group in self.groups)
    return jnp.concatenate(
      [
        jnp.pad(group.view(x), ((0, 0), (0, widest - group.width)))
        for group in self.groups
      ]
    )

  @jax.jit
  def from_table(self, table: Float[Array, "I A"]) -> Float[Array, " S"]:
    """Returns the flat form of one row per infostate."""
    parts = [jnp.zeros(1, table.dtype)]
    for group in self.groups:
      parts += group.parts(
        table[group.row : group.row + group.rows, : group.width]
      )
    return jnp.concatenate(parts)


def sweep_down(
  treeplex: Treeplex, policy: Float[Array, " S"]
) -> Float[Array, " S"]:
  """Returns the plan of a policy."""
  policy = _stored(treeplex, policy)
  plan = jnp.ones(treeplex.num_slots, policy.dtype)
  for depth, groups in enumerate(treeplex.levels):
    reach = segments.take(plan, treeplex.parents[depth - 1]) if depth else None
    first = groups[0].row
    for g in groups:
      rows = g.view(policy)
      if reach is not None:
        rows *= reach[g.row - first : g.row - first + g.rows, None]
      plan = jax.lax.dynamic_update_slice(plan, rows.T.reshape(-1), (g.start,))
  return plan


def reaches(
  treeplex: Treeplex, plan: Float[Array, " S"]
) -> Iterator[tuple[Group, Float[Array, " R"]]]:
  """Yields each group, and how much a plan reaches its infostates."""
  for depth, groups in enumerate(treeplex.levels):
    first, last = groups[0].row, groups[-1]
    rows = last.row + last.rows - first
    reach = (
      segments.take(plan, treeplex.parents[depth - 1])
      if depth
      else jnp.ones(rows, plan.dtype)
    )
    for g in groups:
      yield g, reach[g.row - first : g.row - first + g.rows]


def _stored(treeplex, x):
  """Returns `x`, which XLA then computes once and does not fuse any further.

  What is written in place is computed one number at a time, with all that is
  fused into it, and would be computed anew for every use.

  On CPUs with AVX-512, XLA of jax 0.10 miscompiles a gather that it has fused
  with a concatenation of broadcast rows: it reads outside of the arrays. A
  conditional, unlike an optimization barrier, stands until after fusion; which
  branch is taken must not be known to the compiler.
  """
  return jax.lax.cond(treeplex.legal[0], lambda y: y, jnp.negative, x)


def sweep_up(
  treeplex: Treeplex, gain: Float[Array, " S"], row_fn: RowFn
) -> tuple[Float[Array, " S"], Float[Array, ""]]:
  """Carries values from the leaves of a treeplex to its root.

  Args:
    treeplex: The player's decisions.
    gain: The part of the value that is earned at each sequence.
    row_fn: Called for each group with the values of its actions: the gain and
      the values of all infostates below. It returns a value per infostate, and
      rows to keep. With an expectation this is policy evaluation, with a
      maximum the best response, with a log-partition the dilated proximal step.

  Returns:
    The kept rows, with zero at slot 0, and the value of the empty sequence.
  """
  kept, below = [], None
  for depth in reversed(range(len(treeplex.levels))):
    groups = treeplex.levels[depth]
    start = groups[0].start
    stop = groups[-1].start + groups[-1].rows * groups[-1].width
    q = gain[start:stop] if below is None else gain[start:stop] + below
    values, rows = [], []
    for g in groups:
      block = g._replace(start=g.start - start).view(q)
      value, keep = row_fn(block, g)
      values.append(value)
      rows += g.parts(keep)
    kept.append(jnp.concatenate(rows))
    value = jnp.concatenate(values)
    below = treeplex.children[depth - 1](value) if depth else jnp.sum(value)
  kept.append(jnp.zeros(1, gain.dtype))
  root = gain[0] if below is None else gain[0] + below
  return jnp.concatenate(kept[::-1]), root


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
      size = last.start + last.rows * last.width - base
      above = slot[parent[order[at]]]
      ones, source = np.ones(len(at)), np.arange(len(at))
      parents.append(segments.put(above))
      children.append(
        segments.segment_sum(above - base, (source,), ones, size, dtype)
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
        row=int(rows[0]),
        rows=len(rows),
        width=size,
        padded=bool((width[order[rows]] < size).any()),
      )
    )
  return tuple(groups)
