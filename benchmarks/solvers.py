"""Updates per CPU second of tabular solvers, side by side in one process.

  python -m benchmarks.solvers                 # the games of the README
  python -m benchmarks.solvers --quick         # a minute, with a floor
  python -m benchmarks.solvers --games='kuhn_poker;leduc_poker' --json=out.json

One update moves every player once. The process is bound to one core, so that
CPU seconds are wall seconds and no second thread is counted twice. `C` is a
plain single-threaded C program of alternating CFR+ with linear averaging, built
with `cc` when this program starts: the ceiling. Seconds to build and compile
and the peak of memory are those of a fresh process.
"""

import json
import logging
import os
import pathlib
import subprocess
import sys
import time

from absl import app, flags

from benchmarks import timing
from experiments import game_strings

BATTLESHIP = (
    "battleship(board_height=3,board_width=2,ship_sizes=[2;2],"
    "ship_values=[1;1],num_shots=2)"
)
GAMES = (
    "kuhn_poker",
    "leduc_poker",
    "liars_dice(dice_sides=4)",
    "liars_dice",
    BATTLESHIP,
)
QUICK = GAMES[:3]

_GAMES = flags.DEFINE_string(
    "games", None, "OpenSpiel game strings, separated by semicolons outside of "
    "brackets; by default five games, three with --quick."
)
_SECONDS = flags.DEFINE_float(
    "seconds", 2.0, "CPU seconds to spend on each figure.", lower_bound=0.01
)
_QUICK = flags.DEFINE_bool(
    "quick", False, "Small games and short runs, for continuous integration."
)
_FLOOR = flags.DEFINE_float(
    "floor", 0.0, "Exit with status 1 if CFR+ in single precision makes fewer "
    "updates than this fraction of the C program's, on any game."
)
_JAX_CFR_LIMIT = flags.DEFINE_integer(
    "jax_cfr_limit", 100_000, "OpenSpiel's JaxCFR is left out of games with "
    "more histories: it takes minutes to build them."
)
_JSON = flags.DEFINE_string("json", None, "Also write the table here.")
_FRESH = flags.DEFINE_string(
    "fresh", None, "Only measure the start of this game in this process."
)


def our_solvers():
  """Returns CFR+ and magnetic mirror descent as they are compared."""
  from mdrl.solvers import averaged, magnetic, regret_matching, regret_rules

  alternating = regret_matching.AlternatingRegretMatching(
      rule=regret_rules.Plus()
  )
  return {
      "cfr_plus": averaged.Averaged(solver=alternating, power=1.0),
      "magnetic": magnetic.MagneticMirrorDescent(
          step_size=0.1, temperature=0.05
      ),
  }


def our_rate(solver, game, seconds: float) -> float:
  """Returns the rate of one of our solvers."""
  import jax

  from mdrl import run

  first = run.init(solver, game)
  return timing.rate(
      lambda count: jax.block_until_ready(
          run.advance(solver, game, first, count)
      ),
      seconds,
  )


def repeated(update):
  """Returns `step(count)` of a method that makes one update."""

  def step(count):
    for _ in range(count):
      update()

  return step


def openspiel_rates(name, num_histories, seconds) -> dict[str, float]:
  """Returns the rates of OpenSpiel's solvers."""
  import pyspiel

  from mdrl.games import openspiel

  game = openspiel.load_game(name)
  rates = {
      "openspiel_cfr": pyspiel.CFRSolver(game).evaluate_and_update_policy,
      "openspiel_cfr_plus": pyspiel.CFRPlusSolver(
          game
      ).evaluate_and_update_policy,
  }
  rates = {k: timing.rate(repeated(v), seconds) for k, v in rates.items()}
  if num_histories <= _JAX_CFR_LIMIT.value:
    from open_spiel.python.jax.cfr import jax_cfr

    solver = jax_cfr.JaxCFR(game, linear_averaging=True)
    rates["openspiel_jax_cfr"] = timing.rate(
        lambda count: solver.multiple_steps(count), seconds
    )
  return rates


