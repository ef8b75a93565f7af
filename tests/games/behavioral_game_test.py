"""Tests of the behavioural view against OpenSpiel and sums over histories."""

import inspect

from absl.testing import absltest, parameterized
import jax
import numpy as np
from open_spiel.python import policy as policy_lib

from mdrl import struct
from mdrl.compile import openspiel
from mdrl.evaluation import best_response, gaps, payoff_norm
from mdrl.games import base as game_lib
from mdrl.games import behavioral_game, tree_game, tree_tables
from mdrl.testing import games
from mdrl.trees import quantities, sweeps


def _compiled(name):
  return openspiel.compile_game(games.TREES.get(name, name), reaches=True)


def _oracle(game, names, table):
  """Counterfactual values and reaches by infostate and action, by recursion.

  A history's share is the probability that chance and the others bring there.
  """
  values, reaches = {}, {}

  def visit(state, probabilities):
    """Returns expected utilities; adds to the tables on the way."""
    if state.is_terminal():
      return np.array(state.returns())
    if state.is_chance_node():
      return sum(
        p * visit(state.child(a), probabilities * p)
        for a, p in state.chance_outcomes()
      )
    player = state.current_player()
    key = state.information_state_string(player)
    chosen = table[player][key]
    total = np.zeros(len(probabilities))
    others = probabilities[player]
    for action, probability in chosen.items():
      below = probabilities.copy()
      below[np.arange(len(below)) != player] *= probability
      utility = visit(state.child(action), below)
      place = (player, key, action)
      values[place] = values.get(place, 0) + others * utility[player]
      reaches[place] = reaches.get(place, 0) + others
      total = total + probability * utility
    return total

  visit(game.new_initial_state(), np.ones(len(names.players)))
  return values, reaches


def _pure(game):
  """Everybody takes the first action, so that much is not reached."""
  policies = []
  for t in game.treeplexes:
    table = np.zeros(t.to_table(t.uniform).shape)
    table[:, 0] = 1
    policies.append(t.from_table(jax.numpy.asarray(table)))
  return quantities.Policies(policies)


