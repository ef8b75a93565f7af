"""Limits on the size of a tree, and on the memory and time to read it.

One number sets all three limits: `max_histories`. A walk may visit so many
histories, and take the memory and the time that so many histories take in most
games; slow or heavy games reach those limits with fewer histories.
"""

from collections.abc import Callable
import os
import pathlib
import time
from typing import Any, NamedTuple

from mdrl import inputs
from mdrl.compile import plain_text, tree_size

# About a minute, and 4 GiB of memory at most.
MAX_HISTORIES = 20_000_000
# What compiling takes at its peak, in bytes per history: from 65 in battleship
# over 100 in liar's dice to 190 where every history has its own name.
_BYTES = 200
_MIN_BYTES = 2**30
# More would not fit into any memory.
_MOST = 10**15
# Histories of most games that are read in a second.
_RATE = 400_000
_MIN_SECONDS = 50.0
# A walk is long once it met so many histories or took so many seconds or bytes;
# then the size of its tree is estimated, for so many seconds at most.
_LARGE = 100_000
_LONG = 1.0
_HEAVY = 2**28
_PROBE_SECONDS = 5.0
# A probe ends once it is this many times as large as what is allowed.
_ENOUGH = 1000
# Few enough for the slowest game to be checked within seconds.
_FIRST = 16
# Smaller trees are read before one could ask how much memory they take.
_SMALL = 1000
# Between two looks at the clock.
_PERIOD = 0.5


class Reading(NamedTuple):
  """How far a walk is.

  Attributes:
    histories: The number of histories that were met.
    about: The estimated number of all; None before there is an estimate.
    seconds: Processor time that it took.
  """

  histories: int
  about: float | None
  seconds: float


Progress = Callable[[Reading], None]


def seconds_allowed(max_histories: int) -> float:
  """Returns how much processor time a walk may take."""
  return max(_MIN_SECONDS, max_histories / _RATE)


def bytes_allowed(max_histories: int) -> int:
  """Returns how much memory a walk may take."""
  return max(_MIN_BYTES, max_histories * _BYTES)


def check_histories(max_histories: Any) -> None:
  """Raises ValueError unless it is a number of histories that may be read."""
  inputs.check_count("max_histories", max_histories, 1, _MOST)


class Watch:
  """Follows one walk over a tree, and stops it where it takes too much.

  Attributes:
    first: The number of histories at which to check first.
  """

  def __init__(
    self, game: Any, max_histories: int, progress: Progress | None = None
  ):
    """Starts the clock.

    Args:
      game: The OpenSpiel game whose tree is read.
      max_histories: The largest tree to read.
      progress: Called at every look at the clock with how far the walk is.

    Raises:
      ValueError: If `max_histories` is not positive.
    """
    check_histories(max_histories)
    self._game = game
    self._max = max_histories
    self.first = min(_FIRST, max_histories)
    self._progress = progress
    self._start = time.thread_time()
    self._memory = 0
    self._found = None

  def check(self, known: int) -> int:
    """Returns the number of histories at which to check again.

    Args:
      known: The number of histories that were met so far.

    Raises:
      ValueError: If the tree is too large or too slow to read, or bound to be.
    """
    seconds = time.thread_time() - self._start
    if not self._memory and known > _SMALL:
      self._memory = _memory()
    heavy = bool(self._memory) and _memory() - self._memory > _HEAVY
    long = known > min(_LARGE, self._max) or seconds > _LONG or heavy
    if long and self._found is None:
      self._found = tree_size.estimate(
        self._game, _ENOUGH * self._max, _PROBE_SECONDS
      )
      # This time was not taken by the walk.
      self._start = time.thread_time() - seconds
    if self._found is not None:
      self._refuse_what_is_too_large(self._found, known, seconds)
    if self._progress is not None and seconds > _PERIOD:
      about = self._found and self._found.mean
      self._progress(Reading(known, about, seconds))
    step = known
    if seconds > _PERIOD:
      step = max(1, int(known * _PERIOD / seconds))
    edges = [e for e in (_LARGE, self._max) if e >= known]
    return min(known + step, *edges)

  def _refuse_what_is_too_large(self, found, known, seconds):
    if max(known, found.at_least) > self._max:
      self._refuse(
        f"`max_histories` is {self._max}, and", "has more", found, known
      )
    # Time and memory grow with what is left to read, if not evenly.
    share = max(known, found.at_least / 2) / known
    allowed = seconds_allowed(self._max)
    if seconds * share > allowed:
      self._refuse(
        f"`max_histories` of {self._max} allows {allowed:.0f} s, and",
        "takes longer to read",
        found,
        known,
      )
    allowed = bytes_allowed(self._max)
    if self._memory and (_memory() - self._memory) * share > allowed:
      self._refuse(
        f"`max_histories` of {self._max} allows {allowed / 2**30:.1f} GiB of "
        "memory, and",
        "takes more",
        found,
        known,
      )

  def _refuse(self, limit, excess, found, known):
    more = "" if found.complete else " or more"
    memory = max(found.mean * _BYTES / 2**30, 0.1)
    raise ValueError(
      f"{limit} {plain_text.title(self._game)} {excess}: about "
      f"{found.mean:.3g}{more} histories by {found.probes} random probes, "
      f"with a standard error of {found.error:.2g}, in up to {memory:,.1f} "
      f"GiB of memory; stopped at {known}; choose a smaller game, or raise "
      "the limit if there is as much memory"
    )


def address_space() -> int:
  """Returns the size of this process's address space; 0 if it is unknown."""
  return _statm(0)


def _memory():
  """Returns the resident memory of this process in bytes; 0 if unknown."""
  return _statm(1)


def _statm(field):
  try:
    pages = pathlib.Path("/proc/self/statm").read_text().split()[field]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
  except (OSError, ValueError, IndexError):
    return 0
