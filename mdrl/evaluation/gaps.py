"""How far plans are from equilibrium; utilities in the game's own units."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl import checks
from mdrl.evaluation import best_response
from mdrl.games import base
from mdrl.geometry import dilated, mirror_maps


@jax.jit
def improvements(game: base.Game, plans: base.Plans) -> Float[Array, " N"]:
  """Returns what each player gains by a best response; zero at equilibrium."""
  gains = game.gains(plans)
  best = best_response.values_of_gains(game, gains)
  return jnp.stack(
    [
      value - jnp.vdot(gain, plan)
      for value, gain, plan in zip(best, gains, plans, strict=True)
    ]
  )


@jax.jit
def nash_conv(game: base.Game, plans: base.Plans) -> Float[Array, ""]:
  """Returns NashConv: the sum of the players' improvements.

  (Lanctot et al., 2017, https://arxiv.org/abs/1711.00832, section 2.)
  """
  return jnp.sum(improvements(game, plans))


@jax.jit
def exploitability(game: base.Game, plans: base.Plans) -> Float[Array, ""]:
  """Returns NashConv / N, as OpenSpiel defines it; some papers use the sum."""
  return nash_conv(game, plans) / game.num_players


@jax.jit
def coarse_correlated_gap(
  game: base.Game, gains: base.Gains, values: Float[Array, " N"]
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


@jax.jit
def duality_gap(game: base.Game, plans: base.Plans) -> Float[Array, ""]:
  """Returns max_x u(x, y) - min_y u(x, y) of a two-player zero-sum game.

  Where one policy plays both parts, that is twice its improvement.

  Raises:
    ValueError: If the game is not one.
  """
  if game.symmetric:
    return 2 * nash_conv(game, plans)
  if game.num_players != 2 or not game.zero_sum:
    raise ValueError(
      "`game` must be two-player zero-sum to have a duality gap, got "
      f"{game.num_players} players and zero_sum={game.zero_sum}; use "
      "nash_conv"
    )
  return nash_conv(game, plans)


def regularized_gap(
  game: base.Game,
  policies: base.Policies,
  temperature: Float[Array, ""] | float,
  magnets: base.Policies | None = None,
  mirror_map: mirror_maps.MirrorMap | None = None,
) -> Float[Array, ""]:
  """Returns NashConv of the game less `temperature * D(x, magnet)`.

  It is zero exactly at the regularised equilibrium: with plain dilated negative
  entropy, the logit quantal-response equilibrium of the reduced normal form
  (Ling, Fang & Kolter, 2018, https://arxiv.org/abs/1805.02777).

  Args:
    game: The game.
    policies: The policy of each player.
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
  checks.held("temperature", temperature, game.dtype)
  return _regularized_gap(game, policies, temperature, magnets, mirror_map)


@jax.jit
def _regularized_gap(game, policies, temperature, magnets, mirror_map):
  geometry = mirror_maps.NegativeEntropy() if mirror_map is None else mirror_map
  weight = jnp.asarray(temperature, game.dtype)
  plans = game.plans(policies)
  gains = game.gains(plans)
  total = jnp.zeros((), game.dtype)
  for i, (t, gain) in enumerate(zip(game.treeplexes, gains, strict=True)):
    if magnets is None:
      magnets = game.reference
    if magnets is None:
      anchor = jnp.zeros(t.num_slots, game.dtype)
    else:
      anchor = dilated.to_dual(t, geometry, magnets[i])
    best = dilated.prox(t, geometry, gain, [(weight, anchor)])[1]
    cost = dilated.divergence(t, geometry, policies[i], anchor)
    total += best - (jnp.vdot(gain, plans[i]) - weight * cost)
  return total
