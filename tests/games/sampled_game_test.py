"""Tests that sampled gains have the mean, and the support, that they must."""

import inspect

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from mdrl.compile import openspiel
from mdrl.games import base as game_lib
from mdrl.games import sampled_game, tree_game
from mdrl.testing import games
from mdrl.trees import layout as layout_lib
from mdrl.trees import quantities

RANDOM_GOOFSPIEL = "goofspiel(num_cards=3,imp_info=True,points_order=random)"


def _interior(game, seed):
  """Returns policies whose every probability is well above zero."""
  random = game_lib.random_policies(game, jax.random.key(seed))
  return quantities.Policies(
    t.to_policy(t.uniform + p) for t, p in zip(game.treeplexes, random)
  )


def _pure(game, seed):
  """Returns policies that play one action, and none of the others."""
  policies = game_lib.random_policies(game, jax.random.key(seed))
  return quantities.Policies(
    t.map_groups(
      lambda group, p=p: jax.nn.one_hot(
        jnp.argmax(group.view(p), axis=1), group.width, dtype=p.dtype
      )
    )
    for t, p in zip(game.treeplexes, policies)
  )


# One for all tests, since a program is compiled for each number of samples.
_COUNT = 20_000


def _sample(game, plans, sampling, exploration=0.6):
  """Returns every player's gains under many keys."""
  # An array, so that one program serves all values.
  exploration = jnp.asarray(exploration)
  keys = jax.random.split(jax.random.key(0), _COUNT)
  return jax.tree.map(
    np.asarray, _gains(game, plans, keys, exploration, sampling)
  )


def _gains_at(game, plans, keys, exploration, sampling):
  def gains(key):
    view = sampled_game.view(game, key, sampling, exploration)
    return view.gains(plans)

  return jax.vmap(gains)(keys)


_gains = jax.jit(_gains_at, static_argnames="sampling")
_draw = jax.jit(jax.vmap(sampled_game.pure_policy, (None, None, 0)))


def _compiled(name, dtype=None):
  return games.compiled(name, dtype, chance=True)[0]


