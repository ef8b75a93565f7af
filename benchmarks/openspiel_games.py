"""What becomes of every game that OpenSpiel registers, with default parameters.

  python -m benchmarks.openspiel_games --out=docs/openspiel_games.md
  python -m benchmarks.openspiel_games --games=maedn,kuhn_poker

Each game is compiled in a process of its own, and updated a few times by CFR+
if it is not refused. The table says what was solved, how fast and how well, and
what was refused and why; a crash, a hang or a word on stderr is said too, and
the program ends with status 1.
"""

from collections.abc import Sequence
import concurrent.futures
import json
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any, NamedTuple

from absl import flags
import pyspiel

from experiments.runs import command_line, limits, program
from mdrl import run
from mdrl.compile import cache, openspiel
from mdrl.evaluation import gaps
from mdrl.solvers import averaged, regret_matching, regret_rules

_UPDATES = 20
# Bounds that no game should reach: seconds, of processor time and on a busy
# machine, and bytes of addresses.
_GUARD_PROCESSOR = 120
_GUARD_SECONDS = 1200
_GUARD_BYTES = 16 * 2**30
# What is promised of every game, on an idle machine.
_MAX_SECONDS = 60
_MAX_MIB = 2048


class Outcome(NamedTuple):
  """What became of a game.

  Attributes:
    game: Its short name.
    seconds: From the start of compiling to the end.
    processor: Seconds that processors worked for it, imports included.
    mebibytes: The peak of memory of the process or of one that it started.
    size: Histories and infostates, if it was solved.
    gaps: Exploitability of uniform play and after the updates, if it was.
    reason: Why it was refused, or what went wrong.
    fault: Whether something did.
  """

  game: str
  seconds: float
  processor: float
  mebibytes: int
  size: tuple[int, int] | None
  gaps: tuple[float, float] | None
  reason: str
  fault: bool


def work_on(name: str) -> dict[str, Any]:
  """Compiles a game and solves it a little; returns what is to be told."""
  start = time.monotonic()
  found: dict[str, Any] = {"size": None, "gaps": None, "reason": ""}
  folder = tempfile.TemporaryDirectory()
  try:
    game, index = openspiel.compile_game(name, cache_dir=folder.name)
  except ValueError as error:
    found["reason"] = str(error)
  else:
    solver = averaged.Averaged(
      solver=regret_matching.AlternatingRegretMatching(
        rule=regret_rules.Plus()
      ),
      power=1.0,
    )
    _, trace = run.run(
      solver, game, run.of_plans(gaps.exploitability), [0, _UPDATES]
    )
    found["gaps"] = [float(gap) for gap in trace.metrics]
    (kept,) = pathlib.Path(folder.name).iterdir()
    tables = cache.load(folder.name, kept.stem)
    found["size"] = [
      tables.num_histories if tables else 0,
      sum(len(player.infostates) for player in index.players),
    ]
  finally:
    folder.cleanup()
  usage = [
    resource.getrusage(who)
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
  ]
  return found | {
    "seconds": time.monotonic() - start,
    "processor": sum(u.ru_utime + u.ru_stime for u in usage),
    "mebibytes": max(u.ru_maxrss for u in usage) // 2**10,
  }


def try_game(name: str) -> Outcome:
  """Returns what becomes of a game in a process of its own."""
  start = time.monotonic()
  command = [sys.executable, "-m", "benchmarks.openspiel_games"]
  try:
    done = subprocess.run(
      [*command, f"--work_on={name}"],
      capture_output=True,
      text=True,
      timeout=_GUARD_SECONDS,
      check=False,
    )
  except subprocess.TimeoutExpired:
    seconds = time.monotonic() - start
    return Outcome(name, seconds, 0, 0, None, None, "hangs", True)
  *printed, line = done.stdout.splitlines() or [""]
  printed += done.stderr.splitlines()
  if done.returncode or not line.startswith("{"):
    reason = f"ends with status {done.returncode}: {' '.join(printed)[-300:]}"
    seconds = time.monotonic() - start
    return Outcome(name, seconds, 0, 0, None, None, reason, True)
  found = json.loads(line)
  outcome = Outcome(game=name, fault=False, **found)
  if printed:
    reason = f"{outcome.reason} prints {' '.join(printed)[:300]}"
    return outcome._replace(reason=reason, fault=True)
  return outcome


def _guard():
  resource.setrlimit(resource.RLIMIT_AS, (_GUARD_BYTES, _GUARD_BYTES))
  resource.setrlimit(resource.RLIMIT_CPU, (_GUARD_PROCESSOR, _GUARD_PROCESSOR))
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
  os.nice(5)


