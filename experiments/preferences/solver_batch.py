"""Runs one solver on all games, temperatures and step sizes as one batch."""

from collections.abc import Sequence
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from experiments.preferences import problem as problem_lib
from experiments.preferences import settings as settings_lib
from experiments.preferences import trace_rows
from experiments.registry import preference_factory, preference_solvers
from experiments.runs import jobs as jobs_lib
from mdrl import run, tiers
from mdrl.evaluation import preferences, queries
from mdrl.games import preference_game
from mdrl.solvers import base as solver_lib
from mdrl.trees import quantities

# Preferences of a chunk of games take about this many bytes on a CPU, so that
# its cache holds them from update to update.
_CHUNK_BYTES = 1 << 20
# A piece of updates reads the preferences of all games from memory, which a
# cache does not hold together: longer pieces than others' make that a few
# percent of large batches.
_PIECE_SECONDS = (1.0, 4.0)
# Steps and temperatures whose inverse is near the largest number.
_TINY = 1e-30


class Result(NamedTuple):
  """The results of a solver at one temperature and step size.

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
    """Describes the first NaN metric, or None."""
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
  settings: settings_lib.Settings, name: str
) -> list[solver_lib.Solver]:
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
    own = preference_solvers.step_size(name) is None
    # Steps that no flag sets follow from the temperature.
    blamed = own and not str(error).startswith(tuple(f"`{k}`" for k in config))
    remedy = "; choose another --temperature" if blamed else ""
    raise ValueError(f"{name}: {error}{remedy}") from error


class Batch:
  """A solver on all games, at all temperatures and step sizes."""

  def __init__(
    self,
    settings: settings_lib.Settings,
    name: str,
    problem: problem_lib.Problem,
  ):
    """Prepares to run a solver.

    Raises:
      ValueError: If a hyper-parameter is out of range.
    """
    games = problem.games
    self._name, self._games = name, games
    self._solver = make_solvers(settings, name)[0]
    self._pairs = preference_factory.grid(
      name, settings.temperatures, settings.step_sizes
    )
    places = [settings.temperatures.index(pair[0]) for pair in self._pairs]
    self._targets = problem.equilibria[:, jnp.asarray(places)]
    self._temperatures, steps = preference_factory.stacked(
      self._pairs, games.dtype
    )
    seeds = jnp.asarray(problem_lib.seeds(settings))
    self._of_all = (games, seeds, self._temperatures, steps)
    self._chunk = settings.chunk or chunk_size(games, len(self._pairs))
    self._static = {
      "name": name,
      "config": tuple(settings.config[name].items()),
      "chunk": self._chunk,
    }

  def job(self, points: Sequence[int]) -> jobs_lib.Job:
    """Returns the job of updating and measuring this batch."""
    program = jax.jit(functools.partial(_advance, **self._static))
    advance = tiers.TwoTiers(program, points[-1])
    return jobs_lib.Job(
      title=self._name,
      labels={"solver": self._name},
      points=points,
      init=lambda: _init(self._of_all, **self._static),
      advance=lambda state, count: advance(self._of_all, state, count),
      measure=self._rows,
      result=lambda state: jax.device_get(
        _policies(self._games, self._plans(state))
      ),
      piece_seconds=_PIECE_SECONDS,
    )

  def results(self, finished: jobs_lib.Finished) -> list[Result]:
    """Returns the results that the finished job holds."""
    return [
      self._result(finished, pair, finished.result[:, m])
      for m, pair in enumerate(self._pairs)
    ]

  def _result(self, finished, pair, policies):
    rows = [
      row
      for row in finished.rows
      if (row["temperature"], row["step_size"]) == pair
    ]
    path = trace_rows.path(rows, policies.dtype)
    return Result(
      solver=self._name,
      temperature=pair[0],
      step_size=pair[1],
      steps=np.array([row["step"] for row in rows]),
      queries=np.array([row["queries"] for row in rows]),
      metrics=trace_rows.metrics(rows, policies.dtype),
      policies=policies,
      path=policies[:1] if path is None else path,
      seconds=finished.clock.seconds,
      compile_seconds=finished.clock.compile_seconds,
    )

  def _plans(self, state):
    return _plans(self._of_all, state, **self._static)

  def _rows(self, state, clock):
    measured, policies = jax.device_get(
      _measured(
        self._games,
        self._plans(state),
        self._targets,
        self._temperatures,
      )
    )
    asked = self._asked
    return [
      trace_rows.make(
        {
          "temperature": temperature,
          "step_size": step_size,
          "step": clock.step,
          "queries": int(asked.init + asked.update * clock.step),
          "seconds": clock.seconds,
          "compile_seconds": clock.compile_seconds,
        },
        {metric: values[:, m] for metric, values in measured.items()},
        policies[m],
      )
      for m, (temperature, step_size) in enumerate(self._pairs)
    ]

  @functools.cached_property
  def _asked(self):
    first = jax.tree.map(lambda x: x[0], self._games)
    return queries.count(self._solver, first)


def chunk_size(games: preference_game.PreferenceGame, num_settings: int) -> int:
  """Returns how many games to update together."""
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


def _in_turns(fn, arguments, chunk):
  """Maps a function over games, in chunks."""
  count = len(jax.tree.leaves(arguments)[0])
  return jax.lax.map(
    lambda each: fn(*each), arguments, batch_size=min(chunk, count)
  )


def _at_all(fn, of_all, state, static):
  """Maps a function of solver, game and state over games and settings."""
  games, seeds, *settings = of_all

  def one(game, seed, state, setting):
    temperature, step_size = setting
    solver = preference_factory.make(
      static["name"], temperature, step_size, dict(static["config"]), seed
    )
    return fn(solver, game, state)

  def of_game(game, seed, state):
    return jax.vmap(one, in_axes=(None, None, 0, 0))(
      game, seed, state, tuple(settings)
    )

  return _in_turns(of_game, (games, seeds, state), static["chunk"])


_once = functools.partial(
  tiers.once, static_argnames=("name", "config", "chunk")
)


@_once
def _init(of_all, **static):
  return _at_all(
    lambda solver, game, state: solver.init(game), of_all, None, static
  )


def _advance(of_all, state, count, **static):
  return _at_all(
    lambda solver, game, state: run.advance(solver, game, state, count),
    of_all,
    state,
    static,
  )


@_once
def _plans(of_all, state, **static):
  return _at_all(
    lambda solver, game, state: solver.plans(game, state)[0],
    of_all,
    state,
    static,
  )


@tiers.once
def _measured(games, plans, targets, temperatures):
  """Returns measures `[B, M]`, and policies `[M, X, A]` of the first game."""

  def of_game(game, plans, targets):
    return jax.vmap(
      lambda plan, target, temperature: _measure(
        game,
        quantities.Plans((plan,)),
        quantities.Plans((target,)),
        temperature,
      )
    )(plans, targets, temperatures)

  first = jax.tree.map(lambda x: x[0], games)
  measured = jax.vmap(of_game)(games, plans, targets)
  return measured, jax.vmap(first.by_context)(plans[0])


@tiers.once
def _policies(games, plans):
  """Returns policies `[B, M, X, A]`."""
  return jax.vmap(lambda game, own: jax.vmap(game.by_context)(own))(
    games, plans
  )


def _measure(game, plans, target, temperature) -> dict[str, Array]:
  return {
    "duality_gap": jnp.mean(preferences.duality_gap(game, plans)),
    "regularized_gap": jnp.mean(
      preferences.regularized_gap(game, plans, temperature)
    ),
    "divergence": jnp.mean(preferences.divergence(game, target, plans)),
  }
