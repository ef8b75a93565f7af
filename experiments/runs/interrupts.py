"""What SIGTERM and SIGINT do to a run.

Python's own handlers wait until the main thread is back from compiled code,
which compiles for minutes at times. So a thread listens as well: it ends the
process at once where nothing would be lost, and leaves it to the host loop
where the current state is to be saved first. An exception in the main thread
was tried: raised while modules are imported or garbage is collected, it ends in
tracebacks.
"""

from collections.abc import Callable, Iterator
import contextlib
import os
import pathlib
import signal
import socket
import sys
import threading
from typing import NoReturn

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(Exception):
  """A signal stopped the run, and what can be saved is saved.

  Attributes:
    status: With which the process ends.
  """

  def __init__(self, number: int, message: str):
    super().__init__(message)
    self.status = 128 + number


class Interrupts:
  """Listens to SIGTERM and SIGINT, as a context of the main thread.

  The first signal ends the process with one line and status 128 + signal,
  unless it comes within `noted`; then `received` says so. A second signal ends
  the process in any case. Signals that the parent had ignored stay so.
  """

  def __init__(self, program: str, end: Callable[[int], NoReturn] = os._exit):
    """Prepares to listen; `end` ends the process with a status."""
    self._program, self._end = program, end
    self._lock = threading.Lock()
    self._noted = False
    self.received = 0
    # What the line says after the signal's name.
    self.remark = "before the first update"

  def __enter__(self):
    self._before = {
      number: signal.getsignal(number)
      for number in _SIGNALS
      if signal.getsignal(number) is not signal.SIG_IGN
    }
    self._reader, self._writer = socket.socketpair()
    self._writer.setblocking(False)
    self._wakeup = signal.set_wakeup_fd(
      self._writer.fileno(), warn_on_full_buffer=False
    )
    for number in self._before:
      signal.signal(number, _ignore)
    self._thread = threading.Thread(target=self._listen, daemon=True)
    self._thread.start()
    return self

  def __exit__(self, *error):
    for number, handler in self._before.items():
      signal.signal(number, handler)
    signal.set_wakeup_fd(self._wakeup)
    self._writer.close()
    self._thread.join()
    self._reader.close()

  @contextlib.contextmanager
  def noted(self) -> Iterator[None]:
    """Within it, the first signal is noted; it ends the run at its end.

    Raises:
      Stopped: At the end, if a signal came.
    """
    with self._lock:
      self._noted = True
    try:
      yield
    finally:
      with self._lock:
        self._noted = False
    if self.received:
      raise Stopped(self.received, self.describe())

  def describe(self) -> str:
    """Returns a sentence about the signal that was received."""
    return f"stopped by {signal.Signals(self.received).name} {self.remark}"

  def _listen(self):
    while data := self._reader.recv(1):
      if data[0] in self._before:
        self._hear(data[0])

  def _hear(self, number):
    with self._lock:
      if self._noted and not self.received:
        self.received = number
        return
      self.received = number
      with contextlib.suppress(OSError, ValueError):
        print(
          f"{self._program}: {self.describe()}", file=sys.stderr, flush=True
        )
      _kill_children()
      self._end(128 + number)


def _kill_children():
  """Ends what this process has started, such as the reading of a tree."""
  for children in pathlib.Path("/proc/self/task").glob("*/children"):
    with contextlib.suppress(OSError):
      for child in children.read_text().split():
        os.kill(int(child), signal.SIGKILL)


def _ignore(number, frame):
  """Leaves a signal to the thread, which was woken by it."""
  del number, frame
