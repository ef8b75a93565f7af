"""What single operations become when their values have a batch as last axis.

No axis that an operation names is moved by an axis that comes last, so that
most of them stay what they are, with one size more. `lanes` puts them together.
"""

from collections.abc import Sequence
import functools
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np

# The values of an operation, and for each whether it has the batch: false,
# true, or `COSTLY`.
Values = Sequence[Array]
Marks = Sequence[int]

# Of a batch of exponentials or the like. XLA computes those by vectors, but one
# by one inside of a sum that is written out.
COSTLY = 2
_TRANSCENDENTAL = frozenset("exp exp2 expm1 log log1p tanh".split())

_ELEMENTWISE = frozenset(
  "abs add add_any and ceil clamp convert_element_type copy cos div eq erf "
  "exp exp2 expm1 floor ge gt integer_pow is_finite le log log1p logistic lt "
  "max min mul ne neg not or pow rem round rsqrt select_n sign sin sqrt "
  "square sub tanh xor".split()
)
# Their parameters name axes, and no sizes.
_BY_AXIS = frozenset(
  "argmax argmin cumlogsumexp cummax cummin cumprod cumsum reduce_and "
  "reduce_max reduce_min reduce_or reduce_prod reduce_sum rev squeeze".split()
)
_REDUCTIONS = {
  "reduce_and": lax.bitwise_and,
  "reduce_max": lax.max,
  "reduce_min": lax.min,
  "reduce_or": lax.bitwise_or,
  "reduce_sum": lax.add,
}
# Sums along axes up to this size are written out, so that each term is a row of
# lanes. XLA would sum lane by lane, which is several times slower.
_SHORT = 16


def spread(x: Array, size: int) -> Array:
  """Repeats what all of the batch share."""
  shape = np.shape(x)
  return lax.broadcast_in_dim(x, (*shape, size), tuple(range(len(shape))))


def apply(
  eqn: Any, values: Values, marks: Marks, size: int
) -> tuple[Sequence[Array], Marks]:
  """Makes one operation of a traced program on a batch.

  Args:
    eqn: The operation; no loop, condition or call.
    values: Its arguments, with a last axis where marked.
    marks: Which of them have the batch; at least one.
    size: Of the batch.

  Returns:
    The results and their marks.
  """
  name, params = eqn.primitive.name, eqn.params
  if name in _REDUCTIONS and marks[0] != COSTLY:
    (axis, *more), x = params["axes"], values[0]
    if not more and 0 < x.shape[axis] <= _SHORT:
      return [_reduce(_REDUCTIONS[name], x, axis)], [True]
  changed = _changed(eqn, values, marks, size)
  if changed is not None:
    values, new = changed
    out = eqn.primitive.bind(*values, **{**params, **new})
    return [out], [COSTLY if name in _TRANSCENDENTAL else True]
  outs = _through_vmap(eqn, values, marks)
  return outs, [True] * len(outs)


def _reduce(combine, x, axis):
  parts = [
    lax.index_in_dim(x, k, axis, keepdims=False) for k in range(x.shape[axis])
  ]
  return functools.reduce(combine, parts)


def _changed(eqn, values, marks, size):
  """Returns new arguments and parameters, or None for lack of a rule."""
  name, params = eqn.primitive.name, eqn.params
  if name in _ELEMENTWISE:
    return _of_one_rank(values, marks, size), {}
  if name in _BY_AXIS:
    return values, {}
  if name == "concatenate":
    return _all(values, marks, size), {}
  if name == "dynamic_update_slice":
    return _updated(values, marks, size)
  if any(marks[1:]):
    return None
  if name == "pad":
    return values, {"padding_config": (*params["padding_config"], (0, 0, 0))}
  if name == "transpose":
    axes = params["permutation"]
    return values, {"permutation": (*axes, len(axes))}
  if name == "slice":
    strides = params["strides"]
    return values, {
      "start_indices": (*params["start_indices"], 0),
      "limit_indices": (*params["limit_indices"], size),
      "strides": None if strides is None else (*strides, 1),
    }
  if name == "dynamic_slice" and len(values) > 1:
    start = jnp.zeros_like(values[1])
    return [*values, start], {"slice_sizes": (*params["slice_sizes"], size)}
  if name == "gather":
    numbers = params["dimension_numbers"]
    last = eqn.outvars[0].aval.ndim
    offsets = (*numbers.offset_dims, last)
    return values, {
      "dimension_numbers": numbers._replace(offset_dims=offsets),
      "slice_sizes": (*params["slice_sizes"], size),
    }
  return _reshaped(name, params, values, size)


def _updated(values, marks, size):
  """Writes a part of every lane, at one place."""
  if any(marks[2:]) or len(values) == 2:
    return None
  start = jnp.zeros_like(values[2])
  return [*_all(values[:2], marks[:2], size), *values[2:], start], {}


def _reshaped(name, params, values, size):
  # Dynamic sizes would be arguments, too.
  if len(values) > 1:
    return None
  if name == "reshape" and params["dimensions"] is None:
    return values, {"new_sizes": (*params["new_sizes"], size)}
  if name == "broadcast_in_dim":
    shape, axes = params["shape"], params["broadcast_dimensions"]
    return values, {
      "shape": (*shape, size),
      "broadcast_dimensions": (*axes, len(shape)),
    }
  return None


def _all(values, marks, size):
  return [
    value if mark else spread(value, size)
    for value, mark in zip(values, marks, strict=True)
  ]


def _of_one_rank(values, marks, size):
  """Spreads arguments; predicates and bounds may be scalars beside arrays."""
  values = _all(values, marks, size)
  shape = np.broadcast_shapes(*(value.shape for value in values))
  return [
    value
    if value.ndim == len(shape)
    else lax.broadcast_in_dim(value, shape, (len(shape) - 1,))
    for value in values
  ]


def _through_vmap(eqn, values, marks):
  axes = [-1 if mark else None for mark in marks]

  def bind(*args):
    return eqn.primitive.bind(*args, **eqn.params)

  outs = jax.vmap(bind, in_axes=axes, out_axes=-1)(*values)
  return outs if eqn.primitive.multiple_results else [outs]
