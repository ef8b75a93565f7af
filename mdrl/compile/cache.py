"""Stores compiled trees on disk, so that a large game is enumerated once."""

from collections.abc import Callable
import contextlib
import hashlib
import importlib.metadata
import itertools
import os
import pathlib
import struct
import tempfile
import time
import warnings
import zipfile
import zlib

import numpy as np

from mdrl.games import tree_tables

# Incremented whenever the meaning of the stored arrays changes.
_SCHEMA = 5
# How damage to a file shows when it is read: as no archive or one cut short, as
# parts that are missing, or as parts that are no arrays of the shape or texts
# of the length that are expected.
_DAMAGE = (
  EOFError,
  IndexError,
  KeyError,
  NotImplementedError,
  OSError,
  RuntimeError,
  ValueError,
  struct.error,
  zipfile.BadZipFile,
  zlib.error,
)
# Writing takes seconds. What is older was left by a process that was killed.
_LEFT_SECONDS = 24 * 3600


def key(game: str, *contents: bytes) -> str:
  """Returns the name under which a game is stored.

  It changes with the game string, the contents of files that it was read from,
  the version of OpenSpiel and the schema.
  """
  version = importlib.metadata.version("open_spiel")
  digest = hashlib.sha256(f"{game}\0{version}\0{_SCHEMA}".encode())
  for content in contents:
    digest.update(b"\0" + content)
  return digest.hexdigest()


def through(
  directory: str | os.PathLike[str] | None,
  name: str,
  make: Callable[[], tree_tables.TreeTables],
  max_histories: int,
  *,
  histories: bool = False,
) -> tree_tables.TreeTables:
  """Returns stored tables, or makes them and stores them for later runs.

  Where they cannot be stored, a warning says so, and nothing else changes. The
  same holds where a stored file is damaged; it is replaced.

  Args:
    directory: Where tables are stored; nowhere if None.
    name: What they are stored under, as from `key`.
    make: Makes the tables.
    max_histories: The largest stored tree to return.
    histories: Whether the tables are to have all histories; stored tables
      without them are made again.
  """
  if directory is None:
    return make()
  tables = load(directory, name, histories=histories)
  if (
    tables is None
    or tables.num_histories > max_histories
    or (histories and tables.histories is None)
  ):
    tables = make()
    try:
      save(directory, name, tables)
    except (OSError, ValueError) as error:
      warnings.warn(
        "`cache_dir` must be a folder with room to write to, so this tree is "
        f"not kept for later runs: {error}",
        stacklevel=3,
      )
  return tables


def save(
  directory: str | os.PathLike[str],
  name: str,
  tables: tree_tables.TreeTables,
) -> None:
  """Stores tables; a reader never sees a partial file.

  A write that fails or is interrupted leaves nothing behind. What a process
  left that was killed while it wrote the same tables is removed a day later.

  Raises:
    OSError: If the folder cannot be made or written to, or has no room.
  """
  folder = pathlib.Path(directory)
  folder.mkdir(parents=True, exist_ok=True)
  arrays = {
    "sequence": tables.sequence,
    "chance": tables.chance,
    "chance_parent": tables.chance_parent,
    "chance_width": tables.chance_width,
    "chance_probability": tables.chance_probability,
    "chance_sequence": tables.chance_sequence,
    "utility": tables.utility,
    "num_histories": np.array(tables.num_histories),
    "labelled": np.array(bool(tables.labels)),
    "recorded": np.array(tables.histories is not None),
    "aliased": np.array(bool(tables.aliases)),
  }
  for i in range(tables.num_players):
    arrays[f"parent{i}"] = tables.parent[i]
    arrays[f"width{i}"] = tables.width[i]
    arrays[f"action{i}"] = tables.action[i]
    arrays |= _joined(f"{i}", tables.infostates[i])
  for i, labels in enumerate(tables.labels):
    arrays |= _joined(f"_label{i}", labels)
  for i, aliases in enumerate(tables.aliases):
    arrays |= _joined(f"_alias{i}", [name for row in aliases for name in row])
    arrays[f"num_aliases{i}"] = np.array([len(row) for row in aliases])
  if tables.histories is not None:
    arrays |= _record(tables.histories)
  _remove_left(folder, name)
  file = tempfile.NamedTemporaryFile(
    dir=folder, prefix=f"{name}-", suffix=".tmp", delete=False
  )
  try:
    with file:
      np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
    os.replace(file.name, folder / f"{name}.npz")
  except BaseException:
    with contextlib.suppress(OSError):
      os.unlink(file.name)
    raise


