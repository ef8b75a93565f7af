"""Tests of treeplexes against slow sweeps in numpy, infostate by infostate."""

import itertools
from typing import NamedTuple
from unittest import mock

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.testing import games
from mdrl.trees import layout as layout_lib
from mdrl.trees import quantities, segment_plans, sweeps


class Tree(NamedTuple):
  """One player's decisions in the host's numbering."""

  parent: np.ndarray
  width: np.ndarray

  @property
  def num_sequences(self):
    return 1 + int(self.width.sum())

  def rows(self):
    """Yields the parent and the sequences of each infostate."""
    stop = 1 + np.cumsum(self.width)
    for parent, a, b in zip(self.parent, stop - self.width, stop, strict=True):
      yield parent, slice(a, b)


def _random_tree(seed, num_infostates, max_width):
  rng = np.random.default_rng(seed)
  width = rng.integers(1, max_width + 1, num_infostates)
  # Any sequence so far.
  parent = rng.integers(0, 1 + np.cumsum(width) - width)
  return Tree(parent, width)


def _random_policy(tree, rng):
  policy = rng.exponential(size=tree.num_sequences)
  policy[0] = 1
  for _, row in tree.rows():
    policy[row] /= policy[row].sum()
  return policy


def _plan(tree, policy):
  plan = np.ones_like(policy)
  for parent, row in tree.rows():
    plan[row] = plan[parent] * policy[row]
  return plan


def _values(tree, gain, value_of):
  """Returns the value of every sequence, with those of all below it."""
  values = gain.copy()
  for parent, row in reversed(list(tree.rows())):
    values[parent] += value_of(values[row], row)
  return values


def _lay_out(tree, group_cost=None, dtype=float):
  cost = layout_lib._GROUP_COST if group_cost is None else group_cost
  with mock.patch.object(layout_lib, "_GROUP_COST", cost):
    return layout_lib.lay_out(tree.parent, tree.width, np.dtype(dtype))


def _to_slots(layout, x, fill=0):
  out = np.full((*x.shape[:-1], layout.treeplex.num_slots), fill, x.dtype)
  out[..., layout.slot] = x
  return jnp.asarray(out)


@jax.jit
def _sweep_up(t, gain, policy, best):
  """Sweeps up with a maximum if `best`, else with an expectation."""

  def row_fn(q, group):
    legal = t.legal_rows(group)
    masked = q if legal is None else jnp.where(legal, q, -jnp.inf)
    mean = jnp.sum(group.view(policy) * q, axis=1)
    return jnp.where(best, jnp.max(masked, axis=1), mean), q

  return sweeps.sweep_up(t, gain, row_fn)


_sweep_down = jax.jit(sweeps.sweep_down)

# A seed, infostates, the widest row, and what a group costs: where it costs
# nothing every width has its own group, and by default small ones are merged.
TREES = (
  (0, 1, 3, None),
  (1, 6, 2, None),
  (2, 20, 4, 0),
  (3, 20, 1, None),
  (4, 50, 12, None),
  (5, 40, 9, 12),
  (6, 30, 3, 0),
  (7, 60, 5, 20),
)


