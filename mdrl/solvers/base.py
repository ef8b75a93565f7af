"""The contract of solvers, written once."""

import abc
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Int

from mdrl.games import base
from mdrl.geometry import dilated, mirror_maps


class Solver(abc.ABC):
  """Three pure functions over a frozen pytree of hyper-parameters.

  * A state is a NamedTuple that alone determines the future. Its `step` counts
    updates.
  * `update` returns a state of the same structure and dtypes, does not
    evaluate, and moves all players at once unless the class is called
    alternating.
  * Hyper-parameters are leaves, so `vmap` sweeps over them with one trace.
    Numbers and schedules of the step are both welcome where annotated so.
  """

  @abc.abstractmethod
  def init(
      self, game: base.Game, policies: base.Policies | None = None
  ) -> Any:
    """Returns the state before the first update.

    Args:
      game: What is solved.
      policies: Where to start; uniform policies by default. Geometries whose
        gradient is infinite at the boundary never leave it.
    """

  @abc.abstractmethod
  def update(self, game: base.Game, state: Any) -> Any:
    """Returns the state after one more update."""

  @abc.abstractmethod
  def policies(self, game: base.Game, state: Any) -> base.Policies:
    """Returns the policies that the next update plays."""

  def plans(self, game: base.Game, state: Any) -> base.Plans:
    """Returns the plans of `policies`."""
    return game.plans(self.policies(game, state))


def first_duals(
    game: base.Game,
    mirror_map: mirror_maps.MirrorMap,
    policies: base.Policies | None,
) -> dilated.Duals:
  """Returns policies, uniform ones if None, in dual coordinates."""
  if policies is None:
    policies = base.uniform_policies(game)
  return tuple(
      dilated.to_dual(t, mirror_map, policy)
      for t, policy in zip(game.treeplexes, policies, strict=True)
  )


def policies_of_duals(
    game: base.Game,
    mirror_map: mirror_maps.MirrorMap,
    duals: dilated.Duals,
) -> base.Policies:
  """Returns the policies of iterates in dual coordinates."""
  return tuple(
      dilated.to_policy(t, mirror_map, dual)
      for t, dual in zip(game.treeplexes, duals, strict=True)
  )


def zero_step() -> Int[Array, ""]:
  """Returns the number of updates before the first."""
  return jnp.zeros((), jnp.result_type(int))
