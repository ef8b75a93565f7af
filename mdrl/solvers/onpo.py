"""Optimistic Nash policy optimisation (ONPO).

Zhang et al., "Improving LLM general preference alignment via optimistic online
mirror descent" (2025), https://arxiv.org/abs/2502.16852. Algorithm 1 and
theorems 2 and 3.
"""

from typing import NamedTuple

from jaxtyping import Array, Int

from mdrl import methods, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps
from mdrl.solvers import descent, schedules
from mdrl.trees import quantities


class ONPOState(NamedTuple):
  """The number of updates, the centre, and the iterate played from it."""

  step: Int[Array, ""]
  center: quantities.Duals
  dual: quantities.Duals


@struct.dataclass
class ONPO(descent.Descent):
  """Optimistic mirror descent with two sequences.

  With z the centre, r the gain at the iterate x that was played,

    next z = argmax <r, y> - D(y, z) / step_size
    next x = argmax <r, y> - D(y, next z) / step_size,

  that is, r also predicts the next gain. With negative entropy the iterates are
  those of `optimistic.OptimisticMirrorDescent`; with the Euclidean potential
  the two differ where a projection is active. The average approaches the
  minimax winner at O(1 / updates), and so does the last iterate, at a linear
  rate, where the equilibrium is unique and the step at most 1/8. One gain is
  evaluated per update; there is no reference.

  Attributes:
    step_size: eta > 0, in units of 1 / utility.
    mirror_map: The potential at each infostate.
  """

  step_size: schedules.Schedule
  mirror_map: mirror_maps.MirrorMap = mirror_maps.NegativeEntropy()

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> ONPOState:
    """Starts with the policies as centre and iterate."""
    duals = self.first_duals(game, policies)
    return ONPOState(methods.zero_step(), duals, duals)

  def update(self, game: game_lib.GameView, state: ONPOState) -> ONPOState:
    """Moves the centre by the gains, and plays where they would lead again."""
    weight = self.inverse_step(game, state.step)
    gains = self.gains_at(game, state.dual)
    center = self.prox(game, gains, [(weight, state.center)])
    duals = self.prox(game, gains, [(weight, center)])
    return ONPOState(state.step + 1, center, duals)
