"""Tests of the settings of a run."""

import pathlib

from absl.testing import absltest, parameterized

from experiments.registry import game_solvers
from experiments.solving import settings as settings_lib


class DefaultOutTest(parameterized.TestCase):
  @parameterized.parameters(
    ("kuhn_poker(players=3)", "kuhn_poker_players=3_cfr"),
    ("files/a b.efg", "a_b_cfr"),
    ("files/GAME.EFG", "GAME_cfr"),
    ("files/game.nfg", "game_cfr"),
  )
  def test_names_the_game(self, game, folder):
    self.assertEqual(
      settings_lib.default_out(game, "cfr"), pathlib.Path("runs") / folder
    )


class ConditionsTest(absltest.TestCase):
  def test_name_what_numbers_depend_on(self):
    config = game_solvers.SOLVERS["magnetic"].defaults
    config = {**config, "step_size": 0.25, "temperature": 0.125}
    asked = settings_lib.Settings(
      game="kuhn_poker",
      solver="magnetic",
      config={**config, "magnet_rate": 0.0},
      out=pathlib.Path("x"),
      updates=1,
      checkpoints=1,
      precision="float32",
      seed=3,
      max_histories=1,
      cache_dir="",
      save_seconds=1.0,
      resume=False,
      overwrite=False,
      equilibrium="qre",
      equilibrium_temperature=0.5,
    )
    self.assertEqual(
      asked.conditions,
      "step_size 0.25, temperature 0.125, magnet_rate 0.0, seed 3, float32, "
      "equilibrium qre at temperature 0.5",
    )


if __name__ == "__main__":
  absltest.main()
