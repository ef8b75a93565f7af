"""Identity preference optimisation (IPO), offline and iterated.

Gheshlaghi Azar et al., "A general theoretical paradigm to understand learning
from human preferences" (2024), https://arxiv.org/abs/2310.12036; iterated,
Calandriello et al., "Human alignment of large language models through online
preference optimisation" (2024), https://arxiv.org/abs/2403.08635.
"""

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.solvers import one_iterate, schedules
from mdrl.trees import quantities


@struct.dataclass
class IterativeIPO(one_iterate.OneIterate):
  """The regularised best response to the policy that gave the data.

  The minimiser of the IPO loss with pairs from the iterate maximises

    <gain at the iterate, x> - temperature * D(x, reference),

  that is log x = log ref + gain / temperature up to a constant. The first
  update from a policy is offline IPO with data of that policy. Repeated, its
  fixed point is the equilibrium of `temperature`, which it approaches only at
  high temperatures. INPO with its largest step, 1 / temperature, is the same
  update; with the iterate in place of the reference it is
  `preference_variants.moving_ipo`.

  Attributes:
    temperature: tau > 0, in units of utility.
  """

  temperature: schedules.Schedule

  def __post_init__(self):
    checks.positive("temperature", self.temperature)

  def next_duals(
    self, game: game_lib.GameView, state: one_iterate.OneIterateState
  ) -> quantities.Duals:
    """Responds to the iterate."""
    temperature = schedules.at(self.temperature, state.step, game.dtype)
    gains = self.gains_at(game, state.dual)
    return self.prox(game, gains, [(temperature, state.reference)])
