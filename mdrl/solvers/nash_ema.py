"""Nash-EMA.

Munos et al., "Nash learning from human feedback" (2024),
https://arxiv.org/abs/2312.00886. Appendix F.3, in tables, where
the parameters that are averaged are dual coordinates: logits.
"""

from typing import NamedTuple

from jaxtyping import Array, Float, Int

from mdrl import checks, methods, struct
from mdrl.games import base as game_lib
from mdrl.solvers import descent, one_iterate, schedules
from mdrl.trees import quantities


class NashEMAState(NamedTuple):
  """The number of updates, the iterate, its average and the reference."""

  step: Int[Array, ""]
  dual: quantities.Duals
  average: quantities.Duals
  reference: quantities.Duals


@struct.dataclass
class NashEMA(descent.Descent):
  """Mirror descent against an exponential moving average of past logits.

  With log x the log-policy and m the log-policy of the average,

    log x <- log x + step_size * (gain at m - temperature * (log x - log ref))
    m     <- decay * m + (1 - decay) * log x,

  each up to a constant. It approximates fictitious play, which averages
  policies. A fixed point has m = log x, and is therefore the equilibrium of
  `temperature`. The paper prints the first parameters in place of the previous
  average, which agrees for one update; implemented here is the recursion that
  its text describes. There is no guarantee of convergence.

  Attributes:
    step_size: In units of 1 / utility, at most 1 / temperature.
    temperature: tau >= 0, in units of utility.
    decay: Weight in [0, 1) of the previous average in the next one; with 0 the
      opponent is the latest policy.
  """

  step_size: schedules.Schedule
  temperature: schedules.Schedule
  decay: float | Float[Array, "..."] = 0.9

  def __post_init__(self):
    one_iterate.check_explicit(self.step_size, self.temperature)
    checks.between("decay", self.decay, 0, 1)
    checks.differs("decay", self.decay, 1, "the average would never move")

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> NashEMAState:
    """Starts from the policies, which are also the first average."""
    duals = self.first_duals(game, policies)
    reference = self.reference_duals(game)
    return NashEMAState(methods.zero_step(), duals, duals, reference)

  def update(
    self, game: game_lib.GameView, state: NashEMAState
  ) -> NashEMAState:
    """Steps along the gains at the average, and moves the average."""
    step_size, temperature, decay = (
      schedules.at(s, state.step, game.dtype)
      for s in (self.step_size, self.temperature, self.decay)
    )
    gains = self.gains_at(game, state.average)
    anchors = one_iterate.explicit_anchors(
      step_size, temperature, state.dual, state.reference
    )
    duals = self.prox(game, gains, anchors)
    toward = [(decay, state.average), (1 - decay, duals)]
    average = self.mix(game, toward)
    return NashEMAState(state.step + 1, duals, average, state.reference)
