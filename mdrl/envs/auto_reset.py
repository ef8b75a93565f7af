"""Environments whose finished games are followed by new ones at once."""

from typing import Any, Generic, NamedTuple, TypeVar

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mdrl import struct
from mdrl.envs import base as env_lib
from mdrl.envs import sharing

S = TypeVar("S")


class Transition(NamedTuple):
  """What a step brought.

  Attributes:
    rewards: What each player got in it, in units of utility.
    done: Whether the game ended, so that the next state is of a new one.
  """

  rewards: Float[Array, "*B N"]
  done: Bool[Array, "*B"]


@struct.dataclass
class AutoReset(Generic[S]):
  """Steps an environment, and begins anew where play ends.

  Attributes:
    environment: The environment.
  """

  environment: Any

  @property
  def step_draws(self) -> int:
    """Draws of a step: those of the move, then those of a new game."""
    return self.environment.step_draws + self.environment.init_draws

  def init(self, key: env_lib.Draws) -> S:
    """Returns a new game, as the environment does."""
    return self.environment.init(key)

  def step(
    self, state: S, action: Int[Array, ""], key: env_lib.Draws
  ) -> tuple[S, Transition]:
    """Returns the next state at which a player moves, and what a step brought.

    Args:
      state: A state at which a player moves.
      action: What the player does.
      key: A key, or `step_draws` draws of chance in its place.

    Raises:
      ValueError: If the key is neither.
    """
    env = self.environment
    luck = env.luck(key, self.step_draws)
    behind = env.step(state, action, luck[: env.step_draws])
    rewards = env.returns(behind) - env.returns(state)
    done = sharing.once(env.is_terminal(behind).astype(jnp.int32)) == 1
    fresh = env.init(luck[env.step_draws :])
    return env_lib.where(done, fresh, behind), Transition(rewards, done)
