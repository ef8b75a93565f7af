"""`policy.npz`, the result of a run: a row for each information-state string.

These two lines make it a policy of OpenSpiel, if the game gives
information-state strings:

  data = np.load("policy.npz"); table = policy.TabularPolicy(pyspiel.load_game(str(data["game"])))
  for s, a, p in zip(data["infostate"], data["action"], data["probability"]): table.policy_for_key(s)[a[a >= 0]] = p[a >= 0]

Of a game in one of Gambit's files it also holds `label`, the texts of the
actions; rows of an `.efg` file are named `player-player-number-name`, players
from 0. The two lines hold where OpenSpiel reads such a file rightly; it does not
where a set repeats labels or is described once, or where inner nodes pay.
"""  # noqa: E501

from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from mdrl.games import index as index_lib
from mdrl.trees import quantities


def write(
  file: BinaryIO,
  game: str,
  index: index_lib.Index,
  iterates: Mapping[str, quantities.Policies],
  reports: str,
) -> None:
  """Writes the file.

  Args:
    file: Open for writing.
    game: The string by which OpenSpiel loads the game.
    index: Names of the rows.
    iterates: The policies of the `last` and the `average` iterate.
    reports: Which of them is `probability`, the result.
  """
  # Infostates with several strings have a row for each.
  repeats = [
    [len(player.strings(row)) for row in range(len(player.start))]
    for player in index.players
  ]
  tables = [
    np.repeat(player.actions_table(), times, axis=0)
    for player, times in zip(index.players, repeats, strict=True)
  ]
  widest = max((table.shape[1] for table in tables), default=0)
  arrays = {
    "game": np.array(game),
    "infostate": np.array(
      [name for player in index.players for name in player.names()],
      dtype=np.str_,
    ),
    "player": np.repeat(
      np.arange(len(tables)), [len(table) for table in tables]
    ),
    "action": _stack(tables, widest, -1),
  }
  if all(player.labels for player in index.players):
    labels = [
      np.repeat(player.labels_table(), times, axis=0)
      for player, times in zip(index.players, repeats, strict=True)
    ]
    arrays["label"] = _stack(labels, widest, "").astype(np.str_)
  for name, policies in iterates.items():
    rows = [
      np.repeat(_rows(player, np.asarray(policy)), times, axis=0)
      for player, policy, times in zip(
        index.players, policies, repeats, strict=True
      )
    ]
    arrays[name] = _stack(rows, widest, 0)
  arrays["probability"] = arrays[reports]
  np.savez(file, **arrays)


def _rows(player, policy):
  table = np.zeros((len(player.start), player.width.max(initial=0)))
  for row in range(len(player.start)):
    table[row, : player.width[row]] = policy[player.slots(row)]
  return table


def _stack(tables, widest, fill):
  return np.concatenate(
    [
      np.pad(
        table,
        ((0, 0), (0, widest - table.shape[1])),
        constant_values=fill,
      )
      for table in tables
    ]
  )
