"""Tables of who has won, against searches and the theorem of hex."""

import inspect
import itertools

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.envs import board_rules

_BOARDS = [*itertools.product((2, 3, 4), repeat=2)]


def _connects(stones, num_rows, num_cols, player):
  """Returns whether a path of stones joins a player's sides, by search."""
  stones = {divmod(s, num_cols) for s in stones}
  path = [s for s in stones if s[player] == 0]
  seen = set(path)
  last = (num_rows, num_cols)[player] - 1
  while path:
    row, col = path.pop()
    if (row, col)[player] == last:
      return True
    for there in (
      (row, col - 1),
      (row, col + 1),
      (row - 1, col),
      (row + 1, col),
      (row - 1, col + 1),
      (row + 1, col - 1),
    ):
      if there in stones and there not in seen:
        seen.add(there)
        path.append(there)
  return False


class BoardRulesTest(parameterized.TestCase):
  @parameterized.parameters(2, 3, 4)
  def test_lines_are_those_of_a_square(self, side):
    table = board_rules.lines(side)
    self.assertLen(table, 2 ** (side * side))
    for stones in np.random.default_rng(0).integers(0, len(table), 500):
      board = (stones >> np.arange(side * side) & 1).reshape(side, side)
      sums = [board.sum(0), board.sum(1), board.trace(), board[::-1].trace()]
      self.assertEqual(table[stones], np.hstack(sums).max() == side)

  @parameterized.parameters((2, 0b1001, 6), (3, 0b001010100, 8))
  def test_lines_are_as_many_as_known(self, side, diagonal, count):
    table = board_rules.lines(side)
    self.assertTrue(table[diagonal])
    sizes = np.array([int(s).bit_count() for s in np.flatnonzero(table)])
    self.assertEqual(np.sum(sizes == side), count)

  @parameterized.parameters(*_BOARDS)
  def test_one_player_connects_on_a_full_board_of_hex(self, rows, cols):
    first, second = board_rules.connections(rows, cols)
    np.testing.assert_array_equal(first, ~second[::-1])

  @parameterized.parameters(*_BOARDS)
  def test_connections_are_paths(self, rows, cols):
    table = board_rules.connections(rows, cols)
    for stones in np.random.default_rng(1).integers(0, table.shape[1], 300):
      cells = np.flatnonzero(stones >> np.arange(rows * cols) & 1).tolist()
      for player in range(2):
        self.assertEqual(
          table[player, stones], _connects(cells, rows, cols, player)
        )

  def test_refuses_other_boards(self):
    with self.assertRaisesRegex(
      ValueError, "`num_cols` must be a whole number from 2 to 4"
    ):
      inspect.unwrap(board_rules.connections)(3, 5)
    with self.assertRaisesRegex(
      ValueError, "`num_rows` must be a whole number from 2 to 4"
    ):
      inspect.unwrap(board_rules.lines)(1)

  def test_tables_cannot_be_changed(self):
    with self.assertRaises(ValueError):
      board_rules.lines(3)[0] = True


if __name__ == "__main__":
  absltest.main()
