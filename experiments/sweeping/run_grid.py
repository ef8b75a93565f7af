"""Runs all settings of a grid as one batch, and writes what came of it."""

from collections.abc import Mapping
import contextlib
import math
import os
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.registry import game_factory, game_solvers
from experiments.runs import (
  csv_file,
  figures,
  fingerprint,
  host_loop,
  interrupts,
  memory,
  program_cache,
  provenance,
  tree_progress,
)
from experiments.runs import folder as folder_lib
from experiments.solving import verdict
from experiments.sweeping import grid as grid_lib
from experiments.sweeping import heat_map
from mdrl import run
from mdrl.compile import openspiel
from mdrl.evaluation import gaps, payoff_norm
from mdrl.games import base
from mdrl.parallel import sweep

# Flags that decide every number, whatever the updates.
_DECISIVE = "game solver grid fixed seeds checkpoints precision".split()
# Flags that say what is run; others are those of absl.
_RECORDED = (*_DECISIVE, "updates", "cpu_devices")
_SHOWN = 5
# Of the states of all runs, while they are updated.
_COPIES = 3


class Found(NamedTuple):
  """What a sweep measured.

  Attributes:
    steps: Numbers of updates, `[K]`.
    gaps: Exploitabilities, `[settings, seeds, K]`.
    seconds: Spent in updates.
    compile_seconds: Spent before.
  """

  steps: np.ndarray
  gaps: np.ndarray
  seconds: float
  compile_seconds: float


def run_grid(
  grid: grid_lib.Grid,
  given: Mapping[str, Any],
  folder: folder_lib.Folder,
  signals: interrupts.Interrupts,
) -> str:
  """Runs a sweep, writes its files and returns what to print.

  Raises:
    ValueError: If the game cannot be compiled, a value is out of range, or a
      file cannot be written.
    Stopped: By a signal.
  """
  _set_up(given)
  game, _ = openspiel.compile_game(
    given["game"],
    max_histories=given["max_histories"],
    reaches=game_factory.needs_reaches(grid.fixed),
    cache_dir=program_cache.games_folder(given["cache_dir"]),
    progress=tree_progress.lines(given["game"]),
  )
  norm = payoff_norm.payoff_norm(game)
  for setting in grid.settings:
    # Here, where values are known, for the sake of the checks.
    game_factory.make(grid.solver, grid.values(setting), norm)
  batch = _Batch(grid, game, norm, given["seeds"])
  batch.check_memory(min(given["checkpoints"], given["updates"] + 1))
  decisive = _decisive(grid, given, game)
  if folder.recorded is not None:
    decisive.check_same(folder.recorded["decisive"], folder.path)
  record = {
    "flags": {name: given[name] for name in _RECORDED},
    "decisive": decisive.as_json(),
    "fixed": grid.fixed,
    "payoff_norm": norm,
    "devices": _devices(),
    **provenance.record(folder.recorded),
  }
  with signals.noted():
    folder.begin(record)
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
  title = f"{label}\n{_conditions(grid, given)}"
  figure = heat_map.draw(grid, last, title)
  with signals.noted():
    folder.write(
      "table.csv", lambda file: csv_file.write(file, _table(grid, found))
    )
    folder.write("heatmap.png", lambda file: figures.save(file, figure))
  return _summary(grid, found, last, label, folder.path, game)


def _decisive(grid, given, game):
  contents: dict[str, Any] = {}
  path = pathlib.Path(given["game"])
  if path.is_file():
    contents[f"file {given['game']}"] = fingerprint.of_file(path)
  contents |= fingerprint.versions()
  contents["compiled game"] = fingerprint.of_arrays(game)
  contents["hyper-parameter"] = grid.fixed
  # Programs for other shares of the batch may round in another way.
  contents["number of devices"] = _devices()
  flags = {name: given[name] for name in _DECISIVE}
  return fingerprint.Decisive(flags, contents)


def _conditions(grid, given):
  """What the heat map holds of the settings, in a line."""
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


