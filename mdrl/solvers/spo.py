"""Self-play preference optimisation to the minimax winner (SPO).

Swamy, Dann, Kidambi, Wu & Agarwal, "A minimaximalist approach to reinforcement
learning from human feedback" (2024), https://arxiv.org/abs/2401.04056. Not to
be confused with `sppo`, whose paper has almost the same name.
"""

from typing import NamedTuple

from jaxtyping import Array, Int

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps, profiles
from mdrl.solvers import average_play, base, schedules
from mdrl.trees import quantities

_ENTROPY = mirror_maps.NegativeEntropy()


class SPOState(NamedTuple):
  """The number of updates, the learner's policy, and the average played."""

  step: Int[Array, ""]
  dual: quantities.Duals
  plan: quantities.Plans


@struct.dataclass
class SPO(average_play.AveragePlay):
  """Hedge against itself; the result is the average of the policies played.

  The learner multiplies the probability of each response by
  exp(step_size * win rate against its own policy). By symmetry, its average
  after T updates has a duality gap of at most twice its regret over T: with n
  responses and a constant step,

    gap <= 2 * (log(n) / (step_size T) + step_size / 8),

  for uniform first policies. The last policy may move away. Any other learner
  with small regret serves as well: wrap it in `averaged.Averaged`.

  Attributes:
    step_size: In units of 1 / utility; a number or a schedule.
  """

  step_size: schedules.Schedule

  def __post_init__(self):
    checks.positive("step_size", self.step_size)

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> SPOState:
    """Starts at the policies; nothing has been played."""
    duals = base.first_duals(game, _ENTROPY, policies)
    plans = game.plans(profiles.to_policies(game.treeplexes, _ENTROPY, duals))
    return SPOState(base.zero_step(), duals, plans)

  def update(self, game: game_lib.GameView, state: SPOState) -> SPOState:
    """Averages what is played now, and lets the learner move."""
    weight = 1 / schedules.at(self.step_size, state.step, game.dtype)
    played = game.plans(
      profiles.to_policies(game.treeplexes, _ENTROPY, state.dual)
    )
    anchors = [(weight, state.dual)]
    duals = profiles.prox(
      game.treeplexes, _ENTROPY, game.gains(played), anchors
    )
    count = (state.step + 1).astype(game.dtype)
    plan = average_play.toward(state.plan, played, count)
    return SPOState(state.step + 1, duals, plan)

  def last_policies(
    self, game: game_lib.GameView, state: SPOState
  ) -> quantities.Policies:
    """Returns the policy that the learner plays next."""
    return profiles.to_policies(game.treeplexes, _ENTROPY, state.dual)
