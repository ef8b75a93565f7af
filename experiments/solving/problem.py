"""The game, the solver and the first policies of a run."""

import sys
from typing import NamedTuple

import jax
import numpy as np

from experiments.registry import game_factory
from experiments.runs import program_cache, tree_progress
from experiments.solving import equilibrium as equilibrium_lib
from experiments.solving import settings as settings_lib
from mdrl.compile import openspiel
from mdrl.evaluation import payoff_norm
from mdrl.games import base as game_lib
from mdrl.games import index as index_lib
from mdrl.games import tree_game
from mdrl.solvers import averaged
from mdrl.trees import quantities


class Problem(NamedTuple):
  """A compiled game and a solver of it.

  Attributes:
    name: The string by which OpenSpiel loads the game.
    game: The game.
    names: Names of its rows.
    solver: The solver and its average.
    payoff_norm: Unit of utility in the solver's hyper-parameters.
    first_policies: Where the solver starts; None for uniform policies.
    equilibrium: The policies that it is measured against, if any.
    equilibrium_temperature: Of quantal responses, in utility; None for others.
  """

  name: str
  game: tree_game.TreeGame
  names: index_lib.Index
  solver: averaged.Averaged
  payoff_norm: float
  first_policies: quantities.Policies | None
  equilibrium: quantities.Policies | None
  equilibrium_temperature: float | None


def make(settings: settings_lib.Settings) -> Problem:
  """Sets JAX up, and makes the game and the solver.

  Raises:
    ValueError: If there is no such game or it cannot be compiled, or a
      hyper-parameter is out of range.
  """
  jax.config.update("jax_enable_x64", settings.precision == "float64")
  program_cache.keep(settings.cache_dir)
  _check_equilibrium(settings)
  game, names = openspiel.compile_game(
    settings.game,
    max_histories=settings.max_histories,
    cache_dir=program_cache.games_folder(settings.cache_dir),
    progress=tree_progress.lines(settings.game),
    reaches=settings.equilibrium == "aqre"
    or game_factory.needs_reaches(settings.config),
  )
  unit = 1.0
  if settings.config.get("normalize"):
    unit = payoff_norm.payoff_norm(game)
  solver = game_factory.make(settings.solver, settings.config, unit)
  kind = settings.equilibrium
  temperature = None
  if kind not in (None, "nash"):
    temperature = equilibrium_lib.temperature(
      kind, settings.equilibrium_temperature, settings.config, unit
    )
  return Problem(
    name=openspiel.game_string(settings.game),
    game=game,
    names=names,
    solver=solver,
    payoff_norm=unit,
    first_policies=game_lib.random_policies(game, jax.random.key(settings.seed))
    if settings.seed
    else None,
    equilibrium=None if kind is None else _find(kind, game, temperature),
    equilibrium_temperature=temperature,
  )


def _check_equilibrium(settings):
  kind, given = settings.equilibrium, settings.equilibrium_temperature
  if given is not None and kind not in ("qre", "aqre"):
    raise ValueError(
      "`--equilibrium_temperature` is read with `--equilibrium=qre` or aqre "
      f"alone, got equilibrium={kind}"
    )
  if given is not None and not 0 < given < np.inf:
    raise ValueError(
      f"`--equilibrium_temperature` must be positive, got {given}"
    )
  if kind is not None and settings.precision != "float64":
    raise ValueError(
      "`--equilibrium` needs --precision=float64, as root finding does, got "
      f"{settings.precision}"
    )


def _find(kind, game, temperature):
  from mdrl.evaluation import quantal_response

  at = "" if temperature is None else f" at temperature {temperature:g}"
  # In games of Leduc's size this takes from seconds to minutes.
  _say(f"finding the {equilibrium_lib.NAMES[kind]} equilibrium{at}")
  try:
    return equilibrium_lib.find(kind, game, temperature or 0.0, _say)
  except quantal_response.NotFoundError as error:
    raise ValueError(
      f"`--equilibrium={kind}` was not found at temperature {temperature:g}, "
      "which is too low for root finding here; choose a higher "
      "`--equilibrium_temperature`, or --equilibrium=nash"
    ) from error


def _say(text):
  print(text, file=sys.stderr, flush=True)