class SweepTest(parameterized.TestCase):
  def _assert_near(self, actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)

  @parameterized.parameters(*TREES)
  def test_sweep_down(self, seed, num_infostates, width, cost):
    tree = _random_tree(seed, num_infostates, width)
    layout = _lay_out(tree, cost)
    policy = _random_policy(tree, np.random.default_rng(seed))
    plan = _sweep_down(layout.treeplex, _to_slots(layout, policy))
    self._assert_near(plan, _to_slots(layout, _plan(tree, policy)))

  @parameterized.parameters(*TREES)
  def test_sweep_up(self, seed, num_infostates, width, cost):
    tree = _random_tree(seed, num_infostates, width)
    layout = _lay_out(tree, cost)
    rng = np.random.default_rng(seed)
    policy = _random_policy(tree, rng)
    gain = rng.normal(size=tree.num_sequences)
    t, legal = layout.treeplex, layout.slot[1:]
    arrays = [_to_slots(layout, x) for x in (gain, policy)]
    kept, root = _sweep_up(t, *arrays, False)
    values = _values(tree, gain, lambda q, row: policy[row] @ q)
    self._assert_near(root, values[0])
    self._assert_near(root, gain @ _plan(tree, policy))
    self._assert_near(np.asarray(kept)[legal], values[1:])
    self.assertEqual(kept[0], 0)
    kept, root = _sweep_up(t, *arrays, True)
    values = _values(tree, gain, lambda q, row: q.max())
    self._assert_near(root, values[0])
    self._assert_near(np.asarray(kept)[legal], values[1:])

  @parameterized.parameters(*TREES)
  def test_reaches(self, seed, num_infostates, width, cost):
    tree = _random_tree(seed, num_infostates, width)
    layout = _lay_out(tree, cost)
    t = layout.treeplex
    plan = _plan(tree, _random_policy(tree, np.random.default_rng(seed)))
    groups, reaches = zip(
      *sweeps.reaches(t, _to_slots(layout, plan)), strict=True
    )
    self.assertEqual(groups, t.groups)
    np.testing.assert_array_equal(
      np.concatenate(reaches), plan[tree.parent[layout.order]]
    )

  @parameterized.parameters(TREES[5])
  def test_sweeps_under_vmap(self, seed, num_infostates, width, cost):
    tree = _random_tree(seed, num_infostates, width)
    layout = _lay_out(tree, cost)
    rng = np.random.default_rng(seed)
    policies = np.stack([_random_policy(tree, rng) for _ in range(3)])
    gains = rng.normal(size=policies.shape)

    @jax.jit
    @jax.vmap
    def both(policy, gain):
      t = layout.treeplex
      best = _sweep_up(t, gain, policy, True)[1]
      return sweeps.sweep_down(t, policy), best

    plans, best = both(_to_slots(layout, policies), _to_slots(layout, gains))
    for k in range(3):
      self._assert_near(plans[k], _to_slots(layout, _plan(tree, policies[k])))
      value = _values(tree, gains[k], lambda q, row: q.max())[0]
      self._assert_near(best[k], value)

  def test_plans_do_not_depend_on_slot_0(self):
    # Not even where it were illegal, which constructors refuse.
    t = _lay_out(_random_tree(2, 20, 4)).treeplex
    leaves, treedef = jax.tree.flatten(t)
    zeros = [jnp.zeros_like(x) if x is t.legal else x for x in leaves]
    broken = jax.tree.unflatten(treedef, zeros)
    self.assertFalse(broken.legal[0])
    np.testing.assert_array_equal(
      _sweep_down(broken, t.uniform), _sweep_down(t, t.uniform)
    )

  def test_policies_are_materialized_before_they_are_swept(self):
    # Faults and slowness of what XLA fuses are gone with the conditional only.
    t = _lay_out(_random_tree(2, 20, 4)).treeplex
    text = _sweep_down.lower(t, t.uniform).compile().as_text()
    self.assertIn(" conditional(", text)

  def test_a_deep_tree(self):
    # Each infostate follows the second action of the one before.
    tree = Tree(2 * np.arange(12), np.full(12, 2))
    layout = _lay_out(tree)
    self.assertLen(layout.treeplex.levels, 12)
    policy = _random_policy(tree, np.random.default_rng(0))
    plan = _sweep_down(layout.treeplex, _to_slots(layout, policy))
    self._assert_near(plan, _to_slots(layout, _plan(tree, policy)))
    self.assertAlmostEqual(plan[layout.slot[-1]], np.prod(policy[2::2]))

  def test_a_player_without_infostates(self):
    none = np.zeros(0, int)
    layout = _lay_out(Tree(none, none))
    t = layout.treeplex
    self.assertEqual((t.num_slots, t.num_infostates, t.groups), (1, 0, ()))
    plan = _sweep_down(t, jnp.ones(1))
    np.testing.assert_array_equal(plan, [1])
    np.testing.assert_array_equal(t.to_policy(plan), [0])
    table = t.to_table(plan)
    self.assertEqual(table.shape, (0, 0))
    np.testing.assert_array_equal(t.from_table(table), [0])
    self.assertEmpty(list(sweeps.reaches(t, plan)))
    gain = jnp.full(1, 2.5)
    kept, root = _sweep_up(t, gain, jnp.ones(1), True)
    self.assertEqual(root, 2.5)
    np.testing.assert_array_equal(kept, [0])

  def test_dtype(self):
    dtype = jnp.float32
    t = _lay_out(_random_tree(1, 6, 2), dtype=dtype).treeplex
    self.assertEqual(t.dtype, dtype)
    plan = _sweep_down(t, t.uniform)
    _, root = _sweep_up(t, plan, plan, True)
    table = t.to_table(plan)
    for x in (plan, root, t.to_policy(plan), table, t.from_table(table)):
      self.assertEqual(x.dtype, dtype)