def table(outcomes: Sequence[Outcome], registered: Sequence[str] = ()) -> str:
  """Returns the outcomes as a page, which names what was not tried."""
  untried = sorted(set(registered) - {o.game for o in outcomes})
  solved = [o for o in outcomes if o.size and not o.fault]
  refused = [o for o in outcomes if not o.size and not o.fault]
  faults = [o for o in outcomes if o.fault]
  slow = [o.game for o in outcomes if o.processor > _MAX_SECONDS]
  heavy = [o.game for o in refused if o.mebibytes > _MAX_MIB]
  lines = [
    "# Every game of OpenSpiel",
    "",
    f"{len(outcomes)} games with default parameters: {len(solved)} solved, "
    f"{len(refused)} refused, {len(faults)} crashed, hung or printed.",
    f"Longer than {_MAX_SECONDS} s of processor time: "
    f"{', '.join(slow) or 'none'}.",
    f"More than 2 GiB before a refusal: {', '.join(heavy) or 'none'}.",
    f"Not tried: {', '.join(untried) or 'none'}.",
    "",
    "Seconds are those of compiling, and of updates where there are any, on",
    "a machine that was busy otherwise; processor seconds (CPU s) also hold",
    "the imports; memory is the peak of one process. Written by",
    "`python -m benchmarks.openspiel_games --out=docs/openspiel_games.md`.",
    "",
  ]
  if faults:
    lines += ["## What went wrong", ""]
    lines += [f"- {o.game}: {_cell(o.reason)}" for o in faults]
    lines.append("")
  return "\n".join([*lines, *_solved(solved), *_refused(refused)]) + "\n"


def _solved(outcomes):
  """Returns the lines on games that were solved."""
  lines = [
    "## Solved",
    "",
    "Exploitability of uniform play, and of the average of "
    f"{_UPDATES} updates of CFR+.",
    "",
    "| game | histories | infostates | s | CPU s | MiB | uniform | CFR+ |",
    "|---|---:|---:|---:|---:|---:|---:|---:|",
  ]
  for o in outcomes:
    histories, infostates = o.size or (0, 0)
    first, last = o.gaps or (math.nan, math.nan)
    lines.append(
      f"| {o.game} | {histories:,} | {infostates:,} | {o.seconds:.1f} | "
      f"{o.processor:.1f} | {o.mebibytes} | {first:.2g} | {last:.2g} |"
    )
  return [*lines, ""]


def _refused(outcomes):
  """Returns the lines on games that were refused."""
  lines = [
    "## Refused",
    "",
    "| game | s | CPU s | MiB | reason |",
    "|---|---:|---:|---:|---|",
  ]
  lines += [
    f"| {o.game} | {o.seconds:.1f} | {o.processor:.1f} | {o.mebibytes} | "
    f"{_cell(o.reason)} |"
    for o in outcomes
  ]
  return lines


def _cell(text):
  return " ".join(text.split()).replace("|", "\\|")


def define(values: flags.FlagValues) -> None:
  """Defines the flags, as those of the program that runs."""
  command_line.define_key_flags(values, _define)


def _define(values):
  flags.DEFINE_list(
    "games", None, "Short names; by default all.", flag_values=values
  )
  flags.DEFINE_string(
    "out", None, "The table; by default stdout.", flag_values=values
  )
  flags.DEFINE_integer(
    "jobs", 1, "Games at a time.", 1, limits.CPU_DEVICES, flag_values=values
  )
  flags.DEFINE_string(
    "work_on",
    None,
    "Compile this game here, and print a line of JSON.",
    flag_values=values,
  )


def parse(argv: Sequence[str]) -> list[str]:
  """Defines the flags and parses them."""
  define(flags.FLAGS)
  return program.parse(argv)


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Tries games and writes the table."""
  del argv
  given = values.flag_values_dict()
  if given["work_on"]:
    command_line.quieten()
    _guard()
    print(json.dumps(work_on(given["work_on"])))
    return
  outcomes = []
  names = given["games"] or sorted(pyspiel.registered_names())
  with concurrent.futures.ThreadPoolExecutor(given["jobs"]) as pool:
    tries = [pool.submit(try_game, name) for name in names]
    for done in concurrent.futures.as_completed(tries):
      outcomes.append(done.result())
      line = json.dumps(done.result()._asdict())
      print(line, file=sys.stderr, flush=True)
  outcomes.sort(key=lambda outcome: outcome.game)
  page = table(outcomes, pyspiel.registered_names())
  if given["out"]:
    pathlib.Path(given["out"]).write_text(page, encoding="utf-8")
  else:
    print(page)
  if any(o.fault for o in outcomes):
    sys.exit(1)


if __name__ == "__main__":
  program.run("benchmarks.openspiel_games", __doc__, main, parse)
