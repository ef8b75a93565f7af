"""Tests that treeplexes whose parts do not fit together are refused."""

import copy

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import struct
from mdrl.trees import layout as layout_lib
from mdrl.trees import segment_plans, sweeps, treeplex_checks


def _treeplex():
  """Returns three infostates: of three and two actions, and one below."""
  parent, width = np.array([0, 0, 1]), np.array([3, 2, 2])
  return layout_lib.lay_out(parent, width, np.dtype(float)).treeplex


def _unchecked(t, **changes):
  """Changes parts as JAX does when it rebuilds a pytree: without a check."""
  t = copy.copy(t)
  for name, value in changes.items():
    object.__setattr__(t, name, value)
  return t


def _with_group(depth, **changes):
  def change(t):
    levels = [list(groups) for groups in t.levels]
    levels[depth][0] = levels[depth][0]._replace(**changes)
    return {"levels": tuple(map(tuple, levels))}

  return change


def _sum_into(*slots, weight=1.0):
  ones = np.full(len(slots), weight)
  return segment_plans.segment_sum(
    np.array(slots), (np.arange(len(slots)),), ones, 6, np.dtype(float)
  )


# How a part is changed, and what the message says of it.
_FAULTS = {
  "gap": (_with_group(1, start=8), "`levels` .* the next at slot 7"),
  "overlap": (_with_group(1, first_row=1), "`levels` .* and infostate 2"),
  "empty group": (_with_group(1, num_rows=0), "`levels` .* one or more"),
  "no groups": (lambda t: {"levels": (t.levels[0], ())}, "`levels` .* none at"),
  "not padded": (_with_group(0, padded=False), "`levels` .* marked as padded"),
  "legal shape": (lambda t: {"legal": t.legal[1:]}, r"`legal` .* \(9,\), .*8"),
  "legal type": (lambda t: {"legal": t.uniform}, "`legal` .*bool.* got float"),
  "slot 0": (
    lambda t: {"legal": t.legal.at[0].set(False)},
    "`legal` must be true at slot 0, the empty sequence, got False; `layout",
  ),
  "no action": (
    lambda t: {"legal": t.legal.at[jnp.array([2, 4, 6])].set(False)},
    "`legal` .* one or more slots of each infostate",
  ),
  "uniform type": (lambda t: {"uniform": t.legal}, "`uniform` .* got bool"),
  "not uniform": (
    lambda t: {"uniform": t.uniform.at[7].set(0.4)},
    r"`uniform` must be .* got \[0.4\] for \[0.5\] at slot \[7\]",
  ),
  "uniform at slot 0": (
    lambda t: {"uniform": t.uniform.at[0].set(1)},
    r"`uniform` .* at slot \[0\]",
  ),
  "no parents": (lambda t: {"parents": ()}, "`parents` .* but the first, 1, "),
  "parents shape": (
    lambda t: {"parents": (jnp.zeros(2, int),)},
    r"`parents\[0\]` .* \(1,\), one for each infostate, got int64 of .*\(2,\)",
  ),
  "parents outside": (
    lambda t: {"parents": (jnp.array([7]),)},
    r"`parents\[0\]` must be legal slots .* from 1 to 6, got \[7\]",
  ),
  "illegal parent": (
    lambda t: {"parents": (jnp.array([6]),)},
    r"`parents\[0\]` must be legal slots .* got \[6\]",
  ),
  "other parents": (
    lambda t: {"parents": (jnp.array([2]),)},
    r"`children\[0\]` must add the value of each infostate up",
  ),
  "other children": (
    lambda t: {"children": (_sum_into(1),)},
    r"`children\[0\]` must add the value",
  ),
  "weighted children": (
    lambda t: {"children": (_sum_into(0, weight=2.0),)},
    r"`children\[0\]` must add the value",
  ),
  "children twice": (
    lambda t: {"children": (_sum_into(0, 0),)},
    r"`children\[0\]` must add the value",
  ),
  "children of none": (
    lambda t: {
      "children": (
        segment_plans.segment_sum(
          np.zeros(1, int), (np.ones(1, int),), np.ones(1), 6, np.dtype(float)
        ),
      )
    },
    r"`children\[0\]` must add the value",
  ),
  "segments": (
    lambda t: {
      "children": (
        segment_plans.segment_sum(
          np.zeros(1, int), (np.zeros(1, int),), np.ones(1), 5, np.dtype(float)
        ),
      )
    },
    r"`children\[0\]` must be a sum into the 6 slots .* got 5 segments",
  ),
}
_SHAPES = ("gap", "legal shape", "no parents", "parents shape", "segments")


class TreeplexChecksTest(parameterized.TestCase):
  @parameterized.named_parameters(
    (name.replace(" ", "_"), *fault) for name, fault in _FAULTS.items()
  )
  def test_faults_are_refused(self, change, message):
    t = _treeplex()
    with self.assertRaisesRegex(ValueError, message):
      treeplex_checks.check(_unchecked(t, **change(t)))

  def test_constructors_check(self):
    change, message = _FAULTS["slot 0"]
    t = _treeplex()
    with self.assertRaisesRegex(ValueError, message):
      struct.replace(t, **change(t))

  @parameterized.parameters(*_SHAPES)
  def test_shapes_are_checked_under_jit(self, fault):
    change, message = _FAULTS[fault]
    t = _treeplex()

    def build(t):
      treeplex_checks.check(_unchecked(t, **change(t)))

    with self.assertRaisesRegex(ValueError, message):
      jax.eval_shape(build, t)

  def test_treeplexes_are_built_under_jit(self):
    t = _treeplex()
    plan = jax.jit(
      lambda t: sweeps.sweep_down(struct.replace(t, legal=t.legal), t.uniform)
    )(t)
    np.testing.assert_array_equal(plan, sweeps.sweep_down(t, t.uniform))

  def test_hand_built_parts_that_fit_are_taken(self):
    t = _treeplex()
    again = struct.replace(t, children=(_sum_into(0),))
    np.testing.assert_array_equal(
      again.children[0](jnp.array([2.5])), t.children[0](jnp.array([2.5]))
    )


if __name__ == "__main__":
  absltest.main()
