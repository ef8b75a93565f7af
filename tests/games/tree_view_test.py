"""Tests of what views of a tree have in common."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp

from mdrl import struct
from mdrl.compile import openspiel
from mdrl.games import base as game_lib
from mdrl.games import behavioral_game, sampled_game


def _sampled(game):
  return sampled_game.view(game, jax.random.key(0), "external")


def _behavioral(game):
  return behavioral_game.view(game, "counterfactual")


class TreeViewTest(parameterized.TestCase):
  @parameterized.product(
    view=(_behavioral, _sampled),
    name=(
      "kuhn_poker(players=3)",
      "goofspiel(num_cards=2,imp_info=True,returns_type=total_points)",
    ),
  )
  def test_shows_what_the_tree_is(self, view, name):
    game, _ = openspiel.compile_game(name, dtype=jnp.float32, chance=True)
    game = struct.replace(game, reference=game_lib.uniform_policies(game))
    shown = view(game)
    self.assertEqual(shown.num_players, 3 if "kuhn" in name else 2)
    self.assertEqual(shown.dtype, jnp.float32)
    self.assertFalse(shown.symmetric)
    self.assertIs(shown.reference, game.reference)


if __name__ == "__main__":
  absltest.main()
