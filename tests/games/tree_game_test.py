"""Tests of tree games against sums over terminals in numpy."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.games import tree_game, tree_tables
from mdrl.trees import quantities, segment_plans


def _random_tables(seed, num_players, num_terminals, constant=None):
  """Returns ragged decisions, and terminals at random sequences of theirs."""
  rng = np.random.default_rng(seed)
  parent, width, infostates, action = [], [], [], []
  for player in range(num_players):
    widths = rng.integers(1, 5, 4 + player)
    parent.append(rng.integers(0, 1 + np.cumsum(widths) - widths))
    width.append(widths)
    infostates.append(tuple(f"{player} {k}" for k in range(len(widths))))
    action.append(np.concatenate([np.arange(w) for w in widths]))
  sequence = np.stack(
    [rng.integers(0, 1 + w.sum(), num_terminals) for w in width], axis=1
  )
  utility = rng.normal(size=(num_terminals, num_players))
  if constant is not None:
    utility[:, -1] += constant - utility.sum(axis=1)
  chance = rng.uniform(size=num_terminals)
  return tree_tables.TreeTables(
    infostates=tuple(infostates),
    parent=tuple(parent),
    width=tuple(width),
    action=tuple(action),
    sequence=sequence.astype(np.int32),
    chance=chance,
    # Chance moves once, and says where all ends.
    chance_parent=np.zeros(1, int),
    chance_width=np.array([num_terminals]),
    chance_probability=chance,
    chance_sequence=1 + np.arange(num_terminals),
    utility=utility,
    num_histories=2 * num_terminals,
  )


def _random_policies(index, rng):
  policies = []
  for player in index.players:
    policy = np.zeros(len(player.action))
    policy[0] = 1
    for row in range(len(player.infostates)):
      slots = player.slots(row)
      weights = rng.exponential(size=len(policy[slots]))
      policy[slots] = weights / weights.sum()
    policies.append(jnp.asarray(policy))
  return quantities.Policies(policies)


def _slots(tables, index, player):
  """Returns the slot of each sequence, found by name."""
  named = index[player]
  slots = [0]
  stop = np.cumsum(tables.width[player])
  start = stop - tables.width[player]
  for name, a, b in zip(tables.infostates[player], start, stop, strict=True):
    legal = tables.action[player][a:b].tolist()
    slots += [named.slot(name, k) for k in legal]
  return np.array(slots)


def _expected(tables, plans):
  """Returns the gains and the utilities of plans over host sequences."""
  reach = np.stack(
    [plan[s] for plan, s in zip(plans, tables.sequence.T, strict=True)]
  )
  gains, values = [], []
  for player, utility in enumerate(tables.utility.T):
    others = np.prod(np.delete(reach, player, axis=0), axis=0)
    gain = np.zeros_like(plans[player])
    at = tables.sequence[:, player]
    np.add.at(gain, at, tables.chance * utility * others)
    gains.append(gain)
    values.append((tables.chance * utility * reach.prod(axis=0)).sum())
  return gains, values


@jax.jit
def _evaluate(game, policies):
  plans = game.plans(policies)
  return plans, game.gains(plans), game.values(plans)


class TreeGameTest(parameterized.TestCase):
  @parameterized.parameters((1, 40), (2, 300), (3, 300))
  def test_gains_and_values(self, num_players, num_terminals):
    tables = _random_tables(num_players, num_players, num_terminals)
    game, index = tree_game.build(tables)
    policies = _random_policies(index, np.random.default_rng(0))
    plans, gains, values = _evaluate(game, policies)
    slots = [_slots(tables, index, i) for i in range(num_players)]
    host = [np.asarray(p)[s] for p, s in zip(plans, slots, strict=True)]
    expected, expected_values = _expected(tables, host)
    np.testing.assert_allclose(values, expected_values, rtol=0, atol=1e-12)
    for i in range(num_players):
      self.assertEqual(gains[i].shape, (game.treeplexes[i].num_slots,))
      np.testing.assert_allclose(
        np.asarray(gains[i])[slots[i]], expected[i], rtol=0, atol=1e-12
      )
      # Padding earns nothing.
      self.assertAlmostEqual(gains[i].sum(), expected[i].sum(), delta=1e-12)
      np.testing.assert_array_equal(game.gain(plans, i), gains[i])

  def test_terminals_of_equal_sequences_are_merged(self):
    tables = _random_tables(0, 2, 50)
    twice = tables._replace(
      sequence=np.tile(tables.sequence, (2, 1)),
      chance=np.tile(tables.chance / 2, 2),
      utility=np.tile(tables.utility, (2, 1)),
    )
    once, doubled = tree_game.build(tables)[0], tree_game.build(twice)[0]
    for first, second in zip(once.payoffs, doubled.payoffs, strict=True):
      self.assertEqual(first.buckets, second.buckets)
      for a, b in zip(first.weights, second.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)

  def test_terminals_that_pay_nobody_are_left_out(self):
    tables = _random_tables(0, 2, 50)
    utility = tables.utility * [[1, 0]]
    utility[::2] = 0
    game, _ = tree_game.build(tables._replace(utility=utility))
    first, second = (len(segment_plans.entries(p)[2]) for p in game.payoffs)
    self.assertEqual((first, second), (25, 0))

  @parameterized.parameters(0, 3.5)
  def test_constant_sums_are_zero_sum(self, constant):
    tables = _random_tables(0, 3, 30, constant)
    self.assertTrue(tree_game.build(tables)[0].zero_sum)
    tables.utility[7, 1] += 1e-3
    self.assertFalse(tree_game.build(tables)[0].zero_sum)

  @parameterized.parameters(
    # Sums differ by rounding: by 1e-9 of the largest utility, or less.
    ([[1e6, 1e-4], [1e6, 0]], True),
    ([[-1e6, -1e6 + 1e-4], [-1e6, -1e6]], True),
    ([[1e6, -1e6 + 1e-2], [0, 0]], False),
    # So it is in any unit.
    ([[1e-10, 0], [0, 0]], False),
    ([[1e-300, -1e-300], [0, 1e-310]], True),
    ([[1e-300, -1e-300], [0, 1e-306]], False),
    ([[1.5e308, -1.5e308], [1e300, 0]], False),
    (np.zeros((0, 2)), True),
  )
  def test_sums_are_constant_up_to_rounding(self, utility, zero_sum):
    utility = np.array(utility, float)
    tables = _random_tables(0, 2, len(utility))._replace(utility=utility)
    self.assertEqual(tree_game.build(tables)[0].zero_sum, zero_sum)

  @parameterized.parameters(jnp.float32, jnp.float64)
  def test_dtype(self, dtype):
    game, index = tree_game.build(_random_tables(0, 2, 50), dtype)
    self.assertEqual(game.dtype, dtype)
    policies = quantities.Policies(
      p.astype(dtype) for p in _random_policies(index, np.random.default_rng(0))
    )
    for x in jax.tree.leaves(_evaluate(game, policies)):
      self.assertEqual(x.dtype, dtype)

  @parameterized.parameters(np.nan, np.inf)
  def test_utilities_must_be_finite(self, value):
    tables = _random_tables(0, 2, 50)
    tables.utility[13, 1] = value
    with self.assertRaisesRegex(
      ValueError, rf"`utility` must be finite; terminal 13 pays .*{value}"
    ):
      tree_game.build(tables)

  @parameterized.parameters(np.nan, np.inf)
  def test_chance_must_be_finite(self, value):
    tables = _random_tables(0, 2, 50)
    tables.chance[13] = value
    with self.assertRaisesRegex(
      ValueError, rf"`chance` must be finite; .*terminal 13 .*{value}"
    ):
      tree_game.build(tables)

  @parameterized.parameters(1e300, 1e-300)
  def test_utilities_fit_the_dtype(self, unit):
    tables = _random_tables(0, 2, 50)
    tables = tables._replace(utility=unit * tables.utility)
    tree_game.build(tables)
    with self.assertRaisesRegex(ValueError, "`utility` must fit float32"):
      tree_game.build(tables, jnp.float32)

  @parameterized.parameters(int, "int32", complex)
  def test_the_dtype_is_a_floating_type(self, dtype):
    with self.assertRaisesRegex(ValueError, "`dtype` must be a floating type"):
      tree_game.build(_random_tables(0, 2, 50), dtype)


if __name__ == "__main__":
  absltest.main()
