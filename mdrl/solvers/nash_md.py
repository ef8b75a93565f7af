"""Nash-MD.

Munos et al., "Nash learning from human feedback" (2024),
https://arxiv.org/abs/2312.00886. Equations 3 to 5 and theorem 1.
"""

from jaxtyping import Array, Float

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps
from mdrl.solvers import one_iterate, schedules
from mdrl.trees import quantities


@struct.dataclass
class NashMD(one_iterate.OneIterate):
  """Mirror descent against a mixture of the policy and the reference.

  The opponent is the mixture of the iterate, with weight 1 - mixture, and the
  reference, geometric with negative entropy. Each player maximises

    <gain at the opponent, x> - temperature * D(x, reference)
        - (1 / step_size - temperature) * D(x, iterate).

  In the paper the mixture is step_size * temperature, so that the opponent is
  also the centre of the step. With the paper's steps, `paper_schedule`, and a
  preference game,

    KL(equilibrium, iterate T) <= 8 / (temperature^2 (T + 1)),

  for the equilibrium of that temperature. A constant mixture b has another
  fixed point: there the *opponent* is the equilibrium of the higher temperature
  `temperature / (1 - b)`. So it is with a constant step size and the paper's
  mixture. With a mixture of 0 the opponent is the policy itself, and the fixed
  point is the equilibrium of `temperature`; `preference_variants` has the
  methods that make this update.

  Attributes:
    step_size: eta > 0, in units of 1 / utility; a number or a schedule, at most
      1 / temperature.
    temperature: tau >= 0, in units of utility.
    mixture: Weight in [0, 1] of the reference in the opponent, or None for
      step_size * temperature; no unit.
    mirror_map: The potential at each infostate.
  """

  step_size: schedules.Schedule
  temperature: schedules.Schedule
  mixture: schedules.Schedule | None = None
  mirror_map: mirror_maps.MirrorMap = mirror_maps.NegativeEntropy()

  def __post_init__(self):
    one_iterate.check_explicit(self.step_size, self.temperature)
    if self.mixture is not None:
      checks.between("mixture", self.mixture, 0, 1)

  def next_duals(
    self, game: game_lib.GameView, state: one_iterate.OneIterateState
  ) -> quantities.Duals:
    """Steps along the gains at the mixture."""
    step_size, temperature = (
      schedules.at(s, state.step, game.dtype)
      for s in (self.step_size, self.temperature)
    )
    mixture = step_size * temperature
    if self.mixture is not None:
      mixture = schedules.at(self.mixture, state.step, game.dtype)
    toward = [(1 - mixture, state.dual), (mixture, state.reference)]
    opponent = self.mix(game, toward)
    gains = self.gains_at(game, opponent)
    anchors = one_iterate.explicit_anchors(
      step_size, temperature, state.dual, state.reference
    )
    return self.prox(game, gains, anchors)


def paper_schedule(
  temperature: float | Float[Array, "..."],
) -> schedules.PowerDecay:
  """Returns the step sizes of theorem 1: `2 / (temperature (step + 2))`."""
  checks.positive("temperature", temperature)
  return schedules.PowerDecay(initial=1 / temperature, power=1.0, delay=2.0)