class SampledGameTest(parameterized.TestCase):
  def _assert_unbiased(self, game, plans, sampling, exploration=0.6):
    samples = _sample(game, plans, sampling, exploration)
    for player, expected in enumerate(game.gains(plans)):
      mean = np.mean(samples[player], axis=0)
      error = np.std(samples[player], axis=0) / np.sqrt(_COUNT)
      fixed = error < 1e-12
      np.testing.assert_allclose(mean[fixed], expected[fixed], atol=1e-12)
      z = (mean - expected)[~fixed] / error[~fixed]
      self.assertGreater(len(z), 2)
      # Of some two hundred slots in all, none has a deviation as large as this
      # by bad luck: that has a probability of about 0.001.
      self.assertLess(np.abs(z).max(), 4.5)
      # Nor do all of them deviate; slots are correlated, hence the slack.
      self.assertLess(np.mean(z**2), 2.2)

  @parameterized.parameters(*sampled_game.SAMPLINGS)
  def test_estimates_are_unbiased(self, sampling):
    game = _compiled("kuhn_three_players")
    plans = game.plans(_interior(game, 1))
    self._assert_unbiased(game, plans, sampling)

  @parameterized.parameters(*sampled_game.SAMPLINGS)
  @pytest.mark.slow
  def test_estimates_are_unbiased_on_ragged_actions(self, sampling):
    game = _compiled(RANDOM_GOOFSPIEL)
    plans = game.plans(_interior(game, 1))
    self._assert_unbiased(game, plans, sampling)

  def test_estimates_are_unbiased_where_chance_is_not_uniform(self):
    tables = openspiel.enumerate_tree(openspiel.load_game("kuhn_poker"))
    probability = np.array([0.2, 0.3, 0.5, 0.9, 0.1, 0.4, 0.6, 1, 0])
    plan = np.concatenate([[1], probability])
    for node, parent in enumerate(tables.chance_parent):
      stop = 1 + tables.chance_width[: node + 1].sum()
      plan[stop - tables.chance_width[node] : stop] *= plan[parent]
    game, _ = tree_game.build(
      tables._replace(
        chance_probability=probability,
        chance=plan[tables.chance_sequence],
      ),
      chance=True,
    )
    plans = game.plans(_interior(game, 1))
    self._assert_unbiased(game, plans, "external")

  @parameterized.parameters(0.1, 1.0)
  def test_estimates_are_unbiased_whatever_the_exploration(self, exploration):
    game = _compiled("kuhn_three_players")
    plans = game.plans(_interior(game, 2))
    self._assert_unbiased(game, plans, "outcome", exploration)

  @parameterized.parameters(*sampled_game.SAMPLINGS)
  def test_estimates_are_unbiased_at_pure_policies(self, sampling):
    # What a player avoids has a gain all the same, and parts of the tree that
    # its own plan does not reach have one as well.
    game = _compiled("kuhn_three_players")
    plans = game.plans(_pure(game, 5))
    self._assert_unbiased(game, plans, sampling)

  def test_external_sampling_of_pure_policies_is_exact_without_chance(self):
    game = _compiled(RANDOM_GOOFSPIEL.replace("random", "descending"))
    plans = game.plans(_pure(game, 4))
    view = sampled_game.view(game, jax.random.key(0), "external")
    for actual, expected in zip(view.gains(plans), game.gains(plans)):
      np.testing.assert_allclose(actual, expected, atol=1e-14)

  @parameterized.parameters(0.3, 1.0)
  def test_outcome_sampling_sees_one_terminal(self, exploration):
    game = _compiled("kuhn_three_players")
    policies = _interior(game, 5)
    plans = game.plans(policies)
    samples = _sample(game, plans, "outcome", exploration)
    mixed = quantities.Policies(
      (1 - exploration) * p + exploration * t.uniform
      for p, t in zip(policies, game.treeplexes)
    )
    for gains, sampling in zip(samples, game.plans(mixed)):
      self.assertTrue((np.count_nonzero(gains, axis=1) == 1).all())
      utility = gains @ np.asarray(sampling)
      np.testing.assert_allclose(np.abs(utility), np.rint(np.abs(utility)))
      np.testing.assert_array_equal(
        np.unique(np.rint(utility)), [-2, -1, 2, 3, 4]
      )

  @parameterized.parameters(*sampled_game.SAMPLINGS)
  def test_players_have_samples_of_their_own(self, sampling):
    game = _compiled("kuhn_three_players")
    plans = game.plans(_interior(game, 6))
    samples = _sample(game, plans, sampling)
    values = [gains @ np.asarray(plan) for gains, plan in zip(samples, plans)]
    # Of one deal, they would win and lose together.
    correlation = np.corrcoef(values) - np.eye(3)
    self.assertLess(np.abs(correlation).max(), 4 / np.sqrt(_COUNT))

  def test_samples_depend_on_key_and_player_alone(self):
    game = _compiled("kuhn_three_players")
    plans = game.plans(_interior(game, 7))
    together = _sample(game, plans, "outcome")
    for k, key in enumerate(jax.random.split(jax.random.key(0), _COUNT)[:20]):
      view = sampled_game.view(game, key, "outcome", jnp.asarray(0.6))
      np.testing.assert_array_equal(view.gain(plans, 1), together[1][k])
    self.assertGreater(np.ptp(together[0], axis=0).max(), 0)

  def test_all_else_is_that_of_the_tree(self):
    game = _compiled("kuhn_three_players", jnp.float32)
    view = sampled_game.view(game, jax.random.key(0), "outcome")
    self.assertIsInstance(view, game_lib.GameView)
    self.assertNotIsInstance(view, game_lib.Game)
    policies = _interior(game, 8)
    plans = view.plans(policies)
    for actual, expected in zip(plans, game.plans(policies)):
      np.testing.assert_array_equal(actual, expected)
    self.assertEqual(
      (view.num_players, view.symmetric, view.reference),
      (3, False, None),
    )
    for gain, t in zip(view.gains(plans), view.treeplexes):
      self.assertEqual((gain.dtype, gain.shape), (game.dtype, t.legal.shape))

  def test_refuses(self):
    game, key = _compiled("kuhn"), jax.random.key(0)
    with self.assertRaisesRegex(
      ValueError, "`sampling` must be one of external, outcome, got 'all'"
    ):
      sampled_game.view(game, key, "all")
    for exploration in (0.0, 1.5):
      with self.assertRaisesRegex(ValueError, r"`exploration` must lie in \(0"):
        sampled_game.view(game, key, "outcome", exploration)
    matrix = games.random_zero_sum_game(2, 2)
    with self.assertRaisesRegex(ValueError, "TreeGame .* got a MatrixGame"):
      inspect.unwrap(sampled_game.view)(matrix, key, "external")
    without, _ = games.compiled("kuhn")
    with self.assertRaisesRegex(ValueError, "got none; .* chance=True"):
      sampled_game.view(without, key, "external")


