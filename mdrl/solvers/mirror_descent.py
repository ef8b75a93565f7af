"""Mirror descent on treeplexes.

Nemirovski & Yudin (1983); in the sequence form with dilated potentials, Hoda,
Gilpin, Pena & Sandholm, "Smoothing techniques for computing Nash equilibria of
sequential games" (2010), https://doi.org/10.1287/moor.1100.0452.
"""

from typing import NamedTuple

from jaxtyping import Array, Int

from mdrl import methods, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps
from mdrl.solvers import descent, schedules
from mdrl.trees import quantities


class MirrorDescentState(NamedTuple):
  """The number of updates, and the iterate in dual coordinates."""

  step: Int[Array, ""]
  dual: quantities.Duals


@struct.dataclass
class MirrorDescent(descent.Descent):
  """Steps along the gains, kept short by a divergence.

  All players move at once. Each maximises, over its own plans x,

    <gain, x> - D(x, iterate) / step_size,

  where the gain is taken at the current iterates. The average of the plans
  played approaches equilibrium in two-player zero-sum games; the last iterate
  need not.

  Attributes:
    step_size: eta > 0, in units of 1 / utility; a number or a schedule.
    mirror_map: The potential at each infostate.
  """

  step_size: schedules.Schedule
  mirror_map: mirror_maps.MirrorMap = mirror_maps.NegativeEntropy()

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> MirrorDescentState:
    """Starts from the policies."""
    return MirrorDescentState(
      methods.zero_step(), self.first_duals(game, policies)
    )

  def update(
    self, game: game_lib.GameView, state: MirrorDescentState
  ) -> MirrorDescentState:
    """Makes one step along the gains of the current policies."""
    gains = self.gains_at(game, state.dual)
    anchors = [(self.inverse_step(game, state.step), state.dual)]
    return MirrorDescentState(state.step + 1, self.prox(game, gains, anchors))
