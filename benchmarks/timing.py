"""Rates of steps, measured."""

from collections.abc import Callable
import time
from typing import Any


def rates(
  step: Callable[[int], Any],
  seconds: float,
  *clocks: Callable[[], float],
) -> tuple[float, ...]:
  """Returns updates per second of `step(count)` by clocks, doubling the count.

  Args:
    step: Makes a number of updates.
    seconds: The last measurement takes at least half of this by one clock.
    *clocks: Each counts seconds.
  """
  step(1)
  count = 1
  while True:
    starts = [clock() for clock in clocks]
    step(count)
    spent = [
      clock() - start for clock, start in zip(clocks, starts, strict=True)
    ]
    # Clocks have a resolution, so that one may not have moved at all.
    if max(spent) >= seconds / 2 and min(spent) > 0:
      return tuple(count / s for s in spent)
    count *= 2


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
  return rates(step, seconds, clock)[0]
