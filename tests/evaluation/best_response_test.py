"""Tests of best responses, against enumeration of all pure plans."""

import itertools

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.evaluation import best_response
from mdrl.games import base as game_lib
from mdrl.games import matrix_game
from mdrl.testing import games
from mdrl.trees import quantities


class BestResponseTest(parameterized.TestCase):
  @parameterized.parameters("kuhn", "tiny_hanabi", "general_sum")
  def test_no_pure_policy_earns_more(self, name):
    game, _ = games.compiled(name)
    plans = game.plans(game_lib.random_policies(game, jax.random.key(3)))
    best = np.asarray(best_response.values(game, plans))
    values = jax.jit(lambda g, p: g.values(g.plans(p)))
    for player, t in enumerate(game.treeplexes):
      others = game_lib.random_policies(game, jax.random.key(3))
      widths = [g.width for g in t.groups for _ in range(g.num_rows)]
      most = -np.inf
      for choice in itertools.product(*map(range, widths)):
        table = np.zeros((len(widths), max(widths)))
        table[np.arange(len(widths)), choice] = 1
        pure = t.from_table(jnp.asarray(table))
        policies = quantities.replaced(others, player, pure)
        most = max(most, float(values(game, policies)[player]))
      self.assertAlmostEqual(best[player], most, delta=1e-14)

  @parameterized.parameters("kuhn", "kuhn_three_players", "liars_dice")
  def test_its_policy_earns_its_value(self, name):
    game, _ = games.compiled(name)
    policies = game_lib.random_policies(game, jax.random.key(1))
    plans = game.plans(policies)
    best = best_response.values(game, plans)
    replies = best_response.policies(game, plans)
    for i in range(game.num_players):
      moved = quantities.replaced(policies, i, replies[i])
      value = game.values(game.plans(moved))[i]
      self.assertAlmostEqual(float(value), float(best[i]), delta=1e-13)

  def test_of_equally_good_actions_the_first_is_chosen(self):
    game = matrix_game.zero_sum_game([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    plans = game.plans(game_lib.uniform_policies(game))
    reply = best_response.policies(game, plans)[0]
    np.testing.assert_array_equal(reply[1:], [0.0, 1.0, 0.0])


if __name__ == "__main__":
  absltest.main()
