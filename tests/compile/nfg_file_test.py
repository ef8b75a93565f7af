"""Tests of .nfg files."""

import pathlib
import tempfile

from absl.testing import absltest, parameterized
import jax
import numpy as np
import pyspiel

from mdrl.compile import nfg_file, openspiel
from mdrl.evaluation import best_response
from mdrl.games import base as game_lib
from mdrl.games import matrix_game

_PATH = pathlib.Path("folder/some.nfg")
_PROLOGUE = 'NFG 1 R "A game" { "A" "B" }\n'


def _read(body, max_histories=1000, prologue=_PROLOGUE):
  return nfg_file.read(_PATH, (prologue + body).encode(), max_histories)


def _payoffs(tables):
  """Returns what each player gets, by the strategies of all."""
  shape = [len(action) for action in tables.action]
  payoffs = np.full((tables.num_players, *shape), np.nan)
  payoffs[:, *(tables.sequence.T - 1)] = tables.utility.T
  return payoffs


class FormsTest(parameterized.TestCase):
  @parameterized.parameters(
    "{ 3 2 }\n\n1 1 0 2 0 2 1 1 0 3 2 0\n",
    '{3 2}"a comment"1 1 0 2 0 2 1 1 0 3 2 0',
    '{ { "1" "2" "3" } { "1" "2" } }\n1 1 0 2 0 2 1 1 0 3 2 0',
    '{ 3 { "1" "2" } } 1, 1, 0, 2.0, 0, 4/2, 1, 1e0, 0, 3, .2e1, -0',
    '{ 3 2 } { { "" 1 1 } { "" 0, 2 } { "" 0 2 } { "" 1 1 } { "" 0, 3 }'
    ' { "" 2, 0 } } 1 2 3 4 5 6',
    '{ 3 2 }\r\n"" { { "a" 1 1 } { "a" 0, 2, } { "b" 0 3 } { "c" 2 0 } }'
    "\t1 2 2\n1 3 4",
  )
  def test_the_first_player_runs_fastest(self, body):
    # The example of the documentation.
    tables = _read(body)
    np.testing.assert_array_equal(
      _payoffs(tables), [[[1, 1], [0, 0], [0, 2]], [[1, 1], [2, 3], [2, 0]]]
    )
    self.assertEqual(tables.labels, (("1", "2", "3"), ("1", "2")))
    self.assertEqual(tables.num_histories, 10)

  def test_outcome_0_pays_nobody(self):
    tables = _read('{ 2 1 } { { "x" 3 4 } } 0 1')
    self.assertEqual(_payoffs(tables).tolist(), [[[0], [3]], [[0], [4]]])

  def test_names_may_be_equal_or_empty(self):
    tables = _read('{ { "x" "x" } { "" } } 1 2 3 4', prologue=_PROLOGUE)
    self.assertEqual(tables.labels, (("x", "x"), ("",)))
    self.assertEqual(tables.utility.tolist(), [[1, 2], [3, 4]])

  def test_fractions_are_exact(self):
    # OpenSpiel's reader takes both for 0.
    tables = _read("{ 2 1 } 12345678901234567890/3 0.5 1/3 0")
    self.assertEqual(
      tables.utility.tolist(), [[12345678901234567890 / 3, 0.5], [1 / 3, 0]]
    )

  @parameterized.parameters((1, (3,)), (2, (2, 3)), (3, (2, 1, 4)))
  def test_trees_are_those_of_openspiel(self, num_players, shape):
    rng = np.random.default_rng(num_players)
    payoffs = rng.integers(-9, 9, num_players * np.prod(shape))
    players = " ".join(f'"{i}"' for i in range(num_players))
    text = (
      f'NFG 1 R "" {{ {players} }} {{ {" ".join(map(str, shape))} }}\n\n'
      f"{' '.join(map(str, payoffs))}\n"
    )
    ours = nfg_file.read(_PATH, text.encode(), 1000)
    theirs = openspiel.enumerate_tree(
      pyspiel.convert_to_turn_based(pyspiel.load_nfg_game(text))
    )
    np.testing.assert_array_equal(_payoffs(ours), _payoffs(theirs))
    self.assertEqual(ours.infostates, theirs.infostates)
    self.assertEqual(ours.num_histories, theirs.num_histories)
    for a, b in zip(
      jax.tree.leaves((ours.parent, ours.width, ours.action)),
      jax.tree.leaves((theirs.parent, theirs.width, theirs.action)),
      strict=True,
    ):
      self.assertEqual(a.dtype, b.dtype)
      np.testing.assert_array_equal(a, b)

  def test_many_players(self):
    players = " ".join(['"x"'] * 70)
    counts = " ".join(["1"] * 69) + " 2"
    tables = _read(
      f"{{ {counts} }} {' 1' * 140}",
      prologue=f'NFG 1 R "" {{ {players} }}',
    )
    self.assertEqual(tables.num_players, 70)
    self.assertEqual(tables.sequence[:, -1].tolist(), [1, 2])