def reference_rates(tables, seconds) -> dict[str, float]:
  """Returns the rates of the C program; none without a compiler."""
  from benchmarks import reference

  try:
    return {
        f"c_{real}": timing.rate(reference.Reference(tables, real).run, seconds)
        for real in ("double", "float")
    }
  except RuntimeError as error:
    print(f"without the C program: {error}", file=sys.stderr)
    return {}


def fresh_start(name: str) -> dict[str, float]:
  """Measures build, compilation and peak memory of this process."""
  import jax

  from mdrl import run
  from mdrl.games import openspiel

  start = time.perf_counter()
  game, _ = openspiel.compile_game(name)
  built = time.perf_counter()
  solver = our_solvers()["cfr_plus"]
  state = jax.block_until_ready(run.init(solver, game))
  ready = time.perf_counter()
  # The first call traces and compiles; ten updates are nothing beside that.
  jax.block_until_ready(run.advance(solver, game, state, 10))
  # Not the resource usage of the process, which inherits its parent's peak.
  status = pathlib.Path("/proc/self/status").read_text()
  peak = int(status.split("VmHWM:")[1].split()[0])
  return {
      "build_seconds": built - start,
      "compile_seconds": time.perf_counter() - ready,
      "peak_megabytes": peak / 1024,
  }


def measure(name: str, seconds: float) -> dict[str, float | str]:
  """Returns one row of the table."""
  import jax.numpy as jnp

  from mdrl.games import openspiel, tree_game

  tables = openspiel.enumerate_tree(openspiel.load_game(name))
  row: dict[str, float | str] = {
      "game": name, "histories": tables.num_histories
  }
  for dtype in (jnp.float32, jnp.float64):
    game, _ = tree_game.build(tables, dtype)
    for label, solver in our_solvers().items():
      key = f"{label}_{jnp.dtype(dtype).name}"
      row[key] = our_rate(solver, game, seconds)
  row |= openspiel_rates(name, tables.num_histories, seconds)
  row |= reference_rates(tables, seconds)
  if "c_double" in row:
    row["ratio_to_c"] = row["cfr_plus_float32"] / row["c_double"]  # pyright: ignore[reportOperatorIssue]
  command = [sys.executable, "-m", "benchmarks.solvers", f"--fresh={name}"]
  child = subprocess.run(command, check=True, capture_output=True, text=True)
  return row | json.loads(child.stdout)


def show(rows: list[dict[str, float | str]]) -> None:
  """Prints one line per quantity, one column per game."""
  from rich import box, console, table

  grid = table.Table(box=box.SIMPLE_HEAD)
  grid.add_column("updates per CPU second")
  for row in rows:
    grid.add_column(str(row["game"]).split("(ship")[0][:26], justify="right")
  for key in dict.fromkeys(k for row in rows for k in row if k != "game"):
    grid.add_row(key, *(_cell(row.get(key)) for row in rows))
  console.Console(width=150).print(grid)


def _cell(value):
  if value is None:
    return "-"
  return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main(argv: list[str]) -> None:
  """Measures and prints."""
  if len(argv) > 1:
    raise app.UsageError(f"unexpected arguments {argv[1:]}")
  # JAX tells at this level which accelerators it did not find.
  logging.getLogger("jax._src.xla_bridge").setLevel(logging.WARNING)
  if _FRESH.value:
    print(json.dumps(fresh_start(_FRESH.value)))
    return
  os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
  import jax

  jax.config.update("jax_enable_x64", True)
  seconds = min(_SECONDS.value, 0.3) if _QUICK.value else _SECONDS.value
  games = QUICK if _QUICK.value else GAMES
  if _GAMES.value:
    games = game_strings.split(_GAMES.value)
  rows = []
  for name in games:
    rows.append(measure(name, seconds))
    print(f"measured {name}", file=sys.stderr, flush=True)
  show(rows)
  if _JSON.value:
    pathlib.Path(_JSON.value).write_text(json.dumps(rows, indent=2))
  slow = [r["game"] for r in rows if r.get("ratio_to_c", 1) < _FLOOR.value]
  if slow:
    sys.exit(f"below --floor={_FLOOR.value} of the C program: {slow}")


if __name__ == "__main__":
  app.run(main)
