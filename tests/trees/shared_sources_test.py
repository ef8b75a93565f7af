"""Tests of classes of segments that share sources, and of buckets."""

from unittest import mock

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.trees import shared_sources


def _find(*sources):
  """Returns the classes of segments given by their sources, as lists."""
  segment = np.repeat(np.arange(len(sources)), [len(s) for s in sources])
  source = np.array([x for s in sources for x in s], int)
  classes = shared_sources.find(segment, source)
  return [np.flatnonzero(classes == k).tolist() for k in range(len(sources))]


def _classes(*expected, size):
  return [*expected, *([] for _ in range(size - len(expected)))]


class FindTest(parameterized.TestCase):
  def test_equal_sources(self):
    self.assertEqual(
      _find([1, 2], [3], [2, 1], [4, 5], [3], [1, 2]),
      _classes([0, 2, 5], [1, 4], [3], size=6),
    )

  @parameterized.parameters(range(6))
  def test_sources_of_which_each_segment_lacks_one(self, seed):
    # Hands of one card each: neither can hold the other's.
    rng = np.random.default_rng(seed)
    hands = rng.permutation(40).reshape(4, 10)
    deals = [(table, card) for table in range(4) for card in range(10)]
    order = rng.permutation(40)
    sources = [
      np.delete(hands[table], card) for table, card in np.array(deals)[order]
    ]
    classes = [c for c in _find(*sources) if c]
    tables = [{deals[order[s]][0] for s in c} for c in classes]
    # None is made of two tables, and few are left apart.
    self.assertTrue(all(len(t) == 1 for t in tables))
    self.assertLessEqual(len(classes), 6)

  def test_sources_with_little_in_common_make_no_class(self):
    # All share one source, and have nine more each.
    sources = [[0, *range(1 + 9 * k, 10 + 9 * k)] for k in range(20)]
    self.assertEqual(_find(*sources), [[k] for k in range(20)])

  def test_equal_sources_among_others_that_share_one(self):
    # No round but the first, which looks for equal ones only.
    sources = [[0, 1 + k % 20] for k in range(40)]
    with mock.patch.object(shared_sources, "_ROUNDS", 0):
      classes = _find(*sources)
    self.assertEqual(
      classes, _classes(*([k, k + 20] for k in range(20)), size=40)
    )

  def test_many_segments_are_not_padded_for_the_sake_of_one(self):
    # Two more sources cost a hundred segments more than one of them saves.
    short, long = range(10), range(12)
    self.assertEqual(_find(short, long), [[0, 1], []])
    self.assertEqual(
      _find(*[short] * 100, long),
      _classes(list(range(100)), [100], size=101),
    )

  def test_more_pairs_than_are_numbered_in_32_bits(self):
    # The last hundred segments are as the first, and one source is far off.
    sources = [[k % 4200] for k in range(4300)]
    sources[4199] = [2**20 - 1]
    expected = [[k, 4200 + k] if k < 100 else [k] for k in range(4200)]
    self.assertEqual(_find(*sources), _classes(*expected, size=4300))

  def test_where_no_source_is_shared_segments_stay_in_order(self):
    self.assertEqual(_find([5], [3], [4, 1]), [[0], [1], [2]])

  def test_classes_are_numbered_by_their_first_members(self):
    rng = np.random.default_rng(0)
    sources = rng.integers(0, 40, (60, 1)) + np.arange(3)
    first = [c[0] for c in _find(*sources) if c]
    self.assertEqual(first, sorted(first))
    self.assertGreater(len(first), 1)
    self.assertLess(len(first), 60)

  def test_of_nothing(self):
    none = np.zeros(0, int)
    self.assertEmpty(shared_sources.find(none, none))


class BucketsTest(parameterized.TestCase):
  def test_one_shape_is_one_bucket(self):
    shape = np.full(7, 3)
    np.testing.assert_array_equal(
      shared_sources.buckets(shape, shape), np.zeros(7)
    )

  def test_few_classes_share_a_bucket(self):
    lengths, counts = np.array([4, 5, 5, 6]), np.array([2, 2, 1, 2])
    np.testing.assert_array_equal(
      shared_sources.buckets(lengths, counts), np.zeros(4)
    )

  @parameterized.parameters(True, False)
  def test_many_classes_of_unlike_shapes_do_not(self, by_length):
    uneven = np.repeat([1, 50], 10_000)
    ones = np.ones(20_000, int)
    shape = (uneven, ones) if by_length else (ones, uneven)
    np.testing.assert_array_equal(
      shared_sources.buckets(*shape), np.repeat([0, 1], 10_000)
    )

  def test_never_costs_more_than_one_for_each_shape_or_one_for_all(self):
    rng = np.random.default_rng(0)
    length, members = rng.geometric(0.1, (2, 3000))
    chosen = shared_sources.buckets(length, members)
    cost = _cost(length, members, chosen)
    _, alone = np.unique(
      np.stack([length, members]), axis=1, return_inverse=True
    )
    self.assertLess(cost, _cost(length, members, alone.reshape(-1)))
    self.assertLess(cost, _cost(length, members, np.zeros(3000, int)))
    np.testing.assert_array_equal(
      np.unique(chosen), np.arange(chosen.max() + 1)
    )

  @parameterized.named_parameters(
    # Each two neighbours would share one, but not all three.
    ("blocks", [(1, 1, 590), (2, 1, 600), (3, 1, 600)], [0, 0, 1]),
    # The first two just would, were it not for the third.
    ("length", [(1, 1, 58), (20, 1, 10), (21, 1, 1000)], [0, 1, 1]),
    ("members", [(5, 20, 10), (6, 1, 37), (6, 19, 10)], [0, 1, 0]),
  )
  def test_merged_buckets_count_as_what_they_became(self, shapes, expected):
    length, members, count = np.array(shapes).T
    chosen = shared_sources.buckets(
      np.repeat(length, count), np.repeat(members, count)
    )
    np.testing.assert_array_equal(chosen, np.repeat(expected, count))

  def test_many_shapes_are_made_fewer(self):
    length = np.arange(1, 2001)
    chosen = shared_sources.buckets(length, np.ones(2000, int))
    self.assertLessEqual(chosen.max() + 1, 11)

  def test_of_nothing(self):
    none = np.zeros(0, int)
    self.assertEmpty(shared_sources.buckets(none, none))


def _cost(length, members, bucket):
  return sum(
    shared_sources._BUCKET
    + shared_sources._cost(length[at].max(), members[at].max(), at.sum())
    for at in (bucket == k for k in np.unique(bucket))
  )


if __name__ == "__main__":
  absltest.main()
