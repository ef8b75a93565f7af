"""Time-averaged gains and values, for coarse-correlated gaps.

The joint play of all updates, each with equal weight, is a correlated strategy.
Its coarse-correlated gap is the largest regret of a player over the number of
updates, and no-regret solvers drive it to zero in any game (Hannan, 1957;
Moulin & Vial, 1978).
"""

from typing import Any, ClassVar, NamedTuple

import jax
from jaxtyping import Array, Float, Int

from mdrl import struct
from mdrl.games import base as game_lib
from mdrl.solvers import base as solver_lib
from mdrl.trees import quantities


class TimeAveragedState(NamedTuple):
  """The solver's state, and the mean gains and values of what was played."""

  step: Int[Array, ""]
  inner: Any
  gain: quantities.Gains
  value: Float[Array, " N"]


@struct.dataclass
class TimeAveraged(solver_lib.Solver):
  """Runs a solver and keeps the mean gains and values of its play.

  Policies and plans are those of the solver: what is averaged here is what
  `gaps.coarse_correlated_gap` needs, not a policy. One more gain is evaluated
  per update.

  Attributes:
    solver: The solver whose play is averaged.
  """

  averages: ClassVar[bool] = True

  solver: solver_lib.Solver

  def init(
    self, game: game_lib.Game, policies: quantities.Policies | None = None
  ) -> TimeAveragedState:
    """Starts the solver; nothing has been played.

    Raises:
      ValueError: If the game is a view, whose gains belong to no values: wrap
        the solver that makes the view, as in
        `TimeAveraged(solver=Behavioral(...))`.
    """
    game_lib.check_is_game(game)
    inner = self.solver.init(game, policies)
    plans = self.solver.plans(game, inner)
    return TimeAveragedState(
      inner.step, inner, game.gains(plans), game.values(plans)
    )

  def update(
    self, game: game_lib.Game, state: TimeAveragedState
  ) -> TimeAveragedState:
    """Averages what is played now, and updates the solver."""
    played = self.solver.plans(game, state.inner)
    inner = self.solver.update(game, state.inner)
    count = inner.step.astype(game.dtype)
    gain, value = jax.tree.map(
      lambda mean, new: mean + (new - mean) / count,
      (state.gain, state.value),
      (game.gains(played), game.values(played)),
    )
    return TimeAveragedState(inner.step, inner, gain, value)

  def policies(
    self, game: game_lib.Game, state: TimeAveragedState
  ) -> quantities.Policies:
    """Returns the solver's policies."""
    return self.solver.policies(game, state.inner)

  def last_policies(
    self, game: game_lib.GameView, state: TimeAveragedState
  ) -> quantities.Policies:
    """Returns the policies that the solver plays next."""
    return self.solver.last_policies(game, state.inner)

  def plans(
    self, game: game_lib.Game, state: TimeAveragedState
  ) -> quantities.Plans:
    """Returns the solver's plans."""
    return self.solver.plans(game, state.inner)
