"""Checks of treeplexes that are built by hand.

Shapes and levels are checked whatever the arrays are; numbers are where they
are known, so not within a compiled function, where a check costs nothing.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from mdrl import checks
from mdrl.trees import segment_plans

_REMEDY = "`layout.lay_out` builds treeplexes from parents and widths"


def check(treeplex: Any) -> None:
  """Checks that the parts of a treeplex fit together.

  Args:
    treeplex: A `treeplex.Treeplex`.

  Raises:
    ValueError: If groups leave gaps or overlap, arrays are not of their shapes
      and types, slot 0 is illegal, the uniform policy is not uniform on legal
      slots, or the sums into parents do not add up values of the infostates.
  """
  _check_levels(treeplex.levels)
  _check_arrays(treeplex)
  if not checks.is_traced(treeplex):
    _check_policy(treeplex)
    _check_edges(treeplex)


def _require(condition, name, expected, got):
  if not condition:
    raise ValueError(f"`{name}` must {expected}, got {got}; {_REMEDY}")


def _check_levels(levels):
  """Groups follow one another without gaps, in slots and in rows."""
  start, row = 1, 0
  for depth, groups in enumerate(levels):
    _require(groups, "levels", "have groups at each depth", f"none at {depth}")
    for g in groups:
      _require(
        g.num_rows > 0 and g.width > 0,
        "levels",
        "have groups of one or more infostates and slots",
        g,
      )
      _require(
        (g.start, g.first_row) == (start, row),
        "levels",
        "have groups that follow one another without gaps, the next at slot "
        f"{start} and infostate {row}",
        g,
      )
      start, row = start + g.num_rows * g.width, row + g.num_rows


def _check_arrays(t):
  """Arrays are of the shapes that the levels ask for, and of their types."""
  shape = (t.num_slots,)
  for name, kind in (("legal", jnp.bool_), ("uniform", jnp.floating)):
    x = getattr(t, name)
    _require(
      x.shape == shape and jnp.issubdtype(x.dtype, kind),
      name,
      f"be of type {kind.__name__} and shape {shape}, one for each slot",
      f"{x.dtype} of shape {x.shape}",
    )
  depth = max(len(t.levels) - 1, 0)
  for name in ("parents", "children"):
    count = len(getattr(t, name))
    _require(
      count == depth,
      name,
      f"have one part for each depth but the first, {depth}",
      count,
    )
  for d, groups in enumerate(t.levels[1:]):
    rows, x = sum(g.num_rows for g in groups), t.parents[d]
    _require(
      x.shape == (rows,) and jnp.issubdtype(x.dtype, jnp.integer),
      f"parents[{d}]",
      f"be whole numbers of shape {(rows,)}, one for each infostate",
      f"{x.dtype} of shape {x.shape}",
    )
    slots = sum(g.num_rows * g.width for g in t.levels[d])
    _require(
      t.children[d].num_segments == slots,
      f"children[{d}]",
      f"be a sum into the {slots} slots of the depth above",
      f"{t.children[d].num_segments} segments",
    )


def _check_policy(t):
  """Slot 0 is a sequence, and the policy is uniform on all others."""
  legal, uniform = np.asarray(t.legal), np.asarray(t.uniform)
  _require(legal[0], "legal", "be true at slot 0, the empty sequence", "False")
  expected, eps = np.zeros_like(uniform), float(jnp.finfo(uniform.dtype).eps)
  for g in t.groups:
    rows = _view(g, legal)
    _require(
      rows.any(axis=1).all(),
      "legal",
      "be true at one or more slots of each infostate",
      f"none at one of the infostates from {g.first_row} on",
    )
    _require(
      g.padded or rows.all(),
      "levels",
      "be marked as padded where slots are illegal",
      g,
    )
    _view(g, expected)[:] = rows / rows.sum(axis=1, keepdims=True)
  bad = np.flatnonzero(~np.isclose(uniform, expected, rtol=2 * eps, atol=0))
  _require(
    not bad.size,
    "uniform",
    "be the uniform policy on legal slots, and zero at others and at slot 0",
    f"{uniform[bad[:1]]} for {expected[bad[:1]]} at slot {bad[:1]}",
  )


def _view(group, x):
  """Returns the part of a group as rows; `Group.view` is for the device."""
  stop = group.start + group.num_rows * group.width
  return x[group.start : stop].reshape(group.width, group.num_rows).T


def _check_edges(t):
  """Parents are legal slots of the depth above, and values add up into them."""
  legal = np.asarray(t.legal)
  for d, groups in enumerate(t.levels[:-1]):
    start, stop = groups[0].start, t.levels[d + 1][0].start
    parent = np.asarray(t.parents[d])
    inside = (parent >= start) & (parent < stop)
    _require(
      inside.all() and legal[parent].all(),
      f"parents[{d}]",
      f"be legal slots of the depth above, from {start} to {stop - 1}",
      parent[~inside | ~legal[parent % len(legal)]][:3].tolist(),
    )
    segment, sources, weight = segment_plans.entries(t.children[d])
    matches = len(sources) == 1 and (weight == 1).all()
    order = np.argsort(sources[0], kind="stable") if matches else []
    _require(
      matches
      and np.array_equal(sources[0][order], np.arange(len(parent)))
      and np.array_equal(segment[order] + start, parent),
      f"children[{d}]",
      f"add the value of each infostate up at its slot of `parents[{d}]`",
      "another sum",
    )
