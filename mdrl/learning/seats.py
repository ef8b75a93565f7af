"""One player's decisions against fixed policies of the others.

The moves of chance and of the others are part of what follows a decision, so
that one player is left, with states of which it knows its information state.
Many games are played at once.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from mdrl import struct
from mdrl.envs import base as env_lib
from mdrl.policies import base as policy_lib
from mdrl.policies import masks


@struct.dataclass
class Seat:
  """A seat at a game whose other players have a fixed policy.

  It is the problem of learners of one player.

  Attributes:
    env: The game.
    policy: What the others play, whoever they are.
    seat: The player who decides; -1 for nobody, so that the policy plays all.
    scale: What rewards are divided by, in units of utility: about as large as
      returns are, so that learners need no settings for each game.
  """

  env: env_lib.Environment
  policy: policy_lib.Policy
  seat: Int[Array, "..."] | int
  scale: Float[Array, "..."] | float = 1.0


class Games(NamedTuple):
  """Games that wait for the player's decision, or are over.

  Attributes:
    state: States of the environment.
    carries: What each player carries, a row for each.
    paid: What the player had got at its last decision, in units of utility.
  """

  state: Any
  carries: Any
  paid: Float[Array, " B"]


class Outcome(NamedTuple):
  """What followed a decision.

  Attributes:
    reward: What the player got up to its next decision, or the end, divided by
      the scale.
    done: Whether play ended.
  """

  reward: Float[Array, " B"]
  done: Bool[Array, " B"]


def start(seat: Seat, key: Key[Array, ""], num_games: int) -> Games:
  """Returns new games, each at the player's first decision.

  Games in which it makes none are over; see `decides`.
  """
  first, others = jax.random.split(key)
  return _pass_on_new(seat, _new(seat, first, num_games), others)


def renew(seat: Seat, games: Games, key: Key[Array, ""]) -> Games:
  """Returns the games with new ones in place of those that are over."""
  first, others = jax.random.split(key)
  over = _player(seat, games) == env_lib.TERMINAL
  fresh = _new(seat, first, over.shape[0])
  mixed = jax.vmap(env_lib.where)(over, fresh, games)
  # Games that go on wait for a decision, and pay nothing here.
  return _pass_on_new(seat, mixed, others)


def decides(seat: Seat, games: Games) -> Bool[Array, " B"]:
  """Returns where the player has a decision, and the game is not over."""
  return _player(seat, games) == seat.seat


def views(seat: Seat, games: Games) -> env_lib.View:
  """Returns what the player knows at its decisions.

  Where it has none, they mean nothing.
  """
  return jax.vmap(seat.env.view)(games.state)


def step(
  seat: Seat, games: Games, action: Int[Array, " B"], key: Key[Array, ""]
) -> tuple[Games, Outcome]:
  """Takes the player's decisions, and plays on to its next ones.

  Games that are over stay as they are, with rewards of zero.
  """
  env = seat.env
  own, others = jax.random.split(key)
  luck = jax.random.uniform(own, (len(action), env.step_draws), env.dtype)
  state = jax.vmap(env.step)(games.state, action, luck)
  games = _pass_on(seat, games._replace(state=state), others)
  got = _returns(seat, games)
  scale = jnp.asarray(seat.scale, got.dtype)
  reward = (got - games.paid) / scale
  done = _player(seat, games) == env_lib.TERMINAL
  return games._replace(paid=got), Outcome(reward, done)


def play(
  seat: Seat, policy: policy_lib.Policy, key: Key[Array, ""], num_games: int
) -> Float[Array, "B N"]:
  """Plays whole games, with a policy without carry for the player.

  Returns:
    What each player got in each game, in units of utility.
  """

  def unfinished(carry):
    games, _ = carry
    return jnp.any(decides(seat, games))

  def go_on(carry):
    games, key = carry
    key, luck, behind = jax.random.split(key, 3)
    action = sample(policy, views(seat, games), luck)
    games, _ = step(seat, games, action, behind)
    return games, key

  key, first = jax.random.split(key)
  games = start(seat, first, num_games)
  games, _ = jax.lax.while_loop(unfinished, go_on, (games, key))
  return jax.vmap(seat.env.returns)(games.state)


def sample(
  policy: policy_lib.Policy, views: env_lib.View, key: Key[Array, ""]
) -> Int[Array, " B"]:
  """Returns an action of a policy without carry at each view."""
  outputs, _ = jax.vmap(lambda view: policy(view, policy.init_carry()))(views)
  return draw(outputs.logits, views.legal, key)


def draw(
  logits: Float[Array, "B A"], legal: Bool[Array, "B A"], key: Key[Array, ""]
) -> Int[Array, " B"]:
  """Returns an action for each row of logits."""
  luck = jax.random.uniform(key, logits.shape[:1], logits.dtype)
  return jax.vmap(env_lib.draw)(masks.probabilities(logits, legal), luck)


def _new(seat, key, num_games):
  """Returns games before the first decision of anybody."""
  env = seat.env
  luck = jax.random.uniform(key, (num_games, env.init_draws), env.dtype)
  carries = jax.tree.map(
    lambda x: jnp.broadcast_to(x, (num_games, env.num_players, *x.shape)),
    seat.policy.init_carry(),
  )
  nothing = jnp.zeros(num_games, env.dtype)
  return Games(jax.vmap(env.init)(luck), carries, nothing)


def _pass_on_new(seat, games, key):
  """Passes on, and takes what is paid before a decision for no reward."""
  games = _pass_on(seat, games, key)
  return games._replace(paid=_returns(seat, games))


def _pass_on(seat, games, key):
  """Lets the others play until the player has a decision, or play ends."""
  env = seat.env
  num_games = games.paid.shape[0]

  def waiting(games):
    player = _player(seat, games)
    return (player != seat.seat) & (player != env_lib.TERMINAL)

  def go_on(carry):
    games, waits, key = carry
    key, draws = jax.random.split(key)
    luck = jax.random.uniform(draws, (num_games, 1 + env.step_draws), env.dtype)
    moved = jax.vmap(lambda game, luck: _move(seat, game, luck))(games, luck)
    games = jax.vmap(env_lib.where)(waits, moved, games)
    return games, waiting(games), key

  games, _, _ = jax.lax.while_loop(
    lambda carry: jnp.any(carry[1]), go_on, (games, waiting(games), key)
  )
  return games


def _move(seat, game, luck):
  """Makes one move of the policy in one game."""
  env = seat.env
  view = env.view(game.state)
  carry = jax.tree.map(lambda x: x[view.player], game.carries)
  outputs, carry = seat.policy(view, carry)
  chances = masks.probabilities(outputs.logits, view.legal)
  action = env_lib.draw(chances, luck[0])
  mover = jnp.arange(env.num_players, dtype=jnp.int32) == view.player
  carries = jax.tree.map(
    lambda rows, row: jax.vmap(env_lib.where, in_axes=(0, None, 0))(
      mover, row, rows
    ),
    game.carries,
    carry,
  )
  return game._replace(
    state=env.step(game.state, action, luck[1:]), carries=carries
  )


def _player(seat, games):
  return jax.vmap(seat.env.current_player)(games.state)


def _returns(seat, games):
  """Returns what the player has got in each game; of nobody, zero."""
  got = jax.vmap(seat.env.returns)(games.state)
  players = jnp.arange(seat.env.num_players, dtype=jnp.int32)
  own = (players == seat.seat).astype(got.dtype)
  return got @ own
