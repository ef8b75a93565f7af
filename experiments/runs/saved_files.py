"""The files of saved states, and checks that they are complete.

Each state is a folder, called after its number of updates, in the folder of its
job or, where a run has one job, in the run's own. `manifest.json` in it has the
hashes of all other files, and one of itself.
"""

from collections.abc import Mapping
import hashlib
import json
import os
import pathlib
import shutil
from typing import Any

from experiments.runs import whole_files

PARTIAL = ".partial"
STATE = "state.bin"
_MANIFEST = "manifest.json"


class Damaged(Exception):
  """A saved state is damaged; the message says how."""


def found(folder: pathlib.Path) -> list[pathlib.Path]:
  """Returns the folders of whole states, the latest first.

  Raises:
    ValueError: If the folder cannot be read.
  """
  try:
    names = [path.name for path in folder.iterdir() if path.is_dir()]
  except FileNotFoundError:
    return []
  except OSError as error:
    raise ValueError(f"{folder} cannot be read: {error.strerror}") from error
  steps = sorted((int(n) for n in names if n.isdecimal()), reverse=True)
  return [folder / str(step) for step in steps]


def seal(folder: pathlib.Path, manifest: Mapping[str, Any]) -> None:
  """Writes the manifest of a state, once all other files are there.

  Raises:
    OSError: If it cannot be written.
  """
  sealed = {**manifest, "files": _digests(folder)}
  sealed["digest"] = _digest(sealed)
  text = json.dumps(sealed, indent=2) + "\n"
  with open(folder / _MANIFEST, "wb") as file:
    file.write(text.encode("utf-8"))
    file.flush()
    os.fsync(file.fileno())


def check(folder: pathlib.Path) -> dict[str, Any]:
  """Returns the manifest of a state whose files are as they were written.

  Raises:
    Damaged: If a file is missing or changed.
  """
  manifest = _manifest(folder / _MANIFEST)
  try:
    digests = _digests(folder)
  except OSError as error:
    raise Damaged(f"{error.filename}: {error.strerror}") from error
  for name, digest in manifest["files"].items():
    if digests.get(name) != digest:
      raise Damaged(f"{name} is not as it was written")
  return manifest


def delete(folder: pathlib.Path) -> None:
  """Deletes the states of all jobs of a run, and nothing else.

  Raises:
    ValueError: If something else is there; then all is left as it is.
  """
  jobs = [path for path in folder.iterdir() if not _is_state(path)]
  for path in jobs:
    if not path.is_dir() or path.is_symlink():
      raise ValueError(_foreign(path))
    for inner in path.iterdir():
      if not _is_state(inner):
        raise ValueError(_foreign(inner))
  shutil.rmtree(folder)


def _foreign(path):
  return (
    f"`--overwrite` deletes saved states alone, got {path}; move it away or "
    "choose another --out"
  )


def _is_state(path):
  """Whether a folder holds what `States` writes there, and nothing else."""
  if not path.name.removesuffix(PARTIAL).isdecimal() or path.is_symlink():
    return False
  return path.is_dir() and all(
    inner.name in (STATE, _MANIFEST) for inner in path.iterdir()
  )


def _manifest(path):
  try:
    manifest = json.loads(whole_files.read(path))
  except (ValueError, RecursionError) as error:
    raise Damaged(f"{path.name} is damaged or missing") from error
  # Whatever has the right digest was written by `States`.
  if not isinstance(manifest, dict) or manifest.get("digest") != _digest(
    {name: manifest[name] for name in manifest if name != "digest"}
  ):
    raise Damaged(f"{path.name} is not as it was written")
  return manifest


def _digest(manifest):
  text = json.dumps(manifest, sort_keys=True)
  return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _digests(folder):
  return {
    path.relative_to(folder).as_posix(): _of_file(path)
    for path in sorted(folder.rglob("*"))
    if path.is_file() and path != folder / _MANIFEST
  }


def _of_file(path):
  with open(path, "rb") as file:
    return hashlib.file_digest(file, "sha256").hexdigest()
