"""Iterative Nash policy optimisation (INPO).

Zhang et al., "Iterative Nash policy
optimization: aligning LLMs with general preferences via no-regret learning"
(2025), https://arxiv.org/abs/2407.00617.
"""

from jaxtyping import Array, Float

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import profiles
from mdrl.solvers import base, one_iterate, schedules
from mdrl.trees import quantities


@struct.dataclass
class INPO(one_iterate.OneIterate):
  """Online mirror descent on the regularised game, against itself.

  The exact minimiser of the paper's loss over pairs is, up to a constant,

    log x <- (1 - step_size * temperature) log x
             + step_size * temperature * log ref + step_size * gain.

  The paper's eta is 1 / step_size, an inverse step, and its language models are
  trained at eta = 3 * temperature: a step size of 1 / (3 temperature),
  `published_step_size`. In tables that is too long a step for strongly cyclic
  preferences, where the iterates cycle and never come near the equilibrium of
  `temperature`. They do with steps that are short for the temperature: around
  the uniform policy in hard rock-paper-scissors, below
  2 temperature / (temperature^2 + 1/12).

  Attributes:
    step_size: In units of 1 / utility, at most 1 / temperature.
    temperature: tau >= 0, in units of utility.
  """

  step_size: schedules.Schedule
  temperature: schedules.Schedule

  def __post_init__(self):
    one_iterate.check_explicit(self.step_size, self.temperature)

  def next_duals(
    self, game: game_lib.GameView, state: one_iterate.OneIterateState
  ) -> quantities.Duals:
    """Steps along the gains at the iterate."""
    step_size, temperature = (
      schedules.at(s, state.step, game.dtype)
      for s in (self.step_size, self.temperature)
    )
    gains = base.gains_at(game, self.mirror_map, state.dual)
    anchors = one_iterate.explicit_anchors(
      step_size, temperature, state.dual, state.reference
    )
    return profiles.prox(game.treeplexes, self.mirror_map, gains, anchors)


def published_step_size(
  temperature: float | Float[Array, "..."],
) -> float | Float[Array, "..."]:
  """Returns the step size that the paper's eta of three temperatures means."""
  checks.positive("temperature", temperature)
  return 1 / (3 * temperature)
