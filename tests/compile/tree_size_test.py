"""Tests of estimates against trees of known size."""

import fractions
import math
import time
from unittest import mock

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.compile import openspiel, tree_size
from mdrl.testing import games

_NO_END = 10**30


class _Script(np.random.Generator):
  """Draws what it was told to, and keeps how likely that was."""

  def __init__(self, moves):
    super().__init__(np.random.PCG64(0))
    self._moves = iter(moves)
    self.probability = fractions.Fraction(1)

  def integers(self, high):
    self.probability /= high
    return next(self._moves)


def _playouts(state):
  """Yields the moves to every terminal, as places among the legal actions."""
  if state.is_terminal():
    yield ()
  for k, action in enumerate(state.legal_actions()):
    for moves in _playouts(state.child(action)):
      yield (k, *moves)


class ProbeTest(parameterized.TestCase):
  @parameterized.parameters(
    ("kuhn_poker", 58),
    ("kuhn_poker(players=3)", 617),
    ("leduc_poker", 9_457),
    ("goofspiel(num_cards=3,imp_info=True,points_order=descending)", 67),
    ("dark_hex(board_size=2,gameversion=adh)", 471),
  )
  def test_its_expectation_is_the_number_of_histories(self, name, histories):
    game = openspiel.load_game(name)
    expectation, certainty = 0, 0
    for moves in _playouts(game.new_initial_state()):
      script = _Script(moves)
      size = tree_size.probe(game.new_initial_state(), script, _NO_END)
      expectation += script.probability * size
      certainty += script.probability
    self.assertEqual(certainty, 1)
    self.assertEqual(expectation, histories)

  def test_is_cut_short(self):
    state = openspiel.load_game("leduc_poker").new_initial_state()
    # Six cards, then five, then two moves.
    size = tree_size.probe(state, np.random.default_rng(0), 36)
    self.assertEqual(size, 1 + 6 + 30)
    self.assertLen(state.history(), 2)

  def test_ends_in_time(self):
    state = openspiel.load_game("leduc_poker").new_initial_state()
    rng = np.random.default_rng(0)
    with mock.patch.object(time, "thread_time", side_effect=[1.0, 2.0, 3.0]):
      size = tree_size.probe(state, rng, _NO_END, 2.5)
    # Six cards, then five, and two moves that are not made any more.
    self.assertEqual(size, 1 + 6 + 30 + 60)
    self.assertLen(state.history(), 2)

  def test_ends_where_there_are_no_moves(self):
    state = mock.Mock()
    state.is_terminal.return_value = False
    state.legal_actions.return_value = []
    rng = np.random.default_rng(0)
    self.assertEqual(tree_size.probe(state, rng, _NO_END), 1)


class EstimateTest(parameterized.TestCase):
  @parameterized.parameters(
    ("kuhn_poker", 58),
    ("leduc_poker", 9_457),
    (games.GOOFSPIEL, 1_077),
    ("tic_tac_toe", 549_946),
  )
  def test_is_near_the_number_of_histories(self, name, histories):
    found = tree_size.estimate(openspiel.load_game(name), _NO_END)
    self.assertTrue(found.complete)
    self.assertLess(found.error, histories / 20)
    self.assertLess(abs(found.mean - histories), 3 * found.error + 1e-9)
    self.assertBetween(found.at_least, histories / 8, histories)

  def test_is_the_same_each_time(self):
    game = openspiel.load_game("leduc_poker")
    first = tree_size.estimate(game, _NO_END)
    self.assertEqual(tree_size.estimate(game, _NO_END), first)

  def test_summarises_groups_of_probes(self):
    sizes = np.random.default_rng(0).integers(1, 10**6, 4_000)
    # A few huge ones, which a bound must not follow.
    sizes[::200] = 10**12
    with mock.patch.object(tree_size, "probe", side_effect=sizes):
      found = tree_size.estimate(openspiel.load_game("kuhn_poker"), 10**12)
    means = sizes.reshape(40, 100).mean(axis=0)
    self.assertAlmostEqual(found.mean, sizes.mean(), places=1)
    self.assertAlmostEqual(found.error, means.std(ddof=1) / 10, places=1)
    self.assertEqual(found.at_least, np.sort(means)[49:51].mean() / 4)
    self.assertLess(found.at_least, 10**6)
    self.assertTrue(found.complete)
    with mock.patch.object(tree_size, "probe", side_effect=sizes):
      found = tree_size.estimate(openspiel.load_game("kuhn_poker"), 10**11)
    self.assertFalse(found.complete)

  def _cut_short(self, sizes):
    """Returns the estimate of so many probes, of which the last took long."""
    clock = mock.patch.object(
      time, "thread_time", side_effect=[0.0] * len(sizes) + [9.0]
    )
    with clock, mock.patch.object(tree_size, "probe", side_effect=sizes):
      return tree_size.estimate(openspiel.load_game("kuhn_poker"), 10**9, 5.0)

  def test_few_probes_bound_by_their_smallest(self):
    found = self._cut_short([3_000] * 3 + [2_000])
    self.assertEqual(found.probes, 4)
    self.assertFalse(found.complete)
    self.assertEqual(found.mean, 2_750)
    self.assertEqual(found.error, 250)
    # All four are a hundred times too large with a chance of 100**-4.
    self.assertAlmostEqual(found.at_least, 20)

  def test_one_probe_bounds_next_to_nothing(self):
    found = self._cut_short([10**6])
    self.assertEqual(found.error, math.inf)
    self.assertAlmostEqual(found.at_least, 0.01)

  def test_probes_of_unfinished_rounds_do_not_count(self):
    found = self._cut_short([100] * 200 + [10**6])
    self.assertEqual((found.mean, found.error), (100, 0))
    self.assertEqual(found.at_least, 100)
    self.assertEqual(found.probes, 200)

  def test_large_errors_leave_the_bound_to_the_median(self):
    found = self._cut_short([100] * 90 + [10**6] * 10)
    self.assertEqual(found.at_least, 25)

  def test_the_bound_fails_once_in_a_million(self):
    chance = 1 / tree_size._MARGIN
    groups = tree_size._GROUPS
    half = sum(
      math.comb(groups, k) * chance**k * (1 - chance) ** (groups - k)
      for k in range(groups // 2, groups + 1)
    )
    self.assertLess(half, 1e-6)


if __name__ == "__main__":
  absltest.main()
