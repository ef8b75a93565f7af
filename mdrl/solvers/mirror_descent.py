"""Mirror descent on treeplexes.

Nemirovski & Yudin (1983); in the sequence form with dilated potentials, Hoda,
Gilpin, Pena & Sandholm, "Smoothing techniques for computing Nash equilibria of
sequential games" (2010), https://doi.org/10.1287/moor.1100.0452.
"""

from typing import NamedTuple

from jaxtyping import Array, Int

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps, profiles
from mdrl.solvers import base, schedules
from mdrl.trees import quantities


class MirrorDescentState(NamedTuple):
  """The number of updates, and the iterate in dual coordinates."""

  step: Int[Array, ""]
  dual: quantities.Duals


@struct.dataclass
class MirrorDescent(base.Solver):
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

  def __post_init__(self):
    checks.positive("step_size", self.step_size)

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> MirrorDescentState:
    """Starts from the policies."""
    duals = base.first_duals(game, self.mirror_map, policies)
    return MirrorDescentState(base.zero_step(), duals)

  def update(
    self, game: game_lib.GameView, state: MirrorDescentState
  ) -> MirrorDescentState:
    """Makes one step along the gains of the current policies."""
    weight = 1 / schedules.at(self.step_size, state.step, game.dtype)
    gains = base.gains_at(game, self.mirror_map, state.dual)
    duals = profiles.prox(
      game.treeplexes, self.mirror_map, gains, [(weight, state.dual)]
    )
    return MirrorDescentState(state.step + 1, duals)

  def policies(
    self, game: game_lib.GameView, state: MirrorDescentState
  ) -> quantities.Policies:
    """Returns the current policies."""
    return profiles.to_policies(game.treeplexes, self.mirror_map, state.dual)
