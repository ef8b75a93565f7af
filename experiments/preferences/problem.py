"""The preference games of a run."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from experiments.preferences import named_games
from experiments.preferences import settings as settings_lib
from experiments.runs import memory, program_cache
from mdrl import tiers
from mdrl.compile import openspiel
from mdrl.evaluation import preferences
from mdrl.games import preference_game
from mdrl.preferences import files, models
from mdrl.preferences import order as preference_order

_DEFAULT_RESPONSES = 10
# Of the preferences, from drawing them to the games on the device.
_COPIES = 5
# Numbers in a row of the trace, for each game.
_MEASURES = 3
# Streams of random numbers.
_COMPARISONS, _REFERENCES = 1, 2


class Problem(NamedTuple):
  """Games of one shape.

  Attributes:
    games: With a leading axis.
    names: Of the responses.
    orders: Transitivity and Condorcet winner of each game and context.
    equilibria: Regularised, of each game and temperature, over slots.
    residual: Of the worst of them.
  """

  games: preference_game.PreferenceGame
  names: tuple[str, ...]
  orders: list[preference_order.Order]
  equilibria: Float[Array, "B M S"]
  residual: float


def make(settings: settings_lib.Settings) -> Problem:
  """Sets JAX up and makes the games.

  Raises:
    ValueError: If there is no such game, or its preferences are not valid.
  """
  jax.config.update("jax_enable_x64", settings.precision == "float64")
  program_cache.keep(settings.cache_dir)
  _check_memory(settings)
  made = [_matrices(settings, k) for k in range(settings.batch)]
  names = made[0][1]
  matrices = [_judged(settings, m, k) for k, (m, _) in enumerate(made)]
  games = [
    preference_game.preference_game(
      m, _reference(settings, m.shape[:2], k), jnp.dtype(settings.precision)
    )
    for k, m in enumerate(matrices)
  ]
  stacked = preference_game.stack(games)
  temperatures = jnp.asarray(settings.temperatures, stacked.dtype)
  equilibria, residuals = _equilibria(stacked, temperatures)
  return Problem(
    games=stacked,
    names=names,
    orders=[preference_order.decide(p) for m in matrices for p in m],
    equilibria=equilibria,
    residual=float(residuals.max()),
  )


def _check_memory(settings):
  """Raises ValueError if random games and their traces do not fit in memory."""
  size = settings.responses or _DEFAULT_RESPONSES
  games = settings.batch * settings.contexts
  results = (
    len(settings.solvers)
    * len(settings.temperatures)
    * max(1, len(settings.step_sizes))
  )
  rows = results * min(settings.checkpoints, settings.updates + 1)
  memory.check(
    f"{games:,} games of {size:,} responses",
    8.0 * (_COPIES * size + results) * games * size
    + float(memory.ROW_BYTES) * _MEASURES * settings.batch * rows,
    "choose a smaller --batch, --contexts, --responses or --checkpoints, or "
    "fewer of --solver",
  )


@tiers.quick
def _equilibria(games, temperatures):
  def one(game, temperature):
    policies = preferences.equilibrium(game, temperature)
    residual = preferences.residual(game, game.plans(policies), temperature)
    return policies[0], jnp.max(residual)

  def of_game(game):
    return jax.vmap(one, (None, 0))(game, temperatures)

  # In turns, because together all would wait for the slowest.
  return jax.lax.map(of_game, games)


def _matrices(settings, number):
  """Returns the preferences `[X, A, A]` of one game, and names."""
  name, names = settings.game, ()
  if name.startswith("openspiel:"):
    matrix = models.from_payoffs(
      openspiel.symmetric_payoffs(name.removeprefix("openspiel:"))
    )
  elif name.lower().endswith(files.SUFFIXES):
    rates = files.load(name)
    _check_unsized(settings)
    matrix = rates.preferences
    return matrix[None] if matrix.ndim == 2 else matrix, rates.names
  else:
    kind, parameters = named_games.parse_game(name)
    entry = named_games.GAMES[kind]
    if entry.sized:
      return _drawn(settings, entry, parameters, number)
    matrix, names = entry.model(**parameters), entry.names
  _check_unsized(settings)
  if len(names) != len(matrix):
    names = _numbered(len(matrix))
  return matrix[None], names


def _drawn(settings, entry, parameters, number):
  size = settings.responses or _DEFAULT_RESPONSES
  first = settings.seed + number * settings.contexts
  matrix = np.stack(
    [
      entry.model(num_responses=size, seed=first + x, **parameters)
      for x in range(settings.contexts)
    ]
  )
  return matrix, _numbered(size)


def _check_unsized(settings):
  """Raises ValueError for flags that only random games have."""
  varied = settings.reference == "random" or settings.comparisons
  if settings.batch > 1 and not varied:
    raise ValueError(
      f"`--batch={settings.batch}` would solve {settings.game} as many times "
      "over; choose a random game, --reference=random or --comparisons"
    )
  for flag, value in (
    ("responses", settings.responses),
    ("contexts", None if settings.contexts == 1 else settings.contexts),
  ):
    if value is not None:
      sized = [k for k, v in named_games.GAMES.items() if v.sized]
      raise ValueError(
        f"`--{flag}` is for {', '.join(sized)} alone, got {settings.game}"
      )


def _judged(settings, matrix, number):
  """Returns the preferences after errors of raters and sampled comparisons."""
  # Checked first, so that messages name entries of the user's table.
  preference_game.preference_game(matrix)
  rows = [models.noisy(p, settings.flip) for p in matrix]
  if settings.comparisons:
    # Apart from the streams that draw the games themselves.
    seed = (settings.seed + number, _COMPARISONS)
    rows = [
      models.sampled(p, settings.comparisons, (*seed, x))
      for x, p in enumerate(rows)
    ]
  return np.stack(rows)


def _reference(settings, shape, number):
  if settings.reference == "uniform":
    return None
  if settings.reference == "skewed":
    logits = np.broadcast_to(np.linspace(1, -1, shape[1]), shape)
  else:
    seed = (settings.seed + number, _REFERENCES)
    logits = np.random.default_rng(seed).normal(size=shape)
  weights = np.exp(logits - logits.max(axis=1, keepdims=True))
  return weights / weights.sum(axis=1, keepdims=True)


def _numbered(size):
  return tuple(map(str, range(size)))


def described(problem: Problem) -> str:
  """Describes the number, size and order of the games, in one line."""
  game = problem.games
  count, contexts, size = game.advantage.shape[:3]
  total = len(problem.orders)
  transitive = sum(order.transitive for order in problem.orders)
  winners = sum(order.condorcet_winner is not None for order in problem.orders)
  parts = [f"{size} responses"]
  if contexts > 1:
    parts.append(f"{contexts} contexts")
  if count > 1:
    parts.append(f"{count:,} games")
  if total == 1:
    parts.append("transitive" if transitive else "not transitive")
    parts.append(
      "a Condorcet winner" if winners else "without a Condorcet winner"
    )
  else:
    parts.append(f"{transitive:,} transitive")
    parts.append(f"{winners:,} with a Condorcet winner")
  return ", ".join(parts)


def seeds(settings: settings_lib.Settings) -> np.ndarray:
  """Returns a seed of samples for each game."""
  return settings.seed + np.arange(settings.batch)
