"""Histories that were met depth by depth, as the tables of a tree."""

from collections.abc import Sequence
import itertools
from typing import NamedTuple

import numpy as np

from mdrl.compile import history_recorder
from mdrl.games import tree_tables

# What describes the infostates of trees that come from here.
FEATURES_KIND = "observation"


class Level(NamedTuple):
  """The histories of one depth.

  Attributes:
    player: Who moves at each, `[H]`.
    move: The action or outcome that led to each, `[H]`; -1 at the root.
    key: The mover's information state at each decision, `[D, K]`.
    legal: What the mover may do there, `[D, A]`.
    outcomes: The probability of each outcome where chance moves, `[C, M]`.
    returns: What each player gets where play ends, `[T, N]`.
  """

  player: np.ndarray
  move: np.ndarray
  key: np.ndarray
  legal: np.ndarray
  outcomes: np.ndarray
  returns: np.ndarray


class Tree(NamedTuple):
  """All histories, in order of depth.

  Attributes:
    sizes: The number of histories of each depth.
    player: Who moves at each, `[H]`.
    move: The action or outcome that led to each, `[H]`.
    row: The infostate, chance node or terminal that each is, `[H]`. Infostates
      are numbered per player, in order of their first histories.
    width: The number of moves of each, `[H]`.
    key: The mover's information state at each decision, `[D, K]`.
    legal: What the mover may do there, `[D, A]`.
    outcomes: The probability of each outcome where chance moves, `[C, M]`.
    returns: What each player gets where play ends, `[T, N]`.
    first: For each player, the first history of each infostate.
    first_decision: The same, as a number among all decisions.
  """

  sizes: tuple[int, ...]
  player: np.ndarray
  move: np.ndarray
  row: np.ndarray
  width: np.ndarray
  key: np.ndarray
  legal: np.ndarray
  outcomes: np.ndarray
  returns: np.ndarray
  first: tuple[np.ndarray, ...]
  first_decision: tuple[np.ndarray, ...]


def children(level: Level) -> tuple[np.ndarray, np.ndarray]:
  """Returns the parent of each child of a level, and the move to it.

  Children follow the order of their parents, and those of one parent that of
  its moves.
  """
  decision, action = np.nonzero(level.legal)
  node, outcome = np.nonzero(level.outcomes > 0)
  decisions = np.flatnonzero(level.player >= 0)
  nodes = np.flatnonzero(level.player == tree_tables.CHANCE)
  parent = np.concatenate([decisions[decision], nodes[node]])
  move = np.concatenate([action, outcome]).astype(np.int32)
  if not len(decision) or not len(node):
    return parent, move
  order = np.argsort(parent, kind="stable")
  return parent[order], move[order]


def number(levels: Sequence[Level], num_players: int) -> Tree:
  """Numbers the infostates, chance nodes and terminals of all levels.

  Args:
    levels: From the root down.
    num_players: The number of players, chance not included.

  Raises:
    ValueError: If actions differ throughout an infostate, or a player or chance
      has none.
  """
  player, move, key, legal, outcomes, returns = (
    np.concatenate(arrays) for arrays in zip(*levels, strict=True)
  )
  decisions = np.flatnonzero(player >= 0)
  row = np.zeros(len(player), np.int32)
  width = np.zeros(len(player), np.int32)
  chance = player == tree_tables.CHANCE
  width[decisions] = legal.sum(axis=1)
  width[chance] = (outcomes > 0).sum(axis=1)
  for nobody in (chance, player == tree_tables.TERMINAL):
    row[nobody] = np.arange(nobody.sum())
  first, first_decision = [], []
  for i in range(num_players):
    own = np.flatnonzero(player[decisions] == i)
    numbers, found = number_rows(key[own])
    row[decisions[own]] = numbers
    first_decision.append(own[found])
    first.append(decisions[own[found]])
    _check_actions(key[own], legal[own], numbers, found, i)
  if (width[player != tree_tables.TERMINAL] == 0).any():
    raise ValueError(
      "`environment` must offer a move wherever somebody is to move, and there "
      "is a history at which it offers none; end the game there"
    )
  return Tree(
    sizes=tuple(len(level.player) for level in levels),
    player=player.astype(np.int16),
    move=move.astype(np.int32),
    row=row,
    width=width,
    key=key,
    legal=legal,
    outcomes=outcomes,
    returns=returns,
    first=tuple(first),
    first_decision=tuple(first_decision),
  )


