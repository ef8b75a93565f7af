"""Progress reporting on stderr."""

import sys
import time

import rich.console
import rich.progress

# Seconds between lines in a log.
_LOG_SECONDS = 5.0


class Progress:
  """A live line on a terminal, or a line every few seconds in a log."""

  def __init__(self, name: str, total: int):
    """Prepares to report; nothing is shown before the first update."""
    self._name = name
    self._total = total
    self._measured = ""
    self._logged = None
    self._live = None
    self._task = None
    console = rich.console.Console(stderr=True)
    if console.is_terminal:
      self._live = rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"), console=console
      )

  def say(self, text: str) -> None:
    """Prints a line."""
    print(text, file=sys.stderr, flush=True)

  def measured(self, text: str) -> None:
    """Keeps the latest measurement, which the next line shows."""
    self._measured = f"  {text}" if text else ""

  def advanced(self, step: int, seconds: float) -> None:
    """Shows how far the run is."""
    line = f"{step:,}/{self._total:,} updates  {seconds:.1f} s{self._measured}"
    if self._live is not None:
      if self._task is None:
        self._task = self._live.add_task(line)
        self._live.start()
      self._live.update(self._task, description=line)
      return
    now = time.monotonic()
    if self._logged is None:
      self._logged = now
    if now - self._logged >= _LOG_SECONDS:
      self._logged = now
      self.say(f"{self._name}  {line}")

  def __enter__(self):
    return self

  def __exit__(self, *error):
    if self._live is not None:
      self._live.stop()
