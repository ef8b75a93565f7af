"""How far plans are from equilibrium; utilities in the game's own units.

A symmetric game, whose one policy plays both parts, counts as its two players:
NashConv is twice the improvement of the policy, exploitability the improvement
itself, and gaps are those of the two-player game.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl import checks, tiers
from mdrl.evaluation import best_response
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps, profiles
from mdrl.trees import quantities


@tiers.quick
def improvements(
  game: game_lib.Game, plans: quantities.Plans
) -> Float[Array, " N"]:
  """Returns what each player gains by a best response; zero at equilibrium.

  One number for each policy, so that a symmetric game has one.
  """
  game_lib.check_is_game(game)
  gains = game.gains(plans)
  best = best_response.values_of_gains(game, gains)
  return jnp.stack(
    [
      value - jnp.vdot(gain, plan)
      for value, gain, plan in zip(best, gains, plans, strict=True)
    ]
  )


@tiers.quick
def nash_conv(game: game_lib.Game, plans: quantities.Plans) -> Float[Array, ""]:
  """Returns NashConv: the sum of the players' improvements.

  (Lanctot et al., 2017, https://arxiv.org/abs/1711.00832, section 2.)
  """
  return _num_parts(game) * jnp.sum(improvements(game, plans))


def _num_parts(game):
  """How many players each policy plays for."""
  return 2 if game.symmetric else 1


@tiers.quick
def exploitability(
  game: game_lib.Game, plans: quantities.Plans
) -> Float[Array, ""]:
  """Returns NashConv / N, as OpenSpiel defines it; some papers use the sum."""
  return nash_conv(game, plans) / (_num_parts(game) * game.num_players)


@tiers.quick
def coarse_correlated_gap(
  game: game_lib.Game, gains: quantities.Gains, values: Float[Array, " N"]
) -> Float[Array, ""]:
  """Returns how far joint play is from a coarse correlated equilibrium.

  The most that a player earns by leaving the joint play for one plan of its
  own, before it learns what it is to play; zero or negative at equilibrium.

  Args:
    game: The game.
    gains: Mean gain of each player over the joint play, such as those of
      `time_averaged.TimeAveraged`.
    values: Mean utility of each player over it.
  """
  best = best_response.values_of_gains(game, gains)
  return jnp.max(jnp.stack(best) - values)


@tiers.quick
def duality_gap(
  game: game_lib.Game, plans: quantities.Plans
) -> Float[Array, ""]:
  """Returns max_x u(x, y) - min_y u(x, y) of a two-player zero-sum game.

  Raises:
    ValueError: If the game is not one.
  """
  game_lib.check_is_game(game)
  num_players = _num_parts(game) * game.num_players
  if num_players != 2 or not game.zero_sum:
    raise ValueError(
      "`game` must be two-player zero-sum to have a duality gap, got "
      f"{num_players} players and zero_sum={game.zero_sum}; use "
      "nash_conv"
    )
  return nash_conv(game, plans)


def regularized_gap(
  game: game_lib.Game,
  plans: quantities.Plans,
  temperature: Float[Array, ""] | float,
  magnets: quantities.Policies | None = None,
  mirror_map: mirror_maps.MirrorMap | None = None,
) -> Float[Array, ""]:
  """Returns NashConv of the game less `temperature * D(x, magnet)`.

  It is zero exactly at the regularised equilibrium: with plain dilated negative
  entropy, the logit quantal-response equilibrium of the reduced normal form
  (Ling, Fang & Kolter, 2018, https://arxiv.org/abs/1805.02777). In two-player
  zero-sum games it is the duality gap of the regularised game.

  Args:
    game: The game.
    plans: The plan of each player.
    temperature: Weight of the regulariser, positive, in units of utility.
    magnets: Policies that the divergence is taken from; by default the game's
      reference or, where it has none, the potential itself, which differs from
      uniform policies on a tree.
    mirror_map: The potential at each infostate; by default negative entropy.

  Returns:
    The sum over players of what a regularised best response gains.

  Raises:
    ValueError: If the temperature is no positive number of the game's dtype.
  """
  game_lib.check_is_game(game)
  checks.held("temperature", temperature, game.dtype)
  return _regularized_gap(game, plans, temperature, magnets, mirror_map)


@tiers.quick
def _regularized_gap(game, plans, temperature, magnets, mirror_map):
  geometry = mirror_maps.NegativeEntropy() if mirror_map is None else mirror_map
  weight = jnp.asarray(temperature).astype(game.dtype)
  gains = game.gains(plans)
  anchors = profiles.to_duals(
    game.treeplexes, geometry, game.reference if magnets is None else magnets
  )
  best = profiles.prox_values(
    game.treeplexes, geometry, gains, [(weight, anchors)]
  )[1]
  costs = profiles.divergences(
    game.treeplexes, geometry, game_lib.policies_of_plans(game, plans), anchors
  )
  earned = jnp.stack(
    [jnp.vdot(gain, plan) for gain, plan in zip(gains, plans, strict=True)]
  )
  return _num_parts(game) * jnp.sum(best - (earned - weight * costs))
