"""Counterfactual regret minimisation by regret matching at every infostate.

Zinkevich, Johanson, Bowling & Piccione, "Regret minimization in games with
incomplete information" (2007); Hart & Mas-Colell (2000),
https://doi.org/10.1111/1468-0262.00153, for regret matching. The counterfactual
value of an action is the gain of its sequence plus the values of the infostates
below, so one upward sweep gives all of them.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mdrl import methods, struct
from mdrl.games import base as game_lib
from mdrl.solvers import base as solver_lib
from mdrl.solvers import regret_rules
from mdrl.trees import quantities, sweeps


class RegretState(NamedTuple):
  """The number of updates, the regrets, and the next policies and plans."""

  step: Int[Array, ""]
  regret: tuple[Float[Array, " _"], ...]
  policy: quantities.Policies
  plan: quantities.Plans


@struct.dataclass
class RegretMatching(solver_lib.Solver):
  """Every infostate plays its actions in proportion to their regrets.

  All players move at once. With values counterfactual,

    advantage(I, a) = value of a - value of the policy at I,
    regret = rule(regret, advantage),
    policy(I, .) proportional to max(weights(regret, advantage), 0),

  uniform where no weight is positive. The average of the plans approaches
  equilibrium in two-player zero-sum games.

  Attributes:
    rule: How regrets accumulate: as in CFR, CFR+, linear or discounted CFR, or
      PCFR+.
  """

  rule: regret_rules.RegretRule

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> RegretState:
    """Starts from the policies and no regret."""
    zeros = tuple(jnp.zeros(t.num_slots, game.dtype) for t in game.treeplexes)
    if policies is None:
      policies = game_lib.uniform_policies(game)
    return RegretState(
      methods.zero_step(), zeros, policies, game.plans(policies)
    )

  def update(self, game: game_lib.GameView, state: RegretState) -> RegretState:
    """Updates every player against the plans that were played."""
    step, players = state.step + 1, range(game.num_players)
    gains = game.gains(state.plan)
    moved = [self._respond(game, state, gains[i], step, i) for i in players]
    regrets, policies, plans = zip(*moved, strict=True)
    return RegretState(
      step, regrets, quantities.Policies(policies), quantities.Plans(plans)
    )

  def _respond(self, game, state, gain, step, player):
    """Returns a player's regret, policy and plan after a gain."""
    treeplex = game.treeplexes[player]
    advantage = solver_lib.advantages(treeplex, state.policy[player], gain)
    regret = self.rule.accumulate(
      step.astype(game.dtype), state.regret[player], advantage
    )
    weights = jnp.maximum(self.rule.weights(regret, advantage), 0)
    policy = treeplex.to_policy(weights)
    return regret, policy, sweeps.sweep_down(treeplex, policy)

  def policies(
    self, game: game_lib.GameView, state: RegretState
  ) -> quantities.Policies:
    """Returns the current policies."""
    del game
    return state.policy

  def plans(
    self, game: game_lib.GameView, state: RegretState
  ) -> quantities.Plans:
    """Returns the current plans, which the state holds."""
    del game
    return state.plan


@struct.dataclass
class AlternatingRegretMatching(RegretMatching):
  """Players move in turn, each against the others' latest plans.

  (Tammelin, 2014, for alternation in CFR+; Burch, Moravcik & Schmid, 2019,
  https://arxiv.org/abs/1810.11542, for why averages keep their guarantee.)
  """

  def update(self, game: game_lib.GameView, state: RegretState) -> RegretState:
    """Updates every player once, in order."""
    step = state.step + 1
    for i in range(game.num_players):
      gain = game.gain(state.plan, i)
      regret, policy, plan = self._respond(game, state, gain, step, i)
      state = RegretState(
        state.step,
        (*state.regret[:i], regret, *state.regret[i + 1 :]),
        quantities.replaced(state.policy, i, policy),
        quantities.replaced(state.plan, i, plan),
      )
    return state._replace(step=step)
