"""Makes the solvers of `solver_table` from their hyper-parameters."""

from collections.abc import Mapping
import math
from typing import Any

from experiments.runs import limits
from mdrl import checks
from mdrl.geometry import mirror_maps
from mdrl.solvers import (
  averaged,
  base,
  behavioral,
  magnetic,
  magnetic_preference,
  mirror_descent,
  mirror_prox,
  optimistic,
  regret_matching,
  regret_rules,
  schedules,
)

_DESCENTS = {
  "mirror_descent": mirror_descent.MirrorDescent,
  "mirror_prox": mirror_prox.MirrorProx,
  "optimistic": optimistic.OptimisticMirrorDescent,
}
# What falls faster is zero after a few updates.
_MOST_POWER = 10
_RULES = {
  "cfr": regret_rules.Vanilla,
  "cfr_plus": regret_rules.Plus,
  "linear_cfr": lambda: regret_rules.Discounted(
    positive_power=1.0, negative_power=1.0
  ),
  "dcfr": regret_rules.Discounted,
  "pcfr_plus": regret_rules.Predictive,
}


def make(
  name: str, values: Mapping[str, Any], payoff_norm: float
) -> averaged.Averaged:
  """Returns a solver that also keeps its average.

  Args:
    name: Its name in the table.
    values: Its hyper-parameters, all of them.
    payoff_norm: The unit of utility where `normalize` is on.

  Raises:
    ValueError: If a value is out of range.
  """
  return averaged.Averaged(
    solver=_solver(name, values, payoff_norm), power=values["average_power"]
  )


def _solver(name, values, payoff_norm) -> base.Solver:
  if name in _RULES:
    powers = ("positive_power", "negative_power")
    rule = _RULES[name](**{k: values[k] for k in powers if k in values})
    if values["alternating"]:
      return regret_matching.AlternatingRegretMatching(rule=rule)
    return regret_matching.RegretMatching(rule=rule)
  unit = payoff_norm if values["normalize"] else 1.0
  checks.positive("step_size", values["step_size"])
  shared = {
    "step_size": _schedule("step", "step_size", values, 1 / unit),
    "mirror_map": _mirror_map(values),
  }
  if name in _DESCENTS:
    return _fed(_DESCENTS[name](**shared), values)
  checks.between("temperature", values["temperature"], 0)
  shared["temperature"] = _schedule("temperature", "temperature", values, unit)
  if "period" in values:
    period = values["period"]
    checks.between("period", period, 1, limits.PERIOD)
    # In a sweep, all settings are one array of floating-point numbers.
    period = period if isinstance(period, int) else period.astype("int32")
    return _fed(
      magnetic_preference.MagneticPreferenceOptimization(
        period=period, **shared
      ),
      values,
    )
  checks.between("magnet_rate", values["magnet_rate"], 0, 1)
  shared["magnet_rate"] = _schedule("magnet", "magnet_rate", values, 1)
  return _fed(magnetic.MagneticMirrorDescent(**shared), values)


def needs_reaches(values: Mapping[str, Any]) -> bool:
  """Returns whether a solver needs a game that was compiled with reaches."""
  return values.get("feedback") == "q"


def _fed(solver, values):
  match values["feedback"]:
    case "sequence":
      return solver
    case "counterfactual" | "q":
      return behavioral.Behavioral(solver=solver, feedback=values["feedback"])
    case other:
      raise ValueError(
        f"`feedback` must be sequence, counterfactual or q, got {other!r}"
      )


def _schedule(prefix, field, values, unit):
  initial = values[field] * unit
  if isinstance(initial, float) and math.isinf(initial):
    raise ValueError(
      f"`{field}` must be finite in the game's own unit, got "
      f"{values[field]:g} times {unit:.4g}; choose a smaller one"
    )
  power, delay = (values[f"{prefix}_{k}"] for k in ("power", "delay"))
  checks.between(f"{prefix}_power", power, 0, _MOST_POWER)
  checks.positive(f"{prefix}_delay", delay)
  # Of a sweep over powers, none is known here.
  if isinstance(power, (int, float)) and power == 0:
    return initial
  return schedules.PowerDecay(initial=initial, power=power, delay=delay)


def _mirror_map(values):
  match values["mirror_map"]:
    case "euclidean":
      return mirror_maps.Euclidean()
    case "entropy":
      return mirror_maps.NegativeEntropy()
    case "tsallis":
      return mirror_maps.Tsallis(order=values["tsallis_order"])
    case other:
      raise ValueError(
        f"`mirror_map` must be euclidean, entropy or tsallis, got {other!r}"
      )
