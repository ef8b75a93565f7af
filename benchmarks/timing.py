"""Rates of steps, measured."""

from collections.abc import Callable
import time
from typing import Any


def rate(
    step: Callable[[int], Any],
    seconds: float,
    clock: Callable[[], float] = time.process_time,
) -> float:
  """Returns updates per second of `step(count)`, doubling the count.

  Args:
    step: Makes a number of updates.
    seconds: The last measurement takes at least half of this.
    clock: By default CPU seconds; `time.perf_counter` for wall seconds.
  """
  step(1)
  count = 1
  while True:
    start = clock()
    step(count)
    spent = clock() - start
    if spent >= seconds / 2:
      return count / spent
    count *= 2