def number_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Numbers the different rows of an array in order of their first places.

  Args:
    rows: Integers, `[n, K]`.

  Returns:
    The number of each row, `[n]`, and the first place of each number.
  """
  numbers = np.zeros(len(rows), np.int64)
  for column in rows.T:
    # One sort for every word: what is alike so far is one number.
    column = column.astype(np.int64)
    low = column.min(initial=0)
    wide = int(column.max(initial=0)) - int(low) + 1
    if wide == 1:
      continue
    numbers = _dense(numbers * wide + (column - low))
  order = np.argsort(numbers, kind="stable")
  new = np.append(True, np.diff(numbers[order]) != 0)[: len(order)]
  first = order[new]
  rank = np.empty(len(first), np.int32)
  rank[np.argsort(first, kind="stable")] = np.arange(len(first))
  number = np.empty(len(rows), np.int32)
  number[order] = rank[np.cumsum(new) - 1]
  return number, np.sort(first)


def build(
  tree: Tree,
  *,
  names: tuple[tuple[str, ...], ...],
  features: Sequence[np.ndarray],
) -> tree_tables.TreeTables:
  """Returns the tables of a tree.

  Args:
    tree: The tree.
    names: For each player, what its infostates are called.
    features: For each player, what describes them.

  Raises:
    ValueError: If a player has imperfect recall.
  """
  widths = [tree.width[first] for first in tree.first]
  chance = tree.player == tree_tables.CHANCE
  ends = tree.player == tree_tables.TERMINAL
  sequence = _sequences(tree, [*widths, tree.width[chance]])
  parents = []
  for i, first in enumerate(tree.first):
    parent = sequence[first, i]
    own = np.flatnonzero(tree.player == i)
    _check_recall(sequence[own, i] != parent[tree.row[own]], i)
    parents.append(parent.astype(np.int64))
  node, outcome = np.nonzero(tree.outcomes > 0)
  probability = tree.outcomes[node, outcome].astype(float)
  # Sums in single precision miss one by a little.
  total = np.bincount(node, probability, len(tree.outcomes))
  probability /= total[node]
  plan = _chance_plan(tree, sequence[chance, -1], probability)
  return tree_tables.TreeTables(
    infostates=names,
    parent=tuple(parents),
    width=tuple(width.astype(np.int64) for width in widths),
    action=tuple(
      np.nonzero(tree.legal[first])[1] for first in tree.first_decision
    ),
    sequence=np.ascontiguousarray(sequence[ends, :-1]),
    chance=plan[sequence[ends, -1]],
    chance_parent=sequence[chance, -1].astype(np.int64),
    chance_width=tree.width[chance].astype(np.int64),
    chance_probability=probability,
    chance_sequence=sequence[ends, -1],
    utility=tree.returns.astype(float),
    num_histories=len(tree.player),
    histories=tree_tables.Histories(
      player=tree.player,
      row=tree.row,
      chance_action=outcome.astype(np.int64),
      features=tuple(map(history_recorder.as_bytes, features)),
      features_kind=FEATURES_KIND,
    ),
  )


def _sequences(tree, widths):
  """Returns the last sequence of every player and of chance, `[H, N + 1]`."""
  first = np.ones(len(tree.player), np.int32)
  for i, width in enumerate(widths):
    mover = i if i < len(widths) - 1 else tree_tables.CHANCE
    here = np.flatnonzero(tree.player == mover)
    starts = 1 + np.cumsum(width) - width
    first[here] = starts[tree.row[here]]
  sequence = np.zeros((len(tree.player), len(widths)), np.int32)
  levels = np.cumsum([0, *tree.sizes])
  for start, stop in itertools.pairwise(levels):
    width = tree.width[start:stop]
    parent = np.repeat(np.arange(start, stop), width)
    place = np.arange(len(parent)) - np.repeat(np.cumsum(width) - width, width)
    child = slice(stop, stop + len(parent))
    sequence[child] = sequence[parent]
    # The id of chance is also its place, behind the players.
    made = np.arange(stop, stop + len(parent)), tree.player[parent]
    sequence[made] = first[parent] + place
  return sequence


def _chance_plan(tree, parent, probability):
  """Returns the probability of each sequence of chance."""
  plan = np.ones(1 + len(probability))
  width = tree.width[tree.player == tree_tables.CHANCE]
  first = 1 + np.cumsum(width) - width
  for start, stop in _chance_levels(tree):
    made = np.repeat(np.arange(start, stop), width[start:stop])
    entries = first[start] + np.arange(len(made))
    plan[entries] = plan[parent[made]] * probability[entries - 1]
  return plan


def _chance_levels(tree):
  """Yields the chance nodes of each depth that has any."""
  chance = tree.player == tree_tables.CHANCE
  ends = np.cumsum(chance)[np.cumsum(tree.sizes) - 1]
  for start, stop in itertools.pairwise([0, *ends.tolist()]):
    if stop > start:
      yield start, stop


def _check_actions(key, legal, numbers, first, player):
  other = (legal != legal[first][numbers]).any(axis=1)
  if other.any():
    here = int(np.argmax(other))
    offered = [np.flatnonzero(legal[i]) for i in (first[numbers[here]], here)]
    raise ValueError(
      "`environment` must offer the same actions throughout an information "
      f"state, and offers player {player} both {offered[0].tolist()} and "
      f"{offered[1].tolist()} at {key[here].tolist()}; put what tells them "
      "apart into `information_state`"
    )


def _check_recall(bad, player):
  if bad.any():
    raise ValueError(
      "`environment` must have perfect recall, and has not: player "
      f"{player} reaches an information state by different moves of its own; "
      "put all that it has done into `information_state`"
    )


def _dense(numbers):
  """Returns numbers from zero on that are equal where those given are."""
  order = np.argsort(numbers, kind="stable")
  new = np.append(False, np.diff(numbers[order]) != 0)[: len(order)]
  dense = np.empty(len(numbers), np.int64)
  dense[order] = np.cumsum(new)
  return dense
