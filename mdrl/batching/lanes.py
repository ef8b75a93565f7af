"""A `vmap` whose batch is the last axis of every array.

`jax.vmap` puts the batch first. A gather of single numbers, of which sweeps on
trees are made, then reads one number at a time from arrays that lie far apart.
With the batch last it reads a row of them, side by side: on CPUs with vector
loads, on GPUs in coalesced ones. The function is traced for a single lane, and
the traced program evaluated with `lane_rules`; operations without a rule go
through `jax.vmap`.
"""

from collections.abc import Callable, Sequence
import functools
import math
from typing import Any

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp

from mdrl.batching import lane_rules

_CALLS = {
  "jit": "jaxpr",
  "pjit": "jaxpr",
  "closed_call": "call_jaxpr",
  "custom_jvp_call": "call_jaxpr",
  "custom_vjp_call": "call_jaxpr",
}
# Scans of up to this many operations in all their steps are written out: their
# steps are then one pass over what is carried.
_WRITTEN_OUT = 400


def vmap_last(
  fn: Callable[..., Any], batched: Sequence[bool]
) -> Callable[..., Any]:
  """Maps a function over the last axis of its arguments.

  The numbers are those of `jax.vmap` with `in_axes=-1` and `out_axes=-1`, up to
  rounding. What is made of it can be transformed and compiled in turn.

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
    outs = _marked(outs, marks, [True] * len(outs), size)
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


def _marked(values, marks, wanted, size):
  """Spreads the values that are to be batched and are not."""
  return [
    lane_rules.spread(value, size) if want and not mark else value
    for value, mark, want in zip(values, marks, wanted, strict=True)
  ]


def _operations(jaxpr):
  """Returns the number of operations, infinite where there are loops."""
  count = 0.0
  for eqn in jaxpr.eqns:
    name = eqn.primitive.name
    if name in ("scan", "while", "cond"):
      return math.inf
    count += _operations(eqn.params[_CALLS[name]]) if name in _CALLS else 1
  return count


def _scan_counts(params):
  """Returns the numbers of constants and of values carried by a scan."""
  if "num_consts" in params:
    return params["num_consts"], params["num_carry"]
  # From jax 0.12 on.
  consts, carry, _ = params["ft_in"].unpack()
  return len(consts), len(carry)


class _Lanes:
  """Evaluates traced programs of which some values have a last axis more."""

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
      if isinstance(atom, core.Literal):
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
    name, params = eqn.primitive.name, eqn.params
    if name in _CALLS:
      return self.run(params[_CALLS[name]], values, marks)
    if not any(marks):
      outs = eqn.primitive.bind(*values, **params)
      outs = outs if eqn.primitive.multiple_results else [outs]
      return outs, [False] * len(outs)
    match name:
      case "while":
        return self._while(params, values, marks)
      case "cond":
        return self._cond(params, values, marks)
      case "scan":
        return self._scan(params, values, marks)
      case _:
        return lane_rules.apply(eqn, values, marks, self._size)

  def _while(self, params, values, marks):
    ask, body = params["cond_jaxpr"], params["body_jaxpr"]
    m, n = params["cond_nconsts"], params["body_nconsts"]
    n += m
    flags = self._fixed_point(
      lambda f: self._outcome(body, marks[m:n] + f), marks[n:]
    )
    apart = self._outcome(ask, marks[:m] + flags)[0]
    # Where lanes end apart, all that changes is kept apart.
    flags = [flag or apart for flag in flags]

    def go_on(carry):
      (more,), _ = self.run(ask, [*values[:m], *carry], marks[:m] + flags)
      return more

    def step(carry):
      outs, own = self.run(body, [*values[m:n], *carry], marks[m:n] + flags)
      return _marked(outs, own, flags, self._size)

    def step_some(pair):
      carry, more = pair
      carry = [
        jnp.where(jnp.broadcast_to(more, new.shape), new, old)
        for new, old in zip(step(carry), carry, strict=True)
      ]
      return carry, more & go_on(carry)

    first = _marked(values[n:], marks[n:], flags, self._size)
    if not apart:
      return lax.while_loop(go_on, step, first), flags
    # Which lanes go on is carried, not asked twice, as the answers might be
    # rounded apart.
    last, _ = lax.while_loop(
      lambda pair: jnp.any(pair[1]), step_some, (first, go_on(first))
    )
    return last, flags

  def _cond(self, params, values, marks):
    (index, *values), (apart, *marks) = values, marks
    branches = params["branches"]
    ways = [self._outcome(branch, marks) for branch in branches]
    flags = [apart or any(way) for way in zip(*ways, strict=True)]

    def take(branch, *args):
      outs, own = self.run(branch, args, marks)
      return _marked(outs, own, flags, self._size)

    fns = [functools.partial(take, branch) for branch in branches]
    if not apart:
      return lax.switch(index, fns, *values), flags
    # Of two branches, the index is a boolean.
    index = jnp.clip(index.astype("int32"), 0, len(fns) - 1)
    outs = []
    for cases in zip(*(fn(*values) for fn in fns), strict=True):
      out = cases[0]
      for k, case in enumerate(cases[1:], 1):
        at = jnp.broadcast_to(index == k, case.shape)
        out = jnp.where(at, case, out)
      outs.append(out)
    return outs, flags

  def _scan(self, params, values, marks):
    body, (n, m) = params["jaxpr"], _scan_counts(params)
    m += n
    fixed, over = marks[:n], marks[m:]
    flags = self._fixed_point(
      lambda f: self._outcome(body, fixed + f + over)[: m - n], marks[n:m]
    )
    ends = self._outcome(body, fixed + flags + over)[m - n :]

    def step(carry, x):
      args = [*values[:n], *carry, *x]
      outs, own = self.run(body, args, fixed + flags + over)
      outs = _marked(outs, own, flags + ends, self._size)
      return outs[: m - n], outs[m - n :]

    first = _marked(values[n:m], marks[n:m], flags, self._size)
    options = {k: params[k] for k in ("length", "reverse", "unroll")}
    if params["length"] * _operations(body) <= _WRITTEN_OUT:
      options["unroll"] = max(1, params["length"])
    last, ys = lax.scan(step, first, values[m:], **options)
    return [*last, *ys], flags + ends

  def _fixed_point(self, outcome, marks):
    """Returns which of a loop's values are batched once they have met."""
    flags = [bool(mark) for mark in marks]
    while True:
      after = [a or b for a, b in zip(flags, outcome(flags), strict=True)]
      if after == flags:
        return flags
      flags = after

  def _outcome(self, closed, marks):
    """Returns which results of a program are batched."""
    found = []

    def trace(*args):
      outs, own = self.run(closed, args, marks)
      found.extend(map(bool, own))
      return outs

    jax.eval_shape(
      trace,
      *(
        jax.ShapeDtypeStruct(
          (*var.aval.shape, self._size) if mark else var.aval.shape,
          var.aval.dtype,
        )
        for var, mark in zip(closed.jaxpr.invars, marks, strict=True)
      ),
    )
    return found
