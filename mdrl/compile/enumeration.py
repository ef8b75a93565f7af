"""Enumerates the histories of a game into plain arrays."""

import array
from collections.abc import Iterable, Sequence
import itertools
from typing import Any

import numpy as np

from mdrl.compile import (
  history_recorder,
  merged_names,
  plain_text,
  tree_limits,
)
from mdrl.games import tree_tables

# What OpenSpiel's `State.current_player` returns where no player moves. One
# call is cheaper than three questions to each state.
CHANCE = tree_tables.CHANCE
TERMINAL = tree_tables.TERMINAL


def enumerate_tree(
  game: Any,
  *,
  named: bool,
  max_histories: int,
  progress: tree_limits.Progress | None = None,
  recorder: history_recorder.Recorder | None = None,
  merged: merged_names.MergedNames | None = None,
) -> tree_tables.TreeTables:
  """Visits every history of a sequential game once.

  Args:
    game: An OpenSpiel game whose chance outcomes are listed.
    named: Whether the game names its infostates. With perfect information it
      need not: the history says what a player knows.
    max_histories: The largest tree to enumerate.
    progress: Called now and then with how far the walk is.
    recorder: Records the histories; without one they are not kept.
    merged: Collects strings, for games of which several stand for one
      infostate; otherwise each stands for its own.

  Returns:
    The tree, infostates in order of a depth-first visit, last action first.

  Raises:
    ValueError: If the game has imperfect recall or too large a tree.
  """
  builder = Builder(game, game.num_players(), recorder)
  observe = recorder.observe if recorder and recorder.observes else None
  watch = tree_limits.Watch(game, max_histories, progress)
  limit, num_found = watch.first, 1
  # The last sequence of each player, and that of chance behind them.
  state, sequence = game.new_initial_state(), [0] * (game.num_players() + 1)
  # One entry for every history on the way to the present one. Its other moves
  # are numbers until their turn comes, as states may be large.
  stack = []
  while True:
    player = state.current_player()
    if player == TERMINAL:
      builder.add_terminal(sequence, state.returns())
    else:
      first, actions = _visit(builder, state, player, sequence, named, merged)
      if observe is not None and player != CHANCE:
        observe(player, state)
      num_found += len(actions)
      if num_found > limit:
        limit = watch.check(num_found)
      stack.append((state, sequence, player, first, actions))

    # Go on with the last move that is left, below the deepest history.
    if not stack:
      tables = builder.tables(num_found)
      return tables if merged is None else merged.named(tables)
    state, sequence, player, first, actions = stack[-1]
    action = actions.pop()
    if actions:
      state, sequence = state.child(action), sequence.copy()
    else:
      # The last move needs no new state, as nobody else looks at this one.
      stack.pop()
      state.apply_action(action)
    # The id of chance is also its place, behind the players.
    sequence[player] = first + len(actions)


def _visit(builder, state, player, sequence, named, merged):
  """Returns the first sequence at a history, and the actions to choose from."""
  if player == CHANCE:
    outcomes = state.chance_outcomes()
    actions = [action for action, _ in outcomes]
    probabilities = [p for _, p in outcomes]
    first = builder.visit_chance(sequence[CHANCE], probabilities, actions)
  else:
    actions = state.legal_actions()
    name = (
      state.information_state_string(player) if named else state.history_str()
    )
    if merged is not None:
      name = merged.first(player, name)
    first = builder.visit(player, name, sequence[player], actions)
  return first, actions


