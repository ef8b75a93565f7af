"""All runs of a sweep, as one batch that the devices share."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.registry import game_factory, game_solvers
from experiments.runs import jobs as jobs_lib
from experiments.runs import memory
from mdrl import run, tiers
from mdrl.evaluation import gaps
from mdrl.games import base as game_lib
from mdrl.parallel import sweep

# Copies of all states in memory, while they are updated.
_COPIES = 3


class Found(NamedTuple):
  """The measurements of a sweep.

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


class Batch:
  """All runs of a grid: settings, and seeds within them."""

  def __init__(self, grid, game, norm, seeds):
    self._grid, self._norm, self._game = grid, norm, game
    self._shape = (len(grid.settings), seeds)
    settings = np.repeat(np.array(grid.settings), seeds, axis=0)
    drawn = np.tile(np.arange(seeds), len(grid.settings))
    # Filled up, so that states are shared evenly wherever they come from.
    places = np.arange(-(-len(drawn) // num_devices()) * num_devices())
    places = np.minimum(places, len(drawn) - 1)
    self._settings = jnp.asarray(settings[places].T, game.dtype)
    self._seeds = jnp.asarray(drawn[places])
    self._reports = game_solvers.SOLVERS[grid.solver].reports
    self._init = tiers.once(sweep.sweep(self._first, (True, True, False)))
    self._measure = tiers.once(sweep.sweep(self._gap, (True, False, True)))

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

  def job(self, steps, label) -> jobs_lib.Job:
    """Returns the job of updating and measuring all runs."""
    num_runs = math.prod(self._shape)
    further = sweep.sweep(self._further, (True, False, True, False))
    advance = tiers.TwoTiers(jax.jit(further), int(steps[-1]))
    return jobs_lib.Job(
      title=f"{num_runs} run{'s' * (num_runs > 1)} of {label}",
      points=steps.tolist(),
      init=self._start,
      advance=lambda state, count: advance(
        self._settings, self._game, state, jnp.asarray(count)
      ),
      measure=self._rows,
      place=self._shared,
    )

  def found(self, finished) -> Found:
    """Returns the measurements that the finished job holds."""
    steps = np.array([row["step"] for row in finished.rows])
    # Null stands for what is not finite; NumPy reads it as NaN.
    columns = [np.array(row["exploitability"], float) for row in finished.rows]
    clock = finished.clock
    return Found(
      steps, np.stack(columns, axis=-1), clock.seconds, clock.compile_seconds
    )

  def _start(self):
    return self._init(self._settings, self._seeds, self._game)

  def _shared(self, state):
    """Shards a state over the devices, as the programs do."""
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
      game_lib.random_policies(game, jax.random.key(seed)),
      game_lib.uniform_policies(game),
    )
    return self._solver(setting).init(game, policies)

  def _further(self, setting, game, state, count):
    return run.advance(self._solver(setting), game, state, count)

  def _gap(self, setting, game, state):
    plans = self._solver(setting).plans(game, state)
    return gaps.exploitability(game, plans)


def num_devices() -> int:
  """Returns how many devices share a batch."""
  return len(jax.devices())
