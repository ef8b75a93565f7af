"""The folder of a run: who may write in it, and what may be deleted there.

`flags.json` comes before any other file and names all that the run makes, so
that nothing else is ever overwritten or deleted.
"""

from collections.abc import Callable, Mapping, Sequence
import contextlib
import json
import pathlib
from typing import Any, BinaryIO

from experiments.runs import lock as lock_lib
from experiments.runs import saved_files, whole_files

FLAGS = "flags.json"
TRACE = "trace.jsonl"
STATES = "checkpoint"
# Raised whenever runs of before can no longer be gone on with.
_FORMAT = 2
# What every run's `flags.json` has, besides what its binary adds.
_KINDS = {
  "program": str,
  "files": list,
  "flags": dict,
  "decisive": dict,
  "earlier": list,
}


class Folder:
  """A folder that belongs to one run, as a context manager.

  Attributes:
    path: Of the folder.
    recorded: The `flags.json` of the run that is gone on with, or None.
  """

  def __init__(
    self,
    path: pathlib.Path,
    program: str,
    files: Sequence[str],
    *,
    resume: bool | None,
    overwrite: bool,
  ):
    """Inspects the folder without changing it.

    Args:
      path: Of the folder, which need not exist.
      program: The binary.
      files: Names of files that it writes besides flags, trace and states.
      resume: Whether a run in it is gone on with; None for a program whose
        runs cannot be.
      overwrite: Whether a run in it is deleted by `begin`.

    Raises:
      ValueError: If there is a run in it that is neither resumed nor
        overwritten, or files of these names that no run made.
    """
    if resume and overwrite:
      raise ValueError(
        "`--resume` and `--overwrite` exclude each other, got both"
      )
    self.path = path
    self._program = program
    self._files = [TRACE, STATES, *files]
    self._resume, self._overwrite = bool(resume), overwrite
    self._resumes = resume is not None
    self._then = whole_files.RESUME if self._resumes else whole_files.REPEAT
    self._lock: lock_lib.Lock | None = None
    self._made: list[pathlib.Path] = []
    self._begun = False
    self._record: Mapping[str, Any] = {}
    with self._named():
      self.recorded = self._look()

  def __enter__(self):
    """Takes the folder, making it where there is none.

    Raises:
      ValueError: If another process has it, or it cannot be written.
    """
    try:
      with self._named():
        self._make()
        lock = lock_lib.Lock(self.path)
        lock.acquire()
        self._lock = lock
        # Another run may have been here since.
        self.recorded = self._look()
    except ValueError:
      self._leave()
      raise
    return self

  def __exit__(self, *error):
    self._leave()

  def begin(self, record: Mapping[str, Any]) -> None:
    """Deletes a run that is overwritten, and writes `flags.json`.

    The flags of a run that is gone on with stay until `go_on`.

    Raises:
      WriteError: If something cannot be deleted or written.
    """
    if self._overwrite and not self._begun:
      self._delete()
    for name in (FLAGS, *self._files):
      # A kill may have left it.
      with whole_files.writing(self.path / name, self._then):
        whole_files.partial_path(self.path / name).unlink(missing_ok=True)
    self._record = record
    if self.recorded is None or self._begun:
      self._write_flags()

  def go_on(self) -> None:
    """Writes `flags.json`, once all else of the run is found in order.

    Raises:
      WriteError: If it cannot be written.
    """
    if not self._begun:
      self._write_flags()

  def _write_flags(self):
    full = {
      "format": _FORMAT,
      "program": self._program,
      "files": self._files,
      **self._record,
    }
    text = json.dumps(full, indent=2) + "\n"
    self.write(FLAGS, lambda file: file.write(text.encode("utf-8")))
    self._begun = True

  def write(self, name: str, write: Callable[[BinaryIO], object]) -> None:
    """Writes a file of the run; a reader never sees a part of it.

    Raises:
      WriteError: If it cannot be written.
    """
    whole_files.replace(self.path / name, write, self._then)

  @contextlib.contextmanager
  def _named(self):
    """Names the folder in errors of the operating system."""
    try:
      yield
    except OSError as error:
      raise ValueError(
        f"`--out` must be a folder that can be written, got {self.path}: "
        f"{error.strerror}"
      ) from error

  def _make(self):
    for parent in (self.path, *self.path.parents):
      if parent.exists():
        break
      self._made.append(parent)
    self.path.mkdir(parents=True, exist_ok=True)

  def _leave(self):
    """Gives the folder back, and removes it where no run began in it."""
    if self._lock is not None:
      self._lock.release()
      self._lock = None
    if not self._begun:
      for made in self._made:
        with contextlib.suppress(OSError):
          made.rmdir()

  def _look(self) -> dict[str, Any] | None:
    """Returns the record of the run in the folder that is gone on with."""
    path = self.path / FLAGS
    if not _exists(path):
      self._check_foreign([])
      return None
    if not self._resume and not self._overwrite and not self._is_bare():
      go_on = "go on with it by --resume, " if self._resumes else ""
      raise ValueError(
        f"`--out` holds a run already: {self.path}; {go_on}delete it by "
        "--overwrite, or choose another --out"
      )
    record = read(path)
    if record["program"] != self._program:
      raise ValueError(
        f"`--out` holds a run of {record['program']}: {self.path}; choose "
        "another --out"
      )
    self._check_foreign(record["files"])
    return record if self._resume else None

  def _is_bare(self):
    """Whether the run ended before it left anything but its flags."""
    trace, *others = (self.path / name for name in self._files)
    return not any(map(_exists, others)) and (
      not _exists(trace) or (trace.is_file() and not trace.stat().st_size)
    )

  def _check_foreign(self, vouched):
    for name in self._files:
      if name not in vouched and _exists(self.path / name):
        raise ValueError(
          f"`--out` holds {self.path / name}, which no run in it is known to "
          "have made; move it away or choose another --out"
        )

  def _delete(self):
    flags = self.path / FLAGS
    if not flags.exists():
      return
    # States first, as they may be refused, and flags last: without them, what
    # is left over would be nobody's.
    names = [name for name in read(flags)["files"] if name != STATES]
    with whole_files.writing(self.path / STATES):
      if (self.path / STATES).is_dir():
        saved_files.delete(self.path / STATES)
    for name in [*names, FLAGS]:
      with whole_files.writing(self.path / name):
        (self.path / name).unlink(missing_ok=True)


