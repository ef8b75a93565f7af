"""Mirror Prox.

Nemirovski, "Prox-method with rate of convergence O(1/t) for variational
inequalities with Lipschitz continuous monotone operators" (2004),
https://doi.org/10.1137/S1052623403425629. With the Euclidean potential it is
the extragradient method of Korpelevich (1976).
"""

from typing import NamedTuple

from jaxtyping import Array, Int

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps, profiles
from mdrl.solvers import base, schedules
from mdrl.trees import quantities


class MirrorProxState(NamedTuple):
  """The number of updates, the centre, and the midpoint played from it."""

  step: Int[Array, ""]
  center: quantities.Duals
  midpoint: quantities.Duals


@struct.dataclass
class MirrorProx(base.Solver):
  """Steps from a centre, along the gains at a midpoint found from it.

  With z the centre, all players move at once:

    midpoint = argmax <gain(z), x> - D(x, z) / step_size,
    next z   = argmax <gain(midpoint), x> - D(x, z) / step_size.

  The midpoints are what is played: their average has a duality gap of
  O(1 / updates) in two-player zero-sum games where the step size is at most the
  inverse of the operator's Lipschitz constant. Two gains are evaluated per
  update.

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
  ) -> MirrorProxState:
    """Starts with the policies as the centre."""
    center = base.first_duals(game, self.mirror_map, policies)
    step = base.zero_step()
    midpoint = self._from(game, center, center, step)
    return MirrorProxState(step, center, midpoint)

  def _from(self, game, center, at, step):
    """Steps from the centre along the gains at another point."""
    weight = 1 / schedules.at(self.step_size, step, game.dtype)
    gains = base.gains_at(game, self.mirror_map, at)
    return profiles.prox(
      game.treeplexes, self.mirror_map, gains, [(weight, center)]
    )

  def update(
    self, game: game_lib.GameView, state: MirrorProxState
  ) -> MirrorProxState:
    """Moves the centre by the midpoint's gains; finds the next midpoint."""
    step = state.step + 1
    center = self._from(game, state.center, state.midpoint, state.step)
    midpoint = self._from(game, center, center, step)
    return MirrorProxState(step, center, midpoint)

  def policies(
    self, game: game_lib.GameView, state: MirrorProxState
  ) -> quantities.Policies:
    """Returns the midpoint."""
    return profiles.to_policies(
      game.treeplexes, self.mirror_map, state.midpoint
    )