class Builder:
  """Collects infostates and terminals in compact arrays.

  They hold numbers alone: millions of small objects would take several times
  the memory, and Python's garbage collector would visit them time and again.
  """

  def __init__(
    self,
    name: Any,
    num_players: int,
    recorder: history_recorder.Recorder | None = None,
  ):
    """Starts a tree.

    Args:
      name: What messages call the game.
      num_players: The number of its players, chance not included.
      recorder: Records the histories, which must be visited depth first.
    """
    players = range(num_players)
    self._game = name
    self._row = [{} for _ in players]
    self._first = [array.array("q") for _ in players]
    self._parent = [array.array("q") for _ in players]
    self._actions = [[] for _ in players]
    self._menus = {}
    self._sequence = array.array("i")
    self._chance_parent = array.array("q")
    self._chance_width = array.array("q")
    self._chance_probability = array.array("d")
    self._chance_plan = array.array("d", [1])
    self._utility = array.array("d")
    self._recorder = recorder

  def add_terminal(
    self, sequence: Iterable[int], returns: Iterable[float]
  ) -> None:
    """Adds a terminal, by the last sequence of each player and of chance."""
    self._sequence.extend(sequence)
    self._utility.extend(returns)
    if self._recorder is not None:
      self._recorder.add_terminal()

  def visit_chance(
    self, parent: int, probabilities: Sequence[float], actions: Sequence[int]
  ) -> int:
    """Returns the first sequence of a chance node."""
    if not probabilities:
      raise ValueError(
        "`game` must list its chance outcomes, and "
        f"{plain_text.title(self._game)} lists none at a chance node; choose "
        "another variant"
      )
    first = len(self._chance_plan)
    above = self._chance_plan[parent]
    self._chance_parent.append(parent)
    self._chance_width.append(len(probabilities))
    self._chance_probability.extend(probabilities)
    self._chance_plan.extend([above * p for p in probabilities])
    if self._recorder is not None:
      self._recorder.add_chance(actions)
    return first

  def visit(
    self, player: int, name: str, parent: int, actions: list[int]
  ) -> int:
    """Returns the first sequence of an infostate.

    Raises:
      ValueError: If it was visited behind another sequence of the player, or
        with other actions.
    """
    row = self._row[player].get(name)
    if row is None:
      return self._add(player, name, parent, actions)
    if self._parent[player][row] != parent:
      raise ValueError(
        f"`game` must have perfect recall, and {plain_text.title(self._game)}"
        f" does not: player {player} reaches infostate "
        f"{plain_text.quoted(name)} by different moves of its own, so plans "
        "do not describe its policies; choose a variant that remembers them"
      )
    known = self._actions[player][row]
    if known != actions:
      raise ValueError(
        "`game` must offer the same actions throughout an infostate, and "
        f"{plain_text.title(self._game)} offers player {player} both {known} "
        f"and {actions} at {plain_text.quoted(name)}"
      )
    if self._recorder is not None:
      self._recorder.add(player, row, len(actions))
    return self._first[player][row]

  def _add(self, player, name, parent, actions):
    if not actions:
      raise ValueError(
        "`game` must offer a move wherever a player is to move, and "
        f"{plain_text.title(self._game)} offers player {player} none at "
        f"{plain_text.quoted(name)}; choose another variant"
      )
    rows, menus = self._row[player], self._actions[player]
    first = self._first[player][-1] + len(menus[-1]) if menus else 1
    if self._recorder is not None:
      self._recorder.add(player, len(rows), len(actions))
    rows[name] = len(rows)
    self._first[player].append(first)
    self._parent[player].append(parent)
    # Infostates with the same actions share one list.
    menus.append(self._menus.setdefault(tuple(actions), actions[:]))
    return first

  def tables(self, num_histories: int) -> tree_tables.TreeTables:
    """Returns what was collected, sharing memory where it can."""
    players = len(self._row)
    sequence = np.asarray(self._sequence).reshape(-1, players + 1)
    chance_sequence = np.ascontiguousarray(sequence[:, -1])
    tables = tree_tables.TreeTables(
      infostates=tuple(tuple(rows) for rows in self._row),
      parent=tuple(_integers(parent) for parent in self._parent),
      width=tuple(_widths(menus) for menus in self._actions),
      action=tuple(_joined(menus) for menus in self._actions),
      sequence=np.ascontiguousarray(sequence[:, :-1]),
      chance=np.asarray(self._chance_plan)[chance_sequence],
      chance_parent=_integers(self._chance_parent),
      chance_width=_integers(self._chance_width),
      chance_probability=np.asarray(self._chance_probability),
      chance_sequence=chance_sequence,
      utility=np.asarray(self._utility).reshape(-1, players),
      num_histories=num_histories,
    )
    if self._recorder is None:
      return tables
    return tables._replace(histories=self._recorder.histories(tables))


def _integers(buffer):
  # The type that a buffer of long integers has differs in name from `int64`.
  return np.asarray(buffer).view(np.int64)


def _widths(menus):
  return np.fromiter(map(len, menus), np.int64, len(menus))


def _joined(menus):
  return np.fromiter(itertools.chain.from_iterable(menus), np.int64)
