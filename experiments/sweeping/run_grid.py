"""Runs all settings of a grid as one batch, and writes the results."""

from collections.abc import Mapping
import contextlib
import os
import pathlib
from typing import Any

import jax
import numpy as np

from experiments.registry import game_factory, game_solvers
from experiments.runs import (
  csv_file,
  figures,
  host_loop,
  program_cache,
  tree_progress,
)
from experiments.runs import fingerprint as fingerprint_lib
from experiments.runs import folder as folder_lib
from experiments.runs import interrupts as interrupts_lib
from experiments.solving import verdict
from experiments.sweeping import batch as batch_lib
from experiments.sweeping import grid as grid_lib
from experiments.sweeping import heat_map
from mdrl import run
from mdrl.compile import openspiel
from mdrl.evaluation import payoff_norm

# Flags that decide every number, whatever the updates.
_DECISIVE = "game solver grid fixed seeds checkpoints precision".split()
# Flags that say what is run; others are those of absl.
_RECORDED = (*_DECISIVE, "updates", "cpu_devices")
_SHOWN = 5


def run_grid(
  grid: grid_lib.Grid,
  given: Mapping[str, Any],
  folder: folder_lib.Folder,
  signals: interrupts_lib.Interrupts,
) -> str:
  """Runs a sweep, writes its files and returns what to print.

  Raises:
    ValueError: If the game cannot be compiled, a value is out of range, or a
      file cannot be written.
    Stopped: By a signal.
  """
  _set_up(given)
  game = _compiled(grid, given)
  norm = payoff_norm.payoff_norm(game)
  for setting in grid.settings:
    # Here, where values are known, for the sake of the checks.
    game_factory.make(grid.solver, grid.values(setting), norm)
  batch = batch_lib.Batch(grid, game, norm, given["seeds"])
  batch.check_memory(min(given["checkpoints"], given["updates"] + 1))
  decisive = _decisive(grid, given, game)
  flags = {name: given[name] for name in _RECORDED}
  host_loop.begin(
    folder,
    decisive,
    signals,
    flags,
    fixed=grid.fixed,
    payoff_norm=norm,
    devices=batch_lib.num_devices(),
  )
  steps = run.log_checkpoints(given["updates"], given["checkpoints"])
  label = f"{given['game']} {grid.solver}"
  [finished] = host_loop.drive(
    [batch.job(steps, label)],
    folder,
    decisive.fingerprint(),
    signals,
    save_seconds=given["save_seconds"],
  )
  found = batch.found(finished)
  last = np.median(found.gaps[..., -1], axis=1)
  with signals.noted():
    _write(grid, found, last, f"{label}\n{_conditions(grid, given)}", folder)
  return _summary(grid, found, last, label, folder.path, game)


def _compiled(grid, given):
  game, _ = openspiel.compile_game(
    given["game"],
    max_histories=given["max_histories"],
    reaches=game_factory.needs_reaches(grid.fixed),
    cache_dir=program_cache.games_folder(given["cache_dir"]),
    progress=tree_progress.lines(given["game"]),
  )
  return game


def _write(grid, found, last, title, folder):
  """Writes the table and the figure."""
  figure = heat_map.draw(grid, last, title)
  folder.write(
    "table.csv", lambda file: csv_file.write(file, _table(grid, found))
  )
  folder.write("heatmap.png", lambda file: figures.save(file, figure))


def _decisive(grid, given, game):
  contents: dict[str, Any] = {}
  path = pathlib.Path(given["game"])
  if path.is_file():
    contents[f"file {given['game']}"] = fingerprint_lib.of_file(path)
  contents |= fingerprint_lib.versions()
  contents["compiled game"] = fingerprint_lib.of_arrays(game)
  contents["hyper-parameter"] = grid.fixed
  # Programs for other shares of the batch may round in another way.
  contents["number of devices"] = batch_lib.num_devices()
  flags = {name: given[name] for name in _DECISIVE}
  return fingerprint_lib.Decisive(flags, contents)


def _conditions(grid, given):
  """Returns the settings besides the grid, in one line of the title."""
  defaults = game_solvers.SOLVERS[grid.solver].defaults
  seeds = given["seeds"]
  parts = [
    f"after {given['updates']:,} updates",
    f"median of seeds 0 to {seeds - 1}" if seeds > 1 else "from uniform play",
  ]
  for name, value in grid.fixed.items():
    always = name in ("step_size", "temperature") and name not in grid.names
    if always or value != defaults[name]:
      parts.append(f"{name} {value}")
  if given["precision"] != "float64":
    parts.append(given["precision"])
  return ", ".join(parts)


def _set_up(given):
  jax.config.update("jax_enable_x64", given["precision"] == "float64")
  count = given["cpu_devices"] or os.cpu_count() or 1
  # Once JAX has started, the devices are what they are.
  with contextlib.suppress(RuntimeError):
    jax.config.update("jax_num_cpu_devices", count)
  program_cache.keep(given["cache_dir"])


def _table(grid, found):
  """Yields the head, and a row per setting, seed and evaluation."""
  yield [*grid.names, "seed", "step", "exploitability"]
  for setting, seeds in zip(grid.settings, found.gaps, strict=True):
    for seed, trace in enumerate(seeds):
      for step, gap in zip(found.steps.tolist(), trace.tolist(), strict=True):
        yield [*setting, seed, step, gap]


def _summary(grid, found, last, label, folder, game):
  """Returns the lines to print: the best settings, and the time taken."""
  finite = np.flatnonzero(np.isfinite(last))
  order = finite[np.argsort(last[finite])]
  reports = game_solvers.SOLVERS[grid.solver].reports
  lines = [
    f"{label}: exploitability after {found.steps[-1]:,} updates ({reports} "
    f"iterate), the best of {len(grid.settings)} settings"
  ]
  for k in order[:_SHOWN].tolist():
    named = zip(grid.names, grid.settings[k], strict=True)
    values = "  ".join(f"{name}={value:g}" for name, value in named)
    lines.append(f"  {last[k]:.3e}  {values}")
  best = grid.values(grid.settings[order[0]]) if len(order) else {}
  bound = verdict.bound_far_below(best, game)
  if bound is not None:
    lines.append(
      f"  steps of {best['step_size']:g} are far above what any bound "
      f"allows, about {bound:.2g}: lower step_size in `--grid` or `--fixed`"
    )
  bad = int((~np.isfinite(last)).sum())
  if bad:
    lines.append(f"  {bad} setting{'s' * (bad > 1)} ended in no finite number")
  runs = found.gaps.shape[0] * found.gaps.shape[1]
  devices = batch_lib.num_devices()
  lines.append(
    f"{runs} runs in {found.seconds:.2f} s on {devices} "
    f"device{'s' * (devices > 1)}, compiled in {found.compile_seconds:.1f} s;"
    f" see {folder}"
  )
  return "\n".join(lines)
