"""Warnings about the result of a run."""

from collections.abc import Mapping
from typing import Any

from mdrl.evaluation import payoff_norm
from mdrl.games import base as game_lib

# Of exploitabilities; below it, which iterate is reported hardly matters.
_FAR_WORSE = 10
# Of a step to the largest that any solver of the table takes safely, which is
# of the order of the inverse payoff norm.
_FAR_ABOVE = 100
# Exploitabilities below this are rounding error.
_FLOOR = 1e-12


def sentences(
  row: Mapping[str, Any],
  reports: str,
  config: Mapping[str, Any],
  game: game_lib.Game,
) -> list[str]:
  """Returns warnings, each a part of a line.

  Args:
    row: The last of the trace.
    reports: The iterate that is the result, `last` or `average`.
    config: All hyper-parameters of the solver.
    game: What was solved.
  """
  return [*_better_iterate(row, reports), *_long_steps(config, game)]


def _better_iterate(row, reports):
  other = "average" if reports == "last" else "last"
  mine, others = (row[f"exploitability_{k}"] for k in (reports, other))
  if mine > _FAR_WORSE * max(others, _FLOOR):
    yield (
      f"the {other} iterate is {mine / max(others, _FLOOR):,.0f} times less "
      f"exploitable than the {reports}, which is the result: policy.npz holds"
      f" it as `{other}`"
    )


def bound_far_below(
  config: Mapping[str, Any], game: game_lib.Game
) -> float | None:
  """Returns the bound on step sizes if they are far above it, else None."""
  size = config.get("step_size")
  if size is None:
    return None
  norm = _unit(config, game)
  # Divided, as a product may be infinite.
  return 1 / norm if size > _FAR_ABOVE / norm else None


def _unit(config, game):
  """The payoff norm, in the unit of the hyper-parameters."""
  return 1 if config["normalize"] else payoff_norm.payoff_norm(game)


def _long_steps(config, game):
  size = config.get("step_size")
  if size is None:
    return
  bound = bound_far_below(config, game)
  if bound is not None:
    yield (
      f"steps of {size:g} are far above what any bound allows, about "
      f"{bound:.2g}: lower `--config.step_size`"
    )
    return
  if config.get("magnet_rate") != 0 or config["mirror_map"] != "euclidean":
    return
  norm = _unit(config, game)
  temperature = config["temperature"] / norm
  falls = config["step_power"] or config["temperature_power"]
  if falls or config["feedback"] != "sequence" or not 0 < temperature < 1:
    return
  # The bound of `docs/steps.md` for a magnet that stays.
  most = 2 * temperature / (1 - temperature**2) / norm
  if size > most:
    yield (
      f"at this temperature, steps above {most:.2g} may cycle around the "
      f"regularised equilibrium, and these are {size:g}: lower "
      "`--config.step_size`"
    )
