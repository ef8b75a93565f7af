"""The solvers that `solve_game` offers, and their hyper-parameters.

Importing this does not import JAX, so that `--help` answers at once.
"""

from collections.abc import Mapping
import dataclasses
import textwrap
from typing import Any

Value = float | int | bool | str


@dataclasses.dataclass(frozen=True)
class Field:
  """A hyper-parameter.

  Attributes:
    type: What its values are.
    help: Its meaning and unit, in one line.
  """

  type: type
  help: str


FIELDS: dict[str, Field] = {
  "step_size": Field(float, "in units of 1 / utility, see normalize"),
  "step_power": Field(float, "falls as (1 + step / step_delay) ** -power"),
  "step_delay": Field(float, "updates before the step size falls"),
  "temperature": Field(float, "in units of utility, see normalize"),
  "temperature_power": Field(float, "as step_power, for the temperature"),
  "temperature_delay": Field(float, "updates before the temperature falls"),
  "magnet_rate": Field(float, "rate in [0, 1] at which the magnet follows"),
  "magnet_power": Field(float, "as step_power, for the magnet's rate"),
  "magnet_delay": Field(float, "updates before the magnet's rate falls"),
  "period": Field(int, "updates from one refresh of the magnet to the next"),
  "mirror_map": Field(str, "euclidean, entropy or tsallis"),
  "tsallis_order": Field(float, "in (0, 2], not 1; for mirror_map=tsallis"),
  "feedback": Field(
    str,
    "what is stepped along: sequence (gains of plans), counterfactual or q "
    "(values at every infostate on its own)",
  ),
  "normalize": Field(
    bool,
    "the unit of utility is the largest rate at which play turns, "
    "payoff_norm in flags.json; false for the game's own unit",
  ),
  "alternating": Field(bool, "players move in turn, not all at once"),
  "positive_power": Field(float, "discount of positive regrets; no unit"),
  "negative_power": Field(float, "discount of negative regrets; no unit"),
  "average_power": Field(float, "iterate t weighs t ** power in the average"),
}


@dataclasses.dataclass(frozen=True)
class Entry:
  """A solver.

  Attributes:
    summary: What it is, in one line.
    paper: Where it is from.
    guarantee: What approaches equilibrium in two-player zero-sum games.
    reports: The iterate that is the result, `last` or `average`.
    defaults: Its hyper-parameters.
  """

  summary: str
  paper: str
  guarantee: str
  reports: str
  defaults: dict[str, Value]


# The same steps suit all games, because they are taken in units of the game's
# payoff norm: `docs/steps.md` says how they follow from it. On trees the
# Euclidean map is far ahead of the entropies: its iterates reach the boundary,
# where equilibria of trees lie.
_GEOMETRY: dict[str, Value] = {
  "mirror_map": "euclidean",
  "tsallis_order": 0.5,
  "feedback": "sequence",
  "normalize": True,
}


def _steps(size: float, power: float = 0.0) -> dict[str, Value]:
  return {"step_size": size, "step_power": power, "step_delay": 1.0}


def _temperature(initial: float, power: float = 0.0) -> dict[str, Value]:
  return {
    "temperature": initial,
    "temperature_power": power,
    "temperature_delay": 1.0,
  }


def _magnet(rate: float, power: float = 0.0) -> dict[str, Value]:
  return {"magnet_rate": rate, "magnet_power": power, "magnet_delay": 1.0}


def _regret_matching(average_power: float, **powers: float):
  return {"alternating": True, **powers, "average_power": average_power}


