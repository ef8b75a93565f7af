"""Runs solvers on preference games: one program for each solver."""

import functools
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from experiments import (
    preference_factory,
    preference_problem,
    preference_settings,
)
from mdrl import run
from mdrl.evaluation import preferences, queries
from mdrl.games import preference_game
from mdrl.solvers import base

# Games that move together on a CPU have preferences of about this many bytes,
# which its cache then holds from update to update.
_CHUNK_BYTES = 1 << 20
# Steps and temperatures whose inverse is near the largest number.
_TINY = 1e-30


class Result(NamedTuple):
  """What came of a solver at one temperature and step size.

  Attributes:
    solver: Its name.
    temperature: Of the regularised game that it is measured by.
    step_size: In units of 1 / utility, or None for a step of its own.
    steps: Numbers of updates.
    queries: Preference queries made until then.
    metrics: Of each game at each of these, means over contexts:
      `duality_gap`, `regularized_gap` and `divergence`. The divergence is
      infinite where a policy has lost a response to rounding.
    policies: At the end, `[B, X, A]`.
    path: Policies of the first game at each step, where there are three
      responses to draw on a simplex; elsewhere at the last step alone.
    seconds: Of all settings of the solver together, without compilation.
    compile_seconds: Likewise.
  """

  solver: str
  temperature: float
  step_size: float | None
  steps: np.ndarray
  queries: np.ndarray
  metrics: dict[str, Float[np.ndarray, "K B"]]
  policies: Float[np.ndarray, "B X A"]
  path: Float[np.ndarray, "K X A"]
  seconds: float
  compile_seconds: float

  @property
  def failure(self) -> str | None:
    """Says from when on numbers are none, or None where all are numbers."""
    bad = np.stack([np.isnan(v).any(axis=1) for v in self.metrics.values()])
    if not bad.any():
      return None
    step = "" if self.step_size is None else f", step size {self.step_size:g}"
    return (
        f"{self.solver} at temperature {self.temperature:g}{step} ceased to "
        f"be numbers within {self.steps[bad.any(axis=0)][0]:,} updates; use "
        f"{' or '.join(self._remedies())}"
    )

  def _remedies(self):
    if self.step_size is not None:
      yield f"a {'larger' if self.step_size < _TINY else 'smaller'} --step_size"
    if self.temperature < _TINY or self.step_size is None:
      yield "a higher --temperature"
    if self.policies.dtype == np.float32:
      yield "--precision=float64"


def make_solvers(
    settings: preference_settings.Settings, name: str
) -> list[base.Solver]:
  """Returns a solver at all its temperatures and step sizes.

  Raises:
    ValueError: If a hyper-parameter is out of range.
  """
  pairs = preference_factory.grid(
      name, settings.temperatures, settings.step_sizes
  )
  config = settings.config[name]
  try:
    return [preference_factory.make(name, *pair, config) for pair in pairs]
  except ValueError as error:
    raise ValueError(f"{name}: {error}") from error


def solve(
    settings: preference_settings.Settings,
    name: str,
    problem: preference_problem.Problem,
) -> list[Result]:
  """Runs one solver on all games at all temperatures and step sizes.

  Raises:
    ValueError: If a hyper-parameter is out of range.
  """
  config = settings.config[name]
  pairs = preference_factory.grid(
      name, settings.temperatures, settings.step_sizes
  )
  solvers = make_solvers(settings, name)
  steps = run.log_checkpoints(settings.updates, settings.checkpoints)
  games = problem.games
  temperatures, step_sizes = preference_factory.stacked(pairs, games.dtype)
  seeds = jnp.asarray(preference_problem.seeds(settings))
  places = [settings.temperatures.index(pair[0]) for pair in pairs]
  targets = problem.equilibria[:, jnp.asarray(places)]
  program = functools.partial(
      _run_games,
      name=name,
      config=tuple(config.items()),
      checkpoints=tuple(steps.tolist()),
      chunk=settings.chunk or chunk_size(games, len(pairs)),
  )
  arguments = (games, seeds, targets, temperatures, step_sizes)
  start = time.perf_counter()
  compiled = jax.jit(program).lower(*arguments).compile()
  ready = time.perf_counter()
  measured = jax.device_get(jax.block_until_ready(compiled(*arguments)))
  seconds = (time.perf_counter() - ready, ready - start)
  first = jax.tree.map(lambda x: x[0], games)
  asked = queries.count(solvers[0], first)
  return [
      _result(name, pair, steps, asked, seconds, own)
      for m, pair in enumerate(pairs)
      for own in [jax.tree.map(lambda x, m=m: x[:, m], measured)]
  ]


def _result(name, pair, steps, asked, seconds, measured):
  metrics, policies, paths = measured
  return Result(
      solver=name,
      temperature=pair[0],
      step_size=pair[1],
      steps=steps,
      queries=asked.init + asked.update * steps,
      metrics={k: v.T for k, v in metrics.items()},
      policies=policies,
      path=paths[0],
      seconds=seconds[0],
      compile_seconds=seconds[1],
  )


def chunk_size(games: preference_game.PreferenceGame, num_settings: int) -> int:
  """Returns how many games should move together."""
  count = games.advantage.shape[0]
  if jax.default_backend() != "cpu":
    return count
  each = games.advantage.nbytes / count + 8 * num_settings * (
      games.advantage.shape[1] * games.advantage.shape[2] * games.dtype.itemsize
  )
  most = int(min(count, max(1, _CHUNK_BYTES // each)))
  # A remainder would be a program of its own, unless the chunks divide evenly.
  even = max(size for size in range(1, most + 1) if count % size == 0)
  return even if 2 * even >= most else most


def _run_games(
    games,
    seeds,
    targets,
    temperatures,
    step_sizes,
    *,
    name,
    config,
    checkpoints,
    chunk,
):
  """Returns metrics, policies and paths, with axes of games and settings."""

  def one(game, seed, target, temperature, step_size):
    solver = preference_factory.make(
        name, temperature, step_size, dict(config), seed
    )
    _, trace = run.run(solver, game, _plan, checkpoints)
    metrics = jax.vmap(
        lambda plan: _measure(game, (plan,), (target,), temperature)
    )(trace.metrics)
    path = jax.vmap(game.rows)(trace.metrics)
    return metrics, path[-1], path if path.shape[-1] == 3 else path[-1:]

  def all_settings(arguments):
    game, seed, target = arguments
    axes = (None, None, 0, 0, None if step_sizes is None else 0)
    return jax.vmap(one, in_axes=axes)(
        game, seed, target, temperatures, step_sizes
    )

  metrics, policies, paths = jax.lax.map(
      all_settings, (games, seeds, targets), batch_size=min(chunk, len(seeds))
  )
  return metrics, policies, paths[:1]


def _plan(game, plans):
  """The only plan, as a metric."""
  del game
  return plans[0]


def _measure(game, plans, target, temperature) -> dict[str, Array]:
  return {
      "duality_gap": jnp.mean(preferences.duality_gap(game, plans)),
      "regularized_gap": jnp.mean(
          preferences.regularized_gap(game, plans, temperature)
      ),
      "divergence": jnp.mean(preferences.divergence(game, target, plans)),
  }
