"""Finds and reads games in files of Gambit's formats."""

import os
import pathlib
import re
from typing import NamedTuple

from jaxtyping import Float
import numpy as np

from mdrl.compile import cache, efg_tree, nfg_file
from mdrl.games import tree_tables

_ENDING = re.compile(r"\.(efg|nfg)$", re.IGNORECASE)
_STRING = re.compile(r"(efg|nfg)_game\(filename=(.*)\)", re.DOTALL)
_IN_TURNS = "turn_based_simultaneous_game(game="


class GambitFile(NamedTuple):
  """A file of a game.

  Attributes:
    path: Where it is.
    format: `efg` or `nfg`.
    content: What is in it.
  """

  path: pathlib.Path
  format: str
  content: bytes

  @property
  def game_string(self) -> str:
    """The string by which OpenSpiel would read the file."""
    string = f"{self.format}_game(filename={self.path})"
    if self.format == "nfg":
      return f"{_IN_TURNS}{string})"
    return string


def find(game: str) -> GambitFile | None:
  """Returns the file that a game is in; None if it is not a Gambit file.

  Args:
    game: The path of an `.efg` or `.nfg` file, or OpenSpiel's string for one.

  Raises:
    ValueError: If the string is such a path, and there is no file or it cannot
      be read.
  """
  if game.startswith(_IN_TURNS) and game.endswith("))"):
    game = game[len(_IN_TURNS) : -1]
  string = _STRING.fullmatch(game)
  ending = _ENDING.search(game)
  if string:
    kind, name = string.groups()
  elif ending:
    kind, name = ending[1].lower(), game
  else:
    return None
  path = pathlib.Path(name)
  if not path.is_file():
    raise ValueError(f"`game` must be a game or a file, got no file {name!r}")
  try:
    content = path.read_bytes()
  except OSError as error:
    raise ValueError(
      f"`game` must be a file that can be read, got {name!r}: {error.strerror}"
    ) from error
  return GambitFile(path, kind, content)


def tables(
  file: GambitFile,
  max_histories: int,
  cache_dir: str | os.PathLike[str] | None = None,
  *,
  histories: bool = False,
) -> tree_tables.TreeTables:
  """Reads the tree of a file, or takes it from where it is kept.

  Args:
    file: The file.
    max_histories: The largest tree to read.
    cache_dir: Where trees are kept, known by the content of their file.
    histories: Whether to record all histories.

  Raises:
    ValueError: If the file is not as its format has it, or its tree has
      imperfect recall or is too large.
  """
  if max_histories < 1:
    raise ValueError(f"`max_histories` must be positive, got {max_histories}")
  return cache.through(
    cache_dir,
    cache.key(file.format, file.content),
    lambda: _read(file, max_histories, histories),
    max_histories,
    histories=histories,
  )


def bimatrix(
  file: GambitFile, max_histories: int
) -> tuple[Float[np.ndarray, "A B"], Float[np.ndarray, "A B"]]:
  """Returns the payoff matrices of the two players of an `.nfg` file.

  Args:
    file: The file.
    max_histories: The largest game to read.

  Raises:
    ValueError: If the file is not as its format has it, or is of another kind
      of game.
  """
  found = tables(file, max_histories)
  if file.format != "nfg" or found.num_players != 2:
    raise ValueError(
      "`game` must be a game of two players in normal form, which "
      f"{str(file.path)!r} is not; give an `.nfg` file of two players"
    )
  payoffs = np.zeros((2, *(len(action) for action in found.action)))
  first, second = found.sequence.T - 1
  payoffs[:, first, second] = found.utility.T
  return payoffs[0], payoffs[1]


def _read(file, max_histories, histories):
  reader = {"efg": efg_tree, "nfg": nfg_file}[file.format]
  return reader.read(
    file.path, file.content, max_histories, histories=histories
  )
