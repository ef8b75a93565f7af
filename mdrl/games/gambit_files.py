"""Games in files of Gambit's formats."""

import os
import pathlib
import re
from typing import NamedTuple

from mdrl.games import cache, efg_tree, tree_tables


class GambitFile(NamedTuple):
  """A file of a game.

  Attributes:
    path: Where it is.
    format: `efg`.
    content: What is in it.
  """

  path: pathlib.Path
  format: str
  content: bytes

  @property
  def game_string(self) -> str:
    """The string by which OpenSpiel would read the file."""
    return f"efg_game(filename={self.path})"


def find(game: str) -> GambitFile | None:
  """Returns the file that a game is in; None if it is none of Gambit's.

  Args:
    game: The path of an `.efg` file, or OpenSpiel's string for one.

  Raises:
    ValueError: If the string is such a path, and there is no file or it cannot
      be read.
  """
  string = re.fullmatch(r"efg_game\(filename=(.*)\)", game, re.DOTALL)
  name = string[1] if string else game
  if not string and not name.lower().endswith(".efg"):
    return None
  path = pathlib.Path(name)
  if not path.is_file():
    raise ValueError(f"`game` must be a game or a file, got no file {name!r}")
  try:
    content = path.read_bytes()
  except OSError as error:
    raise ValueError(
        f"`game` must be a file that can be read, got {name!r}: "
        f"{error.strerror}"
    ) from error
  return GambitFile(path, "efg", content)


def tables(
    file: GambitFile,
    max_histories: int,
    cache_dir: str | os.PathLike[str] | None = None,
) -> tree_tables.TreeTables:
  """Reads the tree of a file, or takes it from where it is kept.

  Args:
    file: The file.
    max_histories: The largest tree to read.
    cache_dir: Where trees are kept, known by the content of their file.

  Raises:
    ValueError: If the file is not as its format has it, or its tree has
      imperfect recall or is too large.
  """
  if cache_dir is None:
    return efg_tree.read(file.path, file.content, max_histories)
  key = cache.key(file.format, file.content)
  found = cache.load(cache_dir, key)
  if found is None or found.num_histories > max_histories:
    found = efg_tree.read(file.path, file.content, max_histories)
    cache.save(cache_dir, key, found)
  return found