def load(
  directory: str | os.PathLike[str], name: str, *, histories: bool = True
) -> tree_tables.TreeTables | None:
  """Returns stored tables, or None where there are none that can be read.

  Where there is a file that cannot be read, a warning says so.

  Args:
    directory: Where tables are stored.
    name: What they are stored under.
    histories: Whether to read the record of all histories, if there is one.
  """
  try:
    file = (pathlib.Path(directory) / f"{name}.npz").open("rb")
  except (OSError, ValueError):
    # No such file. If the folder is at fault, storing will say why.
    return None
  try:
    with file, zipfile.ZipFile(file) as archive:
      return _tables(_Arrays(archive), histories)
  except _DAMAGE as error:
    warnings.warn(
      "`cache_dir` must hold trees as they were written, so this one is read "
      f"from the game again: {type(error).__name__} in "
      f"{str(directory)!r}, {name}.npz: {error}",
      stacklevel=3,
    )
    return None


def _remove_left(folder, name):
  """Removes what killed processes left when they wrote the same tables."""
  for path in folder.glob(f"{name}-*.tmp"):
    with contextlib.suppress(OSError):
      if time.time() - path.stat().st_mtime > _LEFT_SECONDS:
        path.unlink()


class _Arrays:
  """The arrays of an archive by name, read when asked for."""

  def __init__(self, archive: zipfile.ZipFile):
    self._archive = archive

  def __getitem__(self, name: str) -> np.ndarray:
    with self._archive.open(f"{name}.npy") as file:
      return np.lib.format.read_array(file, allow_pickle=False)


def _tables(arrays, histories):
  players = range(arrays["sequence"].shape[1])
  return tree_tables.TreeTables(
    infostates=tuple(_split(arrays, f"{i}") for i in players),
    parent=tuple(arrays[f"parent{i}"] for i in players),
    width=tuple(arrays[f"width{i}"] for i in players),
    action=tuple(arrays[f"action{i}"] for i in players),
    sequence=arrays["sequence"],
    chance=arrays["chance"],
    chance_parent=arrays["chance_parent"],
    chance_width=arrays["chance_width"],
    chance_probability=arrays["chance_probability"],
    chance_sequence=arrays["chance_sequence"],
    utility=arrays["utility"],
    num_histories=int(arrays["num_histories"]),
    labels=tuple(_split(arrays, f"_label{i}") for i in players)
    if int(arrays["labelled"])
    else (),
    histories=_histories(arrays, players)
    if histories and int(arrays["recorded"])
    else None,
    aliases=tuple(_aliases(arrays, i) for i in players)
    if int(arrays["aliased"])
    else (),
  )


def _aliases(arrays, player):
  names = iter(_split(arrays, f"_alias{player}"))
  counts = arrays[f"num_aliases{player}"].tolist()
  return tuple(tuple(itertools.islice(names, count)) for count in counts)


def _record(histories):
  """Returns the arrays that hold all histories."""
  arrays = {
    "player": histories.player,
    "row": histories.row,
    "chance_action": histories.chance_action,
  }
  for i, features in enumerate(histories.features):
    arrays[f"features{i}"] = features
  return arrays | _joined("_features_kind", (histories.features_kind,))


def _histories(arrays, players):
  return tree_tables.Histories(
    player=arrays["player"],
    row=arrays["row"],
    chance_action=arrays["chance_action"],
    features=tuple(arrays[f"features{i}"] for i in players),
    features_kind=_split(arrays, "_features_kind")[0],
  )


def _joined(name, texts):
  """Returns the arrays that hold texts."""
  text = "".join(texts).encode("utf-8", "surrogateescape")
  return {
    f"length{name}": np.array([len(s) for s in texts], np.int64),
    f"names{name}": np.frombuffer(text, np.uint8),
  }


def _split(arrays, name):
  names, length = arrays[f"names{name}"], arrays[f"length{name}"]
  text = names.tobytes().decode("utf-8", "surrogateescape")
  stop = np.cumsum(length).tolist()
  start = [0, *stop][:-1]
  return tuple(text[a:b] for a, b in zip(start, stop, strict=True))
