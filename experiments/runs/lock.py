"""One process at a time in a folder."""

import errno
import fcntl
import os
import pathlib

NAME = ".lock"

# What file systems without locks answer.
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


class Lock:
  """A lock on a folder, which the kernel releases when the process ends."""

  def __init__(self, folder: pathlib.Path):
    self._path = folder / NAME
    self._file: int | None = None

  def acquire(self) -> None:
    """Takes the lock.

    Raises:
      ValueError: If another process holds it.
      OSError: If the folder cannot be written.
    """
    while self._file is None:
      file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
      try:
        self._take(file)
        # Who held it before may have deleted the file that was opened.
        if self._is_current(file):
          os.ftruncate(file, 0)
          os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
          self._file, file = file, None
      finally:
        if file is not None:
          os.close(file)

  def release(self) -> None:
    """Gives the lock back and leaves no file."""
    if self._file is not None:
      self._path.unlink(missing_ok=True)
      os.close(self._file)
      self._file = None

  def _take(self, file):
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      holder = os.pread(file, 32, 0).decode("ascii", "replace").strip()
      raise ValueError(
        f"`--out` must be used by one run at a time: {self._path.parent} is "
        f"in use by process {holder or 'unknown'}; wait for it or choose "
        "another --out"
      ) from error
    except OSError as error:
      # Where there are no locks, a run goes on without one.
      if error.errno not in _NO_LOCKS:
        raise

  def _is_current(self, file):
    try:
      return os.path.samestat(os.stat(self._path), os.fstat(file))
    except FileNotFoundError:
      return False