class PurePolicyTest(parameterized.TestCase):
  def test_actions_are_drawn_as_often_as_they_should(self):
    game, count = _compiled("leduc", jnp.float32), 4000
    t = game.treeplexes[0]
    # Widths differ within a group, so that there is padding.
    self.assertTrue(any(group.padded for group in t.groups))
    policy = game_lib.random_policies(game, jax.random.key(1))[0]
    # Rows whose first, middle or last action is not played.
    never = jnp.arange(t.num_slots) % 5 == 0
    policy = t.to_policy(jnp.where(never, jnp.zeros_like(policy), policy))
    points = jax.random.uniform(
      jax.random.key(2), (count, t.num_infostates), game.dtype
    )
    drawn = _draw(t, policy, points)
    self.assertEqual(drawn.dtype, game.dtype)
    table = np.asarray(jax.vmap(t.to_table)(drawn))
    self.assertEqual(set(np.unique(table)), {0, 1})
    np.testing.assert_array_equal(table.sum(axis=2), 1)
    expected = count * np.asarray(t.to_table(policy), float)
    found = table.sum(axis=0, dtype=float)
    self.assertEqual(found[expected == 0].sum(), 0)
    some = expected > 0
    surprise = ((found - expected) ** 2)[some] / expected[some]
    freedom = some.sum() - len(table[0])
    self.assertGreater(freedom, 300)
    self.assertBetween(stats.chi2.sf(surprise.sum(), freedom), 1e-3, 1 - 1e-3)

  @parameterized.parameters(jnp.float32, jnp.float64)
  def test_no_point_chooses_what_has_no_probability(self, dtype):
    t = layout_lib.lay_out(
      np.zeros(1, int), np.array([12]), np.dtype(dtype)
    ).treeplex
    weights = np.array([0, 0, 1, 0, 3, 7, 0, 11, 13, 0, 0, 0])
    policy = jnp.asarray(np.concatenate([[0], weights / 35]), dtype)
    # From the least to the largest that a generator returns.
    points = jnp.asarray([0, 1 / 35, 0.5, 22 / 35, 1], dtype)
    points = jnp.minimum(points, 1 - jnp.finfo(dtype).eps)
    chosen = np.argmax(_draw(t, policy, points[:, None])[:, 1:], axis=1)
    self.assertTrue((weights[chosen] > 0).all())
    self.assertEqual((chosen[0], chosen[2], chosen[4]), (2, 7, 8))

  def test_tiny_probabilities_are_not_mistaken_for_none(self):
    t = _compiled("kuhn").treeplexes[0]
    tiny = np.finfo(float).tiny
    policy = t.from_table(jnp.asarray([[0, tiny]] * 6))
    drawn = sampled_game.pure_policy(t, policy, jnp.full(6, 0.5))
    np.testing.assert_array_equal(t.to_table(drawn), [[0, 1]] * 6)


if __name__ == "__main__":
  absltest.main()
