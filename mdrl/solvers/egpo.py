"""Extragradient preference optimisation (EGPO).

Zhou, Fazel & Du, "Extragradient preference optimization (EGPO): beyond
last-iterate convergence for Nash learning from human feedback" (2025),
https://arxiv.org/abs/2503.08942, in the form with tabular softmax policies,
which was read in the code of the authors' simulations. It is the predictive
update of Cen, Wei & Chi, "Fast policy extragradient methods for competitive
games with entropy regularization" (2021), https://arxiv.org/abs/2105.15186,
with the divergence from a reference in place of the entropy.
"""

from mdrl import struct
from mdrl.games import base as game_lib
from mdrl.solvers import one_iterate, schedules
from mdrl.trees import quantities


@struct.dataclass
class EGPO(one_iterate.OneIterate):
  """Extragradient on logits, with the regulariser linearised.

  With theta the log-policy, b = step_size * temperature and each line up to a
  constant,

    midpoint   = (1 - b) theta + b log ref + step_size * gain(theta)
    next theta = (1 - b) theta + b log ref + step_size * gain(midpoint).

  Nash Mirror Prox is the same with the exact regulariser. In a preference
  game, and with steps of at most 2 (sqrt(1 + temperature^2) - temperature),

    KL(equilibrium, theta_k) <= (1 - b)^k KL(equilibrium, theta_0)

  for the equilibrium of `temperature`. The bound on the step is derived here,
  and may differ from those of the two papers. As advantages are skew, exactly

    KL(equilibrium, next theta) = (1 - b) KL(equilibrium, theta)
        + KL(midpoint, next theta) - (1 - b) KL(midpoint, theta)
        - b KL(midpoint, equilibrium),

  and as they are at most 1/2 in size, Pinsker's inequality bounds
  KL(midpoint, next theta) by (step_size / 2)^2 KL(midpoint, theta). Two gains
  are evaluated per update.

  The authors' simulations state a learning rate `lr` of gradient descent on a
  loss over pairs of n responses. By its exact gradient,
  step_size = 4 lr / (temperature n), which `simulation_step_size` returns.

  Attributes:
    step_size: eta > 0, in units of 1 / utility, at most 1 / temperature.
    temperature: beta >= 0, in units of utility.
  """

  step_size: schedules.Schedule
  temperature: schedules.Schedule

  def __post_init__(self):
    one_iterate.check_explicit(self.step_size, self.temperature)

  def next_duals(
    self, game: game_lib.GameView, state: one_iterate.OneIterateState
  ) -> quantities.Duals:
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
      gains = self.gains_at(game, midpoint)
      midpoint = self.prox(game, gains, anchors)
    return midpoint


def simulation_step_size(
  learning_rate: float, temperature: float, num_responses: int
) -> float:
  """Returns the step size of a learning rate of the authors' simulations."""
  return 4 * learning_rate / (temperature * num_responses)
