"""Runs all solvers of `solve_preference` or of the league, one by one."""

import dataclasses
from typing import NamedTuple

import jax
import numpy as np

from experiments.preferences import (
  comparison_plot,
  plots,
  run_files,
  solver_batch,
  trace_rows,
)
from experiments.preferences import problem as problem_lib
from experiments.preferences import settings as settings_lib
from experiments.runs import figures, host_loop
from experiments.runs import folder as folder_lib
from experiments.runs import interrupts as interrupts_lib
from mdrl import run
from mdrl.evaluation import linear_program


class Outcome(NamedTuple):
  """The results of a run.

  Attributes:
    problem: What was solved.
    results: Of each solver, temperature and step size.
    described: The game, in a line.
    lines: The table to be printed, its head first.
    failures: A sentence for each solver that ended in NaN.
  """

  problem: problem_lib.Problem
  results: list[solver_batch.Result]
  described: str
  lines: list[list[str]]
  failures: list[str]


def solve(
  settings: settings_lib.Settings,
  folder: folder_lib.Folder,
  signals: interrupts_lib.Interrupts,
) -> Outcome:
  """Runs all solvers; a resumed run makes the remaining updates.

  Raises:
    ValueError: If the settings cannot be met, or a file cannot be written.
    Stopped: By a signal.
  """
  for name in settings.solvers:
    # Before anything is run or written.
    solver_batch.make_solvers(settings, name)
  problem = problem_lib.make(settings)
  decisive = run_files.decisive(settings, problem)
  host_loop.begin(
    folder,
    decisive,
    signals,
    settings.as_json(),
    game=run_files.game(problem),
  )
  points = run.log_checkpoints(settings.updates, settings.checkpoints).tolist()
  batches = [
    solver_batch.Batch(settings, name, problem) for name in settings.solvers
  ]
  done = host_loop.drive(
    [batch.job(points) for batch in batches],
    folder,
    decisive.fingerprint(),
    signals,
    save_seconds=settings.save_seconds,
  )
  results = [
    result
    for batch, finished in zip(batches, done, strict=True)
    for result in batch.results(finished)
  ]
  return Outcome(
    problem,
    results,
    f"{settings.game}: {problem_lib.described(problem)}",
    _table(results),
    [result.failure for result in results if result.failure],
  )


def write(
  settings: settings_lib.Settings,
  outcome: Outcome,
  folder: folder_lib.Folder,
) -> None:
  """Writes policies and figures.

  Raises:
    ValueError: If a file cannot be written.
  """
  problem, results = outcome.problem, outcome.results
  folder.write(
    "policy.npz",
    lambda file: run_files.write_policies(file, problem, results),
  )
  labels = [plots.short_label(r, results) for r in results]
  title = f"{outcome.described}\n{settings.conditions}"
  compared = comparison_plot.draw(results, labels, title)
  folder.write("comparison.png", lambda file: figures.save(file, compared))
  if problem.games.advantage.shape[1:3] == (1, 3):
    simplex = _simplex(settings, outcome)
    folder.write("simplex.png", lambda file: figures.save(file, simplex))


def _simplex(settings, outcome):
  """Draws the paths in the first game, at the first temperature."""
  games = outcome.problem.games
  first = jax.tree.map(lambda x: x[0], games)
  temperature = settings.temperatures[0]
  shown = dataclasses.replace(settings, temperatures=[temperature])
  first_of = "; the first of them" if games.advantage.shape[0] > 1 else ""
  return plots.draw_simplex(
    [r for r in outcome.results if r.temperature == temperature],
    outcome.problem.names,
    np.asarray(outcome.problem.equilibria[0, 0, 1:]),
    linear_program.minimax_winner(first)[0],
    f"{outcome.described}{first_of}\n{shown.conditions}",
  )


def _table(results):
  """Returns the last metrics: medians and, of several games, their range."""
  many = results[0].policies.shape[0] > 1
  head = ["solver", "temper-\nature", "step\nsize", "queries", "seconds"]
  head += ["KL from\nequi-\nlibrium", "regu-\nlarised\ngap", "duality\ngap"]
  lines = [head]
  for result in results:
    step = "own" if result.step_size is None else f"{result.step_size:g}"
    lines.append(
      [
        result.solver,
        f"{result.temperature:g}",
        step,
        f"{result.queries[-1]:,}",
        f"{result.seconds:.2f}",
        *(
          _spread(result.metrics[metric][-1], many)
          for metric in trace_rows.METRICS
        ),
      ]
    )
  return lines


def _spread(values, many):
  # Rounding leaves tiny gaps of either sign.
  values = np.maximum(values, 0)
  if not many:
    return f"{values[0]:.1e}"
  low, middle, high = np.min(values), np.median(values), np.max(values)
  return f"{middle:.1e} [{low:.0e}, {high:.0e}]"
