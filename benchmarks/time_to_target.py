"""Measures the time that one solver takes to reach target exploitabilities.

It needs the standard library only, since peers run in environments of their
own. A race goes from the start of the process to the targets: the solver is
built, makes its first update, which compiles where it compiles, and goes on,
with its exploitability looked at whenever the number of updates has grown by a
fifth. Evaluations are not timed. Afterwards come the rates.

A race ends without having reached a target when its budget is spent, or when
the least exploitability has not fallen by a hundredth while the number of
updates grew eightfold to more than a thousand, as where a fixed temperature
keeps a solver from equilibrium.
"""

import argparse
from collections.abc import Callable, Sequence
import contextlib
import dataclasses
import json
import math
import pathlib
import resource
import sys
import time
from typing import Any

from benchmarks import timing

# Exploitabilities, in the game's own units of utility.
TARGETS = (1e-2, 1e-3)
_GROWTH = 1.2
_STALL_AFTER = 1000
_STALL_UPDATES = 8
_STALL_FALL = 0.99


@dataclasses.dataclass(frozen=True)
class Racer:
  """A solver on a game.

  Attributes:
    advance: Makes a number of updates; the first call compiles.
    exploitability: Returns that of what the solver would return now.
    compiles: Whether the first update compiles anything.
    iterates: Whether it makes updates at all, and not only a solution.
    settle: Waits for what is still compiled in the background.
    facts: What else to report, such as the size of the game.
  """

  advance: Callable[[int], Any]
  exploitability: Callable[[], float]
  compiles: bool = False
  iterates: bool = True
  settle: Callable[[], None] = lambda: None
  facts: dict[str, Any] = dataclasses.field(default_factory=dict)


def cpu_seconds() -> float:
  """Returns CPU seconds of this process and of those it waited for."""
  children = resource.getrusage(resource.RUSAGE_CHILDREN)
  return time.process_time() + children.ru_utime + children.ru_stime


def peak_megabytes() -> float | None:
  """Returns the most memory that the process has had; None without /proc."""
  # Not the resource usage of the process, which inherits its parent's peak.
  try:
    status = pathlib.Path("/proc/self/status").read_text()
  except OSError:
    return None
  return int(status.split("VmHWM:")[1].split()[0]) / 1024


class _Chase:
  """Clocks that stop during evaluations, and the targets reached."""

  def __init__(self, racer: Racer, started: float):
    self._racer = racer
    self._started = started
    self._away = (0.0, 0.0)
    self.updates = 1
    self.found: dict[str, float] = {}
    self.least = float("inf")

  def _now(self) -> tuple[float, float]:
    return cpu_seconds(), time.time() - self._started

  def look(self) -> bool:
    """Evaluates; returns whether all targets are reached."""
    before = self._now()
    gap = self._racer.exploitability()
    after = self._now()
    cpu, wall = (b - away for b, away in zip(before, self._away, strict=True))
    self._away = tuple(
      away + a - b for away, a, b in zip(self._away, after, before, strict=True)
    )
    self.least = min(self.least, gap)
    for target in TARGETS:
      if gap <= target and f"updates_to_{target:g}" not in self.found:
        self.found |= {
          f"updates_to_{target:g}": self.updates,
          f"cpu_seconds_to_{target:g}": cpu,
          f"wall_seconds_to_{target:g}": wall,
        }
    return gap <= min(TARGETS)


def chase(racer: Racer, started: float, budget: float) -> dict[str, float]:
  """Returns seconds from the start of the process to the targets.

  Args:
    racer: It has made one update.
    started: When the process started, by `time.time`.
    budget: Wall seconds, evaluations included, from the first one on.
  """
  clocks = _Chase(racer, started)
  past: list[tuple[int, float]] = []
  done = clocks.look() or not racer.iterates
  # The first evaluation compiles, or reads the game once more.
  deadline = time.time() + budget
  while not done:
    past.append((clocks.updates, clocks.least))
    enough = max(_STALL_AFTER, clocks.updates) / _STALL_UPDATES
    old = [least for n, least in past if n <= enough]
    stalled = (
      clocks.updates > _STALL_AFTER and clocks.least > _STALL_FALL * old[-1]
    )
    if stalled or time.time() > deadline:
      break
    grown = max(clocks.updates + 1, int(clocks.updates * _GROWTH))
    racer.advance(grown - clocks.updates)
    clocks.updates = grown
    done = clocks.look()
  # Of what was never a number, JSON knows nothing.
  if math.isfinite(clocks.least):
    clocks.found["least_exploitability"] = clocks.least
  return clocks.found


