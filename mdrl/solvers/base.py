"""The contract of solvers, and functions that most of them need."""

import abc
from collections.abc import Iterator
import dataclasses
from typing import Any, ClassVar, Generic, TypeVar

from jaxtyping import Array, Float

from mdrl.games import base as game_lib
from mdrl.games import preference_game
from mdrl.geometry import mirror_maps, profiles
from mdrl.solvers import hyper_parameters
from mdrl.trees import quantities, sums, sweeps
from mdrl.trees import treeplex as treeplex_lib

# The kind of games that a solver takes: all of them, where it does not say.
GameT = TypeVar("GameT", bound=game_lib.GameView)


class Solver(abc.ABC, Generic[GameT]):
  """Pure functions over a frozen pytree of hyper-parameters.

  * A state is a NamedTuple that alone determines the future. Its `step` counts
    updates.
  * `update` returns a state of the same structure and dtypes, does not
    evaluate, and moves all players at once unless the class is called
    alternating.
  * Hyper-parameters are leaves, so `vmap` sweeps over them with one trace. The
    annotation `schedules.Schedule` allows a number or a function of the step.
  * A solver that runs another one has it in a field, and its state in the field
    `inner`.

  Attributes:
    pairwise: Whether the solver compares pairs of responses, so that it runs on
      preference games alone.
    averages: Whether the state holds an average over updates.
  """

  pairwise: ClassVar[bool] = False
  averages: ClassVar[bool] = False

  @abc.abstractmethod
  def init(
    self, game: GameT, policies: quantities.Policies | None = None
  ) -> Any:
    """Returns the state before the first update.

    Args:
      game: The game to solve.
      policies: Where to start; by default the game's reference, or uniform
        policies where it has none. A mirror map whose gradient is infinite at
        the boundary keeps probabilities of zero at zero.
    """

  @abc.abstractmethod
  def update(self, game: GameT, state: Any) -> Any:
    """Returns the state after one more update."""

  @abc.abstractmethod
  def policies(self, game: GameT, state: Any) -> quantities.Policies:
    """Returns the result: what the next update plays, or an average of play."""

  def last_policies(self, game: GameT, state: Any) -> quantities.Policies:
    """Returns what the next update plays, even if the result is an average."""
    return self.policies(game, state)

  def plans(self, game: GameT, state: Any) -> quantities.Plans:
    """Returns the plans of `policies`."""
    return game.plans(self.policies(game, state))

  def check(self, game: Any) -> None:
    """Raises ValueError unless it can run, and on this game."""
    game_lib.check_is_game(game)
    hyper_parameters.check(self, game.dtype)
    if is_pairwise(self) and not isinstance(
      game, preference_game.PreferenceGame
    ):
      raise ValueError(
        "`game` must be a PreferenceGame, as the solver asks which of two "
        f"responses is preferred, got a {type(game).__name__}; choose another "
        "solver"
      )

  def check_start(
    self, game: GameT, policies: quantities.Policies | None
  ) -> None:
    """Raises ValueError unless policies and reference are those of the game."""
    if game.reference is not None:
      game_lib.check_policies(game, game.reference, "game.reference")
    if policies is not None:
      game_lib.check_policies(game, policies)


def is_pairwise(solver: Solver) -> bool:
  """Returns whether a solver, or one that it runs, compares pairs."""
  return any(part.pairwise for part in with_inner_solvers(solver))


def with_inner_solvers(solver: Solver) -> Iterator[Solver]:
  """Yields a solver and, recursively, the solvers that it runs."""
  yield solver
  if dataclasses.is_dataclass(solver):
    for field in dataclasses.fields(solver):
      part = getattr(solver, field.name)
      if isinstance(part, Solver):
        yield from with_inner_solvers(part)


def first_duals(
  game: game_lib.GameView,
  mirror_map: mirror_maps.MirrorMap,
  policies: quantities.Policies | None,
) -> quantities.Duals:
  """Returns where a solver starts, in dual coordinates."""
  if policies is None:
    policies = game.reference
  if policies is None:
    policies = game_lib.uniform_policies(game)
  game_lib.check_policies(game, policies)
  return profiles.to_duals(game.treeplexes, mirror_map, policies)


def gains_at(
  game: game_lib.GameView,
  mirror_map: mirror_maps.MirrorMap,
  duals: quantities.Duals,
) -> quantities.Gains:
  """Returns everybody's gains where all play these iterates."""
  policies = profiles.to_policies(game.treeplexes, mirror_map, duals)
  return game.gains(game.plans(policies))


def advantages(
  treeplex: treeplex_lib.Treeplex,
  policy: Float[Array, " S"],
  gain: Float[Array, " S"],
) -> Float[Array, " S"]:
  """Returns the advantage of each action over the policy at its infostate.

  The value of an action is its gain plus the policy's values at the infostates
  that may follow.
  """

  def row_fn(q, group):
    value = sums.total(q * group.view(policy), 1)
    return value, q - value[:, None]

  return treeplex.mask(sweeps.sweep_up(treeplex, gain, row_fn)[0])