class CompiledTest(absltest.TestCase):
  def _write(self, text, name="game.nfg"):
    folder = self.enterContext(tempfile.TemporaryDirectory())
    path = pathlib.Path(folder) / name
    path.write_text(text)
    return path

  def test_a_file_is_the_matrix_game(self):
    path = self._write(_PROLOGUE + "{ 2 3 } 1 -1 2 -2 -3 3 4 -4 5 -5 -6 6")
    game, index = openspiel.compile_game(str(path))
    same = matrix_game.zero_sum_game(np.array([[1.0, -3, 5], [2, 4, -6]]))
    self.assertTrue(game.zero_sum)
    self.assertEqual(index[1].labels, ("", "1", "2", "3"))
    np.testing.assert_allclose(
      *(
        best_response.values(g, g.plans(game_lib.uniform_policies(g)))
        for g in (game, same)
      )
    )

  def test_openspiel_loads_what_is_written_about_it(self):
    path = self._write(_PROLOGUE + "{ 2 2 }\n\n1 2 3 4 5 6 7 8\n")
    string = openspiel.game_string(str(path))
    loaded = pyspiel.load_game(string)
    state = loaded.new_initial_state()
    _, index = openspiel.compile_game(string)
    self.assertEqual(index[0].infostates, (state.information_state_string(),))
    self.assertEqual(
      openspiel.game_string(f"nfg_game(filename={path})"), string
    )

  def test_symmetric_payoffs(self):
    path = self._write(_PROLOGUE + "{ 2 2 } 0 0 1 -1 -1 1 0 0")
    for name in (str(path), f"nfg_game(filename={path})"):
      self.assertEqual(
        openspiel.symmetric_payoffs(name).tolist(), [[0, -1], [1, 0]]
      )

  def test_payoffs_that_are_not_symmetric(self):
    path = self._write(_PROLOGUE + "{ 2 2 } 0 0 1 -1 1 1 0 0")
    with self.assertRaisesRegex(ValueError, "must be zero-sum and symmetric"):
      openspiel.symmetric_payoffs(str(path))
    path = self._write('NFG 1 R "" { "A" } { 2 } 1 2')
    with self.assertRaisesRegex(ValueError, "of two players in normal form"):
      openspiel.symmetric_payoffs(str(path))
    path = self._write('EFG 2 R "" { "A" "B" } t "" 0', "game.efg")
    with self.assertRaisesRegex(ValueError, "of two players in normal form"):
      openspiel.symmetric_payoffs(str(path))


class ErrorsTest(parameterized.TestCase):
  @parameterized.parameters(
    ("", "{ and the strategies of each player, got the end"),
    ("{ }", "strategies of each of 2 players, got those of 0"),
    ("{ 2 }", "line 2, column 1: expected the strategies of each of 2"),
    ("{ 2 2 2 } 1", "got those of 3"),
    ("{ 0 2 }", "at least one strategy of each player, got '0'"),
    ("{ -1 2 }", "the number or the names of a player's strategies, got '-1"),
    ("{ {} 2 }", "a list of at least one of the strategies, got '}'"),
    ('{ "x" 2 }', "number or the names .*, got the text 'x'"),
    ("{ 2 2 } 1 2 3 4 5 6 7", "expected a payoff, got the end"),
    ("{ 2 2 } 1 2 3 4 5 6 7 8 9", "end of the file behind 4 combi.* got '9'"),
    ("{ 2 2 } 1 2 3 nan", "expected a payoff, got 'nan'"),
    ("{ 2 2 } 1 2 3 1.5/2", "expected a payoff, got '1.5/2'"),
    ("{ 2 2 } 1 2 3 0x10", "expected a payoff, got '0x10'"),
    ("{ 2 2 } 1 2 3 1e400", "a number that a double holds, got '1e400'"),
    ('{ 2 1 } { { "x" 1 2 } } 1', "number of an outcome, 0 for none, got"),
    ('{ 2 1 } { { "x" 1 2 } } 1 2', "an outcome from 0 to 1, got 2"),
    ('{ 2 1 } { { "x" 1 2 } } 1 -1', "number of an outcome.* got '-1'"),
    ('{ 2 1 } { { "x" 1 } } 1 1', "expected a payoff, got '}'"),
    ('{ 2 1 } { { "x" 1 2 3 } } 1 1', "} behind 2 payoffs, got '3'"),
    ("{ 2 1 } { { 1 2 } } 1 1", "name of the outcome in quot.*, got '1'"),
    ('{ 2 1 } { "x" 1 2 } 1 1', "{ and an outcome, or }, got the text 'x'"),
  )
  def test_bodies(self, body, message):
    with self.assertRaises(ValueError) as caught:
      _read(body)
    text = str(caught.exception)
    self.assertStartsWith(text, "`game` cannot be read from 'folder/some.nfg':")
    self.assertRegex(text, message)

  def test_prologues(self):
    for prologue, message in (
      ("EFG 2", "expected NFG, with which such a file begins, got 'EFG'"),
      ("NFG 2", "expected version 1 of the format, got '2'"),
    ):
      with self.assertRaisesRegex(ValueError, message):
        _read("", prologue=prologue)

  def test_too_large_a_game(self):
    body = "{ 2 2 } 1 2 3 4 5 6 7 8"
    self.assertEqual(_read(body, 7).num_histories, 7)
    with self.assertRaisesRegex(
      ValueError, "`max_histories` is 6, and 'folder/some.nfg' has 7; raise"
    ):
      _read(body, 6)
    with self.assertRaisesRegex(ValueError, "has 1000000000000001000000000001"):
      _read(f"{{ 1000000000000 {10**15} }} 1")


if __name__ == "__main__":
  absltest.main()
