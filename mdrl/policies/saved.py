"""Saves policies in folders, and loads them in one line.

A folder holds `policy.json`, which says what the policy is, of which game and
by which versions it was written, and next to it the parameters, or the rows of
a table by the names of their infostates, as Orbax stores them. Other files may
be there as well. `policy.json` is replaced in one step once all else is
written, so that a reader finds the whole policy that was saved, or the one
before.

Tables are also read from `policy.npz`, the result of a solver's run.
"""

import contextlib
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import secrets
import shutil
import tempfile
from typing import Any

import jax
import jax.numpy as jnp

import mdrl
from mdrl.games import index as index_lib
from mdrl.policies import architecture as architecture_lib
from mdrl.policies import named_rows, networks, saved_arrays, table

# Incremented whenever the meaning of what is stored changes.
_FORMAT = 1
_HEADER = "policy.json"
_NPZ = "policy.npz"
_ARRAYS = re.compile(r"parameters-[0-9a-f]{8}")
_FIELDS = {
  "format": int,
  "kind": str,
  "game": str,
  "architecture": dict,
  "parameters": str,
  "digest": str,
  "versions": dict,
}
_PACKAGES = ("jax", "flax", "orbax-checkpoint")

Path = str | os.PathLike[str]


def save(
  folder: Path,
  policy: networks.NetworkPolicy | table.TablePolicy,
  *,
  game: str,
  index: index_lib.Index | None = None,
) -> None:
  """Saves a policy; a reader never sees a part of it.

  Args:
    folder: Made where there is none; a policy that it holds is replaced.
    policy: A network or a table; one, not a batch.
    game: The string that `compile_game` takes, or the name of an environment.
    index: Of the compiled game; tables need it, as rows are saved by name.

  Raises:
    ValueError: If the policy is neither, is a batch, or is a table of another
      game than the index.
    OSError: If the folder cannot be made or written to, or has no room.
  """
  kind, architecture, arrays = _described(policy, index)
  arrays = jax.device_get(arrays)
  folder = pathlib.Path(folder).absolute()
  folder.mkdir(parents=True, exist_ok=True)
  name = f"parameters-{secrets.token_hex(4)}"
  try:
    saved_arrays.write(folder / name, arrays)
    header = {
      "format": _FORMAT,
      "kind": kind,
      "game": game,
      "architecture": architecture,
      "parameters": name,
      "digest": saved_arrays.digest(folder / name),
      "versions": _versions(),
    }
    _replace(folder / _HEADER, json.dumps(header, indent=2) + "\n")
  except BaseException:
    _remove(folder, lambda other: other.startswith(name))
    raise
  _remove(folder, lambda other: _ARRAYS.match(other) and other != name)


def load(
  path: Path,
  *,
  game: str | None = None,
  index: index_lib.Index | None = None,
  dtype: jax.typing.DTypeLike | None = None,
  cache_dir: Path | None = None,
) -> networks.NetworkPolicy | table.TablePolicy:
  """Returns a saved policy.

  Args:
    path: A folder in which a policy was saved, the folder of a run of
      `solve_game`, or its `policy.npz`.
    game: What it must be a policy of; by default any game.
    index: Of the compiled game of a table; by default the game is compiled.
    dtype: Of parameters or logits; by default as saved.
    cache_dir: Where compiled trees are kept, as for `compile_game`.

  Raises:
    ValueError: If there is no policy, or one that is damaged, of another game,
      or of a newer format.
  """
  path = pathlib.Path(path)
  file = _find(path)
  if file.suffix == ".npz":
    rows = named_rows.read_npz(file)
    _check_game(path, rows.game, game)
  else:
    header = _header(file)
    _check_game(path, header["game"], game)
    with _naming(path):
      arrays = saved_arrays.read(
        file.parent / header["parameters"], header["digest"]
      )
      if header["kind"] == "network":
        return _network(header, arrays, dtype)
      rows = named_rows.unpack(header["game"], arrays)
  if index is None:
    index = _index(path, rows.game, cache_dir)
  with _naming(path):
    return named_rows.to_table(rows, index, dtype)


def game_of(path: Path) -> str:
  """Returns the game that a saved policy is of.

  Args:
    path: As for `load`.

  Raises:
    ValueError: If there is no policy, or a damaged one.
  """
  file = _find(pathlib.Path(path))
  if file.suffix == ".npz":
    return named_rows.read_npz(file).game
  return _header(file)["game"]


def kind_of(path: Path) -> str:
  """Returns whether a saved policy is a `network` or a `table`.

  Args:
    path: As for `load`.

  Raises:
    ValueError: If there is no policy, or a damaged one.
  """
  file = _find(pathlib.Path(path))
  return "table" if file.suffix == ".npz" else _header(file)["kind"]


