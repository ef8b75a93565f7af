"""Tests of compiled trees on the host, against numbers counted by hand."""

from absl.testing import absltest
import numpy as np

from mdrl.compile import openspiel
from mdrl.games import tree_tables


class TreeTablesTest(absltest.TestCase):
  def test_kuhn_poker(self):
    tables = openspiel.enumerate_tree(openspiel.load_game("kuhn_poker"))
    self.assertEqual(tables.num_players, 2)
    # Six infostates of two actions each, and the empty sequence.
    self.assertEqual(tables.num_sequences, (13, 13))
    # Six deals of five endings.
    self.assertEqual(tables.sequence.shape, (30, 2))
    np.testing.assert_allclose(tables.chance, 1 / 6)
    np.testing.assert_array_equal(tables.utility.sum(axis=1), 0)
    # One of three cards, then one of the two that are left.
    np.testing.assert_array_equal(tables.chance_width, [3, 2, 2, 2])
    np.testing.assert_array_equal(np.sort(tables.chance_parent), [0, 1, 2, 3])
    np.testing.assert_allclose(
      tables.chance_probability, [1 / 3] * 3 + [1 / 2] * 6
    )
    deals, endings = np.unique(tables.chance_sequence, return_counts=True)
    np.testing.assert_array_equal(deals, [4, 5, 6, 7, 8, 9])
    np.testing.assert_array_equal(endings, 5)
    cards = set()
    for deal in deals:
      rows = tables.sequence[tables.chance_sequence == deal]
      # The card is the first letter; a sequence has two to the infostate.
      held = [
        {names[(s - 1) // 2][0] for s in own}
        for names, own in zip(tables.infostates, rows.T)
      ]
      cards.add(tuple("".join(h) for h in held))
    self.assertCountEqual(
      cards, [(a, b) for a in "012" for b in "012" if a != b]
    )

  def test_players_and_sequences_are_counted(self):
    tables = tree_tables.TreeTables(
      infostates=(("a", "b"), (), ("c",)),
      parent=(np.array([0, 1]), np.zeros(0, int), np.array([0])),
      width=(np.array([2, 3]), np.zeros(0, int), np.array([4])),
      action=(np.arange(5), np.zeros(0, int), np.arange(4)),
      sequence=np.zeros((1, 3), int),
      chance=np.ones(1),
      chance_parent=np.zeros(0, int),
      chance_width=np.zeros(0, int),
      chance_probability=np.zeros(0),
      chance_sequence=np.zeros(1, int),
      utility=np.zeros((1, 3)),
      num_histories=1,
    )
    self.assertEqual(tables.num_players, 3)
    self.assertEqual(tables.num_sequences, (6, 1, 5))


if __name__ == "__main__":
  absltest.main()
