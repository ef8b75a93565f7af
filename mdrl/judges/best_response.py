"""Exact best responses to a fixed policy of a compiled game."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl import tiers
from mdrl.evaluation import best_response
from mdrl.games import base as game_lib
from mdrl.trees import quantities


class Judgement(NamedTuple):
  """How far a policy is from a best response, seat by seat.

  Attributes:
    values: What each player gets if all play the policy, in units of utility.
    best: What each player gets by a best response to the others.
    gains: What each player gains by it; zero for all at equilibrium.
    nash_conv: The sum of the gains.
    exploitability: Their mean.
    responses: A best response of each player, a pure policy.
  """

  values: Float[Array, " N"]
  best: Float[Array, " N"]
  gains: Float[Array, " N"]
  nash_conv: Float[Array, ""]
  exploitability: Float[Array, ""]
  responses: quantities.Policies


@tiers.quick
def judge(game: game_lib.Game, policies: quantities.Policies) -> Judgement:
  """Returns the exact best responses to a policy, and what they earn.

  Args:
    game: A compiled game, each of whose players has a policy of its own.
    policies: The policy of each player. `policies.to_policies` makes them of a
      network.

  Raises:
    ValueError: If the game is symmetric, so that one policy plays both seats.
  """
  game_lib.check_is_game(game)
  quantities.check("policies", policies, quantities.Policies)
  if game.symmetric:
    raise ValueError(
      "`game` must have a policy for each player, got a symmetric one; "
      "evaluation.exploitability measures those"
    )
  plans = game.plans(policies)
  values, best = game.values(plans), best_response.values(game, plans)
  gains = best - values
  return Judgement(
    values=values,
    best=best,
    gains=gains,
    nash_conv=jnp.sum(gains),
    exploitability=jnp.mean(gains),
    responses=best_response.policies(game, plans),
  )
