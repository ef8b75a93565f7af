"""This library's solvers, as the benchmarks run them."""

from collections.abc import Callable
from typing import Any

import jax

from benchmarks import game_set, time_to_target
from mdrl import run
from mdrl.evaluation import gaps, payoff_norm
from mdrl.solvers import averaged, magnetic, regret_matching, regret_rules


def solver(name: str, game: Any) -> Any:
  """Returns a solver by its name in the benchmark.

  Magnetic mirror descent has dilated entropy, steps in units of the game's
  payoff norm, and a magnet that follows the iterate: with one that stays, which
  costs the same, it would not come near equilibrium.

  Raises:
    ValueError: If there is none of this name.
  """
  match name:
    case "magnetic":
      unit = payoff_norm.payoff_norm(game)
      return magnetic.MagneticMirrorDescent(
        step_size=2 / unit, temperature=0.2 * unit, magnet_rate=0.1
      )
    case "cfr_plus":
      return _averaged(regret_rules.Plus(), 1.0)
    case "pcfr_plus":
      return _averaged(regret_rules.Predictive(), 2.0)
  raise ValueError(f"`solver` must be one that is compared, got {name!r}")


def _averaged(rule, power):
  alternating = regret_matching.AlternatingRegretMatching(rule=rule)
  return averaged.Averaged(solver=alternating, power=power)


def prepare(
  game_name: str, solver_name: str, precision: str
) -> Callable[[], time_to_target.Racer]:
  """Returns what builds a game and a solver on it."""
  jax.config.update("jax_enable_x64", precision == "float64")
  # All of them, so that a second process finds what a first one compiled.
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)

  def build():
    game, histories = game_set.load(game_name, precision)
    method = solver(solver_name, game)
    faster = run.Advance(method, game)
    state = None

    def advance(count):
      nonlocal state
      if state is None:
        state = run.init(method, game)
      state = faster(state, count)

    def settle():
      faster.settle()
      # The fast program takes over behind updates that both make.
      advance(10)

    def exploitability():
      return float(gaps.exploitability(game, method.plans(game, state)))

    return time_to_target.Racer(
      advance,
      exploitability,
      compiles=True,
      settle=settle,
      facts={"histories": histories},
    )

  return build
