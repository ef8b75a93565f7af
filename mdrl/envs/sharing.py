"""Values that are computed once though many parts of a state depend on them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

_LARGEST = 2**31 - 1


def once(value: Int[Array, "*B"]) -> Int[Array, "*B"]:
  """Returns whole numbers as they are, so that XLA computes them once.

  XLA computes cheap values anew in each kernel that uses them, and a kernel for
  each part of a state is a step's work several times over. It takes a remainder
  for expensive, and keeps it; an optimization barrier does not have that
  effect. The remainder here is the number itself.

  Args:
    value: Numbers of 32 bits, smaller in size than the largest.
  """
  return jax.lax.rem(value, jnp.full_like(value, _LARGEST))
