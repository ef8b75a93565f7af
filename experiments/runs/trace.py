"""Reads and writes `trace.jsonl`: one JSON object per line."""

from collections.abc import Iterable, Mapping
import contextlib
import hashlib
import json
import os
import pathlib
from typing import Any

from experiments.runs import whole_files

Row = dict[str, Any]


class Trace:
  """The rows of a run, written to disk as soon as they are added."""

  def __init__(self, path: pathlib.Path, rows: Iterable[Row] = ()):
    """Rewrites the file with earlier rows.

    Raises:
      WriteError: If the file cannot be written.
    """
    self._path = path
    self.rows: list[Row] = list(rows)
    self._rewrite()

  def add(self, rows: Iterable[Row]) -> None:
    """Appends rows.

    Raises:
      WriteError: If the file cannot be written.
    """
    rows = list(rows)
    data = memoryview("".join(map(line, rows)).encode("utf-8"))
    with whole_files.writing(self._path):
      size = self._file.seek(0, os.SEEK_END)
      try:
        while data:
          data = data[self._file.write(data) :]
      except OSError:
        with contextlib.suppress(OSError):
          self._file.truncate(size)
        raise
    self.rows += rows

  def sync(self) -> None:
    """Flushes the rows to the disk.

    Raises:
      WriteError: If they cannot be written.
    """
    with whole_files.writing(self._path):
      os.fsync(self._file.fileno())

  def arrange(self, rows: Iterable[Row]) -> None:
    """Rewrites the file if the order of the rows changes."""
    rows = list(rows)
    if rows != self.rows:
      self._file.close()
      self.rows = rows
      self._rewrite()

  def close(self) -> None:
    """Closes the file."""
    self._file.close()

  def _rewrite(self):
    text = "".join(map(line, self.rows)).encode("utf-8")
    whole_files.replace(self._path, lambda file: file.write(text))
    with whole_files.writing(self._path):
      # Without a buffer, so that a row is written or raises here and now.
      self._file = open(self._path, "ab", buffering=0)


def line(row: Row) -> str:
  """Returns a row as the file holds it."""
  return json.dumps(row) + "\n"


def digest(rows: Iterable[Row]) -> str:
  """Returns a hash of rows, which saved states carry."""
  text = "".join(map(line, rows))
  return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read(path: pathlib.Path) -> list[Row]:
  """Returns the rows of a trace; nothing where there is none.

  A last line without an end, as a kill leaves it, is left out.

  Raises:
    ValueError: If another line is damaged, or no row of a run.
  """
  if not path.exists():
    return []
  parts = whole_files.read(path).split(b"\n")[:-1]
  return [_row(path, k, part) for k, part in enumerate(parts, start=1)]


def matches(row: Row, labels: Mapping[str, Any]) -> bool:
  """Whether a row has all of some columns, with these values."""
  return all(name in row and row[name] == labels[name] for name in labels)


def _row(path, number, part):
  try:
    row = json.loads(part.decode("utf-8"))
  except (ValueError, RecursionError):
    row = None
  if not isinstance(row, dict) or not _is_count(row.get("step")):
    raise ValueError(
      f"line {number} of {path} is damaged, got {_excerpt(part)}; put back "
      "the file as it was, or start anew by --overwrite"
    )
  return row


def _is_count(step):
  return isinstance(step, int) and not isinstance(step, bool) and step >= 0


def _excerpt(part):
  text = part[:40].decode("utf-8", "replace")
  return repr(text) + ("..." if len(part) > 40 else "")
