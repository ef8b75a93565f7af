"""Tests of the order of preferences against a search through all triples."""

import itertools

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.preferences import models
from mdrl.preferences import order as preference_order


def _by_search(matrix):
  """Returns transitivity, strong transitivity and the winner, from triples."""
  n = len(matrix)
  transitive = strong = True
  for a, b, c in itertools.product(range(n), repeat=3):
    if matrix[a, b] >= 0.5 and matrix[b, c] >= 0.5:
      transitive &= bool(matrix[a, c] >= 0.5)
      strong &= bool(matrix[a, c] >= max(matrix[a, b], matrix[b, c]))
  winner = None
  for a in range(n):
    if all(matrix[a, b] > 0.5 for b in range(n) if b != a):
      winner = a
  return transitive, strong, winner


def _of_values(values, n, rng):
  """Returns a matrix with entries of a list, and their opposites."""
  matrix = np.full((n, n), 0.5)
  for a, b in itertools.combinations(range(n), 2):
    matrix[a, b] = rng.choice(values)
    matrix[b, a] = 1 - matrix[a, b]
  return matrix


class DecideTest(parameterized.TestCase):
  @parameterized.parameters(
    ((0, 1),),
    ((0, 0.5, 1),),
    ((0.25, 0.5, 0.75),),
    ((0.25, 0.375, 0.5, 0.625, 0.75),),
    ((0.5, 0.625, 0.75),),
    (tuple(np.linspace(0, 1, 65)),),
  )
  def test_equals_a_search(self, values):
    rng = np.random.default_rng(0)
    found = set()
    for n in [1, 2, 3, 3, 3, 4, 4, 5] * 25:
      matrix = _of_values(values, n, rng)
      order = preference_order.decide(matrix)
      transitive, strong, winner = _by_search(matrix)
      self.assertEqual(order.transitive, transitive, matrix)
      self.assertEqual(order.strongly_transitive, strong, matrix)
      self.assertEqual(order.condorcet_winner, winner, matrix)
      found.add(order[:2])
    # The search would prove little without examples of all kinds.
    self.assertGreaterEqual(len(found), 2)

  @parameterized.parameters(2, 3, 6, 12)
  def test_random_matrices_have_no_scores_beyond_two(self, n):
    for seed in range(20):
      matrix = models.uniform(n, seed)
      transitive, strong, winner = _by_search(matrix)
      self.assertEqual(
        preference_order.decide(matrix), (transitive, strong, n == 2, winner)
      )

  @parameterized.parameters(0.01, 1.0, 5.0, 40.0)
  def test_scores(self, scale):
    for seed in range(20):
      scores = scale * np.random.default_rng(seed).normal(size=7)
      matrix = models.elo(scores)
      order = preference_order.decide(matrix)
      self.assertEqual(order, (True, True, True, int(scores.argmax())))
      a, b = np.argsort(scores)[[2, 4]]
      matrix[a, b] += 1e-3
      matrix[b, a] -= 1e-3
      self.assertFalse(preference_order.decide(matrix).bradley_terry)

  @parameterized.parameters(
    ([0, 30, 30.5],), ([50, 0, -1],), ([0, 20, 21],), ([0, 100, 200, 201],)
  )
  def test_scores_far_apart(self, scores):
    order = preference_order.decide(models.elo(scores))
    self.assertEqual(order, (True, True, True, int(np.argmax(scores))))

  def test_equal_scores(self):
    order = preference_order.decide(models.elo([1, 0, 1, -2]))
    self.assertEqual(order, (True, True, True, None))

  def test_certainty_has_no_scores(self):
    order = preference_order.decide([[0.5, 1], [0, 0.5]])
    self.assertEqual(order, (True, True, False, 0))

  def test_one_response_beats_all_others(self):
    self.assertEqual(preference_order.decide([[0.5]]), (True, True, True, 0))

  def test_weakly_transitive_alone(self):
    matrix = [[0.5, 0.9, 0.6], [0.1, 0.5, 0.9], [0.4, 0.1, 0.5]]
    self.assertEqual(preference_order.decide(matrix), (True, False, False, 0))

  def test_a_winner_above_a_cycle(self):
    matrix = np.full((4, 4), 0.5)
    matrix[:3, :3] = models.cycle(3)
    matrix[3, :3], matrix[:3, 3] = 0.6, 0.4
    self.assertEqual(preference_order.decide(matrix), (False, False, False, 3))

  def test_tolerance(self):
    matrix = models.cycle(3, 0.5002)
    self.assertEqual(
      preference_order.decide(matrix), (False, False, False, None)
    )
    self.assertEqual(
      preference_order.decide(matrix, tolerance=1e-3),
      (True, True, True, None),
    )
    winner = [[0.5, 0.5 + 1e-8], [0.5 - 1e-8, 0.5]]
    self.assertEqual(preference_order.decide(winner).condorcet_winner, 0)
    tie = [[0.5, 0.5 + 1e-10], [0.5 - 1e-10, 0.5]]
    self.assertIsNone(preference_order.decide(tie).condorcet_winner)

  @parameterized.parameters(
    (np.zeros((2, 3)), r"square matrix, got shape \(2, 3\)"),
    (np.zeros(3), r"square matrix, got shape \(3,\)"),
    (np.zeros((2, 3, 3)), r"got shape \(2, 3, 3\); decide context by"),
    (np.zeros((0, 0)), r"at least one of them, got \[\]"),
    (np.full((1, 1), np.nan), r"hold numbers alone.*got \[\[nan\]\]"),
  )
  def test_refuses(self, matrix, message):
    with self.assertRaisesRegex(ValueError, f"`preferences` must .*{message}"):
      preference_order.decide(matrix)

  @parameterized.parameters(np.nan, -1e-9, np.inf, 0.6)
  def test_refuses_tolerances(self, tolerance):
    matrix = models.dice()
    with self.assertRaisesRegex(ValueError, "`tolerance` must lie in .0, 0.5"):
      preference_order.decide(matrix, tolerance)


if __name__ == "__main__":
  absltest.main()
