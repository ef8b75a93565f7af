"""The equilibrium that a run is measured against."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl import run, tiers
from mdrl.games import behavioral_game, tree_game
from mdrl.geometry import mirror_maps, profiles
from mdrl.solvers import behavioral, magnetic
from mdrl.trees import quantities

NAMES = {"qre": "quantal-response", "aqre": "agent", "nash": "Nash"}
# Of solvers that approach quantal-response equilibria.
_FEEDBACK = {"qre": "sequence", "aqre": "q"}
_ENTROPY = mirror_maps.NegativeEntropy()
# Of the solver that leads to an agent equilibrium where root finding from
# uniform play does not.
_UPDATES = 40_000
_PARTS = 40
_STEP_PER_TEMPERATURE = 0.1


def temperature(
  kind: str, given: float | None, config: Mapping[str, Any], unit: float
) -> float:
  """Returns the temperature of a quantal-response equilibrium, in utility.

  Args:
    kind: `qre` of the normal form, or `aqre` of agents.
    given: As the user gave it, if at all.
    config: The solver's hyper-parameters, whose temperature is the default.
    unit: The unit of utility in them.

  Raises:
    ValueError: If none was given, and the solver approaches no equilibrium of
      this kind.
  """
  if given is not None:
    return given
  stays = (
    config.get("temperature", 0) > 0
    and not config["temperature_power"]
    and config.get("magnet_rate") == 0
    # Other maps and gains lead to equilibria of other kinds.
    and config["mirror_map"] == "entropy"
    and config["feedback"] == _FEEDBACK[kind]
  )
  if not stays:
    raise ValueError(
      "`--equilibrium_temperature` must be given, as this solver does not "
      f"approach the {NAMES[kind]} equilibrium of one temperature; or use "
      "--solver=magnetic --config.magnet_rate=0 --config.mirror_map=entropy "
      f"--config.feedback={_FEEDBACK[kind]}"
    )
  return config["temperature"] * unit


def find(
  kind: str,
  game: tree_game.TreeGame,
  temperature: float,
  say: Callable[[str], None],
) -> quantities.Policies:
  """Returns an equilibrium.

  Agent equilibria are sought by root finding from uniform play and, where that
  fails, from where magnetic mirror descent ends.

  Args:
    kind: `qre` of the normal form, `aqre` of agents, or `nash`.
    game: The game, in double precision; for `aqre` with reaches.
    temperature: Of quantal responses, in utility.
    say: Told of a second search.

  Raises:
    ValueError: If there is no equilibrium of this kind, or the game has none
      that a linear program finds.
    NotFoundError: If root finding fails at this temperature.
  """
  # They import SciPy's solvers, for which not every run has a use.
  from mdrl.evaluation import linear_program, quantal_response

  match kind:
    case "nash":
      plans = linear_program.solve(game).plans
      return quantities.Policies(
        t.to_policy(jnp.maximum(jnp.asarray(plan, game.dtype), 0))
        for t, plan in zip(game.treeplexes, plans, strict=True)
      )
    case "qre":
      return quantal_response.equilibrium(game, temperature)
    case "aqre":
      return _agent_equilibrium(game, temperature, say)
    case other:
      raise ValueError(
        f"`kind` must be one of {', '.join(NAMES)}, got {other!r}"
      )


def _agent_equilibrium(game, temperature, say):
  from mdrl.evaluation import quantal_response

  view = behavioral_game.view(game, "q")
  try:
    return quantal_response.equilibrium(view, temperature)
  except quantal_response.NotFoundError:
    say(
      "the branch of equilibria from uniform play turns back above temperature "
      f"{temperature:g}; starting from {_UPDATES:,} updates of magnetic mirror "
      "descent instead"
    )
  solver = behavioral.Behavioral(
    solver=magnetic.MagneticMirrorDescent(
      step_size=_STEP_PER_TEMPERATURE * temperature,
      temperature=temperature,
    ),
    feedback="q",
  )
  advance = run.Advance(solver, game, _UPDATES)
  state = run.init(solver, game)
  # In parts, between which the fast program can take over.
  for _ in range(_PARTS):
    state = advance(state, _UPDATES // _PARTS)
  start = solver.policies(game, state)
  return quantal_response.equilibrium(view, temperature, start=start)


@tiers.quick
def divergence(
  game: tree_game.TreeGame,
  equilibrium: quantities.Policies,
  policies: quantities.Policies,
) -> Float[Array, ""]:
  """Returns the divergence of policies from an equilibrium, in nats.

  That is the sum over players and infostates of KL(equilibrium, policy),
  weighted by the player's own probability of reaching the infostate in the
  equilibrium; infinite where a policy never plays what the equilibrium does.
  """
  duals = profiles.to_duals(game.treeplexes, _ENTROPY, policies)
  return jnp.sum(
    profiles.divergences(game.treeplexes, _ENTROPY, equilibrium, duals)
  )
