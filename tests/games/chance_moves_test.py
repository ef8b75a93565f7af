"""Tests of the moves of chance against the tree and against its terminals."""

import itertools

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.compile import openspiel
from mdrl.games import base as game_lib
from mdrl.games import tree_game
from mdrl.testing import games
from mdrl.trees import layout as layout_lib
from mdrl.trees import quantities, segment_plans, sweeps

# Cards are drawn in the middle of the game, and hands get smaller.
RANDOM_GOOFSPIEL = "goofspiel(num_cards=3,imp_info=True,points_order=random)"


def _pure_plans(t, policy):
  """Returns every pure plan, and its probability."""
  rows, legal = [], np.asarray(t.legal)
  for group in t.groups:
    slots = np.asarray(group.view(jnp.arange(t.num_slots)))
    rows += [row[legal[row]].tolist() for row in slots]
  chosen = np.array(list(itertools.product(*rows)))
  pure = np.zeros((len(chosen), t.num_slots))
  np.put_along_axis(pure, chosen, 1, axis=1)
  plans = jax.jit(jax.vmap(sweeps.sweep_down, (None, 0)))(t, pure)
  return plans, np.asarray(policy)[chosen].prod(axis=1)


@jax.jit
def _first_gains(game, plans, replies, deals):
  """Returns the first player's gains, by deal and reply."""

  def gain(deal, reply):
    return game.chance.gain(quantities.Plans((plans[0], reply)), deal, 0)

  by_reply = jax.vmap(gain, (None, 0))
  return jax.vmap(by_reply, (0, None))(deals, replies)


class ChanceMovesTest(parameterized.TestCase):
  @parameterized.parameters(
    "kuhn", "kuhn_three_players", "leduc", "goofspiel", RANDOM_GOOFSPIEL
  )
  def test_with_their_own_plan_gains_are_those_of_the_tree(self, name):
    game, _ = games.compiled(name, chance=True)
    for seed in range(3):
      policies = game_lib.random_policies(game, jax.random.key(seed))
      plans, chance = game.plans(policies), game.chance.plan()
      for player, expected in enumerate(game.gains(plans)):
        actual = game.chance.gain(plans, chance, player)
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)

  @parameterized.parameters("kuhn", "leduc", RANDOM_GOOFSPIEL)
  def test_the_plan_says_how_likely_each_terminal_is(self, name):
    source = openspiel.load_game(games.TREES.get(name, name))
    tables = openspiel.enumerate_tree(source)
    layout = layout_lib.lay_out(
      tables.chance_parent, tables.chance_width, np.dtype(float)
    )
    moves = tree_game.build(tables, chance=True)[0].chance
    plan = np.asarray(moves.plan())
    np.testing.assert_allclose(
      plan[layout.slot[tables.chance_sequence]], tables.chance, rtol=1e-14
    )
    t = moves.treeplex
    sums = np.asarray(t.to_table(moves.policy)).sum(axis=1)
    np.testing.assert_allclose(sums, 1, rtol=1e-14)

  def test_pure_plans_have_the_gains_of_the_tree_in_the_mean(self):
    # Everything that chance and the second player of Kuhn poker can do.
    game, _ = games.compiled("kuhn", chance=True)
    policies = game_lib.random_policies(game, jax.random.key(5))
    plans = game.plans(policies)
    deals, deal_weight = _pure_plans(game.chance.treeplex, game.chance.policy)
    replies, reply_weight = _pure_plans(game.treeplexes[1], policies[1])
    self.assertEqual((len(deals), len(replies)), (3 * 2**3, 2**6))
    gains = _first_gains(game, plans, replies, deals)
    # One deal and one reply to all: whole chips at two endings or three.
    self.assertEqual(set(np.unique(gains)), {-2, -1, 0, 1, 2})
    mean = np.einsum("d,r,drs->s", deal_weight, reply_weight, gains)
    np.testing.assert_allclose(mean, game.gain(plans, 0), rtol=0, atol=1e-13)

  def test_a_game_without_chance(self):
    game, _ = games.compiled("goofspiel", chance=True)
    self.assertEqual(game.chance.treeplex.num_infostates, 0)
    np.testing.assert_array_equal(game.chance.plan(), [1])

  def test_games_are_built_without_unless_asked(self):
    self.assertIsNone(games.compiled("kuhn")[0].chance)

  def test_terminals_out_of_reach_are_left_out(self):
    tables = openspiel.enumerate_tree(openspiel.load_game("kuhn_poker"))
    probability = tables.chance_probability.copy()
    # The first card is never the first of the three.
    probability[:3] = [0, 0.5, 0.5]
    never = np.isin(tables.chance_sequence, 4 + np.arange(6))
    plan = np.ones(1 + len(probability))
    for node, parent in enumerate(tables.chance_parent):
      first = 1 + tables.chance_width[:node].sum()
      stop = first + tables.chance_width[node]
      plan[first:stop] = plan[parent] * probability[first - 1 : stop - 1]
    chance = plan[tables.chance_sequence]
    self.assertEqual(((chance == 0).sum(), never.all()), (10, True))
    changed = tables._replace(chance=chance, chance_probability=probability)
    game, _ = tree_game.build(changed, chance=True)
    plans = game.plans(game_lib.random_policies(game, jax.random.key(0)))
    for player in range(2):
      weights = segment_plans.entries(game.chance.payoffs[player])[2]
      self.assertLen(weights, 20)
      np.testing.assert_allclose(
        game.chance.gain(plans, game.chance.plan(), player),
        game.gain(plans, player),
        atol=1e-14,
      )

  def test_dtype(self):
    game, _ = games.compiled("kuhn", dtype=jnp.float32, chance=True)
    for leaf in jax.tree.leaves(game.chance):
      self.assertIn(leaf.dtype, (jnp.float32, jnp.int32, jnp.bool_))


if __name__ == "__main__":
  absltest.main()
