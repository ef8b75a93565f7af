"""SPO with a queue of recent trajectories.

Swamy, Dann, Kidambi, Wu & Agarwal, "A minimaximalist approach to reinforcement
learning from human feedback" (2024), https://arxiv.org/abs/2401.04056: the
practical form, whose abstract gives the reward: the share of recent
trajectories that a trajectory beats. A trajectory is a response here, and the
rewards of all responses are known at once. The learner is Hedge, where the
paper has reinforcement learning. Queue length and number of samples are chosen
here; the paper's were not found.
"""

from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray, UInt

from mdrl import checks, methods, struct
from mdrl.games import preference_game
from mdrl.geometry import mirror_maps, profiles
from mdrl.solvers import average_play, schedules
from mdrl.solvers import base as solver_lib
from mdrl.trees import quantities

_ENTROPY = mirror_maps.NegativeEntropy()


class QueueSPOState(NamedTuple):
  """The learner, its average, the queue (oldest first) and the random key."""

  step: Int[Array, ""]
  dual: quantities.Duals
  plan: quantities.Plans
  queue: Int[Array, "X K"]
  key: UInt[Array, " 2"]


@struct.dataclass
class QueueSPO(average_play.AveragePlay[preference_game.PreferenceGame]):
  """Rewards a response by the share of recent samples that it beats.

  Each update draws `num_samples` responses to every context from the policy,
  which push the oldest out of the queue, and multiplies the probability of each
  response by exp(step_size * its mean preference over the queue). Given the
  queue's past, the expected reward is the win rate against the mean of the
  policies that the queue was drawn from, so that a queue of fresh samples alone
  (`length` equal to `num_samples`) gives the rewards of SPO on average. The
  result is the average of the policies played. A short queue makes it noisy, a
  long one makes the learner respond to policies of the past.

  Attributes:
    step_size: In units of 1 / utility; a number or a schedule.
    seed: Seed of the samples.
    length: Length of the queue of a context, which is first filled by samples
      of the first policy.
    num_samples: New responses per update and context, at most `length`.
  """

  pairwise: ClassVar[bool] = True

  step_size: schedules.Schedule
  seed: int | Int[Array, "..."] = 0
  length: int = struct.static(default=64)
  num_samples: int = struct.static(default=8)

  def __post_init__(self):
    checks.positive("step_size", self.step_size)
    checks.whole("seed", self.seed, 0)
    checks.whole("length", self.length, 1)
    checks.whole("num_samples", self.num_samples, 1, self.length)

  def init(
    self,
    game: preference_game.PreferenceGame,
    policies: quantities.Policies | None = None,
  ) -> QueueSPOState:
    """Starts at the policy, with a queue full of its samples."""
    duals = solver_lib.first_duals(game, _ENTROPY, policies)
    plans = game.plans(profiles.to_policies(game.treeplexes, _ENTROPY, duals))
    key, draw = jax.random.split(jax.random.key(self.seed))
    queue = _draw(draw, game.by_context(duals[0]), self.length)
    data = jax.random.key_data(key)
    return QueueSPOState(methods.zero_step(), duals, plans, queue, data)

  def update(
    self, game: preference_game.PreferenceGame, state: QueueSPOState
  ) -> QueueSPOState:
    """Samples, averages what is played, and lets the learner move."""
    weight = 1 / schedules.at(self.step_size, state.step, game.dtype)
    key, draw = jax.random.split(jax.random.wrap_key_data(state.key))
    new = _draw(draw, game.by_context(state.dual[0]), self.num_samples)
    queue = jnp.concatenate([state.queue[:, self.num_samples :], new], axis=1)
    member = jax.nn.one_hot(queue, game.num_responses, dtype=game.dtype)
    recent = game.plans(
      quantities.Policies((game.slots(jnp.mean(member, axis=1)),))
    )
    anchors = [(weight, state.dual)]
    duals = profiles.prox(
      game.treeplexes, _ENTROPY, game.gains(recent), anchors
    )
    played = game.plans(
      profiles.to_policies(game.treeplexes, _ENTROPY, state.dual)
    )
    count = (state.step + 1).astype(game.dtype)
    plan = average_play.toward(state.plan, played, count)
    data = jax.random.key_data(key)
    return QueueSPOState(state.step + 1, duals, plan, queue, data)

  def last_policies(
    self, game: preference_game.PreferenceGame, state: QueueSPOState
  ) -> quantities.Policies:
    """Returns the policy that the learner plays next."""
    return profiles.to_policies(game.treeplexes, _ENTROPY, state.dual)


def _draw(key: PRNGKeyArray, logits: Array, count: int) -> Int[Array, "X K"]:
  """Draws responses to every context."""
  shape = (count, logits.shape[0])
  return jnp.swapaxes(jax.random.categorical(key, logits, shape=shape), 0, 1)
