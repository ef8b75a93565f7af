"""Tests of exact judgements, against OpenSpiel."""

from absl.testing import absltest, parameterized
import jax
import numpy as np
from open_spiel.python.algorithms import best_response as openspiel_response
from open_spiel.python.algorithms import expected_game_score, exploitability
import pyspiel

from mdrl.compile import policy_bridge
from mdrl.games import base as game_lib
from mdrl.games import preference_game
from mdrl.judges import best_response
from mdrl.preferences import models
from mdrl.testing import games
from mdrl.trees import quantities


class JudgeTest(parameterized.TestCase):
  @parameterized.parameters("kuhn", "kuhn_three_players")
  def test_figures_are_those_of_openspiel(self, name):
    game, index = games.compiled(name)
    policies = game_lib.random_policies(game, jax.random.key(1))
    found = best_response.judge(game, policies)
    loaded = pyspiel.load_game(games.TREES[name])
    table = policy_bridge.to_openspiel(loaded, index, policies)
    root = loaded.new_initial_state()
    values = expected_game_score.policy_value(
      root, [table] * loaded.num_players()
    )
    best = [
      openspiel_response.BestResponsePolicy(loaded, player, table).value(root)
      for player in range(loaded.num_players())
    ]
    np.testing.assert_allclose(found.values, values, atol=1e-12)
    np.testing.assert_allclose(found.best, best, atol=1e-12)
    np.testing.assert_allclose(
      found.gains, np.subtract(best, values), atol=1e-12
    )
    self.assertGreater(np.ptp(np.asarray(found.gains)), 0.01)
    self.assertAlmostEqual(
      float(found.nash_conv), exploitability.nash_conv(loaded, table)
    )
    self.assertAlmostEqual(
      float(found.exploitability), float(found.nash_conv) / len(best)
    )

  def test_responses_earn_the_best(self):
    game, _ = games.compiled("kuhn_three_players")
    policies = game_lib.random_policies(game, jax.random.key(2))
    found = best_response.judge(game, policies)
    for player, response in enumerate(found.responses):
      played = quantities.replaced(policies, player, response)
      values = game.values(game.plans(played))
      np.testing.assert_allclose(values[player], found.best[player])

  def test_one_policy_for_both_seats_is_refused(self):
    game = preference_game.preference_game(models.dice())
    policies = game_lib.uniform_policies(game)
    with self.assertRaisesRegex(ValueError, "`game` must have a policy for"):
      best_response.judge(game, policies)


if __name__ == "__main__":
  absltest.main()
