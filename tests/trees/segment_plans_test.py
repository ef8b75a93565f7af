"""Tests of plans of segment sums: what they hold, and in which order."""

import collections
from unittest import mock

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl.trees import segment_plans, shared_sources
from tests.trees import segment_draws


class EntriesTest(parameterized.TestCase):
  def _sorted(self, segment, sources, weight):
    table = np.stack([segment, *sources, weight])
    return table[:, np.lexsort(table)]

  @parameterized.product(num_factors=(1, 2), way=tuple(segment_draws.WAYS))
  def test_invert_segment_sum(self, num_factors, way):
    segment, sources, weight, size = segment_draws.draw_sharing(
      num_factors, num_factors
    )
    with (
      segment_draws.all_by(way),
      mock.patch.object(shared_sources, "_BUCKET", 1),
    ):
      plan = segment_plans.segment_sum(
        segment, sources, weight, size, np.dtype(float)
      )
      entries = segment_plans.entries(plan)
    self.assertGreater(len(plan.buckets), 1)
    np.testing.assert_array_equal(
      self._sorted(*entries), self._sorted(segment, sources, weight)
    )

  def test_of_repeated_entries_is_their_sum(self):
    plan = segment_plans.segment_sum(
      np.array([2, 2, 2]),
      (np.array([5, 6, 5]),),
      np.array([1.5, 1, 2]),
      3,
      np.dtype(float),
    )
    segment, (source,), weight = segment_plans.entries(plan)
    np.testing.assert_array_equal(segment, [2, 2])
    np.testing.assert_array_equal(source, [5, 6])
    np.testing.assert_array_equal(weight, [3.5, 1])

  def test_of_sources_too_many_to_number_their_combinations(self):
    # Numbered in 64 bits, the first two combinations would be one.
    last = 2**31 - 1
    sources = (
      np.array([0, 4, 0, 4]),
      np.array([5, 5, last, last]),
      np.array([6, 6, last, last]),
    )
    segment, weight = np.zeros(4, int), np.arange(1.0, 5)
    plan = segment_plans.segment_sum(
      segment, sources, weight, 1, np.dtype(float)
    )
    entries = segment_plans.entries(plan)
    np.testing.assert_array_equal(
      self._sorted(*entries), self._sorted(segment, sources, weight)
    )

  def test_of_more_pairs_than_are_numbered_in_32_bits(self):
    segment, sources = np.arange(4300), (np.arange(4300) + 2**20,)
    weight = np.arange(1.0, 4301)
    plan = segment_plans.segment_sum(
      segment, sources, weight, 4300, np.dtype(float)
    )
    entries = segment_plans.entries(plan)
    np.testing.assert_array_equal(
      self._sorted(*entries), self._sorted(segment, sources, weight)
    )

  def test_leave_out_weights_of_zero(self):
    plan = segment_plans.segment_sum(
      np.array([2, 0, 2]),
      (np.array([5, 6, 7]),),
      np.array([1.5, 0, -1]),
      4,
      np.dtype(float),
    )
    segment, (source,), weight = segment_plans.entries(plan)
    np.testing.assert_array_equal(segment, [2, 2])
    np.testing.assert_array_equal(source, [5, 7])
    np.testing.assert_array_equal(weight, [1.5, -1])

  def test_of_nothing(self):
    none = np.zeros(0, int)
    plan = segment_plans.segment_sum(
      none, (none,), np.zeros(0), 3, np.dtype(float)
    )
    segment, _, weight = segment_plans.entries(plan)
    self.assertEmpty(segment)
    self.assertEmpty(weight)


class CoordinateSumTest(parameterized.TestCase):
  @parameterized.parameters(0, 1, 2)
  def test_contracts_all_axes_but_one(self, axis):
    rng = np.random.default_rng(axis)
    sizes = [3, 4, 5]
    # Some coordinates come twice or more, and some weights are zero.
    coordinates = np.stack([rng.integers(0, n, 80) for n in sizes])
    weight = rng.integers(-2, 3, 80).astype(float)
    dense = np.zeros(sizes)
    np.add.at(dense, tuple(coordinates), weight)
    vectors = [rng.normal(size=n) for n in sizes]
    expected = np.moveaxis(dense, axis, 0)
    del vectors[axis]
    for vector in reversed(vectors):
      expected = expected @ vector
    plan = segment_plans.coordinate_sum(
      coordinates, weight, sizes, axis, np.dtype(float)
    )
    np.testing.assert_allclose(
      plan(*map(jnp.asarray, vectors)), expected, atol=1e-12
    )
    distinct = np.unique(coordinates[:, weight != 0], axis=1).shape[1]
    self.assertLess(distinct, (weight != 0).sum())
    self.assertLessEqual(len(segment_plans.entries(plan)[2]), distinct)

  @parameterized.parameters(
    # Places that together are numbered in 32 bits, in 64, and in neither.
    ([20, 30, 3_000],),
    ([70_000, 90_000, 80_000],),
    ([70_000, 2**31, 2**31],),
  )
  def test_axes_of_any_size(self, sizes):
    rng = np.random.default_rng(0)
    pool = np.stack([rng.integers(0, n, 40) for n in sizes])
    # Few of each, so that entries differ in any of the axes.
    pool = np.stack([rng.choice(own[:8], 40) for own in pool])
    coordinates = pool[:, rng.integers(0, 40, 200)].astype(np.int32)
    weight = rng.integers(1, 5, 200).astype(float)
    expected = collections.Counter()
    for at, value in zip(coordinates.T.tolist(), weight, strict=True):
      expected[tuple(at)] += value
    plan = segment_plans.coordinate_sum(
      coordinates, weight, sizes, 0, np.dtype(float)
    )
    segment, sources, merged = segment_plans.entries(plan)
    table = np.stack([segment, *sources]).T.tolist()
    self.assertLen(table, len(expected))
    self.assertEqual(
      dict(zip(map(tuple, table), merged, strict=True)), expected
    )
    for own in np.unique(segment):
      rows = [row for row in table if row[0] == own]
      self.assertEqual(rows, sorted(rows))

  def test_sorting_of_axes_too_long_for_64_bits(self):
    sizes = [2**31] * 3
    # As numbers of 64 bits, these would be equal in pairs.
    coordinates = np.array([[4, 0, 4, 0], [1, 1, 0, 0], [7, 7, 7, 7]], np.int32)
    order = segment_plans._sorting(coordinates, np.arange(4), [0, 1, 2], sizes)
    np.testing.assert_array_equal(order, [3, 1, 2, 0])

  def test_entries_without_weight_take_no_room(self):
    coordinates = np.stack([np.zeros(5, int), np.arange(5)])
    weight = np.array([0, 2.0, 0, 0, 0])
    plan = segment_plans.coordinate_sum(
      coordinates, weight, [1, 5], 0, np.dtype(float)
    )
    self.assertEqual(plan.buckets[0].length, 1)


if __name__ == "__main__":
  absltest.main()
