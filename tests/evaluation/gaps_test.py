"""Tests of gaps against OpenSpiel, closed forms and definitions."""

import inspect

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
from open_spiel.python.algorithms import exploitability
import pyspiel

from mdrl.compile import openspiel, policy_bridge
from mdrl.evaluation import gaps
from mdrl.games import base as game_lib
from mdrl.games import matrix_game
from mdrl.geometry import mirror_maps, profiles
from mdrl.testing import games
from mdrl.trees import quantities


class GapsTest(parameterized.TestCase):
  @parameterized.parameters("kuhn", "kuhn_three_players", "tiny_hanabi")
  def test_nash_conv_equals_openspiel(self, name):
    game, index = games.compiled(name)
    spiel = openspiel.load_game(games.TREES[name])
    policies = game_lib.random_policies(game, jax.random.key(7))
    theirs = exploitability.nash_conv(
      spiel,
      policy_bridge.to_openspiel(spiel, index, policies),
      return_only_nash_conv=False,
      use_cpp_br=False,
    )
    plans = game.plans(policies)
    improvements = gaps.improvements(game, plans)
    np.testing.assert_allclose(
      improvements, theirs.player_improvements, atol=1e-12
    )
    total = float(gaps.nash_conv(game, plans))
    self.assertAlmostEqual(total, theirs.nash_conv, delta=1e-12)
    self.assertAlmostEqual(
      float(gaps.exploitability(game, plans)),
      total / game.num_players,
      delta=1e-15,
    )

  def test_duality_gap_by_hand(self):
    game = matrix_game.zero_sum_game([[3.0, -1.0], [0.0, 2.0]])
    policies = quantities.Policies(
      (jnp.array([1.0, 0.25, 0.75]), jnp.array([1.0, 0.5, 0.5]))
    )
    # max over rows of A y is 1; min over columns of x A is 0.75.
    gap = gaps.duality_gap(game, game.plans(policies))
    self.assertAlmostEqual(float(gap), 0.25, delta=1e-15)

  def test_duality_gap_refuses_other_games(self):
    for name, players in (("general_sum", 2), ("kuhn_three_players", 3)):
      game, _ = games.compiled(name)
      plans = game.plans(game_lib.uniform_policies(game))
      with self.assertRaisesRegex(
        ValueError, f"`game` must be two-player zero-sum .* {players} players"
      ):
        gaps.duality_gap(game, plans)

  @parameterized.parameters(0.5, 0.1)
  def test_regularized_gap_is_zero_at_the_logit_equilibrium(self, temperature):
    # Perturbed rock-paper-scissors, scaled to [0, 1]; its logit equilibria are
    # published with the magnetic mirror descent paper.
    published = {
      0.5: [0.29813319, 0.41382045, 0.28804635],
      0.1: [0.17347803, 0.48630324, 0.34021873],
    }[temperature]
    payoff = np.array([[0.0, -3, 3], [3, 0, -1], [-3, 1, 0]])
    game = matrix_game.zero_sum_game((payoff + 3) / 6)
    policy = jnp.array([1.0, *published])
    gap = gaps.regularized_gap(
      game, quantities.Plans((policy, policy)), temperature
    )
    self.assertLess(abs(float(gap)), 1e-8)
    off = jnp.array([1.0, *np.roll(published, 1)])
    self.assertGreater(
      float(
        gaps.regularized_gap(game, quantities.Plans((off, policy)), temperature)
      ),
      1e-3,
    )

  @parameterized.parameters(mirror_maps.NegativeEntropy, mirror_maps.Euclidean)
  def test_regularized_gap_is_below_no_unilateral_change(self, make_map):
    game, _ = games.compiled("kuhn_three_players")
    geometry, temperature = make_map(), 0.3
    magnets = game_lib.random_policies(game, jax.random.key(1))
    anchors = profiles.to_duals(game.treeplexes, geometry, magnets)

    @jax.jit
    def utilities(gains, policies):
      """What each player earns, less its regulariser."""
      costs = profiles.divergences(game.treeplexes, geometry, policies, anchors)
      earned = [jnp.vdot(g, x) for g, x in zip(gains, game.plans(policies))]
      return jnp.stack(earned) - temperature * costs

    policies = game_lib.random_policies(game, jax.random.key(0))
    plans = game.plans(policies)
    gains = game.gains(plans)
    now = utilities(gains, policies)
    gap = gaps.regularized_gap(game, plans, temperature, magnets, geometry)
    # The regularised best response attains the gap, and nothing exceeds it.
    weight = jnp.asarray(temperature)
    duals = profiles.prox(game.treeplexes, geometry, gains, [(weight, anchors)])
    best = profiles.to_policies(game.treeplexes, geometry, duals)
    self.assertAlmostEqual(
      float(jnp.sum(utilities(gains, best) - now)), float(gap), places=12
    )
    for seed in range(20):
      other = game_lib.random_policies(game, jax.random.key(2 + seed))
      change = jnp.sum(jnp.maximum(utilities(gains, other) - now, 0))
      self.assertLess(float(change), float(gap))

  def test_regularized_gap_with_the_policy_as_magnet_and_no_gain(self):
    game = matrix_game.zero_sum_game(np.zeros((2, 3)))
    policies = game_lib.random_policies(game, jax.random.key(0))
    gap = gaps.regularized_gap(game, game.plans(policies), 0.3, policies)
    self.assertAlmostEqual(float(gap), 0.0, delta=1e-15)

  def test_uniform_kuhn(self):
    game, _ = games.compiled("kuhn")
    plans = game.plans(game_lib.uniform_policies(game))
    value = pyspiel.nash_conv(
      pyspiel.load_game("kuhn_poker"),
      pyspiel.UniformRandomPolicy(pyspiel.load_game("kuhn_poker")),
    )
    self.assertAlmostEqual(value, 11 / 12, delta=1e-12)
    self.assertAlmostEqual(
      float(gaps.nash_conv(game, plans)), 11 / 12, delta=1e-15
    )

  def test_temperatures_that_are_none_of_the_game(self):
    game = matrix_game.zero_sum_game(np.eye(3), "float32")
    plans = game.plans(game_lib.uniform_policies(game))
    fn = inspect.unwrap(gaps.regularized_gap)
    for temperature in (1e-300, 1e300):
      with self.assertRaisesRegex(ValueError, "must fit float32, from 1e-38"):
        fn(game, plans, temperature)
    with self.assertRaisesRegex(ValueError, "`temperature` must be a single"):
      fn(game, plans, np.full(3, 0.1))


if __name__ == "__main__":
  absltest.main()
