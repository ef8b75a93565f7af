"""The histories of a tree game as arrays, to step through and to enumerate.

Environments and exact search need what solvers do without: single histories,
their moves, and what players see there. Histories stand in order of depth, and
the children of a history follow one another, in order of the actions of its
infostate, so that a move is an addition and a step of many games a gather.

For N players and numbers of b bytes, a history takes 18 + 4 N + 2 b bytes, and
a terminal N b more: 42 and 16 with two players in double precision.
"""

from collections.abc import Sequence
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, UInt
import numpy as np

from mdrl import struct
from mdrl.games import tree_tables
from mdrl.trees import layout as layout_lib
from mdrl.trees import quantities, segment_plans

CHANCE = tree_tables.CHANCE
TERMINAL = tree_tables.TERMINAL

# Histories are numbered in 32 bits.
_MOST = 2**31 - 2


@struct.dataclass
class Infostates:
  """What describes a player's infostates, by row of its treeplex.

  Attributes:
    start: First slot of each row.
    stride: How far apart the slots of each row are.
    width: Number of actions of each row.
    row: The row that each slot belongs to; -1 at slot 0 and at padding.
    features: What the player sees at each row; bytes where all are small and
      whole, else of the game's dtype. `HistoryTables.features` converts.
  """

  start: Int[Array, " I"]
  stride: Int[Array, " I"]
  width: Int[Array, " I"]
  row: Int[Array, " S"]
  features: Float[Array, "I F"] | UInt[Array, "I F"]


@struct.dataclass
class HistoryTables:
  """Every history of a tree game, the root first, in order of depth.

  Attributes:
    levels: The first history of each depth, and behind the last their number.
    parent: The history before each; -1 at the root.
    player: Who moves: a player, `CHANCE` or `TERMINAL`.
    action: The game's number of the action or outcome that led to each; -1 at
      the root.
    first_child: The first child of each history; those of history h are
      `first_child[h]` up to `first_child[h + 1]`, in order of the actions of
      its infostate.
    row: The row of the infostate where a player moves, of `returns` where play
      ends; -1 where chance moves.
    sequence: The slot of the last sequence of each player.
    probability: Of the last move, if chance made it; else one.
    chance: The product of all probabilities up to each history.
    returns: What each player gets at each terminal, in order of histories.
    infostates: What describes the infostates of each player.
    features_kind: What their features are: OpenSpiel's
      `information_state_tensor` or `observation_tensor`, the `observation` of
      an environment, or `own_sequence`.
  """

  levels: tuple[int, ...] = struct.static()
  features_kind: str = struct.static()
  parent: Int[Array, " H"]
  player: Int[Array, " H"]
  action: Int[Array, " H"]
  first_child: Int[Array, " _"]
  row: Int[Array, " H"]
  sequence: Int[Array, "H N"]
  probability: Float[Array, " H"]
  chance: Float[Array, " H"]
  returns: Float[Array, "T N"]
  infostates: tuple[Infostates, ...]

  @property
  def num_histories(self) -> int:
    """Number of histories, chance nodes and terminals included."""
    return self.levels[-1]

  @property
  def num_players(self) -> int:
    """Number of players, chance not included."""
    return len(self.infostates)

  @property
  def dtype(self):
    """Floating type of the game."""
    return self.probability.dtype

  def num_moves(self, history: Int[Array, "*B"]) -> Int[Array, "*B"]:
    """Returns how many children a history has; none at terminals."""
    return self.first_child[history + 1] - self.first_child[history]

  def child(
    self, history: Int[Array, "*B"], move: Int[Array, "*B"]
  ) -> Int[Array, "*B"]:
    """Returns the history behind a move, which is counted from zero.

    The move is the place of the action in the infostate's row of
    `Treeplex.to_table`, and for chance that of the outcome.
    """
    first = self.first_child[history]
    return first + move.astype(first.dtype)

  def is_terminal(self, history: Int[Array, "*B"]) -> Bool[Array, "*B"]:
    """Returns whether play ends at a history."""
    return self.player[history] == TERMINAL

  def utility(self, history: Int[Array, "*B"]) -> Float[Array, "*B N"]:
    """Returns what each player gets at a history: zero before play ends."""
    ends = self.is_terminal(history)
    paid = self.returns[jnp.where(ends, self.row[history], 0)]
    return jnp.where(ends[..., None], paid, jnp.zeros_like(paid))

  def current(self, history: Int[Array, "*B"]) -> Int[Array, "*B N"]:
    """Returns the row of every player's infostate.

    Where a player moves it is the one of that history, elsewhere the last at
    which the player moved: with perfect recall, that row and the slot in
    `sequence` are all the player remembers of its own. It is -1 before the
    first.
    """
    rows = [
      jnp.where(
        self.player[history] == i,
        self.row[history],
        own.row[self.sequence[history, i]],
      )
      for i, own in enumerate(self.infostates)
    ]
    return jnp.stack(rows, axis=-1)

  def features(self, player: int, row: Int[Array, "*B"]) -> Float[Array, "..."]:
    """Returns what a player sees at its infostates, `[*B, F]`."""
    return self.infostates[player].features[row].astype(self.dtype)

  @jax.jit
  def reach(self, plans: quantities.Plans) -> Float[Array, " H"]:
    """Returns the probability that play passes through each history."""
    quantities.check("plans", plans, quantities.Plans)
    reach = self.chance
    for i, plan in enumerate(plans):
      reach *= plan[self.sequence[:, i]]
    return reach


