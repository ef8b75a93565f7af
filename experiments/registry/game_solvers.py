"""The solvers that `solve_game` offers, and their hyper-parameters.

Importing this does not import JAX, so that `--help` answers at once.
"""

from collections.abc import Mapping
import textwrap
from typing import Any

from experiments.registry import entries
from experiments.runs import limits

_SHARED: dict[str, entries.Field] = {
  "step_size": entries.Field(float, "in units of 1 / utility, see normalize"),
  "step_power": entries.Field(
    float, "falls as (1 + step / step_delay) ** -power"
  ),
  "step_delay": entries.Field(float, "updates before the step size falls"),
  "temperature": entries.Field(float, "in units of utility, see normalize"),
  "temperature_power": entries.Field(
    float, "as step_power, for the temperature"
  ),
  "temperature_delay": entries.Field(
    float, "updates before the temperature falls"
  ),
  "magnet_rate": entries.Field(
    float, "rate in [0, 1] at which the magnet follows"
  ),
  "magnet_power": entries.Field(float, "as step_power, for the magnet's rate"),
  "magnet_delay": entries.Field(
    float, "updates before the magnet's rate falls"
  ),
  "period": entries.Field(
    int,
    "updates from one refresh of the magnet or anchor to the next",
    limits.PERIOD,
  ),
  "mirror_map": entries.Field(str, "euclidean, entropy or tsallis"),
  "tsallis_order": entries.Field(
    float, "in (0, 2], not 1; for mirror_map=tsallis"
  ),
  "feedback": entries.Field(
    str,
    "what is stepped along: sequence (gains of plans), counterfactual or q "
    "(values at every infostate on its own)",
  ),
  "normalize": entries.Field(
    bool,
    "the unit of utility is the largest rate at which play turns, "
    "payoff_norm in flags.json; false for the game's own unit",
  ),
  "alternating": entries.Field(bool, "players move in turn, not all at once"),
  "positive_power": entries.Field(
    float, "discount of positive regrets; no unit"
  ),
  "negative_power": entries.Field(
    float, "discount of negative regrets; no unit"
  ),
  "average_power": entries.Field(
    float, "iterate t weighs t ** power in the average"
  ),
}


# The same steps suit all games, because they are taken in units of the game's
# payoff norm: `docs/steps.md` says how they follow from it. On trees the
# Euclidean map is far ahead of the entropies: its iterates reach the boundary,
# where equilibria of trees lie.
_GEOMETRY: dict[str, entries.Value] = {
  "mirror_map": "euclidean",
  "tsallis_order": 0.5,
  "feedback": "sequence",
  "normalize": True,
}


def _steps(size: float, power: float = 0.0) -> dict[str, entries.Value]:
  return {"step_size": size, "step_power": power, "step_delay": 1.0}


def _temperature(
  initial: float, power: float = 0.0
) -> dict[str, entries.Value]:
  return {
    "temperature": initial,
    "temperature_power": power,
    "temperature_delay": 1.0,
  }


def _magnet(rate: float, power: float = 0.0) -> dict[str, entries.Value]:
  return {"magnet_rate": rate, "magnet_power": power, "magnet_delay": 1.0}


def _regret_matching(average_power: float, **powers: float):
  return {"alternating": True, **powers, "average_power": average_power}


