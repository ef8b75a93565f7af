"""Tests of what error messages show of a game."""

from absl.testing import absltest
import pyspiel

from mdrl.compile import plain_text


class PlainTextTest(absltest.TestCase):
  def test_short_titles_are_kept(self):
    game = pyspiel.load_game("kuhn_poker(players=3)")
    self.assertEqual(plain_text.title(game), "kuhn_poker(players=3)")

  def test_titles_are_of_one_line(self):
    game = pyspiel.convert_to_turn_based(pyspiel.load_game("capture_the_flag"))
    self.assertIn("\n", str(game))
    title = plain_text.title(game)
    self.assertRegex(title, r"game=capture_the_flag\(grid=[. ab]+")
    self.assertNotIn("\n", title)

  def test_long_titles_are_cut_in_the_middle(self):
    title = plain_text.title("a" * 1_000 + "b" * 1_000)
    self.assertEqual(title, "a" * 80 + " ... " + "b" * 80)

  def test_colours_and_bells_are_left_out(self):
    self.assertEqual(plain_text.title("\x1b[91ma\x1b[0m\x07\tb"), "a  b")
    self.assertEqual(plain_text.quoted("\x1b[91ma\x1b[0m\nb"), r"'a\nb'")
    state = pyspiel.load_game("twixt").new_initial_state()
    name = state.information_state_string(0)
    self.assertIn("\x1b", name)
    self.assertNotIn("x1b", plain_text.quoted(name))

  def test_lines_have_single_spaces(self):
    self.assertEqual(plain_text.line(ValueError(" a\n\n b ")), "a b")


if __name__ == "__main__":
  absltest.main()
