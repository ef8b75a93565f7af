"""Best responses, by one sweep with a maximum."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl import tiers
from mdrl.games import base as game_lib
from mdrl.trees import quantities, sweeps


def _choose_best(legal_of):
  def row_fn(q, group):
    legal = legal_of(group)
    masked = q if legal is None else jnp.where(legal, q, -jnp.inf)
    best = jnp.argmax(masked, axis=1)
    choice = jax.nn.one_hot(best, group.width, dtype=q.dtype)
    return jnp.max(masked, axis=1), choice

  return row_fn


@tiers.quick
def values_of_gains(
  game: game_lib.Game, gains: quantities.Gains
) -> tuple[Float[Array, ""], ...]:
  """Returns the greatest utility that each player can earn from its gain."""
  game_lib.check_is_game(game)
  quantities.check("gains", gains, quantities.Gains)
  return tuple(
    sweeps.sweep_up(t, gain, _choose_best(t.legal_rows))[1]
    for t, gain in zip(game.treeplexes, gains, strict=True)
  )


@tiers.quick
def values(game: game_lib.Game, plans: quantities.Plans) -> Float[Array, " N"]:
  """Returns the value of a best response of each player to the others."""
  return jnp.stack(values_of_gains(game, game.gains(plans)))


@tiers.quick
def policies(
  game: game_lib.Game, plans: quantities.Plans
) -> quantities.Policies:
  """Returns a pure best response of each player to the others.

  Of equally good actions, the first is chosen; so it is at infostates that the
  others' plans do not reach.
  """
  game_lib.check_is_game(game)
  return quantities.Policies(
    sweeps.sweep_up(t, gain, _choose_best(t.legal_rows))[0]
    for t, gain in zip(game.treeplexes, game.gains(plans), strict=True)
  )
