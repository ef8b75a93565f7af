"""Extragradient preference optimisation (EGPO).

Zhou, Fazel & Du, "Extragradient preference optimization (EGPO): beyond
last-iterate convergence for Nash learning from human feedback" (2025),
https://arxiv.org/abs/2503.08942, in the form with tabular softmax policies.
"""

from mdrl import struct
from mdrl.games import base as game_lib
from mdrl.geometry import dilated
from mdrl.solvers import base, one_iterate, schedules


@struct.dataclass
class EGPO(one_iterate.OneIterate):
  """Extragradient on logits, with the regulariser linearised.

  With theta the log-policy, b = step_size * temperature and each line up to a
  constant,

    midpoint   = (1 - b) theta + b log ref + step_size * gain(theta)
    next theta = (1 - b) theta + b log ref + step_size * gain(midpoint).

  Nash Mirror Prox is the same with the regulariser as it is. The last iterate
  approaches the equilibrium of `temperature` at a linear rate for small steps;
  the paper's constants could not be confirmed, and steps up to 1 converged
  wherever this library tried them. Two gains are evaluated per update.

  The authors' simulations give a learning rate `lr` of gradient descent on a
  loss over pairs of n responses, whose exact gradient makes it
  step_size = 4 lr / (temperature n); `simulation_step_size` converts.

  Attributes:
    step_size: eta > 0, in units of 1 / utility, at most 1 / temperature.
    temperature: beta >= 0, in units of utility.
  """

  step_size: schedules.Schedule
  temperature: schedules.Schedule

  def __post_init__(self):
    one_iterate.check_explicit(self.step_size, self.temperature)

  def next_duals(
    self, game: game_lib.Game, state: one_iterate.OneIterateState
  ) -> dilated.Duals:
    """Steps along the gains at the midpoint, found by a step before."""
    step_size, temperature = (
      schedules.at(s, state.step, game.dtype)
      for s in (self.step_size, self.temperature)
    )
    anchors = one_iterate.explicit_anchors(
      step_size, temperature, state.dual, state.reference
    )
    midpoint = state.dual
    for _ in range(2):
      gains = base.gains_at(game, self.mirror_map, midpoint)
      midpoint = base.prox(game, self.mirror_map, gains, anchors)
    return midpoint


def simulation_step_size(
  learning_rate: float, temperature: float, num_responses: int
) -> float:
  """Returns the step size of a learning rate of the authors' simulations."""
  return 4 * learning_rate / (temperature * num_responses)
