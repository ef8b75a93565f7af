"""Sweeps over a treeplex: from policies to plans, and from gains to values."""

from collections.abc import Callable, Iterator

from jax import lax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl.trees import segments, sums
from mdrl.trees.treeplex import Group, Treeplex

# Maps the action values of a group to the values of its infostates and to rows
# to return: `(q[R, W], group) -> (value[R], rows[R, W])`.
RowFn = Callable[[Array, Group], tuple[Array, Array]]


def sweep_down(
  treeplex: Treeplex, policy: Float[Array, " S"]
) -> Float[Array, " S"]:
  """Returns the plan of a policy."""
  policy = _materialized(treeplex, policy)
  plan = jnp.ones(treeplex.num_slots, policy.dtype)
  for depth, groups in enumerate(treeplex.levels):
    reach = segments.take(plan, treeplex.parents[depth - 1]) if depth else None
    first = groups[0].first_row
    for g in groups:
      rows = g.view(policy)
      if reach is not None:
        here = g.first_row - first
        rows *= lax.slice_in_dim(reach, here, here + g.num_rows)[:, None]
      plan = lax.dynamic_update_slice(plan, rows.T.reshape(-1), (g.start,))
  return plan


def sweep_up(
  treeplex: Treeplex, gain: Float[Array, " S"], row_fn: RowFn
) -> tuple[Float[Array, " S"], Float[Array, ""]]:
  """Carries values from the leaves of a treeplex to its root.

  Args:
    treeplex: The player's decisions.
    gain: What each sequence adds to the value.
    row_fn: Called for each group with the values of its actions: the gain and
      the values of all infostates below. It returns a value per infostate, and
      rows to keep. With an expectation this is policy evaluation, with a
      maximum the best response, with a log-partition the dilated proximal step.

  Returns:
    The kept rows, with zero at slot 0, and the value of the empty sequence.
  """
  kept, below = [], None
  for depth in reversed(range(len(treeplex.levels))):
    groups = treeplex.levels[depth]
    start = groups[0].start
    stop = groups[-1].start + groups[-1].num_rows * groups[-1].width
    q = lax.slice_in_dim(gain, start, stop)
    q = q if below is None else q + below
    values, rows = [], []
    for g in groups:
      block = g._replace(start=g.start - start).view(q)
      value, keep = row_fn(block, g)
      values.append(value)
      rows += g.parts(keep)
    kept.append(jnp.concatenate(rows))
    value = jnp.concatenate(values)
    below = treeplex.children[depth - 1](value) if depth else sums.total(value)
  kept.append(jnp.zeros(1, gain.dtype))
  root = gain[0] if below is None else gain[0] + below
  return jnp.concatenate(kept[::-1]), root


def reaches(
  treeplex: Treeplex, plan: Float[Array, " S"]
) -> Iterator[tuple[Group, Float[Array, " R"]]]:
  """Yields each group, and the plan's reach of its infostates."""
  for depth, groups in enumerate(treeplex.levels):
    first, last = groups[0].first_row, groups[-1]
    rows = last.first_row + last.num_rows - first
    reach = (
      segments.take(plan, treeplex.parents[depth - 1])
      if depth
      else jnp.ones(rows, plan.dtype)
    )
    for g in groups:
      yield g, reach[g.first_row - first : g.first_row - first + g.num_rows]


def _materialized(treeplex, x):
  """Returns `x`, which XLA then computes once and does not fuse any further.

  What is written in place is computed one number at a time, with all that is
  fused into it, and would be computed anew for every use.

  On CPUs with AVX-512, XLA of jax 0.10 miscompiles a gather that it has fused
  with a concatenation of broadcast rows: it reads outside of the arrays. A
  conditional, unlike an optimization barrier, is kept until after fusion, if
  the compiler knows neither which branch is taken nor that both return `x`.
  """
  flag = treeplex.legal[0]
  # Where the second branch is taken, the flag is false: it returns `x`, too.
  return lax.cond(
    flag, lambda y, _: y, lambda y, flag: jnp.where(flag, -y, y), x, flag
  )
