"""Solvers whose result is an average of the plans that were played."""

import jax
from jaxtyping import Array, Float

from mdrl.games import base as game_lib
from mdrl.solvers import base


class AveragePlay(base.Solver[base.GameT]):
  """A solver whose state holds the average in a field called `plan`."""

  def policies(self, game: base.GameT, state) -> game_lib.Policies:
    """Returns the policies of the average plans."""
    return tuple(
      t.to_policy(plan)
      for t, plan in zip(game.treeplexes, state.plan, strict=True)
    )

  def plans(self, game: base.GameT, state) -> game_lib.Plans:
    """Returns the average plans."""
    del game
    return state.plan


def toward(
  mean: game_lib.Plans, played: game_lib.Plans, weight: Float[Array, ""]
) -> game_lib.Plans:
  """Returns a mean with one more plan in it, which counts for 1 / weight."""
  return jax.tree.map(
    lambda old, plan: old + (plan - old) / weight, mean, played
  )
