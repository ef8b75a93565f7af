"""The contract of solvers, written once, and what all of them need."""

import abc
from collections.abc import Sequence
import dataclasses
from typing import Any, ClassVar, Generic, TypeVar

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mdrl.games import base, preference_game
from mdrl.geometry import dilated, mirror_maps
from mdrl.solvers import hyper_parameters
from mdrl.trees import sweeps
from mdrl.trees import treeplex as treeplex_lib

# Pairs of a weight, in units of utility, and an iterate of every player.
Anchors = Sequence[tuple[Float[Array, ""], dilated.Duals]]


# The kind of games that a solver takes: all of them, where it does not say.
GameT = TypeVar("GameT", bound=base.Game)


class Solver(abc.ABC, Generic[GameT]):
  """Three pure functions over a frozen pytree of hyper-parameters.

  * A state is a NamedTuple that alone determines the future. Its `step` counts
    updates.
  * `update` returns a state of the same structure and dtypes, does not
    evaluate, and moves all players at once unless the class is called
    alternating.
  * Hyper-parameters are leaves, so `vmap` sweeps over them with one trace.
    Numbers and schedules of the step are both welcome where annotated so.

  Attributes:
    pairwise: Whether it asks which of two responses is preferred, so that it
      runs on preference games alone.
  """

  pairwise: ClassVar[bool] = False

  @abc.abstractmethod
  def init(self, game: GameT, policies: base.Policies | None = None) -> Any:
    """Returns the state before the first update.

    Args:
      game: What is solved.
      policies: Where to start; by default the game's reference, or uniform
        policies where it has none. Geometries whose gradient is infinite at
        the boundary never leave it.
    """

  @abc.abstractmethod
  def update(self, game: GameT, state: Any) -> Any:
    """Returns the state after one more update."""

  @abc.abstractmethod
  def policies(self, game: GameT, state: Any) -> base.Policies:
    """Returns the policies that the next update plays."""

  def plans(self, game: GameT, state: Any) -> base.Plans:
    """Returns the plans of `policies`."""
    return game.plans(self.policies(game, state))

  def check(self, game: Any) -> None:
    """Raises ValueError unless it can run, and on this game."""
    if not isinstance(game, base.Game):
      raise ValueError(
        f"`game` must be a Game, got a {type(game).__name__}; the solver comes "
        "first, then the game"
      )
    hyper_parameters.check(self, game.dtype)
    if is_pairwise(self) and not isinstance(
      game, preference_game.PreferenceGame
    ):
      raise ValueError(
        "`game` must be a PreferenceGame, as the solver asks which of two "
        f"responses is preferred, got a {type(game).__name__}; choose another "
        "solver"
      )

  def check_start(self, game: GameT, policies: base.Policies | None) -> None:
    """Raises ValueError unless policies and reference are those of the game."""
    if game.reference is not None:
      base.check_policies(game, game.reference, "game.reference")
    if policies is not None:
      base.check_policies(game, policies)


def is_pairwise(solver: Solver) -> bool:
  """Returns whether a solver, or one that it runs, takes pairs of responses."""
  parts = dataclasses.fields(solver) if dataclasses.is_dataclass(solver) else ()
  inner = (getattr(solver, part.name) for part in parts)
  return solver.pairwise or any(
    is_pairwise(part) for part in inner if isinstance(part, Solver)
  )


def first_duals(
  game: base.Game,
  mirror_map: mirror_maps.MirrorMap,
  policies: base.Policies | None,
) -> dilated.Duals:
  """Returns where a solver starts, in dual coordinates."""
  if policies is None:
    policies = game.reference
  if policies is None:
    policies = base.uniform_policies(game)
  base.check_policies(game, policies)
  return duals_of_policies(game, mirror_map, policies)


def reference_duals(
  game: base.Game, mirror_map: mirror_maps.MirrorMap
) -> dilated.Duals:
  """Returns the game's reference, or zeros, which are the potential itself."""
  if game.reference is None:
    return tuple(jnp.zeros(t.num_slots, game.dtype) for t in game.treeplexes)
  return duals_of_policies(game, mirror_map, game.reference)


def duals_of_policies(
  game: base.Game,
  mirror_map: mirror_maps.MirrorMap,
  policies: base.Policies,
) -> dilated.Duals:
  """Returns policies in dual coordinates."""
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


def gains_at(
  game: base.Game,
  mirror_map: mirror_maps.MirrorMap,
  duals: dilated.Duals,
) -> base.Gains:
  """Returns everybody's gains where all play these iterates."""
  return game.gains(game.plans(policies_of_duals(game, mirror_map, duals)))


def prox(
  game: base.Game,
  mirror_map: mirror_maps.MirrorMap,
  gains: base.Gains,
  anchors: Anchors,
) -> dilated.Duals:
  """Returns everybody's argmax of `<gain, x> - sum_k weight_k D(x, dual_k)`."""
  return tuple(
    dilated.prox(
      t,
      mirror_map,
      gain,
      [(weight, duals[player]) for weight, duals in anchors],
    )[0]
    for player, (t, gain) in enumerate(zip(game.treeplexes, gains, strict=True))
  )


def mix(
  game: base.Game, mirror_map: mirror_maps.MirrorMap, anchors: Anchors
) -> dilated.Duals:
  """Returns everybody's mixture: nearest to the anchors at each infostate.

  With negative entropy it is geometric: a product of powers, normalised.
  """
  return tuple(
    dilated.mix(
      t,
      mirror_map,
      [(weight, duals[player]) for weight, duals in anchors],
    )
    for player, t in enumerate(game.treeplexes)
  )


def advantages(
  treeplex: treeplex_lib.Treeplex,
  policy: Float[Array, " S"],
  gain: Float[Array, " S"],
) -> Float[Array, " S"]:
  """Returns what each action earns more than the policy at its infostate.

  An action earns its gain, and what the policy goes on to earn below.
  """

  def row_fn(q, group):
    value = jnp.sum(q * group.view(policy), axis=1)
    return value, q - value[:, None]

  return treeplex.mask(sweeps.sweep_up(treeplex, gain, row_fn)[0])


def zero_step() -> Int[Array, ""]:
  """Returns the number of updates before the first."""
  return jnp.zeros((), jnp.result_type(int))