class CompiledSweepTest(parameterized.TestCase):
  """On trees whose sweeps some versions of XLA have compiled wrongly.

  On CPUs with AVX-512, XLA of jax 0.10 fused a gather with a concatenation of
  broadcast rows and read outside of the arrays, on the larger liar's dice among
  others; it depended on what stands around the sweep.
  """

  def _game(self, dtype):
    """Returns a game, three policies of each player, and their gains."""
    game, _ = games.compiled("liars_dice(dice_sides=5)", dtype)
    rng = np.random.default_rng(0)
    policies, plans = [], []
    for t in game.treeplexes:
      policy = rng.exponential(size=(3, t.num_slots)) * np.asarray(t.legal)
      for g in t.groups:
        rows = policy[:, g.start : g.start + g.num_rows * g.width]
        rows = rows.reshape(3, g.width, g.num_rows)
        rows /= rows.sum(axis=1, keepdims=True)
      policies.append(jnp.asarray(policy, dtype))
      plans.append(_plan_of_slots(t, policy))
    gains = []
    for player, plan in enumerate(plans):
      slot, (source,), weight = segment_plans.entries(game.payoffs[player])
      gain = np.zeros_like(plan.T)
      np.add.at(gain, slot, weight[:, None] * plans[1 - player].T[source])
      gains.append(gain.T)
    return game, quantities.Policies(policies), gains

  def _assert_near(self, actual, expected):
    for a, b in zip(actual, expected, strict=True):
      atol = 1e-12 if a.dtype == jnp.float64 else 1e-6
      np.testing.assert_allclose(a, b, rtol=0, atol=atol)

  @parameterized.parameters(jnp.float32, jnp.float64)
  def test_gains_of_plans(self, dtype):
    game, policies, gains = self._game(dtype)
    gain = jax.jit(lambda game, p: game.gains(game.plans(p)))(
      game, quantities.Policies(p[0] for p in policies)
    )
    self._assert_near(gain, [g[0] for g in gains])

  def test_with_the_game_as_a_constant(self):
    game, policies, gains = self._game(jnp.float32)
    gain = jax.jit(lambda p: game.gains(game.plans(p)))(
      quantities.Policies(p[0] for p in policies)
    )
    self._assert_near(gain, [g[0] for g in gains])

  def test_under_vmap(self):
    game, policies, gains = self._game(jnp.float64)
    gain = jax.jit(
      jax.vmap(lambda game, p: game.gains(game.plans(p)), (None, 0))
    )(game, policies)
    self._assert_near(gain, gains)


def _plan_of_slots(t, policy):
  plan = np.zeros_like(policy)
  plan[:, 0] = 1
  for depth, groups in enumerate(t.levels):
    slot = np.asarray(t.parents[depth - 1]) if depth else None
    for g in groups:
      for k in range(g.num_rows):
        row = slice(g.start + k, g.start + g.num_rows * g.width, g.num_rows)
        above = slot[g.first_row - groups[0].first_row + k] if depth else 0
        plan[:, row] = plan[:, above, None] * policy[:, row]
  return plan


