"""Sums whose terms are added in one order, however a program is compiled.

XLA lets LLVM add the terms of a `jnp.sum` in any order on CPUs, which then
depends on the passes that a program went through, and with it the last bits of
the result. Sums within updates are made here, so that updates are the same, bit
for bit, in all tiers of `mdrl.tiers`.
"""

import functools

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np


def total(
  x: Float[Array, "..."], axis: int | None = None, *, keepdims: bool = False
) -> Float[Array, "..."]:
  """Returns the sum along an axis, or of all elements.

  Sums beyond the largest number of the dtype are that number.

  Args:
    x: The terms.
    axis: To sum along; by default all.
    keepdims: Whether to keep the axis, of size 1.
  """
  axes = tuple(range(x.ndim)) if axis is None else (axis % x.ndim,)
  sums = _in_one_order(x, axes)
  return jnp.expand_dims(sums, axes) if keepdims else sums


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _in_one_order(x, axes):
  return lax.reduce(x, np.zeros((), x.dtype), _add(x.dtype), axes)


@functools.cache
def _add(dtype):
  """Returns an addition that stands for itself; one, as JAX traces each."""
  most = np.array(jnp.finfo(dtype).max, dtype)
  # The minimum is the sum, which no compiler knows.
  return lambda a, b: lax.min(lax.add(a, b), most)


@_in_one_order.defjvp
def _in_one_order_jvp(axes, primals, tangents):
  (x,), (change,) = primals, tangents
  return _in_one_order(x, axes), jnp.sum(change, axis=axes)
