"""Adam on a network, with its gradients clipped and its step size given."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import optax

# Of the two learners' released settings: larger than the 1e-8 of Adam's paper,
# so that parameters whose gradients vanish stay where they are.
_ADAM = optax.scale_by_adam(eps=1e-5)


def start(network: Any) -> optax.OptState:
  """Returns what Adam remembers before the first step."""
  return _ADAM.init(network)


def step(
  network: Any,
  gradient: Any,
  moments: optax.OptState,
  rate: Float[Array, ""],
  max_norm: Float[Array, ""],
) -> tuple[Any, optax.OptState]:
  """Returns the network after a step down a gradient, and the new moments.

  Args:
    network: A pytree of parameters.
    gradient: Of a loss, in them.
    moments: What Adam remembers.
    rate: Step size; no unit.
    max_norm: A longer gradient is scaled down to this norm.
  """
  norm = optax.tree.norm(gradient)
  shrink = max_norm / jnp.maximum(norm, max_norm)
  gradient = jax.tree.map(lambda g: g * shrink.astype(g.dtype), gradient)
  # Optax raises a number to the power of a count, which strict promotion bars.
  with jax.numpy_dtype_promotion("standard"):
    change, moments = _ADAM.update(gradient, moments)
  network = jax.tree.map(
    lambda x, d: x - rate.astype(x.dtype) * d, network, change
  )
  return network, moments
