"""Files that the binaries on preference games write."""

from collections.abc import Sequence
import pathlib
from typing import Any, BinaryIO

import jax
import numpy as np

from experiments.preferences import plots, solver_batch
from experiments.preferences import problem as problem_lib
from experiments.preferences import settings as settings_lib
from experiments.runs import fingerprint as fingerprint_lib


def decisive(
  settings: settings_lib.Settings, problem: problem_lib.Problem
) -> fingerprint_lib.Decisive:
  """Returns everything that determines the numbers of a run."""
  contents: dict[str, Any] = {}
  path = pathlib.Path(settings.game.removeprefix("openspiel:"))
  if path.is_file():
    contents[f"file {path}"] = fingerprint_lib.of_file(path)
  contents |= fingerprint_lib.versions()
  contents["games"] = fingerprint_lib.of_arrays(problem.games)
  contents["names of their responses"] = fingerprint_lib.of_names(problem.names)
  contents["hyper-parameter"] = settings.config
  return fingerprint_lib.Decisive(settings.decisive(), contents)


def game(problem: problem_lib.Problem) -> dict[str, Any]:
  """Returns what `flags.json` holds of the game."""
  return {
    "described": problem_lib.described(problem),
    "shape": list(problem.games.advantage.shape),
    "responses": list(problem.names),
    "equilibrium_residual": problem.residual,
  }


def write_policies(
  file: BinaryIO,
  problem: problem_lib.Problem,
  results: Sequence[solver_batch.Result],
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
    rows = jax.vmap(lambda game: game.by_context(game.reference[0]))
    reference = np.asarray(rows(games))
  arrays = {
    "preferences": advantage + advantage.dtype.type(0.5),
    "reference": reference,
    "responses": np.array(problem.names),
    "results": np.array(
      [plots.short_label(result, results) for result in results]
    ),
  }
  for number, result in enumerate(results):
    arrays[f"policy_{number}"] = result.policies
  np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
