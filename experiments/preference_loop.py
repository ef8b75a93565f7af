"""A run of `solve_preference` or of the league: all solvers, one by one."""

import dataclasses
import sys
from typing import NamedTuple

import jax
import numpy as np

from experiments import (
    comparison_plot,
    figures,
    preference_files,
    preference_plots,
    preference_problem,
    preference_run,
    preference_settings,
    run_files,
)
from mdrl.evaluation import linear_program


class Outcome(NamedTuple):
  """What a run has found.

  Attributes:
    files: Of the run.
    problem: What was solved.
    results: Of each solver, temperature and step size.
    described: The game, in a line.
    lines: The table to be printed, its head first.
    failures: What ceased to be numbers, a sentence each.
  """

  files: run_files.RunFiles
  problem: preference_problem.Problem
  results: list[preference_run.Result]
  described: str
  lines: list[list[str]]
  failures: list[str]


def solve(settings: preference_settings.Settings) -> Outcome:
  """Runs all solvers.

  Raises:
    ValueError: If the settings cannot be met.
  """
  for name in settings.solvers:
    # Before anything is run or written.
    preference_run.make_solvers(settings, name)
  problem = preference_problem.make(settings)
  files = preference_files.claim(settings)
  files.write_flags(preference_files.record(settings, problem))
  results = []
  for number, name in enumerate(settings.solvers):
    _say(f"{number + 1}/{len(settings.solvers)} {name}")
    results += preference_run.solve(settings, name, problem)
    last = results[-1]
    _say(
        f"  {last.compile_seconds:.1f} s to compile, {last.seconds:.2f} s for "
        f"{settings.updates:,} updates"
    )
  described = f"{settings.game}: {preference_problem.described(problem)}"
  return Outcome(
      files,
      problem,
      results,
      described,
      _table(results),
      [result.failure for result in results if result.failure],
  )


def write(settings: preference_settings.Settings, outcome: Outcome) -> None:
  """Writes traces, policies and figures."""
  files, results = outcome.files, outcome.results
  preference_files.write_trace(files, results)
  preference_files.write_policies(files, outcome.problem, results)
  labels = [preference_plots.short_label(r, results) for r in results]
  title = f"{outcome.described}\n{settings.conditions}"
  figures.save(
      settings.out / "comparison.png",
      comparison_plot.draw(results, labels, title),
  )
  shape = outcome.problem.games.advantage.shape
  if shape[1:3] != (1, 3):
    (settings.out / "simplex.png").unlink(missing_ok=True)
    return
  first = jax.tree.map(lambda x: x[0], outcome.problem.games)
  temperature = settings.temperatures[0]
  shown = dataclasses.replace(settings, temperatures=[temperature])
  first_of = "; the first of them" if shape[0] > 1 else ""
  figure = preference_plots.draw_simplex(
      [r for r in results if r.temperature == temperature],
      outcome.problem.names,
      np.asarray(outcome.problem.equilibria[0, 0, 1:]),
      linear_program.minimax_winner(first)[0],
      f"{outcome.described}{first_of}\n{shown.conditions}",
  )
  figures.save(settings.out / "simplex.png", figure)


def _table(results):
  """The last measures: medians, or the least and greatest over games too."""
  many = results[0].policies.shape[0] > 1
  head = ["solver", "temper-\nature", "step\nsize", "queries", "seconds"]
  head += ["KL from\nequi-\nlibrium", "regu-\nlarised\ngap", "duality\ngap"]
  lines = [head]
  for result in results:
    step = "own" if result.step_size is None else f"{result.step_size:g}"
    lines.append([
        result.solver,
        f"{result.temperature:g}",
        step,
        f"{result.queries[-1]:,}",
        f"{result.seconds:.2f}",
        *(
            _spread(result.metrics[metric][-1], many)
            for metric in preference_files.METRICS
        ),
    ])
  return lines


def _spread(values, many):
  # Rounding leaves tiny gaps of either sign.
  values = np.maximum(values, 0)
  if not many:
    return f"{values[0]:.1e}"
  low, middle, high = np.min(values), np.median(values), np.max(values)
  return f"{middle:.1e} [{low:.0e}, {high:.0e}]"


def _say(text):
  print(text, file=sys.stderr, flush=True)
