"""The files of a run of the binaries that do not go on with one."""

from collections.abc import Mapping
import json
import os
import pathlib
import shutil
from typing import Any


class RunFiles:
  """The folder of one run."""

  def __init__(self, folder: pathlib.Path, resumable: bool = True):
    self.folder = folder
    self._resumable = resumable
    self.flags = folder / "flags.json"
    self.trace = folder / "trace.jsonl"
    self.policy = folder / "policy.npz"
    self.plot = folder / "convergence.png"
    self.states = folder / "checkpoint"

  def claim(self, *, resume: bool, overwrite: bool) -> dict[str, Any] | None:
    """Makes the folder ready and returns the flags of the run in it, if any.

    Raises:
      ValueError: If there is a run in it that neither is resumed nor may be
        overwritten, or it cannot be written.
    """
    if resume and overwrite:
      raise ValueError(
          "`--resume` and `--overwrite` exclude each other, got both"
      )
    try:
      if overwrite:
        self._delete()
      recorded = self._recorded()
      if recorded is not None and not resume:
        raise ValueError(
            f"`--out` holds a run already: {self.folder}; "
            + ("go on with it by --resume, " if self._resumable else "")
            + "delete it by --overwrite, or choose another --out"
        )
      self.folder.mkdir(parents=True, exist_ok=True)
      probe = self.folder / ".writable"
      probe.touch()
      probe.unlink()
    except OSError as error:
      raise ValueError(
          f"`--out` must be a folder that can be written, got {self.folder}: "
          f"{error.strerror}"
      ) from error
    return recorded

  def _delete(self):
    for path in (self.flags, self.trace, self.policy, self.plot):
      path.unlink(missing_ok=True)
    if self.states.exists():
      shutil.rmtree(self.states)

  def _recorded(self):
    if not self.flags.exists():
      if self.states.exists():
        raise ValueError(
            "`--out` holds states of a run without its flags.json: "
            f"{self.folder}; use --overwrite or another --out"
        )
      return None
    try:
      return json.loads(self.flags.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
      raise ValueError(
          f"`--out` holds a run whose {self.flags} is not JSON: {error}; "
          "use --overwrite or another --out"
      ) from error

  def write_flags(self, record: Mapping[str, Any]) -> None:
    """Writes `flags.json`; a reader never sees a part of it."""
    text = json.dumps(record, indent=2) + "\n"
    self._replace(self.flags, lambda file: file.write(text.encode("utf-8")))

  def _replace(self, path, write):
    partial = path.with_name(f".{path.name}.partial")
    with open(partial, "wb") as file:
      write(file)
    os.replace(partial, path)
