"""Tests of features made from a player's own past."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.compile import openspiel, own_sequences
from mdrl.testing import games


class OwnSequencesTest(parameterized.TestCase):
  def test_what_was_seen_and_done(self):
    # Two infostates at first, with two and three actions. Behind the second
    # action of the first, two more; behind the third of the second, one.
    parent, width = np.array([0, 0, 2, 2, 5]), np.array([2, 3, 2, 1, 4])
    expected = [
      # Seen, done, seen.
      [1, 0, 0, 0, 0, 0, 0],
      [0, 1, 0, 0, 0, 0, 0],
      [1, 0, 0, 1, 0, 1, 0],
      [1, 0, 0, 1, 0, 0, 1],
      [0, 1, 0, 0, 1, 1, 0],
    ]
    features = own_sequences.encode(parent, width)
    np.testing.assert_array_equal(features, expected)
    self.assertEqual(features.dtype, np.uint8)
    self.assertEqual(own_sequences.num_features(parent, width), 7)

  def test_players_without_decisions_or_with_one(self):
    nothing = np.zeros(0, int)
    self.assertEqual(own_sequences.encode(nothing, nothing).shape, (0, 0))
    one = own_sequences.encode(np.zeros(1, int), np.array([5]))
    np.testing.assert_array_equal(one, [[1]])

  @parameterized.parameters("leduc", "liars_dice", "goofspiel", "simultaneous")
  def test_infostates_are_told_apart_and_follow_their_parents(self, name):
    tables = openspiel.enumerate_tree(openspiel.load_game(games.TREES[name]))
    for parent, width in zip(tables.parent, tables.width, strict=True):
      features = own_sequences.encode(parent, width)
      self.assertLen(np.unique(features, axis=0), len(width))
      self.assertEqual(
        features.shape[1], own_sequences.num_features(parent, width)
      )
      owner = np.repeat(np.arange(len(width)), width)
      below = np.flatnonzero(parent)
      above = owner[parent[below] - 1]
      # What was seen and done stays, and each move adds two ones.
      self.assertTrue((features[below] >= features[above]).all())
      np.testing.assert_array_equal(
        features[below].sum(axis=1), features[above].sum(axis=1) + 2
      )
      # Where the same was seen, what was done makes the difference.
      self.assertTrue((features[parent == 0].sum(axis=1) == 1).all())


if __name__ == "__main__":
  absltest.main()