def _clocks() -> tuple[float, float]:
  return cpu_seconds(), time.perf_counter()


def _spent(name, start, end):
  """Returns the CPU and wall seconds between two readings of the clocks."""
  cpu, wall = (b - a for a, b in zip(start, end, strict=True))
  return {f"{name}_cpu_seconds": cpu, f"{name}_wall_seconds": wall}


def run(
  make: Callable[[], Racer],
  *,
  started: float,
  seconds: float,
  budget: float,
  start_only: bool = False,
) -> dict[str, Any]:
  """Measures a solver.

  Args:
    make: Builds it.
    started: When the process started, by `time.time`.
    seconds: To spend on the rates, wall.
    budget: To spend on the chase, wall.
    start_only: Whether to stop after the first update.

  Returns:
    The figures by name.
  """
  begun = _clocks()
  racer = make()
  built = _clocks()
  racer.advance(1)
  figures: dict[str, Any] = {**racer.facts, **_spent("build", begun, built)}
  if racer.compiles:
    figures |= _spent("compile", built, _clocks())
  # Before any evaluation, which needs memory of its own.
  figures["peak_megabytes"] = peak_megabytes()
  if start_only:
    return figures
  figures |= chase(racer, started, budget)
  if racer.iterates:
    racer.settle()
    per_cpu, per_wall = timing.rates(
      racer.advance, seconds, time.process_time, time.perf_counter
    )
    figures |= {
      "updates_per_cpu_second": per_cpu,
      "updates_per_wall_second": per_wall,
    }
  return figures


def parser(description: str, solvers: Sequence[str]) -> argparse.ArgumentParser:
  """Returns a parser of what a race needs to know."""
  # Not absl, which not every environment has.
  arguments = argparse.ArgumentParser(
    description=description, allow_abbrev=False
  )
  arguments.add_argument("--game", required=True, help="OpenSpiel's string.")
  arguments.add_argument("--solver", required=True, choices=solvers)
  arguments.add_argument(
    "--started",
    type=float,
    help="When the process started, in seconds of "
    "Unix time; by default about now.",
  )
  arguments.add_argument(
    "--seconds", type=float, default=0.5, help="Wall, for the rates."
  )
  arguments.add_argument(
    "--budget", type=float, default=5.0, help="Wall seconds of the chase."
  )
  arguments.add_argument(
    "--start_only", action="store_true", help="Stop after one update."
  )
  return arguments


def main(
  prepare: Callable[[], Callable[[], Racer]], given: argparse.Namespace
) -> None:
  """Races and prints one line of JSON, the last one of the output.

  Args:
    prepare: Imports what is needed, and returns what builds the racer.
    given: What the parser returned.
  """
  started = given.started or time.time() - time.process_time()
  try:
    # Libraries print banners.
    with contextlib.redirect_stdout(sys.stderr):
      figures = run(
        prepare(),
        started=started,
        seconds=given.seconds,
        budget=given.budget,
        start_only=given.start_only,
      )
  except (ImportError, RuntimeError, ValueError) as error:
    sys.exit(" ".join(str(error).split()) or type(error).__name__)
  print(json.dumps(figures))


def main_of_peer(
  about: str,
  solvers: Sequence[str],
  prepare: Callable[[str, str], Callable[[], Racer]],
  argv: Sequence[str],
) -> None:
  """Reads arguments and races somebody else's solver.

  Args:
    about: A text whose first line describes the program.
    solvers: The names of what it runs.
    prepare: Returns what builds the racer of a game and a solver.
    argv: The arguments.
  """
  given = parser(about.splitlines()[0], solvers).parse_args(argv)
  main(lambda: prepare(given.game, given.solver), given)
