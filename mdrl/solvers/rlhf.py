"""Reinforcement learning from human feedback on a Bradley-Terry reward.

Christiano et al., "Deep reinforcement learning from human preferences" (2017),
https://arxiv.org/abs/1706.03741; regularised, Ziegler et al. (2019),
https://arxiv.org/abs/1909.08593. Here for contrast: a
reward cannot express intransitive preferences (Munos et al., 2024,
https://arxiv.org/abs/2312.00886, section 3.2).
"""

from typing import ClassVar, NamedTuple

import jax
from jaxtyping import Array, Float, Int

from mdrl import methods, struct
from mdrl.games import preference_game
from mdrl.geometry import profiles
from mdrl.solvers import descent, one_iterate, pairwise_fit, schedules
from mdrl.trees import quantities


class RLHFState(NamedTuple):
  """The number of updates, the iterate, the reference and the reward."""

  step: Int[Array, ""]
  dual: quantities.Duals
  reference: quantities.Duals
  reward: Float[Array, " S"]


@struct.dataclass
class RLHF(descent.Descent[preference_game.PreferenceGame]):
  """Mirror ascent on a reward that is fitted once, before the first update.

  The reward is the Bradley-Terry score that fits pairs of the first policy
  best; it depends on that policy where preferences are not Bradley-Terry. Each
  update maximises, with the regulariser linearised,

    <reward, x> - temperature * D(x, reference) - D(x, iterate) / step_size.

  The iterates approach log x = log ref + reward / temperature, up to a
  constant; at a temperature of 0, the response of the highest reward.

  Attributes:
    step_size: Per logit of reward, at most 1 / temperature.
    temperature: tau >= 0, in logits.
    label_smoothing: Probability in [0, 1/2) that a label is wrong. Where some
      response always wins, a positive one keeps its reward finite.
  """

  pairwise: ClassVar[bool] = True

  step_size: schedules.Schedule
  temperature: schedules.Schedule
  label_smoothing: float | Float[Array, "..."] = 0.0

  def __post_init__(self):
    one_iterate.check_explicit(self.step_size, self.temperature)
    pairwise_fit.check_label_smoothing(self.label_smoothing)

  def init(
    self,
    game: preference_game.PreferenceGame,
    policies: quantities.Policies | None = None,
  ) -> RLHFState:
    """Fits the reward to pairs of the policy."""
    duals = self.first_duals(game, policies)
    (sampling,) = profiles.to_policies(game.treeplexes, self.mirror_map, duals)
    labels = pairwise_fit.smooth(game.preferences, self.label_smoothing)
    reward = jax.vmap(pairwise_fit.fit)(labels, game.by_context(sampling))
    reference = self.reference_duals(game)
    return RLHFState(methods.zero_step(), duals, reference, game.slots(reward))

  def update(
    self, game: preference_game.PreferenceGame, state: RLHFState
  ) -> RLHFState:
    """Makes one step along the reward."""
    step_size, temperature = (
      schedules.at(s, state.step, game.dtype)
      for s in (self.step_size, self.temperature)
    )
    anchors = one_iterate.explicit_anchors(
      step_size, temperature, state.dual, state.reference
    )
    gains = quantities.Gains((state.reward,))
    duals = self.prox(game, gains, anchors)
    return RLHFState(state.step + 1, duals, state.reference, state.reward)
