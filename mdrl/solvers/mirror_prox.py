"""Mirror Prox.

Nemirovski, "Prox-method with rate of convergence O(1/t) for variational
inequalities with Lipschitz continuous monotone operators" (2004),
https://doi.org/10.1137/S1052623403425629. With the Euclidean potential it is
the extragradient method of Korpelevich (1976).
"""

from typing import NamedTuple

from jaxtyping import Array, Int

from mdrl import methods, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps
from mdrl.solvers import descent, schedules
from mdrl.trees import quantities


class MirrorProxState(NamedTuple):
  """The number of updates, the centre, and the midpoint, which is played."""

  step: Int[Array, ""]
  center: quantities.Duals
  dual: quantities.Duals


@struct.dataclass
class MirrorProx(descent.Descent):
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

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> MirrorProxState:
    """Starts with the policies as the centre."""
    center = self.first_duals(game, policies)
    step = methods.zero_step()
    midpoint = self._step_from(game, center, center, step)
    return MirrorProxState(step, center, midpoint)

  def _step_from(self, game, center, at, step):
    """Steps from the centre along the gains at another point."""
    anchors = [(self.inverse_step(game, step), center)]
    return self.prox(game, self.gains_at(game, at), anchors)

  def update(
    self, game: game_lib.GameView, state: MirrorProxState
  ) -> MirrorProxState:
    """Moves the centre by the midpoint's gains; finds the next midpoint."""
    step = state.step + 1
    center = self._step_from(game, state.center, state.dual, state.step)
    midpoint = self._step_from(game, center, center, step)
    return MirrorProxState(step, center, midpoint)
