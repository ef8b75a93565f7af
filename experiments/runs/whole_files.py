"""Writes files atomically, with one-line errors where that fails."""

from collections.abc import Callable, Iterator
import contextlib
import errno
import os
import pathlib
from typing import BinaryIO

# What a full disk, a quota and a limit on the size of files raise.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What a user does next, where a run can be gone on with, and where it cannot.
RESUME = "go on by --resume"
REPEAT = "run the command again"


class WriteError(ValueError):
  """A file cannot be written; the message says which, and why."""


class ReadError(ValueError):
  """A file cannot be read; the message says which, and why."""


def read(path: pathlib.Path) -> bytes:
  """Returns the contents of a regular file; a pipe would block.

  Raises:
    ReadError: If it cannot be read.
  """
  try:
    if path.exists() and not path.is_file():
      raise ReadError(f"{path} cannot be read: it is no file")
    return path.read_bytes()
  except OSError as error:
    raise ReadError(f"{path} cannot be read: {error.strerror}") from error


@contextlib.contextmanager
def writing(path: pathlib.Path, then: str = RESUME) -> Iterator[None]:
  """Names the file in errors of the operating system.

  Args:
    path: Of the file.
    then: What is to be done once the cause is removed.

  Raises:
    WriteError: In place of an OSError.
  """
  try:
    yield
  except OSError as error:
    remedy = (
      "free space or raise the limit"
      if error.errno in _FULL
      else ("move away what is there or make it writable")
    )
    raise WriteError(
      f"`--out` must hold {path}, which cannot be written: "
      f"{error.strerror or error}; {remedy}, and {then}"
    ) from error


def replace(
  path: pathlib.Path,
  write: Callable[[BinaryIO], object],
  then: str = RESUME,
) -> None:
  """Writes a file under another name and moves it into place.

  Args:
    path: Of the file.
    write: Writes what is in it.
    then: What is to be done where it fails, once the cause is removed.

  Raises:
    WriteError: If the disk is full or the folder cannot be written; what was
      there before stays, and nothing is left over.
  """
  partial = partial_path(path)
  with writing(path, then):
    try:
      with open(partial, "wb") as file:
        write(file)
      os.replace(partial, path)
    except BaseException:
      with contextlib.suppress(OSError):
        partial.unlink(missing_ok=True)
      raise


def partial_path(path: pathlib.Path) -> pathlib.Path:
  """Returns the name of a file while it is written."""
  return path.with_name(f".{path.name}.partial")