class BehavioralGameTest(parameterized.TestCase):
  def _assert_gains(self, name, policies_of):
    game, names = _compiled(name)
    policies = policies_of(game)
    source = openspiel.load_game(games.TREES[name])
    table = [
      index.probabilities(np.asarray(p))
      for index, p in zip(names.players, policies)
    ]
    values, reaches = _oracle(source, names, table)
    for feedback in behavioral_game.FEEDBACKS:
      view = behavioral_game.view(game, feedback)
      gains = view.gains(view.plans(policies))
      for player, index in enumerate(names.players):
        for infostate, actions in index.probabilities(
          np.asarray(gains[player])
        ).items():
          for action, actual in actions.items():
            place = (player, infostate, action)
            expected = values[place]
            if feedback == "q":
              reach = reaches[place]
              expected = expected / reach if reach else 0.0
            self.assertAlmostEqual(actual, expected, places=12, msg=place)

  @parameterized.parameters("kuhn", "kuhn_three_players", "goofspiel")
  def test_gains_are_sums_over_histories(self, name):
    self._assert_gains(
      name, lambda game: game_lib.random_policies(game, jax.random.key(1))
    )

  @parameterized.parameters("kuhn", "kuhn_three_players")
  def test_infostates_that_nobody_reaches_have_no_gain(self, name):
    self._assert_gains(name, _pure)

  def test_derivatives_are_finite_where_nobody_goes(self):
    game, _ = _compiled("kuhn")
    view = behavioral_game.view(game, "q")

    @jax.jit
    @jax.grad
    def slope(plans):
      return view.gain(plans, 0).sum()

    for gradient in slope(view.plans(_pure(game))):
      self.assertTrue(np.isfinite(gradient).all())

  def test_it_is_no_game(self):
    # Its gains are no slopes, so that gaps of it would be wrong: 2.79 where the
    # exploitability of these policies is 0.436.
    game, _ = _compiled("kuhn")
    view = behavioral_game.view(game, "q")
    self.assertIsInstance(view, game_lib.GameView)
    self.assertNotIsInstance(view, game_lib.Game)
    plans = view.plans(game_lib.random_policies(game, jax.random.key(2)))
    for evaluate in (
      gaps.improvements,
      gaps.duality_gap,
      best_response.policies,
    ):
      with self.assertRaisesRegex(ValueError, "must be a Game, got a Behavior"):
        inspect.unwrap(evaluate)(view, plans)
    with self.assertRaisesRegex(ValueError, "must be a Game, got a Behavior"):
      inspect.unwrap(gaps.regularized_gap)(view, plans, 0.1)
    with self.assertRaisesRegex(ValueError, "must be a Game, got a Behavior"):
      inspect.unwrap(payoff_norm.payoff_norm)(view)

  def test_reach_counts_terminals_that_pay_nothing(self):
    # With utilities of one, a player that plays for a leaf gets there by chance
    # and the others alone; over all leaves of a level that adds up to one.
    game, _ = _compiled("goofspiel")
    policies = game_lib.random_policies(game, jax.random.key(3))
    for player, plan in enumerate(game.plans(policies)):
      reach = game.reach(game.plans(policies), player)
      self.assertAlmostEqual(float(reach @ plan), 1.0, places=12)

  def test_the_view_is_no_copy_of_the_payoffs(self):
    game, _ = _compiled("kuhn")
    view = behavioral_game.view(game, "q")
    self.assertIs(view.tree.payoffs[0], game.payoffs[0])
    for t in view.treeplexes:
      self.assertLen(t.levels, 1)

  def test_a_player_without_infostates(self):
    none = np.zeros(0, int)
    tables = tree_tables.TreeTables(
      infostates=(("root",), ()),
      parent=(np.zeros(1, int), none),
      width=(np.array([2]), none),
      action=(np.arange(2), none),
      sequence=np.array([[1, 0], [2, 0]], np.int32),
      chance=np.ones(2),
      chance_parent=none,
      chance_width=none,
      chance_probability=np.zeros(0),
      chance_sequence=np.zeros(2, int),
      utility=np.array([[1.0, -1], [3, -3]]),
      num_histories=3,
    )
    game, _ = tree_game.build(tables, reaches=True)
    view = behavioral_game.view(game, "q")
    plans = view.plans(game_lib.uniform_policies(view))
    np.testing.assert_array_equal(view.gain(plans, 0), [0, 1, 3])
    gain = view.gain(plans, 1)
    # Nothing lies below the empty sequence, and nothing can be swept.
    t = view.treeplexes[1]
    kept, value = sweeps.sweep_up(t, gain, lambda q, _: (q, q))
    np.testing.assert_array_equal(kept, [0])
    self.assertEqual(value, gain[0])
    np.testing.assert_array_equal(sweeps.sweep_down(t, plans[1]), [1])

  def test_the_reference_is_that_of_the_tree(self):
    game, _ = _compiled("kuhn")
    reference = game_lib.random_policies(game, jax.random.key(4))
    game = struct.replace(game, reference=reference)
    view = behavioral_game.view(game, "q")
    for actual, expected in zip(view.reference, reference, strict=True):
      np.testing.assert_array_equal(actual, expected)

  def test_refuses(self):
    game, _ = games.compiled("kuhn")
    with self.assertRaisesRegex(ValueError, "compile it with reaches=True"):
      behavioral_game.view(game, "q")
    matrix = games.random_zero_sum_game(2, 2)
    with self.assertRaisesRegex(ValueError, "TreeGame .* got a MatrixGame"):
      inspect.unwrap(behavioral_game.view)(matrix, "q")
    with self.assertRaisesRegex(ValueError, "one of counterfactual, q"):
      behavioral_game.view(game, "regret")
    with self.assertRaisesRegex(ValueError, "compile it with reaches=True"):
      game.reach(game.plans(game_lib.uniform_policies(game)), 0)

  def test_openspiel_has_the_same_q_values(self):
    # At the root of Kuhn poker with a jack, by OpenSpiel's own tree walk.
    game, names = _compiled("kuhn")
    view = behavioral_game.view(game, "q")
    (first, _) = view.gains(view.plans(game_lib.uniform_policies(game)))
    source = openspiel.load_game("kuhn_poker")
    uniform = policy_lib.UniformRandomPolicy(source)

    def value(state):
      if state.is_terminal():
        return state.returns()[0]
      outcomes = (
        state.chance_outcomes()
        if state.is_chance_node()
        else uniform.action_probabilities(state).items()
      )
      return sum(p * value(state.child(a)) for a, p in outcomes)

    deals = [source.new_initial_state().child(0).child(k) for k in (1, 2)]
    for action in (0, 1):
      expected = np.mean([value(deal.child(action)) for deal in deals])
      actual = first[names[0].slot("0", action)]
      self.assertAlmostEqual(float(actual), expected, places=14)


if __name__ == "__main__":
  absltest.main()
