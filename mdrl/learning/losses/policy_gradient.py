"""Losses of proximal policy optimisation, of one decision each.

Schulman, Wolski, Dhariwal, Radford & Klimov, "Proximal policy optimization
algorithms" (https://arxiv.org/abs/1707.06347). All of them are minimised, where
the paper maximises.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mdrl.policies import masks


def clipped_surrogate(
  log_probability: Float[Array, ""],
  old_log_probability: Float[Array, ""],
  advantage: Float[Array, ""],
  weight: Float[Array, ""],
  clip: Float[Array, ""],
) -> Float[Array, ""]:
  """Returns the clipped surrogate of the policy, equation 7.

  The old policy and the advantage are data: no gradient passes through them.

  Args:
    log_probability: Of the action taken, by the policy that learns.
    old_log_probability: The same by the policy that took it.
    advantage: How much better than the average the action was.
    weight: Of this sample; zero for samples that mean nothing; no unit.
    clip: How far from one the ratio of probabilities pays to go; no unit.
  """
  advantage = jax.lax.stop_gradient(advantage)
  old = jax.lax.stop_gradient(old_log_probability)
  ratio = jnp.exp(log_probability - old)
  clipped = jnp.clip(ratio, 1 - clip, 1 + clip)
  return -weight * jnp.minimum(ratio * advantage, clipped * advantage)


def value_error(
  value: Float[Array, ""], target: Float[Array, ""], weight: Float[Array, ""]
) -> Float[Array, ""]:
  """Returns half the squared error of a value: half of L^VF of equation 9.

  Args:
    value: What the player expected.
    target: What it should have expected, in the same unit.
    weight: Of this sample; zero for samples that mean nothing; no unit.
  """
  error = value - jax.lax.stop_gradient(target)
  return weight * error * error / 2


def negative_entropy(
  logits: Float[Array, " A"], legal: Bool[Array, " A"], weight: Float[Array, ""]
) -> Float[Array, ""]:
  """Returns minus the entropy over legal actions: minus S of equation 9.

  Args:
    logits: Of all actions; those of illegal ones do not matter.
    legal: Which actions the player may take.
    weight: Of this sample; zero for samples that mean nothing; no unit.
  """
  return -weight * masks.entropy(logits, legal)
