"""Makes the solvers of `game_solvers` from their hyper-parameters."""

from collections.abc import Mapping
import math
from typing import Any

from experiments.registry import game_solvers
from mdrl import checks
from mdrl.geometry import mirror_maps
from mdrl.solvers import (
  averaged,
  behavioral,
  regret_matching,
  regret_rules,
  schedules,
)
from mdrl.solvers import base as solver_lib

# Powers of schedules: what falls faster is zero after a few updates.
_MOST_POWER = 10
# Hyper-parameters that follow a schedule, and what the names of its power and
# its delay begin with.
_SCHEDULED = {
  "step_size": "step",
  "temperature": "temperature",
  "magnet_rate": "magnet",
}
# Those that choose what is put around the solver.
_AROUND = ("average_power", "feedback", "normalize")


def make(
  name: str, values: Mapping[str, Any], payoff_norm: float
) -> averaged.Averaged:
  """Returns a solver that also keeps its average.

  The factory of its entry is given a schedule for each step size, temperature
  and rate, one mirror map, and its other hyper-parameters as they are. A solver
  with `feedback` is lifted to infostates where that is not `sequence`.

  Args:
    name: Its name in the table.
    values: Its hyper-parameters, all of them.
    payoff_norm: The unit of utility where `normalize` is on.

  Raises:
    ValueError: If a value is out of range.
  """
  arguments = _arguments(values, payoff_norm)
  solver = game_solvers.SOLVERS[name].load()(**arguments)
  if "feedback" in values:
    solver = _fed(solver, values["feedback"])
  return averaged.Averaged(solver=solver, power=values["average_power"])


def needs_reaches(values: Mapping[str, Any]) -> bool:
  """Returns whether a solver needs a game that was compiled with reaches."""
  return values.get("feedback") == "q"


def _arguments(values, payoff_norm):
  """Returns what a factory is called with."""
  unit = payoff_norm if values.get("normalize") else 1.0
  left = {k: v for k, v in values.items() if k not in _AROUND}
  if "step_size" in values:
    checks.positive("step_size", values["step_size"])
  if "temperature" in values:
    checks.between("temperature", values["temperature"], 0)
  if "magnet_rate" in values:
    checks.between("magnet_rate", values["magnet_rate"], 0, 1)
  arguments = {}
  units = {"step_size": 1 / unit, "temperature": unit, "magnet_rate": 1}
  for field, prefix in _SCHEDULED.items():
    if field in left:
      initial = left.pop(field)
      power = left.pop(f"{prefix}_power", 0)
      delay = left.pop(f"{prefix}_delay", 1.0)
      arguments[field] = _schedule(
        field, initial, units[field], prefix, power, delay
      )
  if "mirror_map" in left:
    order = left.pop("tsallis_order", None)
    arguments["mirror_map"] = _mirror_map(left.pop("mirror_map"), order)
  for field, value in left.items():
    arguments[field] = _checked(field, value)
  return arguments


def _checked(field, value):
  """Returns a whole number as one, also where a sweep holds floats."""
  most = game_solvers.FIELDS[field].most
  if most is None:
    return value
  checks.between(field, value, 1, most)
  # In a sweep, all settings are one array of floating-point numbers.
  return value if isinstance(value, int) else value.astype("int32")


def _fed(solver, feedback):
  match feedback:
    case "sequence":
      return solver
    case "counterfactual" | "q":
      return behavioral.Behavioral(solver=solver, feedback=feedback)
    case other:
      raise ValueError(
        f"`feedback` must be sequence, counterfactual or q, got {other!r}"
      )


def _schedule(field, value, unit, prefix, power, delay):
  initial = value * unit
  if isinstance(initial, float) and math.isinf(initial):
    raise ValueError(
      f"`{field}` must be finite in the game's own unit, got {value:g} times "
      f"{unit:.4g}; choose a smaller one"
    )
  checks.between(f"{prefix}_power", power, 0, _MOST_POWER)
  checks.positive(f"{prefix}_delay", delay)
  # Of a sweep over powers, none is known here.
  if isinstance(power, (int, float)) and power == 0:
    return initial
  return schedules.PowerDecay(initial=initial, power=power, delay=delay)


def _mirror_map(name, tsallis_order):
  match name:
    case "euclidean":
      return mirror_maps.Euclidean()
    case "entropy":
      return mirror_maps.NegativeEntropy()
    case "tsallis":
      return mirror_maps.Tsallis(order=tsallis_order)
    case other:
      raise ValueError(
        f"`mirror_map` must be euclidean, entropy or tsallis, got {other!r}"
      )


def cfr(*, alternating: bool) -> solver_lib.Solver:
  """Returns CFR."""
  return _regret_matching(regret_rules.Vanilla(), alternating)


def cfr_plus(*, alternating: bool) -> solver_lib.Solver:
  """Returns CFR+."""
  return _regret_matching(regret_rules.Plus(), alternating)


def linear_cfr(*, alternating: bool) -> solver_lib.Solver:
  """Returns linear CFR."""
  rule = regret_rules.Discounted(positive_power=1.0, negative_power=1.0)
  return _regret_matching(rule, alternating)


def discounted_cfr(
  *, alternating: bool, positive_power: Any, negative_power: Any
) -> solver_lib.Solver:
  """Returns discounted CFR; the powers discount regrets by their sign."""
  rule = regret_rules.Discounted(
    positive_power=positive_power, negative_power=negative_power
  )
  return _regret_matching(rule, alternating)


def predictive_cfr_plus(*, alternating: bool) -> solver_lib.Solver:
  """Returns predictive CFR+."""
  return _regret_matching(regret_rules.Predictive(), alternating)


def _regret_matching(rule, alternating):
  if alternating:
    return regret_matching.AlternatingRegretMatching(rule=rule)
  return regret_matching.RegretMatching(rule=rule)
