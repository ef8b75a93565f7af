"""Reads trees from Gambit's strategic-game (.nfg) files, version 1.

https://gambitproject.readthedocs.io/en/stable/formats.nfg.html. A file gives
each player's strategies, by number or by name, and for every combination of
them, the first player's varying fastest, either all payoffs or the number of an
outcome in a list. All players move at once: in the tree, one after another
without seeing what was chosen.

Departures: text may be Latin-1, and commas may stand between all payoffs.
"""

import math
import pathlib

import numpy as np

from mdrl.compile import gambit_tokens, history_recorder
from mdrl.games import tree_tables


def read(
  path: pathlib.Path,
  content: bytes,
  max_histories: int,
  *,
  histories: bool = False,
) -> tree_tables.TreeTables:
  """Reads the game in a file.

  Args:
    path: Of the file, for messages.
    content: What is in it.
    max_histories: The largest tree to read.
    histories: Whether to record all histories.

  Raises:
    ValueError: If the file is not as the format has it, or its tree is too
      large.
  """
  tokens = gambit_tokens.Tokens(path, content)
  num_players = tokens.take_prologue("NFG", "1")
  strategies = _strategies(tokens, num_players)
  widths = [s if isinstance(s, int) else len(s) for s in strategies]
  num_histories = _num_histories(widths)
  if num_histories > max_histories:
    raise ValueError(
      f"`max_histories` is {max_histories}, and {str(path)!r} has "
      f"{num_histories}; raise the limit if there is enough memory"
    )
  if tokens.kind == "text":
    # A comment.
    tokens.advance()
  utility = _utility(tokens, num_players, math.prod(widths))
  if tokens.kind != "end":
    raise tokens.error(
      f"the end of the file behind {len(utility)} combinations of strategies"
    )
  labels = tuple(
    tuple(map(str, range(1, s + 1))) if isinstance(s, int) else s
    for s in strategies
  )
  tables = _tables(labels, utility, num_histories)
  if histories:
    record = history_recorder.of_normal_form(widths)
    return tables._replace(histories=record)
  return tables


def _num_histories(widths):
  return 1 + sum(math.prod(widths[: i + 1]) for i in range(len(widths)))


def _strategies(tokens, num_players):
  """Returns each player's strategies: their names, or how many there are."""
  start = tokens.start
  tokens.take("brace", "{ and the strategies of each player", "{")
  strategies = []
  while not tokens.next_is("brace", "}"):
    if tokens.kind == "brace":
      strategies.append(
        tokens.take_list("strategies", lambda: tokens.take_label("a strategy"))
      )
      continue
    if tokens.value == "0":
      raise tokens.error("at least one strategy of each player")
    strategies.append(
      tokens.take_count("the number or the names of a player's strategies")
    )
  tokens.advance()
  if len(strategies) != num_players:
    raise tokens.fault(
      f"expected the strategies of each of {num_players} players, got those "
      f"of {len(strategies)}",
      start,
    )
  return strategies


def _utility(tokens, num_players, num_profiles):
  """Returns what each player gets, for each combination of strategies."""
  if tokens.next_is("brace", "{"):
    return _by_outcome(tokens, num_players, num_profiles)
  payoffs = np.empty((num_profiles, num_players))
  for row in payoffs:
    for player in range(num_players):
      row[player] = float(tokens.take_payoff())
  return payoffs


def _by_outcome(tokens, num_players, num_profiles):
  tokens.advance()
  # Outcome 0 pays nobody.
  outcomes = [[0.0] * num_players]
  while not tokens.next_is("brace", "}"):
    tokens.take("brace", "{ and an outcome, or }", "{")
    tokens.take("text", "the name of the outcome in quotation marks")
    outcomes.append([float(tokens.take_payoff()) for _ in range(num_players)])
    tokens.take("brace", f"}} behind {num_players} payoffs", "}")
  tokens.advance()
  chosen = np.empty(num_profiles, int)
  for profile in range(num_profiles):
    start = tokens.start
    number = tokens.take_count("the number of an outcome, 0 for none")
    if number >= len(outcomes):
      raise tokens.fault(
        f"expected an outcome from 0 to {len(outcomes) - 1}, got {number}",
        start,
      )
    chosen[profile] = number
  return np.array(outcomes)[chosen]


def _tables(labels, utility, num_histories):
  players = range(len(labels))
  sequence = np.empty(utility.shape, np.int32)
  left = np.arange(len(utility))
  # The first player's strategy varies fastest.
  for i, names in enumerate(labels):
    left, chosen = np.divmod(left, len(names))
    sequence[:, i] = 1 + chosen
  no_chance = np.zeros(0, int)
  return tree_tables.TreeTables(
    # The names that OpenSpiel gives to a normal form played in turns.
    infostates=tuple(
      (f"Current player: {i}\nObserving player: {i}. Non-terminal",)
      for i in players
    ),
    parent=tuple(np.zeros(1, int) for _ in players),
    width=tuple(np.array([len(names)]) for names in labels),
    action=tuple(np.arange(len(names)) for names in labels),
    sequence=sequence,
    chance=np.ones(len(utility)),
    chance_parent=no_chance,
    chance_width=no_chance,
    chance_probability=np.zeros(0),
    chance_sequence=np.zeros(len(utility), np.int32),
    utility=utility,
    num_histories=num_histories,
    labels=labels,
  )
