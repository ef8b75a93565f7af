"""Tests of which games are files."""

import pathlib
import tempfile

from absl.testing import absltest, parameterized

from mdrl.compile import gambit_files, openspiel


class FindTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

  @parameterized.parameters(
    "game.efg", "GAME.EFG", "a b.efg", "a,b=c.efg", "a(b).efg", "été.efg"
  )
  def test_trees(self, name):
    path = self.folder / name
    path.write_bytes(b"content")
    string = f"efg_game(filename={path})"
    for game in (str(path), string):
      file = gambit_files.find(game)
      self.assertEqual(file, (path, "efg", b"content"))
      self.assertEqual(file.game_string, string)

  @parameterized.parameters("game.nfg", "GAME.NFG", "a)).nfg")
  def test_normal_forms(self, name):
    path = self.folder / name
    path.write_bytes(b"content")
    alone = f"nfg_game(filename={path})"
    in_turns = f"turn_based_simultaneous_game(game={alone})"
    for game in (str(path), alone, in_turns):
      file = gambit_files.find(game)
      self.assertEqual(file, (path, "nfg", b"content"))
      self.assertEqual(file.game_string, in_turns)

  def test_a_file_of_any_name(self):
    path = self.folder / "game.txt"
    path.write_text('EFG 2 R "" { "A" } t "" 1 "" { 3 }')
    game, _ = openspiel.compile_game(f"efg_game(filename={path})")
    self.assertEqual(game.num_players, 1)

  @parameterized.parameters(
    "kuhn_poker", "matrix_rps", "game.txt", "efg", "", "efg_game()"
  )
  def test_other_games(self, game):
    self.assertIsNone(gambit_files.find(game))

  @parameterized.parameters("none.efg", "efg_game(filename=none)", "\0.efg")
  def test_no_file(self, game):
    with self.assertRaisesRegex(ValueError, "a game or a file, got no file '"):
      gambit_files.find(game)

  def test_a_folder(self):
    folder = self.folder / "folder.efg"
    folder.mkdir()
    with self.assertRaisesRegex(ValueError, "got no file '.*folder.efg'"):
      gambit_files.find(str(folder))


class GameStringTest(absltest.TestCase):
  def test_of_files_and_games(self):
    path = str(
      pathlib.Path(__file__).resolve().parents[1] / "data/three_players.efg"
    )
    string = f"efg_game(filename={path})"
    self.assertEqual(openspiel.game_string(path), string)
    self.assertEqual(openspiel.game_string(string), string)
    self.assertEqual(openspiel.game_string("kuhn_poker"), "kuhn_poker()")


if __name__ == "__main__":
  absltest.main()