class _LastMoves(NamedTuple):
  """The last move before each history: by whom, and which."""

  player: np.ndarray
  sequence: np.ndarray
  action: np.ndarray
  probability: np.ndarray


def build(
  tables: tree_tables.TreeTables,
  layouts: Sequence[layout_lib.Layout],
  dtype: np.dtype,
) -> HistoryTables:
  """Lays the recorded histories of a tree out.

  Args:
    tables: The tree, with its histories.
    layouts: Where the infostates and sequences of each player went.
    dtype: Floating type of the game.

  Raises:
    ValueError: If there is no record of the histories, one of other tables, or
      one of more histories than 32 bits number.
  """
  record = _record(tables)
  width = _widths(tables, record)
  first_child = np.ones(len(width) + 1, np.int32)
  first_child[1:] += np.cumsum(width, dtype=np.int32)
  levels = _levels(first_child)
  parent = np.full(len(width), -1, np.int32)
  parent[1:] = np.repeat(np.arange(len(width), dtype=np.int32), width)
  last = _last_moves(tables, record, parent, first_child)
  sequence, chance = _accumulated(levels, parent, last, tables.num_players)
  ends = np.flatnonzero(record.player == TERMINAL)
  behind = tables.sequence.take(record.row[ends], axis=0, mode="clip")
  if not np.array_equal(sequence[ends], behind):
    raise _of_other_tables("terminals behind other sequences")
  for i, layout in enumerate(layouts):
    sequence[:, i] = layout.slot[sequence[:, i]]
  return HistoryTables(
    levels=tuple(levels),
    features_kind=record.features_kind,
    parent=segment_plans.to_device(parent),
    player=jax.device_put(record.player),
    action=segment_plans.to_device(last.action),
    first_child=segment_plans.to_device(first_child),
    row=segment_plans.to_device(_rows(record, layouts, ends)),
    sequence=segment_plans.to_device(sequence),
    probability=jax.device_put(last.probability.astype(dtype)),
    chance=jax.device_put(chance.astype(dtype)),
    returns=jax.device_put(tables.utility[record.row[ends]].astype(dtype)),
    infostates=tuple(
      _infostates(layout, width, features, dtype)
      for layout, width, features in zip(
        layouts, tables.width, record.features, strict=True
      )
    ),
  )


def _record(tables):
  """Returns the record of the histories, if 32 bits number them."""
  if tables.histories is None:
    raise ValueError(
      "`tables` must have histories, got none; enumerate the tree with "
      "histories=True"
    )
  size = len(tables.histories.player)
  if size > _MOST:
    raise ValueError(
      f"`histories` must be at most {_MOST:,}, got {size:,}; choose a smaller "
      "game, or compile it without"
    )
  return tables.histories


