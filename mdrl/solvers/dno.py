"""Direct Nash optimisation (DNO).

Rosset et al., "Direct Nash optimization:
teaching language models to self-improve with general preferences" (2024),
https://arxiv.org/abs/2404.03715.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp

from mdrl import checks, struct
from mdrl.games import preference_game
from mdrl.geometry import profiles
from mdrl.solvers import base, one_iterate, pairwise_fit, schedules
from mdrl.trees import quantities


@struct.dataclass
class DNO(one_iterate.OneIterate[preference_game.PreferenceGame]):
  """Regresses log-ratios on win rates, by logistic regression over pairs.

  With r the win rates against the iterate, and pairs of responses drawn from
  the iterate, the next policy minimises the cross-entropy of

    sigmoid(r_a - r_b)  and  sigmoid((ratio_a - ratio_b) / step_size),

  where ratio = log x - log iterate. The loss is recalled from the paper and was
  not confirmed against it. The minimiser is found by Newton's method, to
  rounding; it has ratio = step_size * r up to a constant, so that in exact
  tables the iterates are those of `SPPO`. With short or falling steps, the
  average approaches the minimax winner.

  Attributes:
    step_size: 1 / eta of the paper, in units of 1 / utility.
  """

  pairwise: ClassVar[bool] = True

  step_size: schedules.Schedule

  def __post_init__(self):
    checks.positive("step_size", self.step_size)

  def next_duals(
    self,
    game: preference_game.PreferenceGame,
    state: one_iterate.OneIterateState,
  ) -> quantities.Duals:
    """Fits scores to the labels of pairs, and adds them to the log-policy."""
    step_size = schedules.at(self.step_size, state.step, game.dtype)
    (gains,) = base.gains_at(game, self.mirror_map, state.dual)
    rates = game.by_context(gains)
    labels = jax.nn.sigmoid(rates[:, :, None] - rates[:, None])
    (dual,) = state.dual
    sampling = jnp.exp(game.by_context(dual))
    scores = jax.vmap(pairwise_fit.fit)(labels, sampling)
    anchors = [(1 / step_size, state.dual)]
    return profiles.prox(
      game.treeplexes,
      self.mirror_map,
      quantities.Gains((game.slots(scores),)),
      anchors,
    )