def _described(policy, index):
  """Returns the kind of a policy, its architecture and its arrays."""
  if isinstance(policy, networks.NetworkPolicy):
    _check_parameters(policy.architecture, policy.parameters)
    return "network", policy.architecture.to_json(), policy.parameters
  if not isinstance(policy, table.TablePolicy):
    raise ValueError(
      "`policy` must be a NetworkPolicy or a TablePolicy, got a "
      f"{type(policy).__name__}"
    )
  if index is None:
    raise ValueError(
      "`index` must be given for a table, got none; `compile_game` returns it"
    )
  return "table", {}, named_rows.pack(policy, index)


def _check_parameters(architecture, parameters):
  expected = jax.eval_shape(
    lambda key: networks.init(architecture, key).parameters, jax.random.key(0)
  )
  shapes = [
    jax.tree_util.tree_leaves_with_path(jax.tree.map(jnp.shape, tree))
    for tree in (expected, parameters)
  ]
  if shapes[0] != shapes[1]:
    raise ValueError(
      "`parameters` must be those of one network of the architecture, got "
      "arrays of other shapes; save the networks of a batch one by one"
    )


def _versions():
  versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
  return versions | {
    "mdrl": mdrl.__version__,
    "python": platform.python_version(),
  }


def _remove(folder, which):
  """Removes parameters, and what Orbax left of those that it began to write."""
  for path in folder.iterdir():
    if which(path.name):
      shutil.rmtree(path, ignore_errors=True)


def _replace(path, text):
  """Writes a file in one step."""
  file = tempfile.NamedTemporaryFile(
    "w", dir=path.parent, suffix=".tmp", delete=False, encoding="utf-8"
  )
  try:
    with file:
      file.write(text)
    os.replace(file.name, path)
  except BaseException:
    with contextlib.suppress(OSError):
      os.unlink(file.name)
    raise


def _find(path):
  """Returns the file to begin with."""
  if path.is_file():
    if path.name == _HEADER or path.suffix == ".npz":
      return path
  else:
    for file in (path / _HEADER, path / _NPZ):
      if file.is_file():
        return file
  raise ValueError(
    f"`path` must be a folder with {_HEADER} or {_NPZ}, or one of these files, "
    f"got {str(path)!r}"
  )


@contextlib.contextmanager
def _naming(path):
  """Says which policy an error is about."""
  try:
    yield
  except ValueError as error:
    raise ValueError(
      f"`path` must be a saved policy, and {str(path)!r} cannot be read: "
      f"{error}"
    ) from error


def _header(file):
  with _naming(file):
    try:
      header = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
      raise ValueError(f"it is no JSON: {error}") from error
    if not isinstance(header, dict) or type(header.get("format")) is not int:
      raise ValueError("it is JSON of something else")
    if header["format"] > _FORMAT:
      versions = header.get("versions")
      by = versions.get("mdrl") if isinstance(versions, dict) else None
      raise ValueError(
        f"it has format {header['format']}, of mdrl {by}, and mdrl "
        f"{mdrl.__version__} reads formats up to {_FORMAT}; install a newer one"
      )
    for name, kind in _FIELDS.items():
      if type(header.get(name)) is not kind:
        raise ValueError(f"its `{name}` is missing or of another type")
    if header["kind"] not in ("network", "table"):
      raise ValueError(f"its `kind` is {header['kind']!r}")
    if not _ARRAYS.fullmatch(header["parameters"]):
      raise ValueError(f"its `parameters` are {header['parameters']!r}")
  return header


def _network(header, arrays, dtype):
  architecture = architecture_lib.Architecture.from_json(header["architecture"])
  _check_parameters(architecture, arrays)
  return networks.NetworkPolicy(
    parameters=jax.tree.map(lambda x: saved_arrays.on_device(x, dtype), arrays),
    architecture=architecture,
  )


def check_game(path: Path, game: str) -> None:
  """Raises ValueError unless a saved policy is one of a game, or unreadable."""
  _check_game(pathlib.Path(path), game_of(path), game)


def _check_game(path, found, expected):
  if expected is None or found == expected:
    return
  if _game_string(found) != _game_string(expected):
    raise ValueError(
      f"`path` must be a policy of {expected}, and {str(path)!r} is one of "
      f"{found}; load a policy of the same game"
    )


def _game_string(name):
  """Returns OpenSpiel's string of a game, or the name of what it has not."""
  # It takes a while to import, and networks need no games.
  from mdrl.compile import openspiel

  try:
    return openspiel.game_string(name)
  except ValueError:
    return name


def _index(path: pathlib.Path, game: str, cache_dir: Any) -> index_lib.Index:
  from mdrl.compile import openspiel

  try:
    return openspiel.compile_game(game, cache_dir=cache_dir)[1]
  except ValueError as error:
    raise ValueError(
      f"`index` must be given for the table in {str(path)!r}, whose game "
      f"cannot be compiled: {error}"
    ) from error