class _Batch:
  """All runs of a grid: settings, and seeds within them."""

  def __init__(self, grid, game, norm, seeds):
    self._grid, self._norm, self._game = grid, norm, game
    self._shape = (len(grid.settings), seeds)
    settings = np.repeat(np.array(grid.settings), seeds, axis=0)
    drawn = np.tile(np.arange(seeds), len(grid.settings))
    # Filled up, so that states are shared evenly wherever they come from.
    places = np.arange(-(-len(drawn) // _devices()) * _devices())
    places = np.minimum(places, len(drawn) - 1)
    self._settings = jnp.asarray(settings[places].T, game.dtype)
    self._seeds = jnp.asarray(drawn[places])
    self._reports = game_solvers.SOLVERS[grid.solver].reports
    self._init = jax.jit(sweep.sweep(self._first, (True, True, False)))
    self._advance = jax.jit(
      sweep.sweep(self._further, (True, False, True, False))
    )
    self._measure = jax.jit(sweep.sweep(self._gap, (True, False, True)))

  def check_memory(self, num_rows):
    """Raises ValueError if states or rows of all runs do not fit in memory."""
    num_runs = math.prod(self._shape)
    state = jax.eval_shape(
      self._first, self._settings[:, 0], self._seeds[0], self._game
    )
    each = sum(
      math.prod(leaf.shape) * leaf.dtype.itemsize
      for leaf in jax.tree.leaves(state)
    )
    memory.check(
      f"{num_runs:,} runs of {each / 2**20:,.1f} MiB, in {num_rows:,} rows,",
      num_runs * (_COPIES * each + memory.ROW_BYTES * num_rows),
      "name fewer values in --grid or choose fewer --seeds or --checkpoints",
    )

  def job(self, steps, label) -> host_loop.Job:
    """Returns the updates of all runs, and a measurement at all steps."""
    num_runs = math.prod(self._shape)
    return host_loop.Job(
      title=f"{num_runs} run{'s' * (num_runs > 1)} of {label}",
      points=steps.tolist(),
      init=self._start,
      advance=lambda state, count: self._advance(
        self._settings, self._game, state, jnp.asarray(count)
      ),
      measure=self._rows,
      place=self._shared,
    )

  def found(self, finished) -> Found:
    """Returns what the rows of the job hold."""
    steps = np.array([row["step"] for row in finished.rows])
    # Null, of which NumPy makes no number, is what was none.
    columns = [np.array(row["exploitability"], float) for row in finished.rows]
    clock = finished.clock
    return Found(
      steps, np.stack(columns, axis=-1), clock.seconds, clock.compile_seconds
    )

  def _start(self):
    return self._init(self._settings, self._seeds, self._game)

  def _shared(self, state):
    """Shares a state among the devices, as the programs do."""
    return jax.device_put(
      state, jax.tree.map(lambda x: x.sharding, self._start())
    )

  def _rows(self, state, clock):
    gap = np.asarray(self._measure(self._settings, self._game, state))
    table = gap[: math.prod(self._shape)].reshape(self._shape)
    # JSON has neither infinity nor what is not a number.
    values = [
      [value if math.isfinite(value) else None for value in row]
      for row in table.tolist()
    ]
    return [
      {"step": clock.step, "seconds": clock.seconds, "exploitability": values}
    ]

  def _solver(self, setting):
    values = self._grid.values([setting[k] for k in range(setting.shape[0])])
    averaged = game_factory.make(self._grid.solver, values, self._norm)
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
    return run.advance(self._solver(setting), game, state, count)

  def _gap(self, setting, game, state):
    plans = self._solver(setting).plans(game, state)
    return gaps.exploitability(game, plans)


def _devices():
  return len(jax.devices())


def _table(grid, found):
  """Yields the head, and a row per setting, seed and evaluation."""
  yield [*grid.names, "seed", "step", "exploitability"]
  for setting, seeds in zip(grid.settings, found.gaps, strict=True):
    for seed, trace in enumerate(seeds):
      for step, gap in zip(found.steps.tolist(), trace.tolist(), strict=True):
        yield [*setting, seed, step, gap]


def _summary(grid, found, last, label, folder, game):
  """The best settings, and how long all of them took."""
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
  devices = _devices()
  lines.append(
    f"{runs} runs in {found.seconds:.2f} s on {devices} "
    f"device{'s' * (devices > 1)}, compiled in {found.compile_seconds:.1f} s;"
    f" see {folder}"
  )
  return "\n".join(lines)
