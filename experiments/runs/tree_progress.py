"""Progress reports while a large tree is enumerated."""

import sys
import time

from mdrl.compile import tree_limits

# Between two lines, and before the first.
_SECONDS = 5.0


def lines(game: str) -> tree_limits.Progress:
  """Returns what prints now and then, on stderr, how far a tree is read."""
  said = time.monotonic()

  def tell(reading):
    nonlocal said
    now = time.monotonic()
    if now - said >= _SECONDS:
      said = now
      of = f" of about {reading.about:,.3g}" if reading.about else ""
      print(
        f"reading {game}: {reading.histories:,}{of} histories  "
        f"{reading.seconds:.0f} s",
        file=sys.stderr,
        flush=True,
      )

  return tell