class LayoutTest(parameterized.TestCase):
  @parameterized.parameters(*TREES)
  def test_slots(self, seed, num_infostates, width, cost):
    tree = _random_tree(seed, num_infostates, width)
    t, slot, order, start, stride = _lay_out(tree, cost)
    self.assertEqual(slot[0], 0)
    self.assertLen(set(slot.tolist()), tree.num_sequences)
    np.testing.assert_array_equal(np.sort(order), np.arange(num_infostates))
    legal = np.zeros(t.num_slots, bool)
    legal[slot] = True
    np.testing.assert_array_equal(t.legal, legal)
    uniform = np.zeros(t.num_slots)
    for k, (_, row) in enumerate(tree.rows()):
      np.testing.assert_array_equal(
        slot[row], start[k] + stride[k] * np.arange(row.stop - row.start)
      )
      uniform[slot[row]] = 1 / (row.stop - row.start)
    np.testing.assert_allclose(t.uniform[1:], uniform[1:], rtol=1e-15)

  @parameterized.parameters(*TREES)
  def test_groups(self, seed, num_infostates, width, cost):
    tree = _random_tree(seed, num_infostates, width)
    t, slot, order, *_ = _lay_out(tree, cost)
    self.assertEqual(t.num_infostates, num_infostates)
    self.assertEqual(t.num_slots, len(t.legal))
    depth = _depths(tree)
    start, row = 1, 0
    for d, groups in enumerate(t.levels):
      self.assertSequenceEqual(
        [g.width for g in groups], sorted({g.width for g in groups})
      )
      for g in groups:
        self.assertEqual((g.start, g.first_row), (start, row))
        at = order[row : row + g.num_rows]
        np.testing.assert_array_equal(depth[at], d)
        self.assertEqual(tree.width[at].max(), g.width)
        self.assertEqual(g.padded, tree.width[at].min() < g.width)
        self.assertEqual(t.legal_rows(g) is None, not g.padded)
        first = slot[1 + np.cumsum(tree.width) - tree.width][at]
        # First actions are neighbours, and so are second ones.
        np.testing.assert_array_equal(first, g.start + np.arange(g.num_rows))
        for a in range(g.width):
          column = slice(
            g.start + a * g.num_rows, g.start + (a + 1) * g.num_rows
          )
          legal = np.asarray(t.legal)[column]
          np.testing.assert_array_equal(legal, tree.width[at] > a)
        start, row = start + g.num_rows * g.width, row + g.num_rows
    self.assertEqual((start, row), (t.num_slots, num_infostates))

  @parameterized.parameters(*TREES)
  def test_parents(self, seed, num_infostates, width, cost):
    tree = _random_tree(seed, num_infostates, width)
    t, slot, order, *_ = _lay_out(tree, cost)
    for here, slots in zip(t.levels[1:], t.parents, strict=True):
      size = sum(g.num_rows for g in here)
      at = order[here[0].first_row : here[0].first_row + size]
      np.testing.assert_array_equal(slots, slot[tree.parent[at]])

  def test_trees_have_groups_of_all_kinds(self):
    padded, several = [], []
    for seed, num_infostates, width, cost in TREES:
      t = _lay_out(_random_tree(seed, num_infostates, width), cost).treeplex
      padded.append(any(g.padded for g in t.groups))
      several.append(any(len(groups) > 1 for groups in t.levels))
    kinds = set(zip(padded, several, strict=True))
    self.assertEqual(kinds, set(itertools.product((False, True), repeat=2)))

  def test_policy_is_uniform_where_the_plan_does_not_reach(self):
    # The last row follows the last action of the first.
    tree = Tree(np.array([0, 0, 3]), np.array([3, 2, 4]))
    t, *_ = layout = _lay_out(tree)
    policy = np.array([0, 0.25, 0.75, 0, 1, 0, 0.1, 0.2, 0.3, 0.4])
    again = t.to_policy(_sweep_down(t, _to_slots(layout, policy)))
    policy[6:] = 0.25
    np.testing.assert_array_equal(again, _to_slots(layout, policy))

  @parameterized.parameters(TREES[4], TREES[5])
  def test_tables_and_policies_of_plans(
    self, seed, num_infostates, width, cost
  ):
    tree = _random_tree(seed, num_infostates, width)
    t, _, order, *_ = layout = _lay_out(tree, cost)
    policy = _random_policy(tree, np.random.default_rng(seed))
    policy[0] = 0
    flat = _to_slots(layout, policy)
    table = np.asarray(t.to_table(flat))
    self.assertEqual(table.shape, (num_infostates, tree.width.max()))
    rows = [row for _, row in tree.rows()]
    for got, k in zip(table, order.tolist(), strict=True):
      np.testing.assert_array_equal(got[: tree.width[k]], policy[rows[k]])
      self.assertFalse(got[tree.width[k] :].any())
    np.testing.assert_array_equal(t.from_table(jnp.asarray(table)), flat)
    plan = _to_slots(layout, _plan(tree, policy + np.eye(len(policy))[0]))
    np.testing.assert_allclose(t.to_policy(plan), flat, rtol=0, atol=1e-12)

  def test_map_groups_sees_every_group(self):
    tree = Tree(np.array([0, 0, 1]), np.array([3, 1, 2]))
    layout = _lay_out(tree)
    t, seen = layout.treeplex, []
    numbers = _to_slots(layout, np.arange(7.0), fill=-1)

    def tenfold(group):
      seen.append((group.num_rows, group.width, group.padded))
      return 10 * group.view(numbers)

    np.testing.assert_array_equal(t.map_groups(tenfold), 10 * numbers)
    self.assertEqual(seen, [(2, 3, True), (1, 2, False)])

  def test_mask(self):
    tree = Tree(np.array([0, 0, 1]), np.array([3, 1, 2]))
    layout = _lay_out(tree)
    numbers = np.arange(1.0, 8)
    np.testing.assert_array_equal(
      layout.treeplex.mask(_to_slots(layout, numbers, fill=np.nan)),
      _to_slots(layout, numbers),
    )
    legal = {g: layout.treeplex.legal_rows(g) for g in layout.treeplex.groups}
    first, second = legal.values()
    expected = [[True, True, True], [True, False, False]]
    np.testing.assert_array_equal(first, expected)
    self.assertIsNone(second)

  @parameterized.parameters(255, 256)
  def test_columns_short_and_long(self, num_infostates):
    parent, width = np.zeros(num_infostates, int), np.full(num_infostates, 3)
    width[::5] = 2
    layout = _lay_out(Tree(parent, width))
    t = layout.treeplex
    (group,) = t.groups
    self.assertTrue(group.padded)
    rows = jnp.arange(3.0 * num_infostates).reshape(num_infostates, 3)
    parts = group.parts(rows)
    self.assertLen(parts, 1 if num_infostates < 256 else 3)
    flat = t.map_groups(lambda _: rows)
    np.testing.assert_array_equal(group.view(flat), rows)
    np.testing.assert_array_equal(t.from_table(rows), flat)
    kept, _ = sweeps.sweep_up(t, flat, lambda q, _: (q[:, 0], q))
    np.testing.assert_array_equal(kept, flat)

  def test_policies_without_weights_are_uniform_on_what_is_legal(self):
    layout = _lay_out(Tree(np.array([0, 0]), np.array([3, 2])))
    t = layout.treeplex
    self.assertTrue(t.groups[0].padded)
    expected = np.array([0, 1 / 3, 1 / 3, 1 / 3, 1 / 2, 1 / 2])
    np.testing.assert_allclose(
      t.to_policy(jnp.zeros(t.num_slots)),
      _to_slots(layout, expected),
      rtol=1e-15,
    )

  @parameterized.parameters(np.nan, 1e9)
  def test_policies_of_weights_ignore_padding(self, fill):
    layout = _lay_out(Tree(np.array([0, 0]), np.array([3, 2])))
    weights = np.array([7.0, 1, 1, 2, 6, 2])
    np.testing.assert_array_equal(
      layout.treeplex.to_policy(_to_slots(layout, weights, fill)),
      _to_slots(layout, np.array([0.0, 0.25, 0.25, 0.5, 0.75, 0.25])),
    )


