"""Fingerprints of everything that determines a run's numbers.

They keep a run from being resumed with other flags, files or versions.
"""

from collections.abc import Mapping
import hashlib
import json
import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.runs import provenance

# Whose changes change numbers; of others, a change is only said.
_PACKAGES = ("mdrl", "open_spiel")


class Decisive(NamedTuple):
  """Everything that determines the numbers of a run, except its length.

  Attributes:
    flags: Values of flags, by their names.
    contents: Versions, and hashes of what was read and compiled, by what a
      message calls it.
  """

  flags: Mapping[str, Any]
  contents: Mapping[str, Any]

  def as_json(self) -> dict[str, Any]:
    """Returns what `flags.json` holds, with JSON's lists and string keys."""
    return json.loads(json.dumps(self._asdict()))

  def fingerprint(self) -> str:
    """Returns the hash that saved states carry."""
    text = json.dumps(self.as_json(), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()

  def check_same(
    self, recorded: Mapping[str, Any], folder: pathlib.Path
  ) -> None:
    """Compares value by value with what `flags.json` holds.

    Raises:
      ValueError: With the first value that differs.
    """
    mine = self.as_json()
    for name, old, new in _differences(recorded["flags"], mine["flags"]):
      raise ValueError(
        f"`--resume` must keep --{name}={old} of the run in {folder}, got "
        f"{new}; choose another --out for a new run"
      )
    for name, old, new in _differences(recorded["contents"], mine["contents"]):
      raise ValueError(
        f"`--resume` must find the {name} of the run in {folder} as it was, "
        f"{_short(old)}, got {_short(new)}; choose another --out for a new "
        "run"
      )


def versions() -> dict[str, str | None]:
  """Returns the versions of the packages that determine numbers."""
  found = provenance.versions(_PACKAGES)
  return {f"version of {name}": found[name] for name in _PACKAGES}


def of_file(path: pathlib.Path) -> str:
  """Returns the hash of a file's contents.

  Raises:
    ValueError: If the file cannot be read.
  """
  try:
    with open(path, "rb") as file:
      return hashlib.file_digest(file, "sha256").hexdigest()
  except OSError as error:
    raise ValueError(f"{path} cannot be read: {error.strerror}") from error


def of_arrays(tree: Any) -> str:
  """Returns the hash of a pytree's arrays, such as those of a compiled game.

  It tells games apart that differ in a payoff, in layout or in precision.
  """
  digest = hashlib.sha256()
  for leaf in jax.tree.leaves(tree):
    array = np.ascontiguousarray(jax.device_get(leaf))
    digest.update(f"{array.dtype} {array.shape}\n".encode())
    # Bytes without a copy, as a game may be large.
    digest.update(array.reshape(-1).view(np.uint8).data)
  return digest.hexdigest()


def of_names(names: Any) -> str:
  """Returns the hash of nested sequences of strings and numbers."""
  text = repr(names).encode("utf-8", "surrogateescape")
  return hashlib.sha256(text).hexdigest()


def _differences(old, new, prefix=""):
  for name in {**old, **new}:
    before, after = old.get(name), new.get(name)
    if isinstance(before, dict) and isinstance(after, dict):
      yield from _differences(before, after, f"{prefix}{name}.")
    elif before != after:
      yield f"{prefix}{name}", before, after


def _short(value):
  """Shortens a hash for messages."""
  text = str(value)
  return f"{text[:12]}..." if len(text) == 64 else text
