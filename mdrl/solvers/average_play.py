"""Solvers whose result is an average of the plans that were played."""

import abc
from typing import ClassVar

import jax
from jaxtyping import Array, Float

from mdrl.solvers import base as solver_lib
from mdrl.trees import quantities


class AveragePlay(solver_lib.Solver[solver_lib.GameT]):
  """A solver whose state holds the average in a field called `plan`."""

  averages: ClassVar[bool] = True

  @abc.abstractmethod
  def last_policies(self, game: solver_lib.GameT, state) -> quantities.Policies:
    """Returns the policies that the next update plays."""

  def policies(self, game: solver_lib.GameT, state) -> quantities.Policies:
    """Returns the policies of the average plans."""
    return quantities.Policies(
      t.to_policy(plan)
      for t, plan in zip(game.treeplexes, state.plan, strict=True)
    )

  def plans(self, game: solver_lib.GameT, state) -> quantities.Plans:
    """Returns the average plans."""
    del game
    return state.plan


def toward(
  mean: quantities.Plans, played: quantities.Plans, weight: Float[Array, ""]
) -> quantities.Plans:
  """Returns a mean with one more plan in it, which counts for 1 / weight."""
  return jax.tree.map(
    lambda old, plan: old + (plan - old) / weight, mean, played
  )
