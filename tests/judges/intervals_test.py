"""Tests of intervals: against SciPy and published formulas, and coverage."""

import math

from absl.testing import absltest, parameterized
import numpy as np
from scipy import stats

from mdrl.judges import intervals


def _of(sample, **options):
  return intervals.of_moments(
    len(sample), sample.mean(), ((sample - sample.mean()) ** 2).sum(), **options
  )


class IntervalsTest(parameterized.TestCase):
  @parameterized.parameters(0.9, 0.99)
  def test_students_interval_is_that_of_scipy(self, confidence):
    sample = np.random.default_rng(0).normal(3, 2, 40)
    found = _of(sample, confidence=confidence)
    scale = stats.sem(sample)
    expected = stats.t.interval(confidence, 39, sample.mean(), scale)
    np.testing.assert_allclose([found.low, found.high], expected)
    self.assertEqual(found.method, "student")

  def test_few_numbers_have_hoeffdings_interval(self):
    sample = np.array([1.0] * 9 + [-1.0])
    found = _of(sample, limits=(-1, 1))
    self.assertEqual(found.method, "hoeffding")
    # 2 exp(-2 n t^2 / (b - a)^2) is the chance to miss by t.
    size = found.mean - found.low
    self.assertAlmostEqual(2 * math.exp(-2 * 10 * size**2 / 4), 0.05)
    self.assertEqual(found.high, 1)

  def test_many_numbers_have_students_within_the_limits(self):
    sample = np.array([1.0] * 99 + [0.99])
    found = _of(sample, limits=(-1, 1))
    self.assertEqual(found.method, "student")
    self.assertEqual(found.high, 1)
    self.assertGreater(found.low, 0.99)

  def test_equal_numbers_say_nothing_without_limits(self):
    found = _of(np.ones(5000))
    self.assertEqual(found, (1, -math.inf, math.inf, "none"))
    found = _of(np.ones(5000), limits=(-1, 1))
    self.assertEqual(found.method, "hoeffding")
    self.assertBetween(found.low, 0.95, 0.99)

  def test_limits_that_meet_leave_no_doubt(self):
    found = _of(np.zeros(3), limits=(0, 0))
    self.assertEqual(found[:3], (0, 0, 0))

  @parameterized.parameters((20, "hoeffding"), (400, "student"))
  def test_covers_as_often_as_it_says(self, count, method):
    draw = np.random.default_rng(1)
    hits = 0
    for _ in range(500):
      sample = draw.choice([-1.0, 0.0, 1.0], count, p=[0.2, 0.5, 0.3])
      found = _of(sample, confidence=0.9, limits=(-1, 1))
      self.assertEqual(found.method, method)
      hits += found.low <= 0.1 <= found.high
    # Four standard errors below what is asked for.
    self.assertGreater(hits / 500, 0.9 - 4 * math.sqrt(0.9 * 0.1 / 500))
    if method == "student":
      self.assertLess(hits / 500, 0.95)

  @parameterized.parameters(
    ({"count": 0}, "`count` must be positive, got 0"),
    ({"confidence": 1.0}, "`confidence` must lie between 0 and 1, got 1.0"),
    ({"limits": (1, -1)}, "`limits` must be the least and the greatest"),
  )
  def test_bad_arguments_are_refused(self, change, message):
    arguments = {"count": 3, "mean": 0.0, "squares": 1.0} | change
    with self.assertRaisesRegex(ValueError, message):
      intervals.of_moments(**arguments)


if __name__ == "__main__":
  absltest.main()
