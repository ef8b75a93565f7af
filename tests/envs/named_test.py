"""Environments by the strings of games."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import pyspiel

from mdrl import envs
from mdrl.envs import dark_hex, phantom_tic_tac_toe


class NamedTest(parameterized.TestCase):
  @parameterized.parameters(
    ("goofspiel", envs.Goofspiel()),
    (
      "turn_based_simultaneous_game(game=goofspiel(num_cards=4,imp_info=True,"
      "points_order=descending))",
      envs.Goofspiel(num_cards=4, imp_info=True, points_order="descending"),
    ),
    (
      " liars_dice( numdice=2 , bidding_rule=reset-quantity ) ",
      envs.LiarsDice(numdice=2, bidding_rule="reset-quantity"),
    ),
    ("hanabi(players=3,colors=2)", envs.Hanabi(players=3, colors=2)),
    ("dark_hex(board_size=2)", dark_hex.DarkHex(num_rows=2, num_cols=2)),
    (
      "dark_hex(num_cols=4,gameversion=adh,obstype=reveal-nothing)",
      dark_hex.DarkHex(num_cols=4, abrupt=True),
    ),
    (
      "phantom_ttt(gameversion=abrupt,first_stones=4/0)",
      phantom_tic_tac_toe.PhantomTicTacToe(abrupt=True, first_stones=(4, 0)),
    ),
    (
      "phantom_ttt(side=4)",
      phantom_tic_tac_toe.PhantomTicTacToe(side=4),
    ),
  )
  def test_native_games_have_their_parameters(self, name, expected):
    self.assertEqual(
      jax.tree.structure(envs.load(name)), jax.tree.structure(expected)
    )

  @parameterized.parameters(
    "dark_hex(num_rows=2,num_cols=3)",
    "goofspiel(num_cards=3,players=3)",
    "hanabi(players=4)",
    "liars_dice(numdice=3)",
    "phantom_ttt",
  )
  def test_sizes_are_openspiels(self, name):
    env = envs.load(name)
    game = pyspiel.load_game_as_turn_based(name)
    self.assertEqual(env.num_players, game.num_players())
    self.assertEqual(env.num_actions, game.num_distinct_actions())

  def test_other_games_are_compiled(self):
    env = envs.load("kuhn_poker", dtype=jnp.float32)
    self.assertIsInstance(env, envs.CompiledEnvironment)
    self.assertEqual(env.dtype, jnp.float32)
    self.assertEqual(env.num_players, 2)

  def test_both_can_be_insisted_on(self):
    name = "liars_dice(dice_sides=2)"
    env = envs.load(name, native=False)
    self.assertIsInstance(env, envs.CompiledEnvironment)
    self.assertIsInstance(envs.load(name, native=True), envs.LiarsDice)
    with self.assertRaisesRegex(ValueError, "one of dark_hex, goofspiel"):
      envs.load("kuhn_poker", native=True)

  def test_types_are_those_asked_for(self):
    for name in (
      "goofspiel",
      "liars_dice",
      "hanabi",
      "dark_hex",
      "phantom_ttt",
    ):
      self.assertEqual(envs.load(name, dtype=jnp.float32).dtype, jnp.float32)

  @parameterized.parameters(
    ("goofspiel(cards=3)", "does not know: cards; it knows num_cards, "),
    (
      "goofspiel(num_cards=x)",
      "`num_cards` of goofspiel must be a whole number",
    ),
    ("goofspiel(imp_info=1)", "`imp_info` of goofspiel must be True or False"),
    ("goofspiel(num_cards)", "must give each parameter once"),
    ("liars_dice(numdice=1,numdice=2)", "must give each parameter once"),
    ("dark_hex(obstype=reveal-numturns)", "native=False compiles other games"),
    ("phantom_ttt(first_stones=4)", "must be two cells, such as 4/0"),
    ("hanabi(seed=3)", "does not know: seed"),
    ("kuhn", "did you mean"),
    ("kuhn_poker(", "must be a game string that OpenSpiel loads"),
    ("goofspiel(num_cards=3", "must be a game string that OpenSpiel loads"),
  )
  def test_what_is_wrong_is_named(self, name, message):
    with self.assertRaisesRegex(ValueError, message):
      envs.load(name)

  def test_limits_of_compilation_are_passed_on(self):
    with self.assertRaisesRegex(ValueError, "`max_histories` is 10"):
      envs.load("kuhn_poker", max_histories=10)


if __name__ == "__main__":
  absltest.main()
