"""Tests of the record of histories, against a plain walk."""

from unittest import mock

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.compile import history_recorder, openspiel, tree_limits
from mdrl.games import tree_tables
from mdrl.testing import games


class _Seen:
  """A state in which a player sees given numbers."""

  def __init__(self, numbers):
    self._numbers = numbers

  def information_state_tensor(self, player):
    return [player, *self._numbers]


def _recorder(**kwargs):
  arguments = {"kind": "information_state_tensor", "last_first": False}
  return history_recorder.Recorder("some game", 1, 100, **arguments | kwargs)


def _by_depth(source):
  """Returns who moves at every history, in order of depth."""
  level, players = [source.new_initial_state()], []
  while level:
    players += [state.current_player() for state in level]
    level = [state.child(a) for state in level for a in state.legal_actions()]
  return players


class RecorderTest(parameterized.TestCase):
  @parameterized.parameters(*games.TREES)
  def test_histories_are_in_order_of_depth(self, name):
    source = openspiel.load_game(games.TREES[name])
    tables = openspiel.enumerate_tree(source, histories=True)
    record = tables.histories
    assert record is not None
    self.assertEqual(record.player.tolist(), _by_depth(source))
    self.assertLen(record.player, tables.num_histories)
    # Chance nodes and terminals are met once each.
    for nobody, count in (
      (tree_tables.CHANCE, len(tables.chance_width)),
      (tree_tables.TERMINAL, len(tables.sequence)),
    ):
      self.assertCountEqual(record.row[record.player == nobody], range(count))
    self.assertLen(record.chance_action, len(tables.chance_probability))
    without = openspiel.enumerate_tree(source)
    self.assertIsNone(without.histories)
    np.testing.assert_array_equal(tables.sequence, without.sequence)

  def test_a_walk_that_takes_the_first_move_first(self):
    # The root has a leaf, a node of one leaf, and a node of two.
    for last_first, shape, expected in (
      (False, (3, 0, 1, 0, 2, 0, 0), (3, 0, 1, 2, 0, 0, 0)),
      (True, (3, 2, 0, 0, 1, 0, 0), (3, 0, 1, 2, 0, 0, 0)),
    ):
      recorder = _recorder(kind="own_sequence", last_first=last_first)
      for width in shape:
        if width:
          recorder.add(0, width, width)
        else:
          recorder.add_terminal()
      tables = openspiel.enumerate_tree(openspiel.load_game("matrix_rps"))
      one = tables._replace(parent=tables.parent[:1], width=tables.width[:1])
      record = recorder.histories(one)
      row = np.where(record.player < 0, 0, record.row)
      self.assertEqual(tuple(row.tolist()), expected)
      ends = record.row[record.player < 0].tolist()
      self.assertEqual(ends, [0, 1, 2, 3] if not last_first else [3, 2, 1, 0])

  def test_what_is_seen_is_kept_once(self):
    recorder = _recorder()
    for row, numbers in ((0, (0.25, 2)), (1, (3, 300)), (0, (9, 9))):
      recorder.add(0, row, 1)
      recorder.observe(0, _Seen(numbers))
    recorder.add_terminal()
    tables = openspiel.enumerate_tree(openspiel.load_game("matrix_rps"))
    record = recorder.histories(
      tables._replace(parent=tables.parent[:1], width=tables.width[:1])
    )
    (features,) = record.features
    np.testing.assert_array_equal(features, [[0, 0.25, 2], [0, 3, 300]])

  @parameterized.parameters(
    ([[0, 1], [255, 7]], True),
    ([[0, 1], [256, 7]], False),
    ([[0, -1]], False),
    ([[0, 0.5]], False),
    ([[np.nan]], False),
    ([[np.inf]], False),
  )
  def test_bytes_are_taken_where_they_lose_nothing(self, numbers, small):
    numbers = np.array(numbers, "f")
    found = history_recorder.as_bytes(numbers)
    self.assertEqual(found.dtype == np.uint8, small)
    np.testing.assert_array_equal(found, numbers)

  def test_tensors_that_take_too_much_memory_are_refused(self):
    recorder = _recorder()
    recorder._allowed = 40
    for row in range(3):
      recorder.add(0, row, 1)
      recorder.observe(0, _Seen((1, 2)))
    recorder.add(0, 3, 1)
    with self.assertRaisesRegex(
      ValueError,
      "`histories` must fit into the memory that `max_histories` allows, .* "
      "and what a player sees in some game does not: 3 numbers at each of 4 "
      "infostates or more; compile it without histories, or raise",
    ):
      recorder.observe(0, _Seen((1, 2)))

  @parameterized.parameters("leduc_poker", "tests/data/three_players.efg")
  def test_games_that_see_too_much_are_refused(self, name):
    allowed = self.enterContext(
      mock.patch.object(tree_limits, "bytes_allowed", return_value=3)
    )
    with self.assertRaisesRegex(ValueError, "compile it without histories"):
      openspiel.compile_game(name, histories=True)
    allowed.assert_called()

  def test_a_normal_form(self):
    record = history_recorder.of_normal_form([2, 1, 3])
    players = [0, *[1] * 2, *[2] * 2, *[tree_tables.TERMINAL] * 6]
    self.assertEqual(record.player.tolist(), players)
    self.assertEqual(record.row.tolist(), [0] * 5 + [0, 2, 4, 1, 3, 5])
    self.assertEqual([f.tolist() for f in record.features], [[[1]]] * 3)


if __name__ == "__main__":
  absltest.main()
