"""Runs all settings of a grid as one batch, and writes what came of it."""

from collections.abc import Mapping
import contextlib
import csv
import math
import os
import pathlib
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments import (
    figures,
    memory,
    program_cache,
    run_files,
    solver_factory,
    solver_table,
    sweep_grid,
    sweep_plots,
)
from experiments.runs import progress, provenance
from mdrl import run
from mdrl.evaluation import gaps, payoff_norm
from mdrl.games import base, openspiel
from mdrl.parallel import sweep

# Flags that say what is run; others are those of absl.
_RECORDED = (
    "game solver grid fixed seeds updates checkpoints precision cpu_devices"
).split()
_SHOWN = 5
# Of the states of all runs, while they are updated.
_COPIES = 3


class Found(NamedTuple):
  """What a sweep measured.

  Attributes:
    steps: Numbers of updates, `[K]`.
    gaps: Exploitabilities, `[settings, seeds, K]`.
    seconds: Spent in updates and evaluations.
    compile_seconds: Spent before.
  """

  steps: np.ndarray
  gaps: np.ndarray
  seconds: float
  compile_seconds: float


def run_grid(
    grid: sweep_grid.Grid, given: Mapping[str, Any], folder: pathlib.Path
) -> str:
  """Runs a sweep, writes its files and returns what to print.

  Raises:
    ValueError: If the game cannot be compiled, a value is out of range, or the
      folder cannot be written.
  """
  _set_up(given)
  game, _ = openspiel.compile_game(
      given["game"],
      max_histories=given["max_histories"],
      reaches=solver_factory.needs_reaches(grid.fixed),
      cache_dir=program_cache.games_folder(given["cache_dir"]),
  )
  norm = payoff_norm.payoff_norm(game)
  for setting in grid.settings:
    # Here, where values are known, for the sake of the checks.
    solver_factory.make(grid.solver, grid.values(setting), norm)
  batch = _Batch(grid, game, norm, given["seeds"])
  batch.check_memory()
  files = run_files.RunFiles(folder, resumable=False)
  files.claim(resume=False, overwrite=given["overwrite"])
  files.write_flags({
      "flags": {name: given[name] for name in _RECORDED},
      "fixed": grid.fixed,
      "payoff_norm": norm,
      "devices": len(jax.devices()),
      **provenance.start(),
  })
  steps = run.log_checkpoints(given["updates"], given["checkpoints"])
  label = f"{given['game']} {grid.solver}"
  found = batch.run(steps, label)
  _write(folder / "table.csv", grid, found)
  last = np.median(found.gaps[..., -1], axis=1)
  title = f"{label}\n{_conditions(grid, given)}"
  figures.save(folder / "heatmap.png", sweep_plots.draw(grid, last, title))
  return _summary(grid, found, last, label, folder)


def _conditions(grid, given):
  """What the heat map holds of the settings, in a line."""
  defaults = solver_table.SOLVERS[grid.solver].defaults
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


class _Batch:
  """All runs of a grid: settings, and seeds within them."""

  def __init__(self, grid, game, norm, seeds):
    self._grid, self._norm, self._game = grid, norm, game
    self._shape = (len(grid.settings), seeds)
    settings = np.repeat(np.array(grid.settings), seeds, axis=0)
    self._settings = jnp.asarray(settings.T, game.dtype)
    self._seeds = jnp.tile(jnp.arange(seeds), len(grid.settings))
    self._reports = solver_table.SOLVERS[grid.solver].reports

  def check_memory(self):
    """Raises ValueError if the states of all runs do not fit in memory."""
    _, num_runs = self._settings.shape
    state = jax.eval_shape(
        self._first, self._settings[:, 0], self._seeds[0], self._game
    )
    each = sum(
        math.prod(leaf.shape) * leaf.dtype.itemsize
        for leaf in jax.tree.leaves(state)
    )
    memory.check(
        f"{num_runs:,} runs of {each / 2**20:,.1f} MiB",
        _COPIES * num_runs * each,
        "name fewer values in --grid or choose fewer --seeds",
    )

  def run(self, steps, label) -> Found:
    """Makes the updates, and measures at all steps."""
    first = jax.jit(sweep.sweep(self._first, (True, True, False)))
    further = jax.jit(sweep.sweep(self._further, (True, False, True, False)))
    with progress.Progress(label, int(steps[-1])) as bar:
      bar.say(f"compiling {self._settings.shape[1]} runs of {label}")
      start = time.perf_counter()
      state = first(self._settings, self._seeds, self._game)
      # No updates, but the program that makes any number of them.
      state, gap = jax.block_until_ready(
          further(self._settings, self._game, state, jnp.asarray(0))
      )
      compile_seconds = time.perf_counter() - start
      start, columns = time.perf_counter(), [np.asarray(gap)]
      for count, step in zip(
          np.diff(steps).tolist(), steps[1:].tolist(), strict=True
      ):
        state, gap = further(
            self._settings, self._game, state, jnp.asarray(count)
        )
        columns.append(np.asarray(gap))
        bar.advanced(step, time.perf_counter() - start)
    seconds = time.perf_counter() - start
    measured = np.stack(columns, axis=-1).reshape(*self._shape, -1)
    return Found(steps, measured, seconds, compile_seconds)

  def _solver(self, setting):
    values = self._grid.values([setting[k] for k in range(setting.shape[0])])
    averaged = solver_factory.make(self._grid.solver, values, self._norm)
    # The average costs time where the last iterate is the result.
    return averaged.solver if self._reports == "last" else averaged

  def _first(self, setting, seed, game):
    policies = jax.tree.map(
        lambda drawn, uniform: jnp.where(seed > 0, drawn, uniform),
        base.random_policies(game, jax.random.key(seed)),
        base.uniform_policies(game),
    )
    return self._solver(setting).init(game, policies)

  def _further(self, setting, game, state, count):
    solver = self._solver(setting)
    state = run.advance(solver, game, state, count)
    return state, gaps.exploitability(game, solver.plans(game, state))


def _write(path, grid, found):
  """Writes one row per setting, seed and evaluation."""
  with open(path, "w", encoding="utf-8", newline="") as file:
    writer = csv.writer(file)
    writer.writerow([*grid.names, "seed", "step", "exploitability"])
    for setting, seeds in zip(grid.settings, found.gaps, strict=True):
      for seed, trace in enumerate(seeds):
        for step, gap in zip(found.steps.tolist(), trace.tolist(), strict=True):
          writer.writerow([*setting, seed, step, gap])


def _summary(grid, found, last, label, folder):
  """The best settings, and how long all of them took."""
  order = np.argsort(np.where(np.isfinite(last), last, np.inf))
  reports = solver_table.SOLVERS[grid.solver].reports
  lines = [
      f"{label}: exploitability after {found.steps[-1]:,} updates ({reports} "
      f"iterate), the best of {len(grid.settings)} settings"
  ]
  for k in order[:_SHOWN].tolist():
    named = zip(grid.names, grid.settings[k], strict=True)
    values = "  ".join(f"{name}={value:g}" for name, value in named)
    lines.append(f"  {last[k]:.3e}  {values}")
  bad = int((~np.isfinite(last)).sum())
  if bad:
    lines.append(
        f"  {bad} setting{'s' * (bad > 1)} ended in no finite number"
    )
  runs = found.gaps.shape[0] * found.gaps.shape[1]
  devices = len(jax.devices())
  lines.append(
      f"{runs} runs in {found.seconds:.2f} s on {devices} "
      f"device{'s' * (devices > 1)}, compiled in {found.compile_seconds:.1f} s;"
      f" see {folder}"
  )
  return "\n".join(lines)
