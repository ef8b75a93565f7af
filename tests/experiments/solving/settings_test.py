"""Tests of the settings of a run."""

import pathlib

from absl.testing import absltest, parameterized

from experiments.solving import settings


class DefaultOutTest(parameterized.TestCase):
  @parameterized.parameters(
    ("kuhn_poker(players=3)", "kuhn_poker_players=3_cfr"),
    ("files/a b.efg", "a_b_cfr"),
    ("files/GAME.EFG", "GAME_cfr"),
    ("files/game.nfg", "game_cfr"),
  )
  def test_names_the_game(self, game, folder):
    self.assertEqual(
      settings.default_out(game, "cfr"), pathlib.Path("runs") / folder
    )


if __name__ == "__main__":
  absltest.main()
