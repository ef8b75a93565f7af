"""Tests of the payoffs of OpenSpiel's symmetric games."""

import itertools
import pathlib
import tempfile

from absl.testing import absltest, parameterized
import numpy as np
import pyspiel

from mdrl.compile import openspiel
from mdrl.preferences import models
from mdrl.preferences import order as preference_order


class SymmetricPayoffsTest(parameterized.TestCase):
  def test_rock_paper_scissors(self):
    payoffs = openspiel.symmetric_payoffs("matrix_rps")
    np.testing.assert_array_equal(payoffs, [[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    matrix = models.from_payoffs(payoffs)
    np.testing.assert_array_equal(
      matrix, [[0.5, 0, 1], [1, 0.5, 0], [0, 1, 0.5]]
    )
    order = preference_order.decide(matrix)
    self.assertEqual(order, (False, False, False, None))

  def test_blotto(self):
    payoffs = openspiel.symmetric_payoffs("blotto(coins=4,fields=3)")
    splits = [
      split
      for split in itertools.product(range(5), repeat=3)
      if sum(split) == 4
    ]
    # OpenSpiel lists splits in this order as well.
    state = pyspiel.load_game("blotto(coins=4,fields=3)").new_initial_state()
    names = [state.action_to_string(0, a) for a in state.legal_actions(0)]
    self.assertEqual(names, ["[{},{},{}]".format(*split) for split in splits])
    for (a, first), (b, second) in itertools.product(
      enumerate(splits), repeat=2
    ):
      fields = sum(np.sign(x - y) for x, y in zip(first, second, strict=True))
      self.assertEqual(payoffs[a, b], np.sign(fields))
    self.assertEqual(payoffs.shape, (15, 15))
    models.from_payoffs(payoffs)

  def test_larger_games_of_one_move_are_quick(self):
    payoffs = openspiel.symmetric_payoffs("blotto(coins=10,fields=4)")
    self.assertEqual(payoffs.shape, (286, 286))
    np.testing.assert_array_equal(payoffs, -payoffs.T)

  def test_a_game_of_two_moves(self):
    # Prizes 2 and 1 in this order: who bids the higher card first wins.
    payoffs = openspiel.symmetric_payoffs(
      "goofspiel(num_cards=2,points_order=descending,imp_info=True)"
    )
    np.testing.assert_array_equal(payoffs, [[0, -1], [1, 0]])

  def test_a_file(self):
    path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "g"
    head = 'NFG 1 R "g"\n{ "a" "b" } { 2 2 }\n\n'
    name = f"nfg_game(filename={path})"
    path.write_text(head + "0 0 -1 1 1 -1 0 0\n")
    np.testing.assert_array_equal(
      openspiel.symmetric_payoffs(name), [[0, 1], [-1, 0]]
    )
    # What one wins, the other wins as well.
    path.write_text(head + "0 0 -1 -1 1 1 0 0\n")
    with self.assertRaisesRegex(ValueError, "`game` must be zero-sum and sym"):
      openspiel.symmetric_payoffs(name)

  @parameterized.parameters(
    ("matrix_pd", "zero-sum and symmetric, .* which matrix_pd is not$"),
    ("matrix_cd", "zero-sum and symmetric, .* which matrix_cd is not$"),
    ("matrix_mp", "zero-sum and symmetric, .* which matrix_mp is not$"),
    ("kuhn_poker", "zero-sum and symmetric, .* which kuhn_poker is not$"),
    ("tiny_hanabi", "zero-sum and symmetric, .* which tiny_hanabi is not$"),
    ("kuhn_poker(players=3)", "two players, got 3 players in kuhn_poker"),
    ("blotto(players=3)", "two players, got 3 players in blotto"),
    ("leduc_poker", "at most 1000 strategies, .* leduc_poker has more; "),
    ("tic_tac_toe", "at most 1000 strategies, .* tic_tac_toe has more; "),
    ("goofspiel(num_cards=3)", "at most 1000 strategies, .* has more; "),
    ("blotto(coins=30,fields=4)", "at most 2,000 actions, .* has 5,456; "),
    ("matrix_rpsx", "'matrix_rpsx': did you mean .*matrix_rps"),
    ("matrix_rps(a=1)", "a game that OpenSpiel loads as a matrix.*'a'"),
    ("matrix_rps(", "a game that OpenSpiel loads as a matrix.*bracket"),
  )
  def test_refuses(self, name, message):
    with self.assertRaisesRegex(ValueError, f"(?s)^`game` must .*{message}"):
      openspiel.symmetric_payoffs(name)


if __name__ == "__main__":
  absltest.main()
