"""Checks of the contract of methods that the run loop drives."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import methods, run, tiers

# What XLA does unless it is told otherwise.
_FAST = {
  "xla_cpu_use_fusion_emitters": True,
  "xla_backend_optimization_level": 3,
}


def check_method(
  method: methods.Method,
  problem: Any,
  start: Any = None,
  num_updates: int = 6,
) -> None:
  """Checks a method against its contract, on one problem.

  The state is a NamedTuple that keeps its structure, shapes and dtypes, and
  counts updates; the future depends on the state alone, so that a run may stop
  and go on; one compiled program serves all values of the hyper-parameters;
  `vmap` over hyper-parameters gives what a loop gives.

  Args:
    method: What to check.
    problem: On which problem; small ones are quick.
    start: Where it begins; by default where the method does.
    num_updates: How many updates to make; at least 2.

  Raises:
    AssertionError: If a part of the contract is broken.
  """
  first = run.init(method, problem, start)
  _check_state(method, problem, first)
  end = run.advance(method, problem, first, num_updates)
  require(
    int(end.step) == num_updates,
    f"`step` is {int(end.step)} after {num_updates} updates",
  )
  half = run.advance(method, problem, first, num_updates // 2)
  resumed = run.advance(method, problem, half, num_updates - num_updates // 2)
  require_equal(resumed, end, "a run that stops and goes on differs")
  again = run.init(method, problem, start)
  again = run.advance(method, problem, again, num_updates)
  require_equal(again, end, "two equal runs differ")
  _check_sweep(method, problem, start, num_updates)


def check_tiers(
  method: methods.Method,
  problem: Any,
  start: Any = None,
  num_updates: int = 100,
) -> None:
  """Checks that updates are the same bits in both tiers of compilation.

  Where they are not, `tiers.TwoTiers` stays with the program that is compiled
  sooner and runs slower. What makes them differ are sums of two products, of
  which compilers round either together with the sum, and `jnp.sum`, whose terms
  they add in any order; `trees.sums` adds them in one. Nothing is checked
  where XLA has one tier.

  Args:
    method: What to check.
    problem: On which problem; large ones show more.
    start: Where it begins; by default where the method does.
    num_updates: How many updates to make.

  Raises:
    AssertionError: If an array of the state differs.
  """
  quick = tiers.quick_options()
  if not quick:
    return
  state = run.init(method, problem, start)

  def advance(method, problem, state, count):
    return run.advance(method, problem, state, count)

  lowered = jax.jit(advance).lower(method, problem, state, num_updates)
  # By name, as flags of the process may have chosen others.
  fast = {name: _FAST[name] for name in quick if name in _FAST}
  args = method, problem, state, num_updates
  ends = [lowered.compile(dict(o))(*args) for o in (quick, fast)]
  for (path, leaf), other in zip(
    jax.tree_util.tree_leaves_with_path(ends[0]),
    jax.tree.leaves(ends[1]),
    strict=True,
  ):
    require(
      tiers.same_bits(leaf, other),
      f"{jax.tree_util.keystr(path)} differs between the tiers of compilation",
    )


def require(condition: Any, message: str) -> None:
  """Raises AssertionError unless a condition holds."""
  if not condition:
    raise AssertionError(message)


def require_equal(tree: Any, other: Any, message: str) -> None:
  """Raises AssertionError unless all arrays of two trees are equal."""
  leaves = (jax.tree.leaves(_numbers(t)) for t in (tree, other))
  for a, b in zip(*leaves, strict=True):
    require(np.array_equal(np.asarray(a), np.asarray(b)), message)


def _check_state(method, problem, state):
  require(
    hasattr(state, "_fields"),
    f"the state is a {type(state).__name__}, not a NamedTuple",
  )
  require(int(state.step) == 0, f"the first step is {state.step}, not 0")
  after = jax.eval_shape(method.update, problem, state)
  require(
    jax.tree.structure(after) == jax.tree.structure(state),
    "`update` changes the structure of the state: "
    f"{jax.tree.structure(state)} becomes {jax.tree.structure(after)}",
  )
  for (path, before), leaf in zip(
    jax.tree_util.tree_leaves_with_path(state),
    jax.tree.leaves(after),
    strict=True,
  ):
    require(
      (leaf.shape, leaf.dtype) == (before.shape, before.dtype),
      f"`update` changes {jax.tree_util.keystr(path)} from {before.shape} "
      f"{before.dtype} to {leaf.shape} {leaf.dtype}",
    )


def _check_sweep(method, problem, start, num_updates):
  """Compares a sweep over hyper-parameters with two runs, of one program."""
  leaves, treedef = jax.tree.flatten(method)
  if not leaves:
    return
  traces = 0

  @jax.jit
  def final(method, problem, start):
    nonlocal traces
    traces += 1
    first = method.init(problem, *(() if start is None else (start,)))
    return _numbers(
      jax.lax.fori_loop(
        0, num_updates, lambda _, s: method.update(problem, s), first
      )
    )

  leaves = [jnp.asarray(leaf) for leaf in leaves]
  others = [_another(leaf) for leaf in leaves]
  stacked = [jnp.stack(pair) for pair in zip(leaves, others, strict=True)]
  sweep = jax.vmap(final, in_axes=(0, None, None))
  swept = sweep(treedef.unflatten(stacked), problem, start)
  for k, values in enumerate((leaves, others)):
    count = traces
    alone = final(treedef.unflatten(values), problem, start)
    require(
      not k or traces == count,
      "other values of the hyper-parameters are traced again: they must be "
      "leaves",
    )
    chex.assert_trees_all_close(
      jax.tree.map(lambda x, k=k: x[k], swept),
      alone,
      rtol=_tolerance(alone),
      atol=_tolerance(alone),
      custom_message="vmap over hyper-parameters differs from a loop",
    )


def _another(leaf):
  """Returns another value of a hyper-parameter, still in its range."""
  if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
    return jax.random.fold_in(leaf, 1)
  if jnp.issubdtype(leaf.dtype, jnp.floating):
    return 0.9 * leaf
  return leaf + 1


def _numbers(tree):
  """Returns a tree whose keys of random numbers are arrays of their bits."""
  return jax.tree.map(
    lambda x: (
      jax.random.key_data(x)
      if jnp.issubdtype(jnp.result_type(x), jax.dtypes.prng_key)
      else x
    ),
    tree,
  )


def _tolerance(state):
  sizes = [
    float(jnp.finfo(leaf.dtype).eps)
    for leaf in jax.tree.leaves(state)
    if jnp.issubdtype(leaf.dtype, jnp.floating)
  ]
  return 1e6 * max(sizes, default=0)
