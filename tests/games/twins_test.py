"""Tests of classes of twins against comparison, and of buckets."""

from unittest import mock

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.games import twins


def _find(sources):
  """Returns the classes of segments given by lists of tuples of sources."""
  count = np.array([len(s) for s in sources], int)
  start = np.cumsum(count) - count
  entries = np.array([x for s in sources for x in s], int).reshape(-1, 2)
  return twins.find(start, count, tuple(entries.T))


def _expected(sources):
  classes = {}
  for segment, own in enumerate(sources):
    if own:
      classes.setdefault(tuple(own), []).append(segment)
  return list(classes.values())


def _members(classes):
  pairs = zip(classes.first, classes.twins, strict=True)
  return [classes.members[f : f + n].tolist() for f, n in pairs]


def _draw(seed):
  rng = np.random.default_rng(seed)
  pool = [
      [tuple(pair) for pair in rng.integers(0, 3, (rng.integers(0, 4), 2))]
      for _ in range(30)
  ]
  return [pool[k] for k in rng.integers(0, 30, 100)]


class FindTest(parameterized.TestCase):

  @parameterized.parameters(range(5))
  def test_as_by_comparison(self, seed):
    sources = _draw(seed)
    classes = _find(sources)
    expected = _expected(sources)
    self.assertEqual(_members(classes), expected)
    self.assertEqual(
        classes.length.tolist(), [len(sources[c[0]]) for c in expected]
    )
    self.assertGreater(max(classes.twins), 2)

  def test_equal_hashes_do_not_make_twins(self):
    sources = _draw(0)

    def same(x):
      return np.zeros_like(x)

    with mock.patch.object(twins, "_mix", same):
      members = _members(_find(sources))
    # Twins may be missed then, but none is made up.
    for one in members:
      self.assertLen({tuple(sources[k]) for k in one}, 1)
    self.assertCountEqual(
        [k for one in members for k in one],
        [k for k, own in enumerate(sources) if own],
    )

  def test_order_counts(self):
    a, b = (0, 1), (2, 3)
    self.assertEqual(_members(_find([[a, b], [b, a]])), [[0], [1]])

  def test_of_nothing(self):
    self.assertEqual(_members(_find([[], []])), [])


class BucketsTest(parameterized.TestCase):

  def test_one_shape_is_one_bucket(self):
    shape = np.full(7, 3)
    np.testing.assert_array_equal(twins.buckets(shape, shape), np.zeros(7))

  def test_few_classes_share_a_bucket(self):
    lengths, counts = np.array([4, 5, 5, 6]), np.array([2, 2, 1, 2])
    np.testing.assert_array_equal(twins.buckets(lengths, counts), np.zeros(4))

  @parameterized.parameters(True, False)
  def test_many_classes_of_unlike_shapes_do_not(self, by_length):
    uneven = np.repeat([1, 50], 10_000)
    ones = np.ones(20_000, int)
    shape = (uneven, ones) if by_length else (ones, uneven)
    np.testing.assert_array_equal(
        twins.buckets(*shape), np.repeat([0, 1], 10_000)
    )

  def test_never_costs_more_than_one_for_each_shape_or_one_for_all(self):
    rng = np.random.default_rng(0)
    length, members = rng.geometric(0.1, (2, 3000))
    chosen = twins.buckets(length, members)
    cost = _cost(length, members, chosen)
    _, alone = np.unique(
        np.stack([length, members]), axis=1, return_inverse=True
    )
    self.assertLess(cost, _cost(length, members, alone.reshape(-1)))
    self.assertLess(cost, _cost(length, members, np.zeros(3000, int)))
    np.testing.assert_array_equal(
        np.unique(chosen), np.arange(chosen.max() + 1)
    )

  def test_many_shapes_are_made_fewer(self):
    length = np.arange(1, 2001)
    chosen = twins.buckets(length, np.ones(2000, int))
    self.assertLessEqual(chosen.max() + 1, 11)

  def test_of_nothing(self):
    none = np.zeros(0, int)
    self.assertEmpty(twins.buckets(none, none))


def _cost(length, members, bucket):
  return sum(
      twins._cost(length[at].max(), members[at].max(), at.sum())
      for at in (bucket == k for k in np.unique(bucket))
  )


if __name__ == "__main__":
  absltest.main()
