"""Tests of what a walk over a tree may take."""

import pathlib
import time
from unittest import mock

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.compile import openspiel, tree_limits, tree_size

_GIB = 2**30


class HistoriesTest(parameterized.TestCase):
  def _check(self, name, limit, known):
    game = openspiel.load_game(name)
    with mock.patch.object(tree_limits, "_LARGE", known - 1):
      return tree_limits.Watch(game, limit).check(known)

  def test_what_fits_is_allowed(self):
    self.assertEqual(self._check("kuhn_poker", 58, 58), 58)
    self._check("leduc_poker", 10_000, 1_000)

  def test_what_may_fit_is_allowed(self):
    # It has 9,457, which probes cannot tell from what is allowed.
    self._check("leduc_poker", 9_400, 1_000)

  def test_what_is_known_not_to_fit_is_refused(self):
    with self.assertRaisesRegex(
      ValueError,
      r"`max_histories` is 57, and kuhn_poker\(\) has more: about 5\d\.?\d* "
      r"histories by 4000 random probes, with a standard error of 0\.\d+, in "
      r"up to 0\.1 GiB of memory; stopped at 58; choose a smaller game, or "
      "raise the limit",
    ):
      self._check("kuhn_poker", 57, 58)

  def test_what_is_bound_not_to_fit_is_refused(self):
    with self.assertRaisesRegex(
      ValueError,
      r"`max_histories` is 1000, and leduc_poker\(\) has more: about "
      r"9\.\d+e\+03 histories by .*; stopped at 100; choose",
    ):
      self._check("leduc_poker", 1_000, 100)

  @parameterized.parameters("chess", "go", "connect_four")
  def test_huge_games_are_refused(self, name):
    with self.assertRaisesRegex(
      ValueError,
      rf"`max_histories` is 10000000, and {name}\(.*\) has more: about "
      r"\d\.?\d*e\+1\d or more histories by .*, in up to \d+,\d\d\d\.\d GiB",
    ):
      self._check(name, 10_000_000, 100)


class _Clock:
  """Stands in for the processor time, and for the memory of the process."""

  def __init__(self, test):
    self.seconds = 100.0
    self.bytes = 5 * _GIB
    for owner, name, value in (
      (time, "thread_time", lambda: self.seconds),
      (tree_limits, "_memory", lambda: self.bytes),
    ):
      test.enterContext(mock.patch.object(owner, name, value))


class TimeAndMemoryTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.clock = _Clock(self)
    self.estimate = self.enterContext(
      mock.patch.object(
        tree_size,
        "estimate",
        return_value=tree_size.Estimate(9e4, 1e3, 8e4, True, 4_000),
      )
    )
    self.told = []
    self.watch = tree_limits.Watch(
      openspiel.load_game("kuhn_poker"), 100_000, self.told.append
    )

  def _check(self, known, *, seconds, growth=0):
    self.clock.seconds = 100.0 + seconds
    self.clock.bytes = 5 * _GIB + growth
    return self.watch.check(known)

  def test_what_is_read_at_once_is_not_estimated(self):
    self.assertEqual(self._check(2_000, seconds=0.1), 4_000)
    self.assertEqual(self._check(90_000, seconds=0.4), 100_000)
    self.estimate.assert_not_called()
    self.assertEmpty(self.told)

  def test_what_is_slow_is_estimated_once_however_small(self):
    self.estimate.return_value = tree_size.Estimate(3e3, 1e2, 2e3, True, 400)
    # Half a second's worth of histories later it looks again.
    self.assertEqual(self._check(200, seconds=2.0), 250)
    self.assertEqual(self._check(250, seconds=2.5), 300)
    self.estimate.assert_called_once()

  def test_tells_how_far_it_is(self):
    self._check(50_000, seconds=0.75)
    self._check(60_000, seconds=2.5)
    self.assertEqual(
      self.told,
      [
        tree_limits.Reading(50_000, None, 0.75),
        tree_limits.Reading(60_000, 9e4, 2.5),
      ],
    )

  def test_what_takes_too_long_is_refused(self):
    self._check(80_000, seconds=49)
    with self.assertRaisesRegex(
      ValueError,
      r"`max_histories` of 100000 allows 50 s, and kuhn_poker\(\) takes "
      r"longer to read: about 9e\+04 histories .* stopped at 80001; choose a "
      "smaller game, or raise the limit",
    ):
      self._check(80_001, seconds=51)

  def test_the_estimate_takes_no_time_of_the_walk(self):
    def probing(*_):
      self.clock.seconds += 5.0
      return self.estimate.return_value

    self.estimate.side_effect = probing
    self._check(50_000, seconds=2.0)
    # Seven seconds later, five of which went into probes.
    self._check(60_000, seconds=9.0)
    self.assertEqual([r.seconds for r in self.told], [2.0, 4.0])

  def test_what_is_bound_to_take_too_long_is_refused_early(self):
    # Half of what there is at least takes 49 s, and then 51 s.
    self._check(1_600, seconds=1.96)
    with self.assertRaisesRegex(ValueError, "allows 50 s, .* stopped at 1601"):
      self._check(1_601, seconds=2.04)

  def test_what_takes_too_much_memory_is_refused(self):
    self._check(1_001, seconds=0.1)
    self._check(70_000, seconds=5, growth=_GIB - 1)
    with self.assertRaisesRegex(
      ValueError,
      r"`max_histories` of 100000 allows 1\.0 GiB of memory, and kuhn.* "
      "takes more: about",
    ):
      self._check(80_000, seconds=5, growth=_GIB + 1)

  def test_what_is_bound_to_take_too_much_memory_is_refused_early(self):
    self._check(1_001, seconds=0.1)
    self._check(20_000, seconds=5, growth=_GIB // 2)
    with self.assertRaisesRegex(ValueError, "allows 1.0 GiB .* stopped at 20"):
      self._check(20_000, seconds=5, growth=_GIB // 2 + 1)

  def test_heavy_histories_are_estimated_before_a_second(self):
    self._check(1_001, seconds=0.1)
    self._check(2_000, seconds=0.2, growth=_GIB // 4)
    self.estimate.assert_not_called()
    with self.assertRaisesRegex(ValueError, "of memory, .* stopped at 2001"):
      self._check(2_001, seconds=0.2, growth=_GIB // 4 + 1)

  def test_where_nobody_tells_the_memory_it_is_not_limited(self):
    with mock.patch.object(tree_limits, "_memory", return_value=0):
      self._check(1_001, seconds=0.1)
      self._check(80_000, seconds=5)

  def test_larger_limits_allow_more(self):
    self.assertEqual(tree_limits.seconds_allowed(1), 50)
    self.assertEqual(tree_limits.seconds_allowed(20_000_000), 50)
    self.assertEqual(tree_limits.seconds_allowed(200_000_000), 500)
    self.assertEqual(tree_limits.bytes_allowed(1), _GIB)
    self.assertEqual(tree_limits.bytes_allowed(20_000_000), 4_000_000_000)


class MeasureTest(absltest.TestCase):
  def test_memory_is_that_of_the_process(self):
    if not pathlib.Path("/proc/self/statm").exists():
      self.skipTest("this system does not tell")
    before = tree_limits._memory(), tree_limits.address_space()
    block = np.ones(2**24)
    after = tree_limits._memory(), tree_limits.address_space()
    for a, b in zip(before, after, strict=True):
      self.assertBetween(b - a, 0.9 * block.nbytes, 1.5 * block.nbytes)


if __name__ == "__main__":
  absltest.main()
