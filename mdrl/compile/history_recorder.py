"""Records the histories that a walk over a tree visits.

A walk visits histories depth first. Who moves at each of them, and how many
moves it has, in the order of the visit, is the whole tree: the record takes ten
bytes per history, and is put in order of depth once the walk is over.
"""

import array
from collections.abc import Sequence
import itertools
from typing import Any

import numpy as np

from mdrl.compile import own_sequences, plain_text, tree_limits
from mdrl.games import tree_tables

_INFORMATION, _OBSERVATION, _OWN = (
  "information_state_tensor",
  "observation_tensor",
  "own_sequence",
)


class Recorder:
  """Records who moves at every history, and what players see there.

  Attributes:
    observes: Whether `observe` is to be called where a player moves.
  """

  def __init__(
    self,
    game: Any,
    num_players: int,
    max_histories: int,
    *,
    kind: str = _OWN,
    last_first: bool,
  ):
    """Starts a record.

    Args:
      game: What messages call the game.
      num_players: The number of its players, chance not included.
      max_histories: The largest tree to record. What describes infostates may
        take as much memory as this number allows a walk.
      kind: The features of infostates: the name of the method by which states
        of OpenSpiel give them, or `own_sequence`, as `own_sequences` encodes
        it.
      last_first: Whether the walk takes the last move of a history first.
    """
    self.observes = kind != _OWN
    self._game = game
    self._kind = kind
    self._last_first = last_first
    self._allowed = tree_limits.bytes_allowed(max_histories)
    self._player = array.array("h")
    self._row = array.array("i")
    self._depth = array.array("i")
    self._chance_action = array.array("q")
    self._seen = [0] * num_players
    self._features = [array.array("f") for _ in range(num_players)]
    # For each history on the way to the present one, how many of its moves
    # still have to be walked to the end.
    self._open = []

  def add(self, player: int, row: int, width: int) -> None:
    """Adds a history at which a player moves, by its infostate."""
    self._player.append(player)
    self._row.append(row)
    self._depth.append(len(self._open))
    self._open.append(width)

  def add_chance(self, actions: Sequence[int]) -> None:
    """Adds a history at which chance moves, by the numbers of its outcomes."""
    self._chance_action.extend(actions)
    self.add(tree_tables.CHANCE, 0, len(actions))

  def add_terminal(self) -> None:
    """Adds a history at which the game ends."""
    self._player.append(tree_tables.TERMINAL)
    self._row.append(0)
    self._depth.append(len(self._open))
    # It may be the last move of its parent, which then is at an end as well.
    while self._open:
      self._open[-1] -= 1
      if self._open[-1]:
        break
      self._open.pop()

  def observe(self, player: int, state: Any) -> None:
    """Keeps what a player sees where it moves, if it was not here before.

    Raises:
      ValueError: If that takes too much memory.
    """
    row = self._row[-1]
    if row < self._seen[player]:
      return
    self._seen[player] = row + 1
    numbers = getattr(state, self._kind)(player)
    features = self._features[player]
    features.extend(numbers)
    if len(features) * features.itemsize > self._allowed:
      self._refuse(row + 1, len(numbers))

  def histories(self, tables: tree_tables.TreeTables) -> tree_tables.Histories:
    """Returns the record in order of depth.

    Args:
      tables: The tree that was walked.

    Raises:
      ValueError: If the features of infostates take too much memory.
    """
    player, row = np.asarray(self._player), np.asarray(self._row)
    for nobody in (tree_tables.CHANCE, tree_tables.TERMINAL):
      here = player == nobody
      row[here] = np.arange(here.sum())
    order = self._by_depth()
    return tree_tables.Histories(
      player=player[order],
      row=row[order],
      chance_action=np.asarray(self._chance_action).view(np.int64),
      features=tuple(self._all_features(tables)),
      features_kind=self._kind,
    )

  def _by_depth(self):
    """Returns the order of depth; within a depth, moves are in order."""
    depth = np.asarray(self._depth)
    # The fewer bits numbers have, the faster they are sorted.
    depth = depth.astype(np.min_scalar_type(depth.max()))
    if not self._last_first:
      return np.argsort(depth, kind="stable")
    # Histories of one depth were met from the last to the first.
    order = np.argsort(depth[::-1], kind="stable")
    return len(depth) - 1 - order

  def _all_features(self, tables):
    for parent, width, seen, found in zip(
      tables.parent, tables.width, self._seen, self._features, strict=True
    ):
      if self.observes:
        yield as_bytes(np.asarray(found).reshape(seen, -1 if seen else 0))
        continue
      num_features = own_sequences.num_features(parent, width)
      if len(width) * num_features > self._allowed:
        self._refuse(len(width), num_features)
      yield own_sequences.encode(parent, width)

  def _refuse(self, rows, size):
    raise ValueError(
      "`histories` must fit into the memory that `max_histories` allows, "
      f"{self._allowed / 2**30:.1f} GiB, and what a player sees in "
      f"{plain_text.title(self._game)} does not: {size:,} numbers at each of "
      f"{rows:,} infostates or more; compile it without histories, or raise "
      "`max_histories` if there is as much memory"
    )


def kind_of(game: Any) -> str:
  """Returns what describes the infostates of an OpenSpiel game.

  Args:
    game: The game.
  """
  kind = game.get_type()
  if kind.provides_information_state_tensor:
    return _INFORMATION
  if kind.provides_observation_tensor:
    return _OBSERVATION
  return _OWN


def of_normal_form(widths: Sequence[int]) -> tree_tables.Histories:
  """Returns the histories of players who move once each, one after another.

  Args:
    widths: The number of actions of each player. Of terminals, the first
      player's action runs fastest.
  """
  sizes = list(itertools.accumulate(widths, lambda a, b: a * b, initial=1))
  players = [*range(len(widths)), tree_tables.TERMINAL]
  terminal = np.arange(sizes[-1]).reshape(widths, order="F").ravel()
  parents = np.zeros(1, int), np.ones(1, int)
  return tree_tables.Histories(
    player=np.repeat(players, sizes).astype(np.int16),
    row=np.append(np.zeros(sum(sizes[:-1]), int), terminal).astype(np.int32),
    chance_action=np.zeros(0, np.int64),
    features=tuple(own_sequences.encode(*parents) for _ in widths),
    features_kind=_OWN,
  )


def as_bytes(numbers: np.ndarray) -> np.ndarray:
  """Returns the same numbers, as bytes if all are whole and small enough."""
  with np.errstate(invalid="ignore"):
    small = numbers.astype(np.uint8)
  return small if (small == numbers).all() else numbers
