"""How long solvers take to reach exploitabilities."""

from collections.abc import Iterator, Mapping, Sequence
import math
import pathlib
from typing import Any, NamedTuple

import jax

from experiments.registry import game_factory, game_solvers
from experiments.runs import csv_file, host_loop, program_cache, tree_progress
from experiments.runs import fingerprint as fingerprint_lib
from experiments.runs import folder as folder_lib
from experiments.runs import interrupts as interrupts_lib
from experiments.runs import jobs as jobs_lib
from mdrl import tiers
from mdrl.compile import openspiel
from mdrl.evaluation import gaps, payoff_norm
from mdrl.games import tree_game

# Flags that decide every number, whatever the updates and the targets.
_DECISIVE = "games solvers evaluation_ratio precision".split()
_RECORDED = (*_DECISIVE, "targets", "max_updates")


class Outcome(NamedTuple):
  """The results of a comparison.

  Attributes:
    rows: Of the table, one for each game and solver.
    failures: A sentence for each run that ended in NaN or infinity.
  """

  rows: list[dict[str, Any]]
  failures: list[str]


def compare(
  asked: Mapping[str, Any],
  folder: folder_lib.Folder,
  signals: interrupts_lib.Interrupts,
) -> Outcome:
  """Runs all solvers on all games; a resumed comparison runs those remaining.

  Args:
    asked: Flags by their names: of them `games`, `solvers` and `targets`, which
      fall, as lists.
    folder: Of the run.
    signals: Ends it in good order.

  Raises:
    ValueError: If there is no such game, it cannot be compiled, or a file
      cannot be written.
    Stopped: By a signal.
  """
  jax.config.update("jax_enable_x64", asked["precision"] == "float64")
  program_cache.keep(asked["cache_dir"])
  # All of them first, so that a mistake in the last is found before any work.
  games = {name: _compiled(name, asked) for name in asked["games"]}
  decisive = _decisive(asked, games)
  flags = {name: asked[name] for name in _RECORDED}
  host_loop.begin(folder, decisive, signals, flags)
  done = host_loop.drive(
    list(_jobs(asked, games)),
    folder,
    decisive.fingerprint(),
    signals,
    save_seconds=asked["save_seconds"],
    save_apart=True,
    updates_flag="max_updates",
  )
  rows = [_row(finished, asked["targets"]) for finished in done]
  table = [list(rows[0]), *(list(row.values()) for row in rows)]
  with signals.noted():
    folder.write("table.csv", lambda file: csv_file.write(file, table))
  return Outcome(rows, _failures(rows))


def _failures(rows):
  return [
    f"{row['solver']} on {row['game']} ceased to be numbers within "
    f"{row['updates']:,} updates"
    for row in rows
    if row["exploitability"] is None
  ]


def points(max_updates: int, evaluation_ratio: float) -> list[int]:
  """Returns the numbers of updates after which solvers are evaluated.

  Args:
    max_updates: The last of them.
    evaluation_ratio: From one to the next.
  """
  found = [0]
  while (step := found[-1]) < max_updates:
    further = max(1, int(step * (evaluation_ratio - 1)))
    found.append(min(step + further, max_updates))
  return found


def _compiled(name, asked):
  game, _ = openspiel.compile_game(
    name,
    max_histories=asked["max_histories"],
    cache_dir=program_cache.games_folder(asked["cache_dir"]),
    progress=tree_progress.lines(name),
  )
  return game


def _decisive(asked, games):
  contents: dict[str, Any] = {}
  for name, game in games.items():
    if pathlib.Path(name).is_file():
      contents[f"file {name}"] = fingerprint_lib.of_file(pathlib.Path(name))
    contents[f"compiled game {name}"] = fingerprint_lib.of_arrays(game)
  contents |= fingerprint_lib.versions()
  contents["hyper-parameter"] = {
    name: game_solvers.resolve(name, {}) for name in asked["solvers"]
  }
  flags = {name: asked[name] for name in _DECISIVE}
  return fingerprint_lib.Decisive(flags, contents)


def _jobs(asked, games: Mapping[str, tree_game.TreeGame]) -> Iterator:
  for name, game in games.items():
    norm = payoff_norm.payoff_norm(game)
    for solver_name in asked["solvers"]:
      solver = game_factory.make(
        solver_name, game_solvers.resolve(solver_name, {}), norm
      )
      yield _job(asked, name, game, solver_name, solver)


def _job(asked, name, game, solver_name, solver):
  last_target = asked["targets"][-1]
  reports = game_solvers.SOLVERS[solver_name].reports

  def measure(state, clock):
    gap = float(_exploitability(solver, game, state, reports == "last"))
    return [
      {
        "step": clock.step,
        # JSON has neither infinity nor what is not a number.
        "exploitability": gap if math.isfinite(gap) else None,
        "cpu_seconds": clock.cpu_seconds,
        "seconds": clock.seconds,
        "compile_seconds": clock.compile_seconds,
      }
    ]

  def enough(rows):
    found = [row["exploitability"] for row in rows]
    # Once a gap is not finite, all later ones are not either.
    return None in found or min(found) <= last_target

  return jobs_lib.of_method(
    solver,
    game,
    measure,
    title=f"{name} {solver_name}",
    labels={"game": name, "solver": solver_name},
    points=points(asked["max_updates"], asked["evaluation_ratio"]),
    enough=enough,
  )


def _row(finished, targets: Sequence[float]) -> dict[str, Any]:
  """Returns a row of the table: the first evaluation below each target."""
  labels, rows = finished.job.labels, finished.rows
  row: dict[str, Any] = {
    **labels,
    "result": game_solvers.SOLVERS[labels["solver"]].reports,
    "compile_seconds": finished.clock.compile_seconds,
  }
  for target in targets:
    below = (
      seen
      for seen in rows
      if seen["exploitability"] is not None and seen["exploitability"] <= target
    )
    first = next(below, {})
    row |= {
      f"updates_{target:g}": first.get("step"),
      f"cpu_seconds_{target:g}": first.get("cpu_seconds"),
      f"wall_seconds_{target:g}": first.get("seconds"),
    }
  last = rows[-1]
  return row | {
    "updates": last["step"],
    "exploitability": last["exploitability"],
  }


@tiers.once
def _exploitability(solver, game, state, last):
  return jax.lax.cond(
    last,
    lambda: gaps.exploitability(
      game, game.plans(solver.last_policies(game, state))
    ),
    lambda: gaps.exploitability(game, solver.plans(game, state)),
  )
