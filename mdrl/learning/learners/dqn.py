"""Deep Q-learning of one player's decisions.

Mnih et al., "Human-level control through deep reinforcement learning" (Nature
518, 2015), algorithm 1, with the double targets of van Hasselt, Guez & Silver
(https://arxiv.org/abs/1509.06461). The departures: many games at once, targets
that follow the network a little with every update, squared errors, legal
actions alone, and no discount.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, UInt

from mdrl import methods, struct
from mdrl.envs import base as env_lib
from mdrl.learning import descent, replay, seats
from mdrl.learning.losses import q_learning
from mdrl.policies import base as policy_lib
from mdrl.policies import networks
from mdrl.solvers import schedules


class DQNState(NamedTuple):
  """What determines the future.

  Attributes:
    step: The number of updates.
    network: Its logits are the values of actions, in units of the problem's
      scale.
    target: The network that judges what follows.
    moments: What the optimiser remembers.
    memory: Decisions to learn from.
    games: Games under way.
    key: Of what is drawn next.
  """

  step: Int[Array, ""]
  network: networks.NetworkPolicy
  target: networks.NetworkPolicy
  moments: Any
  memory: replay.Memory
  games: seats.Games
  key: UInt[Array, " 2"]


class _Sample(NamedTuple):
  """A decision and what followed."""

  view: env_lib.View
  action: Int[Array, "*B"]
  reward: Float[Array, "*B"]
  done: Bool[Array, "*B"]
  weight: Float[Array, "*B"]
  next_view: env_lib.View


@struct.dataclass
class DQN:
  """Learns values of actions for one seat, a `seats.Seat`.

  An update takes a decision in each of `num_games` games, and makes `num_fits`
  steps of Adam on batches of remembered ones.

  Attributes:
    width: Of the network's hidden layers.
    depth: How many of them there are.
    num_games: How many games are played at once.
    capacity: How many decisions are remembered, a multiple of `num_games`.
    num_fits: How many batches are learned from in an update.
    batch_size: How many decisions a batch has.
    learning_rate: Step size of Adam, or a schedule of updates; no unit.
    exploration: Probability of a random action, or a schedule of updates.
    target_rate: How much of the way to the network its target goes with every
      batch, in (0, 1]; no unit.
    max_norm: The largest norm of a gradient, in units of the scale.
    seed: Of the network and of play.
  """

  width: int = struct.static(default=256)
  depth: int = struct.static(default=2)
  num_games: int = struct.static(default=1024)
  capacity: int = struct.static(default=2**17)
  num_fits: int = struct.static(default=2)
  batch_size: int = struct.static(default=2048)
  learning_rate: schedules.Schedule = 1e-3
  exploration: schedules.Schedule = 0.1
  target_rate: float | Float[Array, "..."] = 0.02
  max_norm: float | Float[Array, "..."] = 10.0
  seed: int | Int[Array, "..."] = 0

  @property
  def decisions(self) -> int:
    """How many decisions an update makes."""
    return self.num_games

  def init(self, seat: seats.Seat, start: Any = None) -> DQNState:
    """Returns the state before the first update.

    Args:
      seat: The problem.
      start: A network to go on from; by default a new one.
    """
    key, fresh, first = jax.random.split(jax.random.key(self.seed), 3)
    network = start
    if network is None:
      network = networks.create(
        seat.env,
        fresh,
        heads="q",
        width=self.width,
        depth=self.depth,
        activation="relu",
      )
    games = seats.start(seat, first, self.num_games)
    _, _, samples = jax.eval_shape(
      self._play, seat, methods.zero_step(), network, games, key
    )
    sample = jax.tree.map(lambda x: jnp.zeros(x.shape[1:], x.dtype), samples)
    return DQNState(
      step=methods.zero_step(),
      network=network,
      target=network,
      moments=descent.start(network),
      memory=replay.empty(sample, self.capacity),
      games=games,
      key=jax.random.key_data(key),
    )

  def update(self, seat: seats.Seat, state: DQNState) -> DQNState:
    """Takes a decision in every game, and learns from remembered ones."""
    key = jax.random.wrap_key_data(state.key)
    games, key, samples = self._play(
      seat, state.step, state.network, state.games, key
    )
    memory = replay.add(state.memory, samples)
    rate = schedules.at(self.learning_rate, state.step, seat.env.dtype)

    def fit(_, carry):
      network, target, moments, key = carry
      key, draw = jax.random.split(key)
      batch = replay.draw(memory, draw, self.batch_size)
      gradient = jax.grad(_loss)(network, target, batch)
      max_norm = jnp.asarray(self.max_norm, rate.dtype)
      network, moments = descent.step(
        network, gradient, moments, rate, max_norm
      )
      return network, self._follow(target, network), moments, key

    carry = (state.network, state.target, state.moments, key)
    network, target, moments, key = jax.lax.fori_loop(
      0, self.num_fits, fit, carry
    )
    return DQNState(
      step=state.step + 1,
      network=network,
      target=target,
      moments=moments,
      memory=memory,
      games=games,
      key=jax.random.key_data(key),
    )

  def policy(self, state: DQNState) -> policy_lib.Policy:
    """Returns what has been learned, to be played greedily."""
    return state.network

  def _play(self, seat, step, network, games, key):
    """Returns the games, the next key, and what happened."""
    key, *keys = jax.random.split(key, 5)
    views = seats.views(seat, games)
    values = _values(network, views)
    chance = schedules.at(self.exploration, step, values.dtype)
    luck = jax.random.uniform(keys[0], values.shape[:1], values.dtype)
    best = jnp.argmax(jnp.where(views.legal, values, -jnp.inf), -1)
    other = seats.draw(jnp.zeros_like(values), views.legal, keys[1])
    action = jnp.where(luck < chance, other, best.astype(other.dtype))
    weight = seats.decides(seat, games).astype(values.dtype)
    games, outcome = seats.step(seat, games, action, keys[2])
    games = seats.renew(seat, games, keys[3])
    sample = _Sample(views, action, *outcome, weight, seats.views(seat, games))
    return games, key, sample

  def _follow(self, target, network):
    return jax.tree.map(
      lambda x, y: x + jnp.asarray(self.target_rate, x.dtype) * (y - x),
      target,
      network,
    )


def _loss(network, target, batch):
  values = _values(network, batch.view)
  following = _values(network, batch.next_view)
  judged = _values(target, batch.next_view)

  def loss(sample, values, following, judged):
    wanted = q_learning.double_q_target(
      sample.reward, sample.done, following, judged, sample.next_view.legal
    )
    return q_learning.squared_error(
      values, sample.action, wanted, sample.weight
    )

  return jnp.mean(jax.vmap(loss)(batch, values, following, judged))


def _values(network, views):
  values, _ = jax.vmap(
    lambda view: network.q_values(view, network.init_carry())
  )(views)
  return values
