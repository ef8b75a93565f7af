"""Self-play preference optimisation with squared losses (SPPO).

Wu et al., "Self-play preference optimization for language model alignment"
(2025), https://arxiv.org/abs/2405.00675. Not to be confused
with `spo`, whose paper has almost the same name.
"""

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import profiles
from mdrl.solvers import base, one_iterate, schedules
from mdrl.trees import quantities


@struct.dataclass
class SPPO(one_iterate.OneIterate):
  """Multiplicative weights against itself.

  The minimiser of the paper's loss over exact win rates, where it is zero, is

    x_a <- x_a exp(step_size * P(a preferred to the policy)) / constant:

  the paper puts step_size / 2 in place of the logarithm of the constant, which
  matters to a network and not to a table. It is mirror descent with negative
  entropy. With short or falling steps, the average of the policies approaches
  the minimax winner; the last iterate, which is the paper's result, moves away
  from it on cyclic preferences. There is no reference.

  Attributes:
    step_size: eta > 0, in units of 1 / utility; the paper's models have 1000.
  """

  step_size: schedules.Schedule

  def __post_init__(self):
    checks.positive("step_size", self.step_size)

  def next_duals(
    self, game: game_lib.GameView, state: one_iterate.OneIterateState
  ) -> quantities.Duals:
    """Weighs each response by the exponential of its win rate."""
    weight = 1 / schedules.at(self.step_size, state.step, game.dtype)
    gains = base.gains_at(game, self.mirror_map, state.dual)
    return profiles.prox(
      game.treeplexes, self.mirror_map, gains, [(weight, state.dual)]
    )
