"""Proximal policy optimisation of one player's decisions.

Schulman, Wolski, Dhariwal, Radford & Klimov, "Proximal policy optimization
algorithms" (https://arxiv.org/abs/1707.06347), algorithm 1. The departures:
games are episodic and nothing is discounted, illegal actions are masked, and
advantages follow the player's own decisions.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt

from mdrl import methods, struct
from mdrl.envs import base as env_lib
from mdrl.learning import advantages, descent, seats
from mdrl.learning.losses import policy_gradient
from mdrl.policies import base as policy_lib
from mdrl.policies import masks, networks
from mdrl.solvers import schedules


class PPOState(NamedTuple):
  """What determines the future.

  Attributes:
    step: The number of updates.
    policy: The network, with a head for the policy and one for values, in
      units of the problem's scale.
    moments: What the optimiser remembers.
    games: Games under way.
    key: Of what is drawn next.
  """

  step: Int[Array, ""]
  policy: networks.NetworkPolicy
  moments: Any
  games: seats.Games
  key: UInt[Array, " 2"]


class _Samples(NamedTuple):
  """What is known of decisions, a row for each."""

  views: env_lib.View
  action: Int[Array, "*B"]
  log_probability: Float[Array, "*B"]
  value: Float[Array, "*B"]
  reward: Float[Array, "*B"]
  done: Any
  weight: Float[Array, "*B"]


@struct.dataclass
class PPO:
  """Learns a policy for one seat, a `seats.Seat`, in rounds.

  An update plays `num_games * num_steps` decisions, and makes
  `num_epochs * num_batches` steps of Adam on them.

  Attributes:
    width: Of the network's hidden layers.
    depth: How many of them there are.
    num_games: How many games are played at once.
    num_steps: How many decisions each of them takes in an update.
    num_epochs: How often each decision is learned from.
    num_batches: Into how many batches the decisions are split.
    learning_rate: Step size of Adam, or a schedule of updates; no unit.
    clip: How far from one a ratio of probabilities pays to go; no unit.
    decay: lambda of generalised advantages, in [0, 1]; no unit.
    entropy: Weight of the entropy, in units of the problem's scale.
    value_weight: Weight of the squared error of values, in 1 / scale.
    max_norm: The largest norm of a gradient, in units of the scale.
    seed: Of the network and of play.
  """

  width: int = struct.static(default=256)
  depth: int = struct.static(default=2)
  num_games: int = struct.static(default=1024)
  num_steps: int = struct.static(default=8)
  num_epochs: int = struct.static(default=4)
  num_batches: int = struct.static(default=4)
  learning_rate: schedules.Schedule = 1e-3
  clip: float | Float[Array, "..."] = 0.2
  decay: float | Float[Array, "..."] = 0.95
  entropy: schedules.Schedule = 0.01
  value_weight: float | Float[Array, "..."] = 1.0
  max_norm: float | Float[Array, "..."] = 0.5
  seed: int | Int[Array, "..."] = 0

  @property
  def decisions(self) -> int:
    """How many decisions an update makes."""
    return self.num_games * self.num_steps

  def init(self, seat: seats.Seat, start: Any = None) -> PPOState:
    """Returns the state before the first update.

    Args:
      seat: The problem.
      start: A network to go on from; by default a new one.
    """
    key, network, games = jax.random.split(jax.random.key(self.seed), 3)
    policy = start
    if policy is None:
      policy = networks.create(
        seat.env,
        network,
        width=self.width,
        depth=self.depth,
        activation="relu",
      )
    return PPOState(
      methods.zero_step(),
      policy,
      descent.start(policy),
      seats.start(seat, games, self.num_games),
      jax.random.key_data(key),
    )

  def update(self, seat: seats.Seat, state: PPOState) -> PPOState:
    """Plays a round, and learns from it."""
    key, play, learn = jax.random.split(jax.random.wrap_key_data(state.key), 3)
    games, samples = self._play(seat, state, play)
    policy, moments = self._learn(state, samples, learn)
    return PPOState(
      state.step + 1, policy, moments, games, jax.random.key_data(key)
    )

  def policy(self, state: PPOState) -> policy_lib.Policy:
    """Returns what has been learned."""
    return state.policy

  def _play(self, seat, state, key):
    """Returns the games, and flat samples with advantages for rewards."""

    def go_on(games, key):
      own, behind, fresh = jax.random.split(key, 3)
      views = seats.views(seat, games)
      outputs = _outputs(state.policy, views)
      action = seats.draw(outputs.logits, views.legal, own)
      logs = masks.log_probabilities(outputs.logits, views.legal)
      weight = seats.decides(seat, games).astype(logs.dtype)
      games, outcome = seats.step(seat, games, action, behind)
      log = jnp.take_along_axis(logs, action[:, None], 1)[:, 0]
      return seats.renew(seat, games, fresh), _Samples(
        views, action, log, outputs.value, *outcome, weight
      )

    keys = jax.random.split(key, self.num_steps)
    games, samples = jax.lax.scan(go_on, state.games, keys)
    last = _outputs(state.policy, seats.views(seat, games)).value
    decay = jnp.asarray(self.decay, last.dtype)
    gained = jax.vmap(
      advantages.along_decisions, in_axes=(1, 1, 1, 0, None), out_axes=1
    )(samples.reward, samples.done, samples.value, last, decay)
    samples = samples._replace(reward=gained)
    return games, jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), samples)

  def _learn(self, state, samples, key):
    dtype = samples.reward.dtype
    rate = schedules.at(self.learning_rate, state.step, dtype)
    entropy = schedules.at(self.entropy, state.step, dtype)
    max_norm = jnp.asarray(self.max_norm, dtype)
    size = self.num_games * self.num_steps
    rows = jnp.concatenate(
      [
        jax.random.permutation(k, size).reshape(self.num_batches, -1)
        for k in jax.random.split(key, self.num_epochs)
      ]
    )

    def fit(carry, rows):
      policy, moments = carry
      batch = jax.tree.map(lambda x: x[rows], samples)
      gradient = jax.grad(self._loss)(policy, batch, entropy)
      return descent.step(policy, gradient, moments, rate, max_norm), None

    (policy, moments), _ = jax.lax.scan(
      fit, (state.policy, state.moments), rows
    )
    return policy, moments

  def _loss(self, policy, batch, entropy):
    """Returns equation 9, negated, of a batch whose rewards are advantages."""
    dtype = batch.reward.dtype
    clip = jnp.asarray(self.clip, dtype)
    value_weight = jnp.asarray(self.value_weight, dtype)
    outputs = _outputs(policy, batch.views)

    def loss(outputs, sample):
      logs = masks.log_probabilities(outputs.logits, sample.views.legal)
      surrogate = policy_gradient.clipped_surrogate(
        logs[sample.action],
        sample.log_probability,
        sample.reward,
        sample.weight,
        clip,
      )
      target = sample.value + sample.reward
      error = policy_gradient.value_error(outputs.value, target, sample.weight)
      spread = policy_gradient.negative_entropy(
        outputs.logits, sample.views.legal, sample.weight
      )
      return surrogate + value_weight * error + entropy * spread

    return jnp.mean(jax.vmap(loss)(outputs, batch))


def _outputs(policy, views):
  outputs, _ = jax.vmap(lambda view: policy(view, policy.init_carry()))(views)
  return outputs
