"""Direct preference optimisation (DPO), iterated.

Rafailov et al., "Direct preference optimization: your language model is
secretly a reward model" (2023), https://arxiv.org/abs/2305.18290; with pairs of
the policy itself, Guo et al., "Direct language model alignment from online AI
feedback" (2024), https://arxiv.org/abs/2402.04792.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl import checks, struct
from mdrl.games import preference_game
from mdrl.solvers import one_iterate, pairwise_fit, schedules
from mdrl.trees import quantities


@struct.dataclass
class IterativeDPO(one_iterate.OneIterate[preference_game.PreferenceGame]):
  """Fits Bradley-Terry scores to pairs of the policy, and reweights by them.

  With pairs from the iterate, the minimiser of the expected DPO loss is

    log x = log anchor + scores / temperature  up to a constant,

  where the scores are the logits that fit the preferences of those pairs best.
  With the reference as the anchor, it is the policy of RLHF where preferences
  are Bradley-Terry. Elsewhere it is not an equilibrium: with two responses and
  a uniform reference, its odds are those of the preference to the power
  1 / temperature.

  Attributes:
    temperature: beta > 0, in logits.
    moving: Whether the anchor is the iterate instead of the reference.
    label_smoothing: Probability in [0, 1/2) that a label is wrong. Where some
      response always wins, a positive one keeps its score finite; at 0 the fit
      stops at scores that are far apart.
  """

  pairwise: ClassVar[bool] = True

  temperature: schedules.Schedule
  moving: bool = struct.static(default=False)
  label_smoothing: float | Float[Array, "..."] = 0.0

  def __post_init__(self):
    checks.positive("temperature", self.temperature)
    pairwise_fit.check_label_smoothing(self.label_smoothing)

  def next_duals(
    self,
    game: preference_game.PreferenceGame,
    state: one_iterate.OneIterateState,
  ) -> quantities.Duals:
    """Fits to pairs of the iterate."""
    temperature = schedules.at(self.temperature, state.step, game.dtype)
    labels = pairwise_fit.smooth(game.preferences, self.label_smoothing)
    sampling = jnp.exp(game.by_context(state.dual[0]))
    scores = game.slots(jax.vmap(pairwise_fit.fit)(labels, sampling))
    anchor = state.dual if self.moving else state.reference
    return self.prox(
      game,
      quantities.Gains((scores,)),
      [(temperature, anchor)],
    )
