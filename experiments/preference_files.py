"""Files that the binaries on preference games leave."""

from collections.abc import Sequence
import json
import os
from typing import Any

import jax
import numpy as np

from experiments import (
    preference_plots,
    preference_problem,
    preference_run,
    preference_settings,
    run_files,
)
from experiments.runs import provenance

METRICS = ("divergence", "regularized_gap", "duality_gap")


def claim(settings: preference_settings.Settings) -> run_files.RunFiles:
  """Makes the folder of a run ready.

  Raises:
    ValueError: If there is a run in it that may not be overwritten, or it
      cannot be written.
  """
  files = run_files.RunFiles(settings.out, resumable=False)
  files.claim(resume=False, overwrite=settings.overwrite)
  return files


def record(
    settings: preference_settings.Settings, problem: preference_problem.Problem
) -> dict[str, Any]:
  """Returns what `flags.json` holds."""
  return {
      "flags": settings.as_json(),
      "game": {
          "described": preference_problem.described(problem),
          "shape": list(problem.games.advantage.shape),
          "responses": list(problem.names),
          "equilibrium_residual": problem.residual,
      },
      **provenance.start(),
  }


def rows(results: Sequence[preference_run.Result]) -> list[dict[str, Any]]:
  """Returns the rows of `trace.jsonl`: a result at a checkpoint each.

  Measures are the least, median and greatest over games and, of several games,
  those of each under `..._by_game`; null where they are infinite or no numbers.
  """
  made = []
  for result in results:
    for k, step in enumerate(result.steps.tolist()):
      row: dict[str, Any] = {
          "solver": result.solver,
          "temperature": result.temperature,
          "step_size": result.step_size,
          "step": step,
          "queries": int(result.queries[k]),
      }
      for metric in METRICS:
        values = result.metrics[metric][k]
        spread = (np.min(values), np.median(values), np.max(values))
        row[metric] = _numbers(spread)
        if len(values) > 1:
          row[f"{metric}_by_game"] = _numbers(values)
      made.append(row)
  return made


def _numbers(values):
  # JSON has neither infinity nor what is not a number.
  return [float(v) if np.isfinite(v) else None for v in values]


def write_trace(
    files: run_files.RunFiles, results: Sequence[preference_run.Result]
) -> None:
  """Writes `trace.jsonl`."""
  text = "".join(json.dumps(row) + "\n" for row in rows(results))
  partial = files.trace.with_name(".trace.jsonl.partial")
  partial.write_text(text, encoding="utf-8")
  os.replace(partial, files.trace)


def write_policies(
    files: run_files.RunFiles,
    problem: preference_problem.Problem,
    results: Sequence[preference_run.Result],
) -> None:
  """Writes `policy.npz`: preferences, references and final policies.

  `preferences[game, context, a, b]`, `reference[game, context, a]` and, for
  each result, `policy_NUMBER[game, context, a]`, named in `results`.
  """
  games = problem.games
  advantage = np.asarray(games.advantage)
  shape = advantage.shape[:3]
  if games.reference is None:
    reference = np.full(shape, 1 / shape[-1], advantage.dtype)
  else:
    rows = jax.vmap(lambda game: game.rows(game.reference[0]))
    reference = np.asarray(rows(games))
  arrays = {
      "preferences": advantage + advantage.dtype.type(0.5),
      "reference": reference,
      "responses": np.array(problem.names),
      "results": np.array([
          preference_plots.short_label(result, results) for result in results
      ]),
  }
  for number, result in enumerate(results):
    arrays[f"policy_{number}"] = result.policies
  partial = files.policy.with_name(".policy.npz.partial")
  with open(partial, "wb") as file:
    np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
  os.replace(partial, files.policy)
