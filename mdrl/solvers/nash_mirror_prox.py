"""Nash Mirror Prox.

Tiapkin et al., "Accelerating Nash learning from human feedback via Mirror Prox"
(2025), https://arxiv.org/abs/2505.19731, version 1; version 2 has another title
and another algorithm.
"""

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps
from mdrl.solvers import one_iterate, schedules
from mdrl.trees import quantities


@struct.dataclass
class NashMirrorProx(one_iterate.OneIterate):
  """Two proximal steps from one centre: improve the opponent, then the policy.

  With z the iterate, each player maximises, over its own plans x,

    <gain, x> - temperature * D(x, reference) - D(x, z) / step_size,

  first with the gain at z, which gives the midpoint, and then with the gain at
  the midpoint, which gives the next z. The regulariser is not linearised.

  The paper's eta is `temperature * step_size`, without a unit, and its eta = 2
  beta is a step size of 2 whatever the temperature. In a preference game and
  with steps of at most 2,

    KL(equilibrium, z_k) <= (1 + step_size * temperature)^-k
                            * KL(equilibrium, z_0)

  at every update, for the equilibrium of that temperature. With much larger
  steps the iterates stall away from it. Two gains are evaluated per update.

  Attributes:
    step_size: In units of 1 / utility; a number or a schedule.
    temperature: beta >= 0, in units of utility.
    mirror_map: The potential at each infostate.
  """

  step_size: schedules.Schedule
  temperature: schedules.Schedule
  mirror_map: mirror_maps.MirrorMap = mirror_maps.NegativeEntropy()

  def __post_init__(self):
    checks.positive("step_size", self.step_size)
    checks.between("temperature", self.temperature, 0)

  def next_duals(
    self, game: game_lib.GameView, state: one_iterate.OneIterateState
  ) -> quantities.Duals:
    """Steps along the gains at the midpoint, found by a step before."""
    step_size, temperature = (
      schedules.at(s, state.step, game.dtype)
      for s in (self.step_size, self.temperature)
    )
    anchors = [(1 / step_size, state.dual), (temperature, state.reference)]
    gains = self.gains_at(game, state.dual)
    midpoint = self.prox(game, gains, anchors)
    gains = self.gains_at(game, midpoint)
    return self.prox(game, gains, anchors)
