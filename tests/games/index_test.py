"""Tests of the names of rows and slots."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.games import index as index_lib
from mdrl.games import tree_game, tree_tables
from mdrl.trees import layout as layout_lib


def _build(labels=()) -> index_lib.Index:
  """Returns the index of a ragged tree, and of a player without moves."""
  tables = tree_tables.TreeTables(
    infostates=(("root", "thin", "wide"), ()),
    parent=(np.array([0, 0, 2]), np.zeros(0, int)),
    width=(np.array([2, 1, 3]), np.zeros(0, int)),
    action=(np.array([4, 7, 0, 2, 5, 9]), np.zeros(0, int)),
    sequence=np.array([[1, 0], [3, 0], [6, 0]], np.int32),
    chance=np.ones(3),
    chance_parent=np.zeros(0, int),
    chance_width=np.zeros(0, int),
    chance_probability=np.zeros(0),
    chance_sequence=np.zeros(3, int),
    utility=np.ones((3, 2)),
    num_histories=9,
    labels=labels,
  )
  return tree_game.build(tables)[1]


class LabelsTest(absltest.TestCase):
  def test_labels_stand_where_their_actions_do(self):
    texts = (("left", "right", "", "a", "b", "a"), ())
    for player, expected in zip(_build(texts).players, texts):
      self.assertLen(player.labels, len(player.action))
      found = {}
      for row, name in enumerate(player.infostates):
        found[name] = player.labels[player.slots(row)]
        table = player.labels_table()[row].tolist()
        self.assertEqual(table[: len(found[name])], list(found[name]))
        self.assertEqual(set(table[len(found[name]) :]) - {""}, set())
      if expected:
        self.assertEqual(
          found,
          {"root": ("left", "right"), "thin": ("",), "wide": ("a", "b", "a")},
        )
      self.assertEqual(player.labels[0], "")

  def test_games_without_labels(self):
    for player in _build().players:
      self.assertEqual(player.labels, ())


class IndexTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.index = _build()
    self.player = self.index[0]

  def test_every_name_has_its_slots(self):
    actions = {"root": [4, 7], "thin": [0], "wide": [2, 5, 9]}
    self.assertCountEqual(self.player.infostates, actions)
    seen = []
    for name, legal in actions.items():
      row = self.player.row(name)
      self.assertEqual(self.player.infostates[row], name)
      self.assertEqual(self.player.width[row], len(legal))
      slots = self.player.slots(row)
      self.assertEqual(self.player.action[slots].tolist(), legal)
      for k, action in enumerate(legal):
        slot = self.player.slot(name, action)
        start, stride = self.player.start[row], self.player.stride[row]
        self.assertEqual(slot, start + k * stride)
        seen.append(slot)
    self.assertLen(set(seen), 6)
    others = np.setdiff1d(np.arange(len(self.player.action)), seen)
    self.assertIn(0, others)
    self.assertTrue((self.player.action[others] == -1).all())

  def test_rows_that_stand_in_another_order_than_they_came(self):
    # The second lies below the first, and so comes last.
    layout = layout_lib.lay_out(
      np.array([0, 1, 0]), np.array([2, 3, 2]), np.dtype(float)
    )
    none = np.zeros(0, int)
    tables = tree_tables.TreeTables(
      infostates=(("first", "below", "other"),),
      parent=(np.array([0, 1, 0]),),
      width=(np.array([2, 3, 2]),),
      action=(np.array([4, 7, 2, 5, 9, 1, 3]),),
      sequence=np.zeros((0, 1), np.int32),
      chance=np.zeros(0),
      chance_parent=none,
      chance_width=none,
      chance_probability=np.zeros(0),
      chance_sequence=none,
      utility=np.zeros((0, 1)),
      num_histories=0,
    )
    player = index_lib.build(tables, [layout])[0]
    self.assertEqual(player.infostates, ("first", "other", "below"))
    np.testing.assert_array_equal(player.width, [2, 2, 3])
    legal = {"first": [4, 7], "other": [1, 3], "below": [2, 5, 9]}
    for name, actions in legal.items():
      slots = player.slots(player.row(name))
      self.assertEqual(player.action[slots].tolist(), actions)
    slots = [player.slot(n, a) for n, own in legal.items() for a in own]
    self.assertEqual(sorted(slots), list(range(1, 8)))

  def test_actions_table(self):
    table = self.player.actions_table()
    self.assertEqual(table.shape, (3, 3))
    rows = {
      name: table[self.player.row(name)].tolist()
      for name in self.player.infostates
    }
    self.assertEqual(
      rows, {"root": [4, 7, -1], "thin": [0, -1, -1], "wide": [2, 5, 9]}
    )

  def test_policies_there_and_back(self):
    named = {
      "wide": {2: 0.5, 5: 0.125, 9: 0.375},
      "root": {4: 0.25, 7: 0.75},
      "thin": {0: 1.0},
    }
    policy = self.player.policy(named)
    self.assertEqual(policy[0], 1)
    self.assertEqual(policy.sum(), 4)
    self.assertEqual(policy[self.player.slot("wide", 9)], 0.375)
    self.assertEqual(self.player.probabilities(policy), named)

  def test_more_probabilities_than_needed_are_ignored(self):
    named = {
      "root": {4: 0.25, 7: 0.75, 11: 0.0},
      "thin": {0: 1.0},
      "wide": {2: 1.0, 5: 0.0, 9: 0.0},
      "other": {1: 1.0},
    }
    policy = self.player.policy(named)
    self.assertEqual(policy.sum(), 4)

  def test_a_player_without_infostates(self):
    player = self.index[1]
    self.assertEqual(player.infostates, ())
    self.assertEqual(player.actions_table().shape, (0, 0))
    self.assertEqual(player.policy({}).tolist(), [1])
    self.assertEqual(player.probabilities(np.ones(1)), {})

  def test_unknown_infostate(self):
    with self.assertRaisesRegex(
      ValueError,
      "`infostate` must be one of the player's 3 information-state strings, "
      "got 'rot'; `infostates` lists them",
    ):
      self.player.slot("rot", 4)

  def test_illegal_action(self):
    with self.assertRaisesRegex(
      ValueError,
      r"`action` must be legal at 'wide': one of \[2, 5, 9\], got 4",
    ):
      self.player.slot("wide", 4)
    with self.assertRaisesRegex(ValueError, "`action` must be legal.*got -1"):
      self.player.slot("thin", -1)

  @parameterized.parameters("root", "wide")
  def test_missing_probabilities(self, name):
    named = {
      "root": {4: 0.25, 7: 0.75},
      "thin": {0: 1.0},
      "wide": {2: 1.0, 5: 0.0, 9: 0.0},
    }
    part = {**named, name: dict(list(named[name].items())[1:])}
    without = {k: v for k, v in named.items() if k != name}
    for given in (part, without):
      with self.assertRaisesRegex(
        ValueError,
        rf"`probabilities` must cover actions \[.*\] of infostate '{name}'",
      ):
        self.player.policy(given)

  @parameterized.parameters(
    ({4: 0.5, 7: 0.75}, "must be a distribution over actions"),
    ({4: -0.5, 7: 1.5}, "must be a distribution over actions"),
    ({4: np.nan, 7: 1.0}, "must be a distribution over actions"),
    ({4: 0.25, 7: 0.5, 8: 0.25}, "must be a distribution over actions"),
  )
  def test_probabilities_that_are_no_distribution(self, root, message):
    named = {"root": root, "thin": {0: 1.0}, "wide": {2: 1.0, 5: 0.0, 9: 0.0}}
    with self.assertRaisesRegex(ValueError, f"`probabilities` {message}"):
      self.player.policy(named)

  def test_policies_of_another_size(self):
    for size in (3, len(self.player.action) + 1):
      with self.assertRaisesRegex(ValueError, "`policy` must have shape"):
        self.player.probabilities(np.ones(size))


if __name__ == "__main__":
  absltest.main()
