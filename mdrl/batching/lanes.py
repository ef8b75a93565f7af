"""A `vmap` whose batch is the last axis of every array.

`jax.vmap` puts the batch first. A gather of single numbers, of which sweeps on
trees are made, then reads one number at a time from arrays that are far apart.
With the batch last it reads a row of adjacent numbers: by vector loads on CPUs,
by coalesced loads on GPUs. The function is traced for a single lane, and the
traced program is evaluated with `lane_rules`; operations without a rule go
through `jax.vmap`.
"""

from collections.abc import Callable, Sequence
import functools
import math
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp

from mdrl import jax_internals
from mdrl.batching import lane_rules

# Scans of up to this many operations in all their steps are unrolled: XLA fuses
# the steps into one pass over the carried values.
_UNROLLED = 400


def vmap_last(
  fn: Callable[..., Any], batched: Sequence[bool]
) -> Callable[..., Any]:
  """Maps a function over the last axis of its arguments.

  The result equals `jax.vmap` with `in_axes=-1` and `out_axes=-1`, up to
  rounding, and can be transformed and compiled in turn.

  Args:
    fn: A function of pytrees of arrays.
    batched: For each argument, whether its leaves have the batch as their last
      axis, all of one size; the others are shared by the whole batch.

  Returns:
    A function of the arguments, all of whose results have the batch last.

  Raises:
    ValueError: When called, if the number of arguments is another, nothing is
      batched, or sizes of the batch differ.
  """

  def mapped(*args):
    size = batch_size(args, batched)
    flags = _flags(args, batched)
    leaves, treedef = jax.tree.flatten(args)
    leaves = [jnp.asarray(leaf) for leaf in leaves]
    lane = [
      jax.ShapeDtypeStruct(x.shape[:-1] if flag else x.shape, x.dtype)
      for x, flag in zip(leaves, flags, strict=True)
    ]
    closed, shape = jax.make_jaxpr(
      lambda *flat: fn(*jax.tree.unflatten(treedef, flat)), return_shape=True
    )(*lane)
    outs, marks = _Lanes(size).run(closed, leaves, flags)
    outs = _broadcast_unbatched(outs, marks, [True] * len(outs), size)
    return jax.tree.unflatten(jax.tree.structure(shape), outs)

  return mapped


def batch_size(args: Sequence[Any], batched: Sequence[bool]) -> int:
  """Returns the size of the batch in arguments of `vmap_last`.

  Raises:
    ValueError: If the number of arguments is another, nothing is batched, or
      sizes of the batch differ.
  """
  if len(args) != len(batched):
    raise ValueError(
      f"`batched` must name every argument, got {len(batched)} for "
      f"{len(args)} arguments"
    )
  ends = {
    jnp.shape(leaf)[-1] if jnp.ndim(leaf) else 0
    for leaf, flag in zip(
      jax.tree.leaves(args), _flags(args, batched), strict=True
    )
    if flag
  }
  if len(ends) != 1 or 0 in ends:
    raise ValueError(
      "batched arguments must have a last axis, of one size for all, got "
      f"sizes {sorted(ends)}"
    )
  return ends.pop()


def _flags(args, batched):
  """Returns for each leaf whether it has the batch."""
  return [
    flag
    for flag, arg in zip(batched, args, strict=True)
    for _ in jax.tree.leaves(arg)
  ]


def _broadcast_unbatched(values, marks, wanted, size):
  """Broadcasts unbatched values along the batch axis, where that is wanted."""
  return [
    lane_rules.broadcast(value, size) if want and not mark else value
    for value, mark, want in zip(values, marks, wanted, strict=True)
  ]


def _num_operations(jaxpr):
  """Returns the number of operations, infinite where there are loops."""
  count = 0.0
  for eqn in jaxpr.eqns:
    if eqn.primitive.name in jax_internals.LOOPS_AND_BRANCHES:
      return math.inf
    called = jax_internals.called_program(eqn)
    count += 1 if called is None else _num_operations(called)
  return count


