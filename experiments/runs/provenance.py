"""Records versions, device, commit and the size of the game."""

from collections.abc import Iterable, Mapping
import datetime
import importlib.metadata
import pathlib
import platform
import subprocess
import sys
from typing import Any

import jax
import numpy as np

from mdrl.games import index as index_lib
from mdrl.games import tree_game

_PACKAGES = ("jax", "jaxlib", "numpy", "open_spiel", "mdrl")
_ROOT = pathlib.Path(__file__).resolve().parents[2]


def start() -> dict[str, Any]:
  """Returns the start time, command, versions and device of this process."""
  device = jax.devices()[0]
  return {
    "time": datetime.datetime.now(datetime.UTC).isoformat("T", "seconds"),
    "command": sys.argv,
    "commit": commit(),
    "device": f"{device.platform}: {device.device_kind}",
    "versions": versions(_PACKAGES),
  }


def record(recorded: Mapping[str, Any] | None) -> dict[str, Any]:
  """Returns what `start` does, and `earlier`, the same of earlier processes.

  Says on stderr what has changed since the last of them: numbers of a run that
  goes on with another JAX or another commit may differ from those of a whole
  one.

  Args:
    recorded: What `flags.json` holds of the run that is gone on with, if any.
  """
  now, earlier = start(), []
  if recorded is not None:
    earlier = [*recorded["earlier"], {k: recorded.get(k) for k in now}]
    changed = changes(recorded, now)
    if changed:
      print(f"note: {changed}", file=sys.stderr, flush=True)
  return {**now, "earlier": earlier}


def changes(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> str:
  """Describes how an earlier process differed, in one line; empty if not.

  Args:
    recorded: What `start` returned then.
    now: What it returns now.
  """
  pairs = [
    (name, recorded.get(name), now[name]) for name in ("commit", "device")
  ]
  before = recorded.get("versions")
  before = before if isinstance(before, dict) else {}
  pairs += [(k, before.get(k), v) for k, v in now["versions"].items()]
  return ", ".join(
    f"{name} {new}, was {old}" for name, old, new in pairs if old != new
  )


def versions(packages: Iterable[str]) -> dict[str, str | None]:
  """Returns the versions of Python and of packages; None if not installed."""
  found: dict[str, str | None] = {"python": platform.python_version()}
  for package in packages:
    try:
      found[package] = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
      found[package] = None
  return found


def commit(folder: pathlib.Path = _ROOT) -> str | None:
  """Returns the commit checked out, with `-dirty` if files differ from it.

  None where there is no commit, no repository or no git.
  """
  # An installed package may lie within a repository that is not its own.
  if not (folder / ".git").exists():
    return None
  describe = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
  try:
    result = subprocess.run(
      ["git", *describe],
      cwd=folder,
      capture_output=True,
      text=True,
      timeout=10,
    )
  except (OSError, subprocess.TimeoutExpired):
    return None
  return result.stdout.strip() if result.returncode == 0 else None


def game_size(
  game: tree_game.TreeGame, index: index_lib.Index
) -> dict[str, Any]:
  """Returns the size of a compiled game."""
  return {
    "players": game.num_players,
    "zero_sum": game.zero_sum,
    "infostates": [len(player.infostates) for player in index.players],
    "sequences": [1 + int(np.sum(player.width)) for player in index.players],
  }
