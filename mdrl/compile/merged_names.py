"""Infostates of games whose strings tell more than a player knows.

The string of classical dark hex ends with the number of tries of both players,
by which a player would know how often the other one met its stones. Neither the
rules nor OpenSpiel's tensor reveal it, and a player would not remember it. What
the player knows is the rest of the string: its view and its own tries.
"""

from typing import Any

from mdrl.games import tree_tables


def of_game(game: Any) -> "MergedNames | None":
  """Returns what collects a game's strings; None where players know them.

  Args:
    game: A game of OpenSpiel.
  """
  kind, settings = game.get_type(), game.get_parameters()
  leaks = (
    kind.short_name == "dark_hex"
    and settings["gameversion"] == "cdh"
    and settings["obstype"] == "reveal-nothing"
  )
  return MergedNames() if leaks else None


class MergedNames:
  """The strings of each infostate of classical dark hex, as they are met."""

  def __init__(self):
    """Starts without any."""
    self._names = {}
    self._first = {}

  def first(self, player: int, name: str) -> str:
    """Returns the string by which an infostate was met first."""
    found = self._first.get((player, name))
    if found is None:
      own = player, _own_part(name)
      names = self._names.setdefault(own, [])
      names.append(name)
      found = self._first[player, name] = names[0]
    return found

  def named(self, tables: tree_tables.TreeTables) -> tree_tables.TreeTables:
    """Returns tables with all strings of their infostates, in one order."""
    names = [
      [
        # Numbers of fewer digits are smaller.
        sorted(self._names[player, _own_part(n)], key=lambda s: (len(s), s))
        for n in infostates
      ]
      for player, infostates in enumerate(tables.infostates)
    ]
    return tables._replace(
      infostates=tuple(tuple(row[0] for row in rows) for rows in names),
      aliases=tuple(tuple(tuple(row[1:]) for row in rows) for rows in names),
    )


def _own_part(name):
  """Returns a string of dark hex without its last line but one."""
  above, _, tries = name.rpartition("\n")
  view, _, _ = above.rpartition("\n")
  return view, tries
