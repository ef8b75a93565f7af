"""Tabular solvers side by side, ours and others', in one table.

  python -m benchmarks.solvers                 # a quarter of an hour
  python -m benchmarks.solvers --quick         # a minute, with a floor
  python -m benchmarks.solvers --games='kuhn_poker;leduc_poker' --json=out.json
  python -m benchmarks.solvers --liteefg_python=liteefg/bin/python \
    --noregret_python=noregret/bin/python

Each cell, a solver on a game, is measured in a fresh process that is bound to
one core, or to `--cores`: updates per CPU second and per wall second; CPU and
wall seconds from the start of the process, imports, building and compilation
included and evaluations not, until exploitability is at most 0.01 and 0.001,
which is looked at whenever the number of updates has grown by a fifth; seconds
of building the game and, in JAX, of the first update, which compiles, without
and with compiled programs on disk; and the peak of memory to that point. One
update moves every player once.

CFR+ and PCFR+ alternate and average linearly and quadratically; magnetic mirror
descent is judged by its last iterate. `C` is a plain single-threaded program of
CFR+, built with `cc`. LiteEFG and noregret live in environments of
their own, which `benchmarks/peer_liteefg.py` and `peer_noregret.py` say how to
make, and are measured where their interpreters are given.

A dash stands for what was not reached in `--budget`, and for what is left out:
OpenSpiel's mmd_dilated above 10,000 histories, its JaxCFR above 100,000, and
LiteEFG and the linear program above 800,000; on the random matrix, which is no
tree, whatever is made for trees, and the linear program, whose matrix is dense;
and cells that fail or take more than `--limit`, which standard error names, as
those do that need a zero-sum game where tiny bridge is one of partners.
"""

from collections.abc import Sequence
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import sys
from typing import Any

from absl import flags

from benchmarks import peer_flags
from experiments.runs import command_line, game_strings, limits, program

_QUICK_SECONDS = 0.3
_QUICK_BUDGET = 3.0
_VERSIONS = ("jax", "jaxlib", "numpy", "open_spiel", "scipy")


def define(values: flags.FlagValues) -> None:
  """Defines the flags, as those of the program that runs."""
  for part in (_define_races, _define_run):
    command_line.define_key_flags(values, part)


def _define_races(values):
  """What is measured."""
  flags.DEFINE_string(
    "games",
    None,
    "OpenSpiel game strings, or that of a random matrix, "
    "separated by semicolons outside of brackets; by default eleven games, "
    "three with --quick.",
    flag_values=values,
  )
  for name, default, meaning in (
    ("seconds", 0.5, "Wall seconds to spend on each rate."),
    (
      "budget",
      5.0,
      "Wall seconds, evaluations included, of the way to the "
      "exploitabilities from the first update on.",
    ),
    ("limit", 90.0, "Wall seconds after which a cell is left out."),
  ):
    limits.define_float(name, default, meaning, 0.01, values=values)


def _define_run(values):
  """What it is measured with, and what is said of it."""
  flags.DEFINE_integer(
    "cores",
    1,
    "Cores that the processes share.",
    1,
    limits.RUNS,
    flag_values=values,
  )
  flags.DEFINE_bool(
    "quick",
    False,
    "Few solvers, small games and short runs, for continuous integration.",
    flag_values=values,
  )
  limits.define_float(
    "floor",
    0.0,
    "Exit with status 1 if CFR+ in single precision makes "
    "fewer updates than this fraction of the C program's, on any game.",
    values=values,
  )
  peer_flags.define(values, ("liteefg", "noregret"))


def parse(argv: Sequence[str]) -> list[str]:
  """Defines the flags and parses them."""
  define(flags.FLAGS)
  return program.parse(argv)


def _interpreters(given) -> dict[str, str]:
  """Returns the paths of the peers' interpreters.

  Raises:
    ValueError: If there is none where one is said to be.
  """
  out = {}
  for name in ("liteefg", "noregret"):
    path = given[f"{name}_python"]
    if path:
      found = shutil.which(path)
      if not found:
        raise ValueError(
          f"`--{name}_python` must be an interpreter, and there is none at "
          f"{path!r}"
        )
      # Not resolved, for a link is how an environment knows itself.
      out[name] = str(pathlib.Path(found).absolute())
  return out


def _bind(cores: int) -> None:
  """Binds this process, and those that it starts, to its first cores."""
  available = sorted(os.sched_getaffinity(0))
  if cores > len(available):
    raise ValueError(
      f"`--cores` must be at most {len(available)}, which there are, got "
      f"{cores}"
    )
  os.sched_setaffinity(0, available[:cores])


def _measure(given: dict[str, Any]) -> list[dict[str, Any]]:
  """Measures all games; writes what there is after each."""
  interpreters = _interpreters(given)
  names = game_strings.split(given["games"]) if given["games"] else None
  _bind(given["cores"])
  # JAX takes a second to import, and whoever asked for help does not wait.
  from benchmarks import game_set, table_columns

  quick = given["quick"]
  names = names or (game_set.QUICK if quick else game_set.GAMES)
  for name in names:
    game_set.check(name)
  settings = table_columns.Settings(
    seconds=min(given["seconds"], _QUICK_SECONDS if quick else 1e9),
    budget=min(given["budget"], _QUICK_BUDGET if quick else 1e9),
    limit=given["limit"],
    interpreters=interpreters,
    columns=table_columns.QUICK if quick else table_columns.FULL,
    warm=not quick,
  )
  rows = []
  for name in names:
    rows.append(table_columns.measure(name, settings))
    print(f"measured {name}", file=sys.stderr, flush=True)
    if given["json"]:
      pathlib.Path(given["json"]).write_text(
        json.dumps(_report(given["cores"], settings, rows), indent=2)
      )
  return rows


def _report(cores, settings, rows) -> dict[str, Any]:
  """Returns what the file of figures holds."""
  return {
    "machine": platform.machine(),
    "python": platform.python_version(),
    "versions": {v: importlib.metadata.version(v) for v in _VERSIONS},
    "cores": cores,
    "seconds": settings.seconds,
    "budget": settings.budget,
    "limit": settings.limit,
    "rows": rows,
  }


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Measures and prints."""
  del argv
  given = values.flag_values_dict()
  with command_line.errors_in_one_line("solvers"):
    rows = _measure(given)
  from benchmarks import table_text

  table_text.show(rows)
  floor = given["floor"]
  slow = [row["game"] for row in rows if row.get("ratio_to_c", 1) < floor]
  if slow:
    command_line.fail(
      "solvers", f"below --floor={floor:g} of the C program: {slow}"
    )


if __name__ == "__main__":
  program.run("benchmarks.solvers", __doc__, main, parse)
