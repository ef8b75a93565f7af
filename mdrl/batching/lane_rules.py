"""Evaluates single operations on values that have a batch as their last axis.

An axis that comes last moves none of the axes that an operation names, so that
most operations stay what they are, with one more size. `lanes` applies them to
whole programs.
"""

from collections.abc import Sequence
import functools
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np

from mdrl import jax_internals

# The inputs of an operation, and of each whether it has the batch: false, true
# or `COSTLY`.
Values = Sequence[Array]
Marks = Sequence[int]

# Marks a batch of exponentials or the like: XLA computes them vector by vector,
# but number by number within a sum that is written out.
COSTLY = 2
# How the parts of a reduction are combined, one by one.
_COMBINE = {
  "reduce_and": lax.bitwise_and,
  "reduce_max": lax.max,
  "reduce_min": lax.min,
  "reduce_or": lax.bitwise_or,
  "reduce_sum": lax.add,
}
# Sums along axes up to this size are written out, so that each term is a row of
# lanes. XLA would sum lane by lane, which is several times slower.
_SHORT = 16


def broadcast(x: Array, size: int) -> Array:
  """Repeats a value that the whole batch shares along a last axis."""
  shape = np.shape(x)
  return lax.broadcast_in_dim(x, (*shape, size), tuple(range(len(shape))))


def apply(
  eqn: Any, values: Values, marks: Marks, size: int
) -> tuple[Sequence[Array], Marks]:
  """Evaluates one operation of a traced program on a batch.

  Args:
    eqn: The operation; no loop, condition or call.
    values: Its inputs, with a last axis where marked.
    marks: Which of them have the batch; at least one.
    size: Of the batch.

  Returns:
    The results and their marks.
  """
  name = eqn.primitive.name
  combine = _COMBINE.get(name)
  if jax_internals.is_sum_in_one_order(eqn):
    combine = lax.add
  if combine is not None and marks[0] != COSTLY:
    [axes], x = jax_internals.parameters(eqn), values[0]
    if len(axes) == 1 and 0 < x.shape[axes[0]] <= _SHORT:
      return [_reduce(combine, x, axes[0])], [True]
  batched = _with_last_axis(eqn, values, marks, size)
  if batched is None:
    outs = _through_vmap(eqn, values, marks)
    return outs, [True] * len(outs)
  costly = name in jax_internals.TRANSCENDENTAL
  return jax_internals.bind(eqn, *batched), [COSTLY if costly else True]


def _reduce(combine, x, axis):
  parts = [
    lax.index_in_dim(x, k, axis, keepdims=False) for k in range(x.shape[axis])
  ]
  return functools.reduce(combine, parts)


def _with_last_axis(eqn, values, marks, size):
  """Returns inputs and changed parameters, or None where there is no rule."""
  name = eqn.primitive.name
  if name in jax_internals.ELEMENTWISE:
    return _of_one_rank(values, marks, size), ()
  if name in jax_internals.BY_AXIS:
    return values, ()
  if name == "concatenate":
    return _broadcast_all(values, marks, size), ()
  if name == "dynamic_update_slice":
    return _updated(values, marks, size)
  # What follows names sizes or places, which all of the batch share.
  if any(marks[1:]):
    return None
  if name == "reduce":
    return values, ()
  if name == "dynamic_slice" and len(values) > 1:
    [sizes] = jax_internals.parameters(eqn)
    return [*values, jnp.zeros_like(values[1])], [(*sizes, size)]
  if name == "gather":
    numbers, sizes = jax_internals.parameters(eqn)
    last = eqn.outvars[0].aval.ndim
    numbers = numbers._replace(offset_dims=(*numbers.offset_dims, last))
    return values, [numbers, (*sizes, size)]
  # Dynamic sizes would be inputs, too.
  changed = _moved(eqn, size) if len(values) == 1 or name == "pad" else None
  return None if changed is None else (values, changed)


def _moved(eqn, size):
  """Returns changed parameters of what moves numbers, None without a rule."""
  match eqn.primitive.name:
    case "pad":
      [config] = jax_internals.parameters(eqn)
      return [(*config, (0, 0, 0))]
    case "transpose":
      [axes] = jax_internals.parameters(eqn)
      return [(*axes, len(axes))]
    case "slice":
      start, stop, strides = jax_internals.parameters(eqn)
      strides = None if strides is None else (*strides, 1)
      return [(*start, 0), (*stop, size), strides]
    case "reshape":
      sizes, order = jax_internals.parameters(eqn)
      return [(*sizes, size)] if order is None else None
    case "broadcast_in_dim":
      shape, axes = jax_internals.parameters(eqn)
      return [(*shape, size), (*axes, len(shape))]
  return None


def _updated(values, marks, size):
  """Writes a part of every lane, at one place."""
  if any(marks[2:]) or len(values) == 2:
    return None
  start = jnp.zeros_like(values[2])
  both = _broadcast_all(values[:2], marks[:2], size)
  return [*both, *values[2:], start], ()


def _broadcast_all(values, marks, size):
  return [
    value if mark else broadcast(value, size)
    for value, mark in zip(values, marks, strict=True)
  ]


def _of_one_rank(values, marks, size):
  """Broadcasts inputs; predicates and bounds may be scalars beside arrays."""
  values = _broadcast_all(values, marks, size)
  shape = np.broadcast_shapes(*(value.shape for value in values))
  return [
    value
    if value.ndim == len(shape)
    else lax.broadcast_in_dim(value, shape, (len(shape) - 1,))
    for value in values
  ]


def _through_vmap(eqn, values, marks):
  axes = [-1 if mark else None for mark in marks]
  return jax.vmap(
    lambda *args: jax_internals.bind(eqn, args), in_axes=axes, out_axes=-1
  )(*values)