SOLVERS: dict[str, entries.Entry] = {
  "mirror_descent": entries.Entry(
    title="mirror descent",
    summary="Mirror descent on plans.",
    paper=(
      "Nemirovski & Yudin (1983); "
      "Hoda et al. (2010), doi:10.1287/moor.1100.0452"
    ),
    approaches="the average, with falling steps",
    rate="O(1/sqrt T)",
    reports="average",
    defaults={**_steps(1.0, 0.25), **_GEOMETRY, "average_power": 1.0},
    factory="mdrl.solvers.mirror_descent:MirrorDescent",
  ),
  "magnetic": entries.Entry(
    title="magnetic mirror descent",
    summary="Magnetic mirror descent, whose magnet follows the iterate.",
    paper="Sokota et al. (2023), arXiv:2206.05825",
    approaches="the last iterate, in practice",
    rate="linear, to the regularised equilibrium of a magnet that stays",
    reports="last",
    defaults={
      **_steps(3.0),
      **_temperature(0.7),
      **_magnet(0.3),
      **_GEOMETRY,
      "average_power": 0.0,
    },
    factory="mdrl.solvers.magnetic:MagneticMirrorDescent",
  ),
  "magnetic_refreshed": entries.Entry(
    title="magnetic mirror descent, refreshed",
    summary="Magnetic mirror descent, its magnet refreshed periodically.",
    paper="Wang et al. (2024), arXiv:2410.16714",
    approaches="the last iterate, in practice",
    reports="last",
    defaults={
      **_steps(5.0),
      **_temperature(0.8),
      "period": 3,
      **_GEOMETRY,
      "average_power": 0.0,
    },
    factory="mdrl.solvers.magnetic_refreshed:RefreshedMagnet",
  ),
  "magnetic_annealed": entries.Entry(
    title="magnetic mirror descent, annealed",
    summary="Magnetic mirror descent that cools; its magnet follows.",
    paper="Sokota et al. (2023), arXiv:2206.05825",
    approaches="the last iterate, in practice",
    reports="last",
    defaults={
      **_steps(1.6, 0.1),
      **_temperature(1.0, 0.1),
      **_magnet(0.5, 0.2),
      **_GEOMETRY,
      "average_power": 0.0,
    },
    factory="mdrl.solvers.magnetic:MagneticMirrorDescent",
  ),
  "mirror_prox": entries.Entry(
    title="Mirror Prox; extragradient with the Euclidean map",
    summary="Mirror Prox: a step to a midpoint, and one along its gains.",
    paper="Nemirovski (2004), doi:10.1137/S1052623403425629",
    approaches="the average, and the last iterate in practice",
    rate="O(1/T)",
    reports="last",
    defaults={**_steps(0.8), **_GEOMETRY, "average_power": 0.0},
    factory="mdrl.solvers.mirror_prox:MirrorProx",
  ),
  "anchored_mirror_prox": entries.Entry(
    title="anchored Mirror Prox, restarted",
    summary="Mirror Prox drawn to an anchor that is renewed.",
    paper="Yoon & Ryu (2021), arXiv:2102.07922",
    approaches="the last iterate",
    rate="O(1/T) on matrix games with the Euclidean map and one anchor",
    reports="last",
    defaults={
      **_steps(0.8),
      "period": 100,
      **_GEOMETRY,
      "average_power": 0.0,
    },
    factory="mdrl.solvers.anchored_mirror_prox:AnchoredMirrorProx",
  ),
  "optimistic": entries.Entry(
    title="optimistic mirror descent",
    summary="Optimistic mirror descent: the last gain predicts the next.",
    paper=(
      "Popov (1980), doi:10.1007/BF01141092; "
      "Lee, Kroer & Luo (2021), arXiv:2106.14326"
    ),
    approaches="the average, and the last iterate in practice",
    rate="O(1/T)",
    reports="last",
    defaults={**_steps(0.52), **_GEOMETRY, "average_power": 0.0},
    factory="mdrl.solvers.optimistic:OptimisticMirrorDescent",
  ),
  "cfr": entries.Entry(
    title="CFR",
    summary="Counterfactual regret minimisation by regret matching.",
    paper="Zinkevich et al. (2007)",
    approaches="the average",
    rate="O(1/sqrt T)",
    reports="average",
    defaults=_regret_matching(0.0),
    factory="experiments.registry.game_factory:cfr",
  ),
  "cfr_plus": entries.Entry(
    title="CFR+",
    summary="CFR whose regrets never fall below zero.",
    paper="Tammelin (2014), arXiv:1407.5042",
    approaches="the average",
    rate="O(1/sqrt T)",
    reports="average",
    defaults=_regret_matching(1.0),
    factory="experiments.registry.game_factory:cfr_plus",
  ),
  "linear_cfr": entries.Entry(
    title="linear CFR",
    summary="CFR that weighs update t by t.",
    paper="Brown & Sandholm (2019), arXiv:1809.04040",
    approaches="the average",
    rate="O(1/sqrt T)",
    reports="average",
    defaults=_regret_matching(1.0),
    factory="experiments.registry.game_factory:linear_cfr",
  ),
  "dcfr": entries.Entry(
    title="discounted CFR",
    summary="CFR that discounts regrets by their sign.",
    paper="Brown & Sandholm (2019), arXiv:1809.04040",
    approaches="the average",
    rate="O(1/sqrt T)",
    reports="average",
    defaults=_regret_matching(2.0, positive_power=1.5, negative_power=0.0),
    factory="experiments.registry.game_factory:discounted_cfr",
  ),
  "pcfr_plus": entries.Entry(
    title="predictive CFR+",
    summary="CFR+ that predicts the next regrets by the last.",
    paper="Farina, Kroer & Sandholm (2021), arXiv:2007.14358",
    approaches="the average",
    rate="O(1/sqrt T)",
    reports="average",
    defaults=_regret_matching(2.0),
    factory="experiments.registry.game_factory:predictive_cfr_plus",
  ),
}

# Those that a solver has alone are listed with it.
FIELDS: dict[str, entries.Field] = _SHARED | {
  name: field
  for entry in SOLVERS.values()
  for name, field in entry.fields.items()
}


def resolve(
  solver: str, overrides: Mapping[str, Any], flag: str = "--config."
) -> dict[str, entries.Value]:
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
    f"Approaches equilibrium: {entry.approaches}. Result: {entry.reports}.",
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
