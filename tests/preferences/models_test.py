"""Tests of preference models against rolls, loops and published numbers."""

import collections
from fractions import Fraction
import inspect
import itertools

from absl.testing import absltest, parameterized
import numpy as np
from scipy import special

from mdrl.preferences import models as models
from mdrl.preferences import order as preference_order

_TINY = 1e-12


class ModelsTest(parameterized.TestCase):
  def _assert_close(self, actual, expected, atol=_TINY):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)

  def _assert_order(self, matrix, transitive, winner):
    order = preference_order.decide(matrix)
    self.assertEqual(
      (order.transitive, order.condorcet_winner), (transitive, winner)
    )

  @parameterized.parameters(
    lambda: models.dice(),
    lambda: models.dice([[1, 2], [2, 3, 4], [0]]),
    lambda: models.cycle(5, 0.8),
    lambda: models.three_raters(0.1),
    lambda: models.elo([0, 1, -3]),
    lambda: models.bradley_terry_mixture([[1, 2, 3], [3, 0, 1]]),
    lambda: models.cyclic_raters(4),
    lambda: models.cyclic_raters(5, 0.7),
    lambda: models.skew_low_rank(6, 4),
    lambda: models.uniform(6),
    lambda: models.tournament(6),
    lambda: models.noisy(models.uniform(4), 0.2),
    lambda: models.sampled(models.uniform(4), 7),
    lambda: models.from_payoffs([[0, 2, -1], [-2, 0, 5], [1, -5, 0]]),
  )
  def test_are_preferences(self, make):
    matrix = make()
    self.assertEqual(matrix.dtype, np.float64)
    self.assertTrue(((matrix >= 0) & (matrix <= 1)).all())
    self._assert_close(matrix + matrix.T, 1)
    np.testing.assert_array_equal(np.diagonal(matrix), 0.5)

  def test_dice(self):
    matrix = models.dice()
    for a in range(3):
      b = (a + 1) % 3
      rolls = itertools.product(
        models.NONTRANSITIVE_DICE[a], models.NONTRANSITIVE_DICE[b]
      )
      wins = sum(first > second for first, second in rolls)
      self.assertEqual(wins, 5)
      self._assert_close(matrix[a, b], 5 / 9)
    self.assertEqual(
      models.NONTRANSITIVE_DICE, ((2, 4, 9), (1, 6, 8), (3, 5, 7))
    )
    self._assert_order(matrix, False, None)

  def test_dice_of_other_faces(self):
    # Of the six rolls of the first two, three are higher and one is a tie.
    matrix = models.dice([[1, 6], [1, 2, 3], [7]])
    self._assert_close(
      matrix, [[0.5, 3.5 / 6, 0], [2.5 / 6, 0.5, 0], [1, 1, 0.5]]
    )
    self._assert_order(matrix, True, 2)

  @parameterized.parameters((3, 1.0), (3, 0.6), (7, 0.9))
  def test_cycle(self, n, win):
    matrix = models.cycle(n, win)
    for a in range(n):
      for k in range(1, n):
        self._assert_close(
          matrix[a, (a + k) % n], win if 2 * k < n else 1 - win
        )
    self._assert_order(matrix, False, None)

  def test_cycle_of_ties(self):
    self._assert_order(models.cycle(5, 0.5), True, None)

  @parameterized.parameters(0.0, 0.1, 0.3, -0.2, 1 / 3, -1 / 3)
  def test_three_raters(self, epsilon):
    matrix = models.three_raters(epsilon)
    self._assert_close(matrix[1, 0], 2 / 3 - epsilon / 2)
    # By raters: a share, and its preferences as -1, 0 and 1.
    expected = np.full((3, 3), 0.5)
    for share, (better, worse) in (
      (1 / 3 - epsilon, (1, 0)),
      (1 / 3 + epsilon / 2, (0, 2)),
      (1 / 3 + epsilon / 2, (2, 1)),
    ):
      sign = np.zeros((3, 3))
      sign[better, worse], sign[worse, better] = 1, -1
      expected += share * sign / 2
    self._assert_close(matrix, expected)
    policy = np.array(
      [1 / 3 + epsilon / 2, 1 / 3 + epsilon / 2, 1 / 3 - epsilon]
    )
    self._assert_close(matrix @ policy, 0.5)
    self._assert_order(matrix, False, None)
    if epsilon != 1 / 3:
      # No other vector has equal wins everywhere: the equilibrium is unique.
      self.assertEqual(np.linalg.matrix_rank(matrix - 0.5), 2)

  def test_elo(self):
    matrix = models.elo([0, np.log(9), np.log(2)])
    odds = np.array([1, 9, 2])
    self._assert_close(matrix, odds[:, None] / (odds[:, None] + odds))
    policy = np.array([2 / 3, 1 / 3, 0])
    self._assert_close(matrix[2] @ policy, 50 / 99)
    self._assert_close(
      matrix[2] @ policy,
      float(Fraction(2, 3) * Fraction(2, 3) + Fraction(1, 3) * Fraction(2, 11)),
    )
    order = preference_order.decide(matrix)
    self.assertEqual(order, (True, True, True, 1))

  def test_elo_of_equals(self):
    self._assert_order(models.elo([1, 0, 1]), True, None)

  def test_a_mixture(self):
    rows, shares = [[0, 1, 3], [2, -1, 0]], [0.3, 0.7]
    expected = np.zeros((3, 3))
    for row, share in zip(rows, shares):
      for a, b in itertools.product(range(3), repeat=2):
        expected[a, b] += share / (1 + np.exp(row[b] - row[a]))
    self._assert_close(models.bradley_terry_mixture(rows, shares), expected)
    self._assert_close(
      models.bradley_terry_mixture(rows),
      (models.elo(rows[0]) + models.elo(rows[1])) / 2,
    )

  def test_a_mixture_may_have_an_order_or_none(self):
    rows = np.array([[2, 1, 0], [0, 2, 1], [1, 0, 2]])
    self._assert_order(models.bradley_terry_mixture(rows[:1]), True, 0)
    for scale in (1, 10):
      matrix = models.bradley_terry_mixture(scale * rows)
      self._assert_order(matrix, False, None)

  def test_random_scores(self):
    scores = models.random_scores(50, 200, seed=1)
    self.assertEqual(scores.shape, (50, 200))
    self.assertAlmostEqual(scores.mean(), 0, delta=0.1)
    self.assertAlmostEqual(scores.std(), 2, delta=0.1)
    np.testing.assert_array_equal(scores, models.random_scores(50, 200, seed=1))
    self.assertGreater(np.abs(scores - models.random_scores(50, 200)).max(), 0)

  @parameterized.parameters(2, 3, 4, 5)
  def test_cyclic_raters_by_counting(self, n):
    matrix = models.cyclic_raters(n)
    rankings = [[(k + i) % n for i in range(n)] for k in range(n)]
    for a, b in itertools.permutations(range(n), 2):
      wins = sum(r.index(a) < r.index(b) for r in rankings)
      self._assert_close(matrix[a, b], wins / n)
    # Two responses tie.
    self._assert_order(matrix, n == 2, None)

  def test_three_cyclic_raters(self):
    matrix = models.cyclic_raters(3)
    for a in range(3):
      self._assert_close(matrix[a, (a + 1) % 3], 2 / 3)

  @parameterized.parameters((3, 0.5), (3, 4.0), (4, 1.0), (6, 0.3))
  def test_cyclic_raters_that_err(self, n, sharpness):
    matrix = models.cyclic_raters(n, sharpness)
    scores = [[-sharpness * ((a - k) % n) for a in range(n)] for k in range(n)]
    self._assert_close(matrix, models.bradley_terry_mixture(scores))
    self._assert_order(matrix, False, None)

  def test_sharper_raters_near_those_that_do_not_err(self):
    self._assert_close(models.cyclic_raters(5, 1e3), models.cyclic_raters(5))

  @parameterized.parameters((8, 2, 3.0), (9, 4, 1.0), (12, 6, 0.5))
  def test_skew_low_rank(self, n, rank, scale):
    logits = special.logit(models.skew_low_rank(n, rank, scale, seed=3))
    self._assert_close(logits, -logits.T, atol=1e-9)
    singular = np.linalg.svd(logits, compute_uv=False)
    self.assertGreater(singular[rank - 1], 1e-2)
    self.assertLess(singular[rank], 1e-10)
    u = np.random.default_rng(3).normal(size=(n, rank)) / np.sqrt(rank)
    expected = np.zeros((n, n))
    for k in range(0, rank, 2):
      expected += np.outer(u[:, k], u[:, k + 1])
      expected -= np.outer(u[:, k + 1], u[:, k])
    self._assert_close(logits, scale * expected, atol=1e-9)

  @parameterized.parameters(
    models.skew_low_rank, models.uniform, models.tournament
  )
  def test_many_random_responses_have_no_order(self, make):
    for seed in range(20):
      self._assert_order(make(30, seed=seed), False, None)

  @parameterized.parameters(
    models.skew_low_rank, models.uniform, models.tournament
  )
  def test_three_random_responses_may_have_an_order(self, make):
    # A cycle has a chance of 1/4, and the absence of a winner as well: signs
    # are fair, and three vectors in a plane lie in a half of it with 3/4.
    orders = [preference_order.decide(make(3, seed=k)) for k in range(1000)]
    for order in orders:
      self.assertEqual(order.transitive, order.condorcet_winner is not None)
    share = np.mean([order.transitive for order in orders])
    self.assertAlmostEqual(share, 3 / 4, delta=0.05)

  @parameterized.parameters((1, 0), (2, 1), (5, 7))
  def test_uniform(self, n, seed):
    rng = np.random.default_rng(seed)
    expected = np.full((n, n), 0.5)
    for a in range(n):
      for b in range(a):
        expected[a, b] = rng.random()
        expected[b, a] = 1 - expected[a, b]
    np.testing.assert_array_equal(models.uniform(n, seed), expected)

  def test_every_tournament_is_equally_likely(self):
    lower = np.tril_indices(3, -1)
    seen = collections.Counter(
      tuple(models.tournament(3, seed)[lower]) for seed in range(2000)
    )
    self.assertEqual(set(seen), set(itertools.product((0, 1), repeat=3)))
    for count in seen.values():
      self.assertAlmostEqual(count, 250, delta=75)

  def test_three_quarters_of_tournaments_have_a_winner(self):
    lower = np.tril_indices(3, -1)
    wins = 0
    for below in itertools.product((0, 1), repeat=3):
      matrix = np.full((3, 3), 0.5)
      matrix[lower] = below
      matrix.T[lower] = 1 - np.array(below)
      order = preference_order.decide(matrix)
      wins += order.condorcet_winner is not None
    self.assertEqual(wins / 8, 3 / 2**2)

  @parameterized.parameters(
    models.dice,
    lambda: models.elo([3, 0, 1]),
    lambda: models.tournament(6),
    lambda: models.uniform(5),
  )
  def test_noise_keeps_the_order(self, make):
    matrix = make()
    order = preference_order.decide(matrix)
    np.testing.assert_array_equal(models.noisy(matrix, 0), matrix)
    for flip in (0.1, 0.45):
      noisy = models.noisy(matrix, flip)
      self._assert_close(noisy - 0.5, (1 - 2 * flip) * (matrix - 0.5))
      self._assert_order(noisy, order.transitive, order.condorcet_winner)
    noisy = models.noisy(matrix, 0.5)
    np.testing.assert_array_equal(noisy, np.full(matrix.shape, 0.5))
    self._assert_order(noisy, True, None)

  def test_samples_converge(self):
    matrix = models.uniform(6, seed=2)
    for count in (100, 10**4, 10**6):
      rates = models.sampled(matrix, count, seed=1)
      # Five standard deviations, of which each is at most this.
      self._assert_close(rates, matrix, atol=2.5 / np.sqrt(count))
    self._assert_order(rates, *preference_order.decide(matrix)[0:4:3])

  def test_samples_are_of_comparisons(self):
    wins = 7 * models.sampled(models.uniform(5), 7)
    off = ~np.eye(5, dtype=bool)
    self._assert_close(wins[off], np.round(wins[off]))
    certain = models.tournament(5)
    np.testing.assert_array_equal(models.sampled(certain, 3), certain)
    first = models.sampled(np.full((5, 5), 0.5), 9, seed=4)
    np.testing.assert_array_equal(
      first, models.sampled(np.full((5, 5), 0.5), 9, seed=4)
    )
    other = models.sampled(np.full((5, 5), 0.5), 9, seed=5)
    self.assertGreater(np.abs(first - other).max(), 0)

  @parameterized.parameters(
    models.skew_low_rank, models.uniform, models.tournament
  )
  def test_seeds(self, make):
    np.testing.assert_array_equal(make(6, seed=3), make(6, seed=3))
    self.assertGreater(np.abs(make(6, seed=3) - make(6, seed=4)).max(), 0)

  def test_payoffs(self):
    u = np.array([[0, 4, -1], [-4, 0, 2], [1, -2, 0]])
    self._assert_close(models.from_payoffs(u), 0.5 + u / 8)
    self._assert_close(models.from_payoffs(1e-6 * u), 0.5 + u / 8)
    self._assert_close(models.from_payoffs(np.zeros((2, 2))), 0.5)

  def test_payoffs_of_the_higher_number(self):
    number = np.array([3, 9, 1, 4])
    u = np.sign(number[:, None] - number)
    self._assert_order(models.from_payoffs(u), True, 1)

  def test_payoffs_of_a_cycle(self):
    u = [[0, -1, 1], [1, 0, -1], [-1, 1, 0]]
    matrix = models.from_payoffs(u)
    self._assert_close(matrix, models.cycle(3).T)
    self._assert_order(matrix, False, None)