def _depths(tree):
  owner = np.repeat(np.arange(len(tree.width)), tree.width)
  depth = np.zeros(len(tree.width), int)
  for k, parent in enumerate(tree.parent):
    depth[k] = depth[owner[parent - 1]] + 1 if parent else 0
  return depth


class MergedTest(parameterized.TestCase):
  def _cost(self, sizes, counts, merged):
    self.assertTrue((merged >= sizes).all())
    self.assertTrue((np.diff(merged) >= 0).all())
    groups = layout_lib._GROUP_COST * len(set(merged.tolist()))
    return groups + (merged * counts).sum()

  @parameterized.product(seed=(0, 1, 2, 3), cost=(0, 3, 20, 128, 10**6))
  def test_no_runs_of_widths_cost_less(self, seed, cost):
    rng = np.random.default_rng(seed)
    num_widths = seed + 3
    sizes = np.sort(rng.choice(np.arange(1, 30), num_widths, replace=False))
    counts = rng.integers(1, 12, num_widths)
    with mock.patch.object(layout_lib, "_GROUP_COST", cost):
      merged = layout_lib._merged_widths(sizes, counts)
      least = np.inf
      for k in range(num_widths):
        for ends in itertools.combinations(range(num_widths - 1), k):
          last = np.array([*ends, num_widths - 1])
          widest = sizes[last[np.searchsorted(last, np.arange(num_widths))]]
          least = min(least, self._cost(sizes, counts, widest))
      self.assertEqual(self._cost(sizes, counts, merged), least)

  def test_where_groups_are_free_no_width_changes(self):
    sizes = np.array([1, 2, 5, 9])
    with mock.patch.object(layout_lib, "_GROUP_COST", 0):
      merged = layout_lib._merged_widths(sizes, np.array([3, 1, 4, 1]))
    np.testing.assert_array_equal(merged, sizes)

  def test_one_width(self):
    merged = layout_lib._merged_widths(np.array([4]), np.array([100]))
    np.testing.assert_array_equal(merged, [4])


if __name__ == "__main__":
  absltest.main()
