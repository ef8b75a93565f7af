"""Tests that the shared tables bring the variety that they promise."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl import testing
from mdrl.preferences import order as preference_order
from mdrl.testing import games
from tests import named_rows


class GamesTest(parameterized.TestCase):
  def test_trees_are_unlike_one_another(self):
    compiled = {name: games.compiled(name)[0] for name in games.TREES}
    self.assertEqual({g.num_players for g in compiled.values()}, {2, 3})
    self.assertEqual({g.zero_sum for g in compiled.values()}, {True, False})
    self.assertTrue(
      any(
        t.num_infostates == 1 for g in compiled.values() for t in g.treeplexes
      )
    )
    widths = {
      name: {group.width for t in g.treeplexes for group in t.groups}
      for name, g in compiled.items()
    }
    self.assertGreater(max(map(len, widths.values())), 2)

  def test_compiles_once(self):
    self.assertIs(games.compiled("kuhn")[0], games.compiled("kuhn")[0])

  @parameterized.named_parameters(*named_rows.named(games.PREFERENCES))
  def test_preferences_keep_the_contract(self, name):
    testing.check_game(games.PREFERENCES[name]())

  def test_preferences_are_unlike_one_another(self):
    made = {name: make() for name, make in games.PREFERENCES.items()}
    self.assertEqual({g.num_contexts for g in made.values()}, {1, 3})
    self.assertEqual(
      {g.reference is None for g in made.values()}, {True, False}
    )
    for game in made.values():
      order = preference_order.decide(np.asarray(game.preferences)[0])
      self.assertFalse(order.bradley_terry)

  def test_the_skewed_reference(self):
    np.testing.assert_allclose(
      games.SKEWED, [0.66524096, 0.24472847, 0.09003057], atol=1e-8
    )

  @parameterized.parameters(0, 1)
  def test_random_games_repeat(self, seed):
    for make in (
      lambda: games.random_zero_sum_game(2, 3, seed),
      lambda: games.random_matrix_game((2, 3), seed),
    ):
      np.testing.assert_array_equal(make().payoffs[0], make().payoffs[0])
    self.assertTrue(games.random_zero_sum_game(2, 3, seed).zero_sum)
    self.assertFalse(games.random_matrix_game((2, 3), seed).zero_sum)


if __name__ == "__main__":
  absltest.main()
