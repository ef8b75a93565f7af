"""Losses of Q-learning, of one decision each.

Values are in units of utility, or in whatever unit rewards are divided to.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def double_q_target(
  reward: Float[Array, ""],
  done: Bool[Array, ""],
  next_values: Float[Array, " A"],
  next_target_values: Float[Array, " A"],
  next_legal: Bool[Array, " A"],
) -> Float[Array, ""]:
  """Returns what an action was worth, by double Q-learning.

  `reward + Q_target(next, argmax_a Q(next, a))`, over legal actions; nothing
  follows the last decision. Van Hasselt, Guez & Silver, "Deep reinforcement
  learning with double Q-learning" (https://arxiv.org/abs/1509.06461), the
  unnumbered equation of section "Double DQN", with a discount of one.

  Args:
    reward: What the player got up to its own next decision, or the end.
    done: Whether play ended before that.
    next_values: Values that choose the next action.
    next_target_values: Values of the target network, that judge it.
    next_legal: Which actions the player may take there.
  """
  choice = jnp.argmax(jnp.where(next_legal, next_values, -jnp.inf))
  follows = jnp.where(done, jnp.zeros_like(reward), next_target_values[choice])
  return jax.lax.stop_gradient(reward + follows)


def squared_error(
  values: Float[Array, " A"],
  action: Int[Array, ""],
  target: Float[Array, ""],
  weight: Float[Array, ""],
) -> Float[Array, ""]:
  """Returns half the squared error of the value of the action taken.

  Its minimiser is the mean of the targets, however wide they spread.

  Args:
    values: Values of all actions.
    action: The action taken.
    target: What it was worth.
    weight: Of this sample; zero for samples that mean nothing; no unit.
  """
  error = values[action] - jax.lax.stop_gradient(target)
  return weight * error * error / 2


def huber_error(
  values: Float[Array, " A"],
  action: Int[Array, ""],
  target: Float[Array, ""],
  weight: Float[Array, ""],
  delta: Float[Array, ""],
) -> Float[Array, ""]:
  """Returns Huber's error of the value of the action taken.

  Mnih et al. (Nature 518, 2015), "Training details", clip errors to [-1, 1],
  which is `delta` 1. Where targets spread by more than `delta`, its minimiser
  leans from their mean to their median, which is not a value.

  Args:
    values: Values of all actions.
    action: The action taken.
    target: What it was worth.
    weight: Of this sample; zero for samples that mean nothing; no unit.
    delta: Up to where the error counts squared, in the unit of values.
  """
  error = jnp.abs(values[action] - jax.lax.stop_gradient(target))
  near = jnp.minimum(error, delta)
  return weight * near * (error - near / 2)
