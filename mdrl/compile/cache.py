"""Compiled trees on disk, so that a large game is enumerated once."""

from collections.abc import Callable
import contextlib
import hashlib
import importlib.metadata
import os
import pathlib
import tempfile
import warnings
import zipfile

import numpy as np

from mdrl.games import tree_tables

# Raised whenever the meaning of the stored arrays changes.
_SCHEMA = 3


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
) -> tree_tables.TreeTables:
  """Returns stored tables, or makes them and stores them for later runs.

  Where they cannot be stored, a warning says so, and nothing else changes.

  Args:
    directory: Where tables are stored; nowhere if None.
    name: What they are stored under, as from `key`.
    make: Makes the tables.
    max_histories: The largest stored tree to return.
  """
  if directory is None:
    return make()
  tables = load(directory, name)
  if tables is None or tables.num_histories > max_histories:
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
  }
  for i in range(tables.num_players):
    arrays[f"parent{i}"] = tables.parent[i]
    arrays[f"width{i}"] = tables.width[i]
    arrays[f"action{i}"] = tables.action[i]
    arrays |= _joined(f"{i}", tables.infostates[i])
  for i, labels in enumerate(tables.labels):
    arrays |= _joined(f"_label{i}", labels)
  file = tempfile.NamedTemporaryFile(dir=folder, suffix=".tmp", delete=False)
  try:
    with file:
      np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
    os.replace(file.name, folder / f"{name}.npz")
  except BaseException:
    with contextlib.suppress(OSError):
      os.unlink(file.name)
    raise


def load(
  directory: str | os.PathLike[str], name: str
) -> tree_tables.TreeTables | None:
  """Returns stored tables, or None where there are none that can be read."""
  path = pathlib.Path(directory) / f"{name}.npz"
  try:
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
      return _tables(_Arrays(archive))
  except Exception:
    # Damage shows in many ways, and all have the same remedy.
    return None


class _Arrays:
  """The arrays of an archive by name, read when asked for."""

  def __init__(self, archive: zipfile.ZipFile):
    self._archive = archive

  def __getitem__(self, name: str) -> np.ndarray:
    with self._archive.open(f"{name}.npy") as file:
      return np.lib.format.read_array(file, allow_pickle=False)


def _tables(arrays):
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
