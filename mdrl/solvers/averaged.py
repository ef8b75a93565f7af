"""Averages of iterates, taken on plans.

The average of plans has the guarantees of regret bounds; the average of
behavioural policies is another policy, without them.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.solvers import average_play, schedules
from mdrl.solvers import base as solver_lib
from mdrl.trees import quantities


class AveragedState(NamedTuple):
  """The solver's state, and the average of the plans it has played."""

  step: Int[Array, ""]
  inner: Any
  weight: Float[Array, ""]
  plan: quantities.Plans


@struct.dataclass
class Averaged(average_play.AveragePlay):
  """Runs a solver and returns the average of the plans that it played.

  After T updates, the average is over the plans played in updates 1 to T with
  weights t^power; before the first update it is the solver's initial plan.

  Attributes:
    solver: The solver whose plans are averaged.
    power: 0 is uniform, 1 linear, 2 quadratic; no unit.
  """

  solver: solver_lib.Solver
  power: float | Float[Array, "..."] = 0.0

  def __post_init__(self):
    checks.between("power", self.power, 0)

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> AveragedState:
    """Starts the solver; nothing has been played."""
    inner = self.solver.init(game, policies)
    plans = self.solver.plans(game, inner)
    weight = jnp.zeros((), game.dtype)
    return AveragedState(inner.step, inner, weight, plans)

  def update(
    self, game: game_lib.GameView, state: AveragedState
  ) -> AveragedState:
    """Averages what is played now, and updates the solver."""
    inner = self.solver.update(game, state.inner)
    played = self.solver.plans(game, state.inner)
    power = schedules.number(self.power, game.dtype)
    # Relative to the latest weight, so that no power of the step overflows.
    count = inner.step.astype(game.dtype)
    weight = 1 + state.weight * ((count - 1) / count) ** power
    plans = average_play.toward(state.plan, played, weight)
    return AveragedState(inner.step, inner, weight, plans)

  def last_policies(
    self, game: game_lib.GameView, state: AveragedState
  ) -> quantities.Policies:
    """Returns the policies of the solver's last iterate."""
    return self.solver.last_policies(game, state.inner)