SOLVERS: dict[str, Entry] = {
  "mirror_descent": Entry(
    "Mirror descent on plans.",
    "Nemirovski & Yudin (1983); Hoda et al. (2010)",
    "the average, with falling steps",
    "average",
    {**_steps(1.0, 0.25), **_GEOMETRY, "average_power": 1.0},
  ),
  "magnetic": Entry(
    "Magnetic mirror descent, whose magnet follows the iterate.",
    "Sokota et al. (2023), arXiv:2206.05825",
    "the last iterate, in practice",
    "last",
    {
      **_steps(3.0),
      **_temperature(0.7),
      **_magnet(0.3),
      **_GEOMETRY,
      "average_power": 0.0,
    },
  ),
  "magnetic_refreshed": Entry(
    "Magnetic mirror descent, its magnet refreshed periodically.",
    "Wang et al. (2024), arXiv:2410.16714",
    "the last iterate, in practice",
    "last",
    {
      **_steps(5.0),
      **_temperature(0.8),
      "period": 3,
      **_GEOMETRY,
      "average_power": 0.0,
    },
  ),
  "magnetic_annealed": Entry(
    "Magnetic mirror descent that cools; its magnet follows.",
    "Sokota et al. (2023), arXiv:2206.05825",
    "the last iterate, in practice",
    "last",
    {
      **_steps(1.6, 0.1),
      **_temperature(1.0, 0.1),
      **_magnet(0.5, 0.2),
      **_GEOMETRY,
      "average_power": 0.0,
    },
  ),
  "mirror_prox": Entry(
    "Mirror Prox: a step to a midpoint, and one along its gains.",
    "Nemirovski (2004)",
    "the average, and the last iterate in practice",
    "last",
    {**_steps(0.8), **_GEOMETRY, "average_power": 0.0},
  ),
  "optimistic": Entry(
    "Optimistic mirror descent, which counts the last gain twice.",
    "Popov (1980); Lee, Kroer & Luo (2021), arXiv:2106.14326",
    "the average, and the last iterate in practice",
    "last",
    {**_steps(0.52), **_GEOMETRY, "average_power": 0.0},
  ),
  "cfr": Entry(
    "Counterfactual regret minimisation by regret matching.",
    "Zinkevich et al. (2007)",
    "the average",
    "average",
    _regret_matching(0.0),
  ),
  "cfr_plus": Entry(
    "CFR whose regrets never fall below zero.",
    "Tammelin (2014), arXiv:1407.5042",
    "the average",
    "average",
    _regret_matching(1.0),
  ),
  "linear_cfr": Entry(
    "CFR that weighs update t by t.",
    "Brown & Sandholm (2019), arXiv:1809.04040",
    "the average",
    "average",
    _regret_matching(1.0),
  ),
  "dcfr": Entry(
    "CFR that discounts regrets by their sign.",
    "Brown & Sandholm (2019), arXiv:1809.04040",
    "the average",
    "average",
    _regret_matching(2.0, positive_power=1.5, negative_power=0.0),
  ),
  "pcfr_plus": Entry(
    "CFR+ that predicts the next regrets by the last.",
    "Farina, Kroer & Sandholm (2021), arXiv:2007.14358",
    "the average",
    "average",
    _regret_matching(2.0),
  ),
}


def resolve(
  solver: str, overrides: Mapping[str, Any], flag: str = "--config."
) -> dict[str, Value]:
  """Returns all hyper-parameters of a solver.

  Args:
    solver: Its name in the table.
    overrides: Values that replace defaults; None keeps the default.
    flag: What stands before a name on the command line.

  Raises:
    ValueError: If the solver has no such hyper-parameter, or does not read it
      at these values of others.
  """
  values = dict(SOLVERS[solver].defaults)
  given = {k: v for k, v in overrides.items() if v is not None}
  for name in given:
    if name not in values:
      raise ValueError(
        f"`{flag}{name}` is no hyper-parameter of {solver}, which has "
        f"{', '.join(values)}"
      )
  values |= given
  for name in ("step", "temperature", "magnet"):
    if f"{name}_delay" in given and not values[f"{name}_power"]:
      raise ValueError(
        f"`{flag}{name}_delay` does nothing where {name}_power is 0; "
        f"set `{flag}{name}_power` too"
      )
  for name, power in (
    ("temperature", "temperature_power"),
    ("magnet_rate", "magnet_power"),
  ):
    if given.get(power) and not values[name]:
      raise ValueError(
        f"`{flag}{power}` does nothing where {name} is 0; set "
        f"`{flag}{name}` too"
      )
  if "tsallis_order" in given and values["mirror_map"] != "tsallis":
    raise ValueError(
      f"`{flag}tsallis_order` is read with `{flag}mirror_map=tsallis` "
      f"alone, got mirror_map={values['mirror_map']}"
    )
  return values


def help_text() -> str:
  """Returns the text of `--help` for `--config`."""
  lines = [f"  {name}: {field.help}" for name, field in FIELDS.items()]
  return "\n".join(
    [
      "Hyper-parameters, as in --config.step_size=0.5; --list_solvers says "
      "which solver has which.",
      *lines,
    ]
  )


def listing() -> str:
  """Returns the text of `--list_solvers`."""
  return "\n\n".join(_described(name) for name in SOLVERS)


def _described(name):
  entry = SOLVERS[name]
  values = " ".join(f"{k}={v}" for k, v in entry.defaults.items())
  lines = [
    entry.paper,
    f"Approaches equilibrium: {entry.guarantee}. Result: {entry.reports}.",
    f"--config: {values}",
  ]
  indent = "  "
  return "\n".join(
    [
      f"{name}: {entry.summary}",
      *(
        textwrap.fill(
          line, 80, initial_indent=indent, subsequent_indent=2 * indent
        )
        for line in lines
      ),
    ]
  )