class _Lanes:
  """Evaluates traced programs, some of whose values have a batch axis at last.

  A mark says of each value whether it has that axis.
  """

  def __init__(self, size: int):
    self._size = size

  def run(self, closed, args, marks):
    """Returns the results, and which of them are batched."""
    jaxpr = closed.jaxpr
    consts = ((jnp.asarray(const), False) for const in closed.consts)
    env: dict[Any, tuple[Any, int]] = {
      **dict(zip(jaxpr.constvars, consts, strict=True)),
      **dict(zip(jaxpr.invars, zip(args, marks, strict=True), strict=True)),
    }

    def value_of(atom):
      if isinstance(atom, jax_internals.Literal):
        aval: Any = atom.aval
        return jnp.asarray(atom.val, aval.dtype), False
      return env[atom]

    def read(atoms):
      found = [value_of(atom) for atom in atoms]
      return [value for value, _ in found], [mark for _, mark in found]

    for eqn in jaxpr.eqns:
      outs = zip(*self._apply(eqn, *read(eqn.invars)), strict=True)
      env.update(zip(eqn.outvars, outs, strict=True))
    return read(jaxpr.outvars)

  def _apply(self, eqn, values, marks):
    """Returns the results of one operation and their marks."""
    called = jax_internals.called_program(eqn)
    if called is not None:
      return self.run(called, values, marks)
    if not any(marks):
      outs = jax_internals.bind(eqn, values)
      return outs, [False] * len(outs)
    match eqn.primitive.name:
      case "while":
        return self._while(jax_internals.while_loop(eqn), values, marks)
      case "cond":
        return self._cond(jax_internals.branches(eqn), values, marks)
      case "scan":
        return self._scan(jax_internals.scan(eqn), values, marks)
      case _:
        return lane_rules.apply(eqn, values, marks, self._size)

  def _while(self, loop, values, marks):
    """Evaluates a `while`, whose lanes may take different numbers of rounds."""
    m, n = loop.num_condition_consts, loop.num_body_consts
    condition_consts, body_consts, carry = _split(values, m, n)
    condition_marks, body_marks, first_marks = _split(marks, m, n)
    carry_marks = self._fixed_point(
      lambda marks: self._marks_of(loop.body, body_marks + marks), first_marks
    )
    [apart] = self._marks_of(loop.condition, condition_marks + carry_marks)
    # Where lanes end apart, each keeps all that changes in the loop.
    carry_marks = [mark or apart for mark in carry_marks]

    def go_on(carry):
      args = [*condition_consts, *carry]
      [more], _ = self.run(loop.condition, args, condition_marks + carry_marks)
      return more

    def step(carry):
      args = [*body_consts, *carry]
      outs, marks = self.run(loop.body, args, body_marks + carry_marks)
      return _broadcast_unbatched(outs, marks, carry_marks, self._size)

    def step_some(pair):
      carry, more = pair
      carry = [
        jnp.where(jnp.broadcast_to(more, new.shape), new, old)
        for new, old in zip(step(carry), carry, strict=True)
      ]
      return carry, more & go_on(carry)

    first = _broadcast_unbatched(carry, first_marks, carry_marks, self._size)
    if not apart:
      return lax.while_loop(go_on, step, first), carry_marks
    # Which lanes go on is carried, not asked twice, as the answers might be
    # rounded apart.
    last, _ = lax.while_loop(
      lambda pair: jnp.any(pair[1]), step_some, (first, go_on(first))
    )
    return last, carry_marks

  def _cond(self, branches, values, marks):
    """Evaluates a `cond`: all branches where lanes take different ones."""
    (index, *values), (apart, *marks) = values, marks
    marks_of_branches = [self._marks_of(branch, marks) for branch in branches]
    out_marks = [
      apart or any(column) for column in zip(*marks_of_branches, strict=True)
    ]

    def take(branch, *args):
      outs, own_marks = self.run(branch, args, marks)
      return _broadcast_unbatched(outs, own_marks, out_marks, self._size)

    fns = [functools.partial(take, branch) for branch in branches]
    if not apart:
      return lax.switch(index, fns, *values), out_marks
    # Of two branches, the index is a boolean.
    index = jnp.clip(index.astype("int32"), 0, len(fns) - 1)
    outs = []
    for cases in zip(*(fn(*values) for fn in fns), strict=True):
      out = cases[0]
      for k, case in enumerate(cases[1:], 1):
        taken = jnp.broadcast_to(index == k, case.shape)
        out = jnp.where(taken, case, out)
      outs.append(out)
    return outs, out_marks

  def _scan(self, loop, values, marks):
    """Evaluates a `scan`; its rows keep the batch last."""
    n, m = loop.num_consts, loop.num_carry
    consts, carry, rows = _split(values, n, m)
    const_marks, first_marks, row_marks = _split(marks, n, m)

    def marks_of_step(carry_marks):
      return self._marks_of(loop.body, const_marks + carry_marks + row_marks)

    carry_marks = self._fixed_point(
      lambda marks: marks_of_step(marks)[:m], first_marks
    )
    out_marks = carry_marks + marks_of_step(carry_marks)[m:]

    def step(carry, row):
      args = [*consts, *carry, *row]
      arg_marks = const_marks + carry_marks + row_marks
      outs, own_marks = self.run(loop.body, args, arg_marks)
      outs = _broadcast_unbatched(outs, own_marks, out_marks, self._size)
      return outs[:m], outs[m:]

    first = _broadcast_unbatched(carry, first_marks, carry_marks, self._size)
    unroll = loop.unroll
    if loop.length * _num_operations(loop.body) <= _UNROLLED:
      unroll = max(1, loop.length)
    last, columns = lax.scan(
      step,
      first,
      rows,
      length=loop.length,
      reverse=loop.reverse,
      unroll=unroll,
    )
    return [*last, *columns], out_marks

  def _fixed_point(self, marks_after, marks):
    """Returns the marks of what a loop carries, once steps add none."""
    marks = [bool(mark) for mark in marks]
    while True:
      joined = [a or b for a, b in zip(marks, marks_after(marks), strict=True)]
      if joined == marks:
        return marks
      marks = joined

  def _marks_of(self, closed, marks):
    """Returns the marks of a program's results, given those of its inputs."""
    found = []

    def trace(*args):
      outs, own_marks = self.run(closed, args, marks)
      found.extend(map(bool, own_marks))
      return outs

    lanes = [
      jax.ShapeDtypeStruct(
        (*var.aval.shape, self._size) if mark else var.aval.shape,
        var.aval.dtype,
      )
      for var, mark in zip(closed.jaxpr.invars, marks, strict=True)
    ]
    jax.eval_shape(trace, *lanes)
    return found


def _split(values, first, second):
  """Splits the inputs of a loop: constants of two kinds, or carries, and rest.

  Returns:
    The first `first` of them, the next `second`, and the others.
  """
  stop = first + second
  return values[:first], values[first:stop], values[stop:]
