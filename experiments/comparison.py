"""How long solvers take to reach exploitabilities."""

from collections.abc import Iterator, Sequence
import time
from typing import Any

import jax

from experiments import (
    program_cache,
    solver_factory,
    solver_table,
    tree_progress,
)
from mdrl import run
from mdrl.evaluation import gaps
from mdrl.evaluation import payoff_norm as payoff_norm_lib
from mdrl.games import openspiel


def compare(
    name: str,
    solvers: Sequence[str],
    targets: Sequence[float],
    max_updates: int,
    evaluation_ratio: float,
    precision: str,
    cache_dir: str,
    max_histories: int = openspiel.MAX_HISTORIES,
) -> Iterator[dict[str, Any]]:
  """Yields a row for each solver.

  Args:
    name: OpenSpiel's game string.
    solvers: Names in the table of solvers.
    targets: Exploitabilities, falling.
    max_updates: When to give up.
    evaluation_ratio: Updates from one evaluation to the next, as a ratio.
    precision: `float64` or `float32`.
    cache_dir: Where trees and programs are kept; empty for nowhere.
    max_histories: The largest tree to read.

  Raises:
    ValueError: If there is no such game, or it cannot be compiled.
  """
  jax.config.update("jax_enable_x64", precision == "float64")
  program_cache.keep(cache_dir)
  game, _ = openspiel.compile_game(
      name,
      max_histories=max_histories,
      cache_dir=program_cache.games_folder(cache_dir),
      progress=tree_progress.lines(name),
  )
  norm = payoff_norm_lib.payoff_norm(game)
  for solver_name in solvers:
    solver = solver_factory.make(
        solver_name, solver_table.resolve(solver_name, {}), norm
    )
    reports = solver_table.SOLVERS[solver_name].reports
    row: dict[str, Any] = {
        "game": name, "solver": solver_name, "result": reports
    }
    yield row | _timed(
        solver, game, reports, targets, max_updates, evaluation_ratio
    )


def _timed(solver, game, reports, targets, max_updates, evaluation_ratio):
  """Runs until the last target is reached or updates are used up."""
  start = time.perf_counter()
  state = jax.block_until_ready(run.init(solver, game))
  jax.block_until_ready(run.advance(solver, game, state, 0))
  gap = _gap(solver, game, state, reports)
  row: dict[str, Any] = {"compile_seconds": time.perf_counter() - start}
  waiting, cpu, wall, step = list(targets), 0.0, 0.0, 0
  while True:
    while waiting and gap <= waiting[0]:
      target = waiting.pop(0)
      row |= {
          f"updates_{target:g}": step,
          f"cpu_seconds_{target:g}": cpu,
          f"wall_seconds_{target:g}": wall,
      }
    if not waiting or step >= max_updates:
      break
    count = min(
        max(1, int(step * (evaluation_ratio - 1))), max_updates - step
    )
    before = time.process_time(), time.perf_counter()
    state = jax.block_until_ready(run.advance(solver, game, state, count))
    cpu += time.process_time() - before[0]
    wall += time.perf_counter() - before[1]
    step += count
    gap = _gap(solver, game, state, reports)
  for target in waiting:
    for column in ("updates", "cpu_seconds", "wall_seconds"):
      row[f"{column}_{target:g}"] = None
  return row | {"updates": step, "exploitability": gap}


def _gap(solver, game, state, reports):
  return float(_exploitability(solver, game, state, reports == "last"))


@jax.jit
def _exploitability(solver, game, state, last):
  return jax.lax.cond(
      last,
      lambda: gaps.exploitability(
          game, game.plans(solver.last_policies(game, state))
      ),
      lambda: gaps.exploitability(game, solver.plans(game, state)),
  )
