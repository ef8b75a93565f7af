"""Identity preference optimisation (IPO), offline and iterated.

Gheshlaghi Azar et al., "A general theoretical paradigm to understand learning
from human preferences" (2024), https://arxiv.org/abs/2310.12036; iterated,
Calandriello et al., "Human alignment of large language models through online
preference optimisation" (2024), https://arxiv.org/abs/2403.08635.
"""

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import profiles
from mdrl.solvers import base, one_iterate, schedules
from mdrl.trees import quantities


@struct.dataclass
class IterativeIPO(one_iterate.OneIterate):
  """The regularised best response to the policy that gave the data.

  The minimiser of the IPO loss with pairs from the iterate maximises

    <gain at the iterate, x> - temperature * D(x, anchor),

  that is log x = log anchor + gain / temperature up to a constant. The first
  update from a policy is offline IPO with data of that policy. Repeated with
  the reference as the anchor, a fixed point is the equilibrium of
  `temperature`, and is approached at high temperatures alone. With the iterate
  as the anchor it is multiplicative weights of step 1 / temperature, whose last
  iterate moves away from the minimax winner on cyclic preferences.

  Attributes:
    temperature: tau > 0, in units of utility.
    moving: Whether the anchor is the iterate, and not the reference.
  """

  temperature: schedules.Schedule
  moving: bool = struct.static(default=False)

  def __post_init__(self):
    checks.positive("temperature", self.temperature)

  def next_duals(
    self, game: game_lib.GameView, state: one_iterate.OneIterateState
  ) -> quantities.Duals:
    """Responds to the iterate."""
    temperature = schedules.at(self.temperature, state.step, game.dtype)
    anchor = state.dual if self.moving else state.reference
    gains = base.gains_at(game, self.mirror_map, state.dual)
    return profiles.prox(
      game.treeplexes, self.mirror_map, gains, [(temperature, anchor)]
    )