_P = np.full((2, 2), 0.5)


class ErrorsTest(parameterized.TestCase):
  @parameterized.parameters(
    (lambda: models.dice([]), r"`faces` must hold the faces.*got \[\]"),
    (lambda: models.dice([[1], []]), r"`faces` must .*got \[\[1\], \[\]\]"),
    (lambda: models.dice([[1, np.nan]]), "`faces` must hold .*finite"),
    (lambda: models.elo(["1", "2"]), "`scores` must be an array of real"),
    (lambda: models.elo([0, 1j]), "`scores` must .* real .*complex128"),
    (
      lambda: models.bradley_terry_mixture([[0, 1], [2]]),
      "`scores` must be an array of real numbers, got",
    ),
    (lambda: models.noisy(_P + 0j, 0.1), "`preferences` must be .* real"),
    (lambda: models.sampled(_P > 0, 1), "`preferences` must .* got .* bool"),
    (lambda: models.from_payoffs(1j * _P), "`payoffs` must be .* real"),
    (
      lambda: models.noisy([[2, 3], [4, 5]], 0.1),
      r"`preferences` must lie in \[0, 1\], got 2.0 at \[0, 0\]",
    ),
    (
      lambda: models.sampled([[0.5, 0.7], [0.7, 0.5]], 3),
      "`preferences` must add up to 1 .* got 0.7 at row 0, column 1 and",
    ),
    (lambda: models.sampled(_P, 2**63), "`num_comparisons` must be at most"),
    (lambda: models.uniform(3, -1), "`seed` must be a whole number from 0"),
    (lambda: models.tournament(3, -1), "`seed` must be a whole .* got -1"),
    (
      lambda: models.elo(np.ma.masked_array([1.0, 2.0], [True, False])),
      "`scores` must give every number, got a masked array",
    ),
    (lambda: models.cycle(4), "`num_responses` must be odd.*got 4"),
    (lambda: models.cycle(1), "`num_responses` must be .*least 3, got 1"),
    (lambda: models.cycle(3, 0.4), r"`win` must .*\[0.5, 1.0\], got 0.4"),
    (lambda: models.cycle(3, 1.5), r"`win` must .*\[0.5, 1.0\], got 1.5"),
    (lambda: models.cycle(3, np.nan), "`win` must lie in .*got nan"),
    (lambda: models.three_raters(0.34), "`epsilon` must lie .*got 0.34"),
    (lambda: models.three_raters(-0.34), "`epsilon` must lie .*got -0.34"),
    (lambda: models.three_raters(np.nan), "`epsilon` must lie .*got nan"),
    (lambda: models.elo([]), r"`scores` must be finite.*got \[\]"),
    (lambda: models.elo([0, np.nan]), "`scores` must be finite.*nan"),
    (lambda: models.elo([0, np.inf]), "`scores` must be finite.*inf"),
    (lambda: models.elo([[0, 1]]), "`scores` must be finite.* in a row"),
    (
      lambda: models.bradley_terry_mixture([0, 1]),
      r"`scores` must hold one row .*got \[0, 1\]",
    ),
    (
      lambda: models.bradley_terry_mixture([[0, np.inf]]),
      "`scores` must hold one row of finite.*inf",
    ),
    (
      lambda: models.bradley_terry_mixture(np.zeros((0, 2))),
      r"`scores` must hold one row .*got \[\]",
    ),
    (
      lambda: models.bradley_terry_mixture([[0, 1]], [0.5, 0.5]),
      "`shares` must be 1 shares that add up to 1",
    ),
    (
      lambda: models.bradley_terry_mixture([[0, 1]] * 2, [0.5, 0.4]),
      "`shares` must be 2 shares that add up to 1",
    ),
    (
      lambda: models.bradley_terry_mixture([[0, 1]] * 2, [1.5, -0.5]),
      "`shares` must be 2 shares",
    ),
    (lambda: models.random_scores(0, 2), "`num_raters` must be .*got 0"),
    (lambda: models.random_scores(2, 0), "`num_responses` must be .*got 0"),
    (lambda: models.cyclic_raters(1), "`num_responses` .*least 2, got 1"),
    (
      lambda: inspect.unwrap(models.cyclic_raters)(3, "3"),
      "`sharpness` must be an array",
    ),
    (
      lambda: inspect.unwrap(models.skew_low_rank)(3, 2, "3"),
      "`scale` must be an array",
    ),
    (lambda: models.cyclic_raters(3, 0.0), "`sharpness` must be positive"),
    (lambda: models.cyclic_raters(3, np.nan), "`sharpness` must be positive"),
    (lambda: models.skew_low_rank(0), "`num_responses` must be pos.*got 0"),
    (lambda: models.skew_low_rank(3, 3), "`rank` must be even.*got 3"),
    (lambda: models.skew_low_rank(3, 0), "`rank` must be even.*got 0"),
    (lambda: models.skew_low_rank(3, 2, 0.0), "`scale` must be pos.*got 0"),
    (lambda: models.skew_low_rank(3, 2, np.inf), "`scale` must be .*finite"),
    (lambda: models.uniform(0), "`num_responses` must be positive, got 0"),
    (lambda: models.tournament(0), "`num_responses` must be positive, got 0"),
    (lambda: models.noisy(_P, 0.6), r"`flip` must .*\[0, 0.5\], got 0.6"),
    (lambda: models.noisy(_P, -0.1), "`flip` must lie in .*got -0.1"),
    (lambda: models.sampled(_P, 0), "`num_comparisons` must be pos.*got 0"),
    (lambda: models.sampled(3 * _P, 1), r"`preferences` must .*\[0, 1\]"),
    (lambda: models.sampled(-_P, 1), r"`preferences` must lie in \[0, 1\]"),
    (
      lambda: models.sampled(np.nan * _P, 1),
      r"`preferences` must lie in \[0, 1\]",
    ),
    (
      lambda: models.sampled(np.stack([_P, _P]), 1),
      r"`preferences` must be a square.*\(2, 2, 2\); sample context by",
    ),
    (
      lambda: models.sampled(_P[:1], 1),
      r"`preferences` must be a square matrix, got shape \(1, 2\)",
    ),
    (
      lambda: models.from_payoffs([1, 2]),
      r"`payoffs` must be a square matrix, got shape \(2,\)",
    ),
    (
      lambda: models.from_payoffs(np.zeros((0, 0))),
      r"`payoffs` must be a square matrix, got shape \(0, 0\)",
    ),
  )
  def test_arguments(self, call, message):
    with self.assertRaisesRegex(ValueError, message):
      call()

  @parameterized.parameters(
    ([[0, 1], [1, 0]], "got 1.0 at row 0, column 1 and 1.0 for"),
    ([[0, 1], [-1, 2]], "got 2.0 at row 1, column 1 and 2.0 for"),
    ([[0, 1e-12], [1e-12, 0]], "got 1e-12 at row 0, column 1"),
    ([[0, np.nan], [-1, 0]], "got nan at row 0, column 1 and -1.0 for"),
    ([[0, np.inf], [-np.inf, 0]], "got inf at row 0, column 1 and -inf for"),
  )
  def test_payoffs_must_be_antisymmetric(self, payoffs, message):
    with self.assertRaisesRegex(
      ValueError, f"`payoffs` must be finite and antisymmetric.*{message}"
    ):
      models.from_payoffs(payoffs)

  @parameterized.parameters(
    ("cycle", (3.5,), "num_responses"),
    ("uniform", (True,), "num_responses"),
    ("cyclic_raters", (2.5,), "num_responses"),
    ("skew_low_rank", (3, 2.0), "rank"),
    ("sampled", (_P, 1.5), "num_comparisons"),
    ("random_scores", ("2", 2), "num_raters"),
  )
  def test_counts_are_whole(self, name, arguments, argument):
    # As users call it, whose arguments no type checker sees.
    model = inspect.unwrap(getattr(models, name))
    with self.assertRaisesRegex(
      ValueError, f"`{argument}` must be a whole number, got"
    ):
      model(*arguments)

  def test_faces_are_real(self):
    with self.assertRaisesRegex(ValueError, "`faces` must .* real numbers"):
      inspect.unwrap(models.dice)([[1, 2j]])


if __name__ == "__main__":
  absltest.main()
