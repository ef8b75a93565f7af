"""Responses of one player that learners find, and games to judge them by."""

from collections.abc import Iterator, Sequence
import functools
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key
import numpy as np

from mdrl import run, struct
from mdrl.envs import base as env_lib
from mdrl.judges import estimates
from mdrl.learning import seats
from mdrl.policies import base as policy_lib

# What keys of games are folded with: games that select responses are never
# those that judge them, nor those that learners train in.
SELECTING = 1
JUDGING = 2

# Games that are played at once: more take memory, and no less time for each.
_AT_ONCE = 4096
# Games by which a point of a learning curve is judged.
SELECTION = 8 * _AT_ONCE
# Seconds that a piece of training should take, so that it can be interrupted.
_PIECE_SECONDS = 0.5


class Point(NamedTuple):
  """A point of a learning curve.

  Attributes:
    policy: What was learned, or None where it is not kept.
    decisions: How many the learner had made.
    seconds: How long it had trained, compilation included.
    value: What the player gets by what was learned, from games that select.
  """

  policy: Any
  decisions: int
  seconds: float
  value: estimates.Estimate


@struct.dataclass
class Greedy:
  """Takes the likeliest action of a policy without carry.

  Attributes:
    policy: The policy.
  """

  policy: policy_lib.Policy

  def init_carry(self) -> Any:
    """Returns what the policy carries: nothing."""
    return self.policy.init_carry()

  def __call__(
    self, view: env_lib.View, carry: Any
  ) -> tuple[policy_lib.Outputs, Any]:
    """Returns zero for the first of the likeliest actions."""
    outputs, carry = self.policy(view, carry)
    least = jnp.full_like(outputs.logits, -jnp.inf)
    choice = jnp.argmax(jnp.where(view.legal, outputs.logits, least), axis=-1)
    actions = jnp.arange(least.shape[-1], dtype=choice.dtype)
    logits = jnp.where(actions == choice, jnp.zeros_like(least), least)
    return outputs._replace(logits=logits), carry


def curve(
  seat: seats.Seat,
  learner: Any,
  num_decisions: int,
  num_points: int,
  key: Key[Array, ""],
) -> Iterator[Point]:
  """Trains a learner, and yields what it has learned, from the start on.

  Args:
    seat: Whose response, to what.
    learner: A method on seats.
    num_decisions: After how many decisions to end.
    num_points: How many points to yield behind the first.
    key: Of the games that judge the points.
  """
  updates = -(-num_decisions // learner.decisions)
  stops = np.unique(np.linspace(0, updates, num_points + 1).round())
  begin = time.perf_counter()
  state = run.init(learner, seat)
  key = jax.random.fold_in(key, SELECTING)
  step, piece = 0, 1
  for i, stop in enumerate(stops.astype(int).tolist()):
    while step < stop:
      start, count = time.perf_counter(), min(piece, stop - step)
      state = jax.block_until_ready(run.advance(learner, seat, state, count))
      step += count
      if time.perf_counter() - start < _PIECE_SECONDS:
        piece *= 2
    seconds = time.perf_counter() - begin
    policy = Greedy(policy=learner.policy(state))
    games = returns_against(seat, policy, jax.random.fold_in(key, i), SELECTION)
    yield Point(policy, step * learner.decisions, seconds, estimates.of(games))


def best(points: Sequence[Point]) -> Point:
  """Returns the point of the largest value."""
  return max(points, key=lambda point: point.value.mean)


def returns(
  env: env_lib.Environment,
  policy: policy_lib.Policy,
  key: Key[Array, ""],
  num_games: int,
) -> Float[np.ndarray, "B N"]:
  """Returns what each player gets in games in which all play the policy."""
  nobody = seats.Seat(
    env=env,
    policy=policy,
    seat=jnp.asarray(-1, jnp.int32),
    scale=jnp.ones((), env.dtype),
  )
  return _played(nobody, policy, key, num_games)


def returns_against(
  seat: seats.Seat,
  policy: policy_lib.Policy,
  key: Key[Array, ""],
  num_games: int,
) -> Float[np.ndarray, " B"]:
  """Returns what the seat's player gets by a response, in each game."""
  return _played(seat, policy, key, num_games)[:, int(seat.seat)]


def _played(seat, policy, key, num_games):
  size = min(num_games, _AT_ONCE)
  rows = [
    np.asarray(_play(seat, policy, jax.random.fold_in(key, i), size))
    for i in range(-(-num_games // size))
  ]
  return np.concatenate(rows)[:num_games]


@functools.partial(jax.jit, static_argnames="num_games")
def _play(seat, policy, key, num_games):
  return seats.play(seat, policy, key, num_games)