def read(path: pathlib.Path) -> dict[str, Any]:
  """Returns what a `flags.json` holds.

  Raises:
    ValueError: If no run of this version wrote it.
  """
  try:
    record = json.loads(whole_files.read(path))
  except whole_files.ReadError:
    raise
  except (ValueError, RecursionError):
    record = None
  if isinstance(record, dict) and isinstance(record.get("flags"), dict):
    version = record.get("format")
    if version != _FORMAT and "versions" in record:
      raise ValueError(
        f"{path} must have format {_FORMAT}, got {version}, of another "
        "version of mdrl; delete the folder by hand or choose another --out"
      )
  if not isinstance(record, dict) or not _is_record(record):
    raise ValueError(
      f"{path} is damaged, or no run made it; delete the folder by hand or "
      "choose another --out"
    )
  return record


def _is_record(record):
  return (
    record.get("format") == _FORMAT
    and all(isinstance(record.get(k), kind) for k, kind in _KINDS.items())
    and all(
      isinstance(record["decisive"].get(part), dict)
      for part in ("flags", "contents")
    )
    and all(map(_is_name, record["files"]))
    and all(isinstance(run, dict) for run in record["earlier"])
  )


def _is_name(name):
  """Whether it names something directly in a folder."""
  return (
    isinstance(name, str)
    and name not in ("", "..")
    and pathlib.PurePath(name).name == name
  )


def _exists(path):
  return path.exists() or path.is_symlink()
