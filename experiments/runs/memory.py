"""Compares the memory that a run would take with what is available.

A machine that runs out of memory kills the process without a message, or swaps.
"""

import pathlib
import resource

# Of a number in a row of a trace: in Python, and as text while it is written.
ROW_BYTES = 64

_GIB = 2**30
_CGROUP = pathlib.Path("/sys/fs/cgroup/memory.max")
_MEMINFO = pathlib.Path("/proc/meminfo")


def check(what: str, num_bytes: float, remedy: str) -> None:
  """Raises ValueError if arrays are larger than the memory at hand.

  Args:
    what: Names the arrays.
    num_bytes: That they take together, at the peak.
    remedy: What makes them smaller.
  """
  there = available()
  if there is not None and num_bytes > there:
    raise ValueError(
      f"{what} would take {num_bytes / _GIB:,.1f} GiB of memory, and "
      f"{there / _GIB:,.1f} GiB are there; {remedy}"
    )


def available() -> float | None:
  """Returns the bytes that this process may still take; None if unknown."""
  found = []
  if _MEMINFO.exists():
    for line in _MEMINFO.read_text().splitlines():
      if line.startswith("MemAvailable:"):
        found.append(1024.0 * int(line.split()[1]))
  if _CGROUP.exists():
    limit = _CGROUP.read_text().strip()
    if limit.isdigit():
      found.append(float(limit))
  soft, _ = resource.getrlimit(resource.RLIMIT_AS)
  if soft != resource.RLIM_INFINITY:
    found.append(float(soft))
  return min(found, default=None)
