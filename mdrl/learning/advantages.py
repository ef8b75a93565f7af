"""Advantages of actions, estimated from what followed them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def along_decisions(
  reward: Float[Array, " T"],
  done: Bool[Array, " T"],
  value: Float[Array, " T"],
  last_value: Float[Array, ""],
  decay: Float[Array, ""],
) -> Float[Array, " T"]:
  """Returns generalised advantages along one player's own decisions.

  Schulman et al., "High-dimensional continuous control using generalized
  advantage estimation" (https://arxiv.org/abs/1506.02438), equation 16, with a
  discount of one. A player's own infostates refine each other, so that along
  its own decisions the estimate has the right mean for every `decay`, if values
  are right; along the decisions of all players it has not.

  Args:
    reward: What the player got between each decision and its next.
    done: Whether play ended between them; the next decision is then the first
      of another game.
    value: What the player expected at each decision.
    last_value: What it expects at the decision behind the last.
    decay: Weight lambda in [0, 1] of what follows: 1 has no bias, and 0 the
      least variance; no unit.
  """
  following = jnp.append(value[1:], last_value)
  following = jnp.where(done, jnp.zeros_like(following), following)
  error = reward + following - value

  def back(advantage, step):
    error, done = step
    passed = jnp.where(done, jnp.zeros_like(advantage), decay * advantage)
    advantage = error + passed
    return advantage, advantage

  start = jnp.zeros_like(last_value)
  _, advantages = jax.lax.scan(back, start, (error, done), reverse=True)
  return advantages
