"""Accelerated preference optimisation (APO).

He, Yuan & Gu, "Accelerated preference optimization for large language model
alignment" (2024), https://arxiv.org/abs/2410.06293. The paper says that it adds
Nesterov's momentum to proximal steps. Which quantity is extrapolated is derived
here and was not compared with the paper's equations: it is log-policies, the
dual coordinates of the step, in which the extrapolation of the accelerated
proximal-point method (Güler, 1992, https://doi.org/10.1137/0802032) is again a
policy. The momentum is constant, where Güler's grows with the step.
"""

from typing import NamedTuple

from jaxtyping import Array, Float, Int

from mdrl import checks, methods, struct
from mdrl.games import base as game_lib
from mdrl.solvers import descent, schedules
from mdrl.trees import quantities


class APOState(NamedTuple):
  """The number of updates, the iterate, and the end of the last step."""

  step: Int[Array, ""]
  dual: quantities.Duals
  stepped: quantities.Duals


@struct.dataclass
class APO(descent.Descent):
  """Nesterov's extrapolation of log-policies after each proximal step.

  With each line up to a constant,

    stepped    = log x + step_size * gain(x)
    next log x = stepped + momentum * (stepped - previous stepped).

  Where the gain does not change, as with a reward, T updates add

    step_size * gain / (1 - momentum)
        * (T - momentum^2 (1 - momentum^T) / (1 - momentum))

  to the log-policy: in the long run momentum has the effect of a step size of
  step_size / (1 - momentum), and no more. There is no reference.

  Attributes:
    step_size: In units of 1 / utility.
    momentum: alpha in [0, 1); 0 is mirror descent.
  """

  step_size: schedules.Schedule
  momentum: float | Float[Array, "..."] = 0.3

  def __post_init__(self):
    super().__post_init__()
    checks.between("momentum", self.momentum, 0, 1)
    checks.differs("momentum", self.momentum, 1, "steps would never end")

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> APOState:
    """Starts at the policies, which must be positive, without momentum."""
    duals = self.first_duals(game, policies)
    return APOState(methods.zero_step(), duals, duals)

  def update(self, game: game_lib.GameView, state: APOState) -> APOState:
    """Steps along the gains, then extrapolates from the previous step."""
    weight = self.inverse_step(game, state.step)
    momentum = schedules.at(self.momentum, state.step, game.dtype)
    gains = self.gains_at(game, state.dual)
    stepped = self.prox(game, gains, [(weight, state.dual)])
    toward = [(1 + momentum, stepped), (-momentum, state.stepped)]
    duals = self.mix(game, toward)
    return APOState(state.step + 1, duals, stepped)