def _of_other_tables(found):
  return ValueError(
    "`tables` must have the histories of their own tree, got those of another: "
    f"{found}; record and tables must come from one walk"
  )


def _by_player(tables, record):
  """Yields who moves, where, at which nodes of its own, and their widths."""
  for player in (CHANCE, *range(tables.num_players)):
    here = np.flatnonzero(record.player == player)
    widths = tables.chance_width if player == CHANCE else tables.width[player]
    yield player, here, record.row[here], widths


def _widths(tables, record):
  """Returns how many children each history has."""
  width = np.zeros(len(record.player), np.int32)
  for player, here, row, widths in _by_player(tables, record):
    if row.max(initial=-1) >= len(widths):
      raise _of_other_tables(
        f"{len(widths):,} nodes of player {player} and more"
      )
    width[here] = widths[row]
  return width


def _last_moves(tables, record, parent, first_child):
  """Returns who moved last, the sequence of that move, its action and chance.

  At the root nobody did.
  """
  first = np.zeros(len(parent), np.int32)
  for _, here, row, widths in _by_player(tables, record):
    first[here] = 1 + (np.cumsum(widths) - widths)[row]
  sequence = first[parent] - first_child[parent]
  sequence += np.arange(len(parent), dtype=np.int32)
  mover = np.where(parent < 0, TERMINAL, record.player[parent])
  action = np.full(len(parent), -1, np.int32)
  probability = np.ones(len(parent))
  moved = mover == CHANCE
  action[moved] = record.chance_action[sequence[moved] - 1]
  probability[moved] = tables.chance_probability[sequence[moved] - 1]
  for player, actions in enumerate(tables.action):
    moved = mover == player
    action[moved] = actions[sequence[moved] - 1]
  return _LastMoves(mover, sequence, action, probability)


def _accumulated(levels, parent, last, num_players):
  """Returns every player's last sequence, and the product of all chances."""
  sequence = np.zeros((len(parent), num_players), np.int32)
  chance = np.ones(len(parent))
  for start, stop in itertools.pairwise(levels[1:]):
    above = parent[start:stop]
    chance[start:stop] = chance[above] * last.probability[start:stop]
    sequence[start:stop] = sequence[above]
    moved = start + np.flatnonzero(last.player[start:stop] >= 0)
    sequence[moved, last.player[moved]] = last.sequence[moved]
  return sequence, chance


def _levels(first_child):
  """Returns where each depth begins, and where the last one ends."""
  size = len(first_child) - 1
  levels = [0, 1]
  while levels[-2] < levels[-1] < size:
    levels.append(int(first_child[levels[-1]]))
  if levels[-1] != size or first_child[-1] != size:
    raise _of_other_tables(
      f"{size:,}, which have {first_child[-1] - 1:,} children"
    )
  return levels


def _rows(record, layouts, ends):
  """Returns the row of each history, in the numbering of the layouts."""
  rows = np.full(len(record.player), -1, np.int32)
  rows[ends] = np.arange(len(ends))
  for player, layout in enumerate(layouts):
    here = np.flatnonzero(record.player == player)
    row = np.empty(len(layout.order), int)
    row[layout.order] = np.arange(len(layout.order))
    rows[here] = row[record.row[here]]
  return rows


def _infostates(layout, width, features, dtype):
  order = layout.order
  row = np.full(layout.treeplex.num_slots, -1)
  owner = np.repeat(np.arange(len(order)), width[order])
  move = np.arange(len(owner)) - (np.cumsum(width[order]) - width[order])[owner]
  row[layout.start[order][owner] + move * layout.stride[order][owner]] = owner
  features = features[order]
  if features.dtype.itemsize > 1:
    features = features.astype(dtype)
  return Infostates(
    start=segment_plans.to_device(layout.start[order]),
    stride=segment_plans.to_device(layout.stride[order]),
    width=segment_plans.to_device(width[order]),
    row=segment_plans.to_device(row),
    features=jax.device_put(features),
  )
