"""Solvers that run beside ours in one environment: OpenSpiel's, C and an LP.

Each function imports what its solver needs, and returns what builds it, so that
importing is not taken for building.
"""

from collections.abc import Callable
import functools
from typing import Any

from benchmarks import time_to_target
from mdrl.trees import quantities

Builder = Callable[[], time_to_target.Racer]


def _openspiel_game(name: str) -> Any:
  """Returns a sequential game, without importing what only we need."""
  import pyspiel

  game = pyspiel.load_game(name)
  if game.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
    return pyspiel.convert_to_turn_based(game)
  return game


def _judge(name: str):
  """Returns the judge of a game, made when it is first asked for."""

  @functools.cache
  def made():
    from benchmarks import evaluation, game_set

    return evaluation.Judge(game_set.tables(name))

  return made


def _repeated(update):
  """Returns `advance(count)` of a method that makes one update."""

  def advance(count):
    for _ in range(count):
      update()

  return advance


def openspiel_cpp(game: str) -> Builder:
  """Returns OpenSpiel's CFR+ in C++."""
  import pyspiel

  judge = _judge(game)

  def build():
    running = pyspiel.CFRPlusSolver(_openspiel_game(game))

    def exploitability():
      lookup = running.tabular_average_policy().get_state_policy
      return judge().exploitability_of(lookup, lookup)

    return time_to_target.Racer(
      _repeated(running.evaluate_and_update_policy), exploitability
    )

  return build


def jax_cfr(game: str) -> Builder:
  """Returns OpenSpiel's CFR+ in JAX, in single precision."""
  import jax
  import numpy as np
  from open_spiel.python.jax.cfr import jax_cfr as openspiel_jax_cfr

  judge = _judge(game)

  def build():
    running = openspiel_jax_cfr.JaxCFR(_openspiel_game(game))

    def advance(count):
      running.multiple_steps(count)
      jax.block_until_ready(running.averages)

    def lookup(averages, rows, name):
      return list(enumerate(averages[rows[name]].tolist()))

    def exploitability():
      return judge().exploitability_of(
        *(
          functools.partial(lookup, np.asarray(averages), rows)
          for averages, rows in zip(
            running.averages, running.iset_map, strict=True
          )
        )
      )

    return time_to_target.Racer(advance, exploitability, compiles=True)

  return build


def mmd_dilated(game: str) -> Builder:
  """Returns OpenSpiel's magnetic mirror descent, on a dense matrix."""
  from open_spiel.python.algorithms import mmd_dilated as algorithm

  judge = _judge(game)

  def build():
    running = algorithm.MMDDilatedEnt(_openspiel_game(game), alpha=0.05)

    def exploitability():
      policy = running.get_policies()

      def lookup(name):
        return list(enumerate(policy.policy_for_key(name).tolist()))

      return judge().exploitability_of(lookup, lookup)

    return time_to_target.Racer(
      _repeated(running.update_sequences), exploitability
    )

  return build


def c_program(game: str, precision: str) -> Builder:
  """Returns the plain C program, which is compiled as it is built."""
  from benchmarks import evaluation, game_set, plain_c

  real = {"float32": "float", "float64": "double"}[precision]

  def build():
    tables = game_set.tables(game)
    running = plain_c.Solver(tables, real)
    judge = functools.cache(lambda: evaluation.Judge(tables))
    return time_to_target.Racer(
      running.run,
      lambda: judge().exploitability(running.average_plans()),
      facts={"histories": tables.num_histories},
    )

  return build


def linear_program(game: str) -> Builder:
  """Returns HiGHS on the sequence form; its only update solves it."""
  import jax
  import jax.numpy as jnp

  from benchmarks import game_set
  from mdrl.evaluation import gaps
  from mdrl.evaluation import linear_program as program

  jax.config.update("jax_enable_x64", True)

  def build():
    built, histories = game_set.load(game, "float64")
    found = None

    def advance(count):
      del count
      nonlocal found
      found = program.solve(built)

    def exploitability():
      if found is None:
        raise ValueError("there is no solution yet")
      plans = quantities.Plans(jnp.asarray(plan) for plan in found.plans)
      return float(gaps.exploitability(built, plans))

    return time_to_target.Racer(
      advance,
      exploitability,
      iterates=False,
      facts={"histories": histories},
    )

  return build
