"""Treeplexes: one player's decisions, laid out for fast sweeps.

Sequences (an infostate and an action, with all that precedes them) live in
slots of flat arrays. Slot 0 is the empty sequence. Infostates are sorted by own
depth, then by width; a run of one depth and one width is a group, whose slots
are contiguous, so that a group is a reshape and never a gather. Within a group
the first actions of all infostates come first, then all second ones, and so
on, so that an operation on the actions of an infostate is one on columns. (von
Stengel, 1996, https://doi.org/10.1006/game.1996.0050, for the sequence form;
Hoda et al., 2010, https://doi.org/10.1287/moor.1100.0452, for the treeplex.)

A *policy* holds a probability per slot, given the infostate; a *plan* holds
the product of a player's own probabilities up to each slot; a *gain* is the
derivative of a player's utility with respect to its plan. Slot 0 of a policy
carries no choice and is not read.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mdrl import struct
from mdrl.trees import segments, simplex, treeplex_checks

# Columns of at least this many infostates are concatenated one by one.
_LONG = 256


class Group(NamedTuple):
  """A run of infostates of one depth and one width.

  Attributes:
    start: First slot.
    first_row: First infostate.
    num_rows: Number of infostates.
    width: Slots of each infostate.
    padded: Whether some of the slots are illegal.
  """

  start: int
  first_row: int
  num_rows: int
  width: int
  padded: bool

  def view(self, x: Array) -> Array:
    """Returns the `[rows, width]` part of an array over slots."""
    stop = self.start + self.num_rows * self.width
    # Slices of `lax` are traced several times as fast as those by brackets.
    part = lax.slice_in_dim(x, self.start, stop)
    return lax.transpose(part.reshape(self.width, self.num_rows), (1, 0))

  def parts(self, rows: Array) -> list[Array]:
    """Returns arrays whose concatenation holds `[rows, width]` values by slot.

    Concatenating long columns makes a faster program than concatenating blocks;
    with short columns it would only compile more slowly.
    """
    if self.num_rows < _LONG:
      return [lax.transpose(rows, (1, 0)).reshape(-1)]
    columns = range(self.width)
    return [lax.index_in_dim(rows, k, 1, keepdims=False) for k in columns]


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

  def __post_init__(self):
    treeplex_checks.check(self)

  @property
  def groups(self) -> tuple[Group, ...]:
    """All groups, in order of slots."""
    return tuple(group for level in self.levels for group in level)

  @property
  def num_slots(self) -> int:
    """Number of slots, the empty sequence and padding included."""
    last = self.groups[-1:]
    return 1 + sum(g.num_rows * g.width for g in self.groups) if last else 1

  @property
  def num_infostates(self) -> int:
    """Number of infostates."""
    return sum(group.num_rows for group in self.groups)

  @property
  def dtype(self):
    """Floating type of the game."""
    return self.uniform.dtype

  def legal_rows(self, group: Group) -> Bool[Array, "R W"] | None:
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
    """Returns the rows that `fn` returns for each group; slot 0 is zero."""
    parts = [jnp.zeros(1, self.dtype)]
    for group in self.groups:
      parts += group.parts(fn(group))
    return jnp.concatenate(parts)

  @jax.jit
  def to_policy(self, weights: Float[Array, " S"]) -> Float[Array, " S"]:
    """Returns the policy proportional to a plan or to any other weights.

    It is uniform at infostates whose weights are all zero, such as those that a
    plan does not reach.
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
        table[group.first_row : group.first_row + group.num_rows, : group.width]
      )
    return jnp.concatenate(parts)
