"""Tests of segment sums against numpy's unbuffered additions."""

import collections
from unittest import mock

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.trees import segments, shared_sources

_SIZE = 40


def _expected(segment, sources, weight, num_segments, factors):
  out = np.zeros(num_segments)
  terms = weight.copy()
  for source, factor in zip(sources, factors, strict=True):
    terms = terms * factor[source]
  np.add.at(out, segment, terms)
  return out


def _draw(seed, num_segments, num_entries, num_factors):
  """Returns random entries; about half of the segments have none."""
  rng = np.random.default_rng(seed)
  used = rng.permutation(num_segments)[: (num_segments + 1) // 2]
  # Uneven lengths, from one entry to many.
  chance = rng.exponential(size=len(used)) ** 2
  segment = rng.choice(used, num_entries, p=chance / chance.sum())
  sources = tuple(
    rng.integers(0, _SIZE, num_entries) for _ in range(num_factors)
  )
  return segment, sources, rng.normal(size=num_entries), num_segments


def _draw_sharing(seed, num_factors):
  """Returns entries of segments in classes of one to six, scattered."""
  rng = np.random.default_rng(seed)
  segments_, sources, start = [], [], 0
  for length in range(1, 9):
    for members in range(1, 7):
      shared = rng.permutation(_SIZE * num_factors)[: length * num_factors]
      shared = shared.reshape(num_factors, length) % _SIZE
      segments_.append(np.repeat(np.arange(start, start + members), length))
      sources.append(np.tile(shared, members))
      start += members
  segment = rng.permutation(start + 4)[np.concatenate(segments_)]
  weight = rng.normal(size=len(segment))
  return segment, tuple(np.concatenate(sources, axis=1)), weight, start + 4


# How buckets are summed: all alike, whatever their shapes.
_WAYS = {
  "reduce": {"_SMALL": 10**9},
  "dot": {"_SMALL": 0, "_STEP": 10**9, "_LONG": 0},
  "loop": {"_SMALL": 0, "_STEP": 0},
}


def _all_by(way):
  return mock.patch.multiple(segments, **_WAYS[way])


def _factors(seed, num_factors, *batch):
  rng = np.random.default_rng((seed, 1))
  return [rng.normal(size=(*batch, _SIZE)) for _ in range(num_factors)]


_call = jax.jit(lambda plan, factors: plan(*factors))
_call_batch = jax.jit(
  lambda plan, factors: jax.vmap(lambda f: plan(*f))(factors)
)


class SegmentSumTest(parameterized.TestCase):
  def _assert_sums(self, entries, seed=0):
    plan = segments.segment_sum(*entries, np.dtype(float))
    factors = _factors(seed, len(entries[1]))
    np.testing.assert_allclose(
      _call(plan, [jnp.asarray(f) for f in factors]),
      _expected(*entries, factors),
      rtol=0,
      atol=1e-12,
    )
    return plan

  @parameterized.product(num_factors=(0, 1, 2), way=tuple(_WAYS))
  def test_random_segments(self, num_factors, way):
    entries = _draw(num_factors, 30, 300, num_factors)
    with _all_by(way), mock.patch.object(shared_sources, "_BUCKET", 1):
      plan = self._assert_sums(entries)
    # Without factors all segments share one class.
    self.assertGreater(len(plan.buckets), 2 if num_factors else 0)

  @parameterized.product(num_factors=(1, 2), way=tuple(_WAYS))
  def test_shared_sources(self, num_factors, way):
    entries = _draw_sharing(num_factors, num_factors)
    with _all_by(way), mock.patch.object(shared_sources, "_BUCKET", 1):
      plan = self._assert_sums(entries)
    self.assertGreater(max(b.members for b in plan.buckets), 2)
    gathers = sum(index[0].size for index in plan.indices)
    self.assertLess(gathers, len(entries[0]) / 2)

  @parameterized.parameters(*_WAYS)
  def test_under_vmap(self, way):
    entries = _draw_sharing(5, 2)
    factors = _factors(5, 2, 4)
    with _all_by(way):
      plan = segments.segment_sum(*entries, np.dtype(float))
      sums = _call_batch(plan, [jnp.asarray(f) for f in factors])
    for k in range(4):
      np.testing.assert_allclose(
        sums[k],
        _expected(*entries, [f[k] for f in factors]),
        rtol=0,
        atol=1e-12,
      )

  @parameterized.parameters(
    # Small buckets are reduced.
    (250, 4, "reduce_sum"),
    (251, 4, "scan"),
    # Of the others, a loop sums those of few entries or many segments.
    (600, 16, "scan"),
    (679, 17, "dot_general"),
    (680, 17, "scan"),
    (1, 1001, "dot_general"),
  )
  def test_buckets_about_the_thresholds(self, rows, length, way):
    rng = np.random.default_rng(rows)
    size = rows * length
    entries = (
      rng.permutation(np.repeat(np.arange(rows), length)),
      (rng.permutation(size),),
      rng.normal(size=size),
      rows,
    )
    plan = segments.segment_sum(*entries, np.dtype(float))
    self.assertEqual(plan.buckets, ((length, 1, rows),))
    factor = rng.normal(size=size)
    np.testing.assert_allclose(
      _call(plan, [jnp.asarray(factor)]),
      _expected(*entries, [factor]),
      rtol=0,
      atol=1e-12,
    )
    program = str(jax.make_jaxpr(plan)(jnp.asarray(factor)))
    ways = [w for w in ("reduce_sum", "scan", "dot_general") if w in program]
    self.assertEqual(ways, [way])
    # On accelerators, inner products would be rounded to fewer bits.
    self.assertEqual("HIGHEST" in program, way == "dot_general")

  def test_order_is_left_alone_where_there_is_nothing_to_permute(self):
    segment = np.repeat(np.arange(5), 3)
    sources = (np.arange(15),)
    plan = self._assert_sums((segment, sources, np.ones(15), 5))
    self.assertIsNone(plan.position)
    plan = self._assert_sums((segment, sources, np.ones(15), 6))
    self.assertIsNotNone(plan.position)

  def test_order_is_left_alone_across_buckets(self):
    segment = np.repeat([0, 1, 2], [2, 2, 30])
    sources = (np.arange(34),)
    with mock.patch.object(shared_sources, "_BUCKET", 1):
      plan = self._assert_sums((segment, sources, np.ones(34), 3))
    self.assertLen(plan.buckets, 2)
    self.assertIsNone(plan.position)

  @parameterized.parameters(0, 2)
  def test_one_entry(self, num_factors):
    sources = tuple(np.array([3 + k]) for k in range(num_factors))
    self._assert_sums((np.array([4]), sources, np.array([-2.5]), 6))

  @parameterized.parameters(1, 7)
  def test_all_entries_in_one_segment(self, num_segments):
    rng = np.random.default_rng(num_segments)
    segment = np.full(21, num_segments - 1)
    sources = (rng.integers(0, _SIZE, 21),)
    self._assert_sums((segment, sources, rng.normal(size=21), num_segments))

  def test_no_entries(self):
    none = np.zeros(0, int)
    plan = self._assert_sums((none, (none,), np.zeros(0), 3))
    self.assertEqual(plan.buckets, ())

  def test_no_segments(self):
    none = np.zeros(0, int)
    self._assert_sums((none, (none,), np.zeros(0), 0))

  def test_dtype_is_that_asked_for(self):
    entries = _draw(1, 10, 50, 1)
    plan = segments.segment_sum(*entries, np.dtype(np.float32))
    (factor,) = _factors(1, 1)
    total = plan(jnp.asarray(factor, jnp.float32))
    self.assertEqual(total.dtype, jnp.float32)
    np.testing.assert_allclose(
      total, _expected(*entries, [factor]), rtol=0, atol=1e-4
    )


class EntriesTest(parameterized.TestCase):
  def _sorted(self, segment, sources, weight):
    table = np.stack([segment, *sources, weight])
    return table[:, np.lexsort(table)]

  @parameterized.product(num_factors=(1, 2), way=tuple(_WAYS))
  def test_invert_segment_sum(self, num_factors, way):
    segment, sources, weight, size = _draw_sharing(num_factors, num_factors)
    with _all_by(way), mock.patch.object(shared_sources, "_BUCKET", 1):
      plan = segments.segment_sum(
        segment, sources, weight, size, np.dtype(float)
      )
      entries = segments.entries(plan)
    self.assertGreater(len(plan.buckets), 1)
    np.testing.assert_array_equal(
      self._sorted(*entries), self._sorted(segment, sources, weight)
    )

  def test_of_repeated_entries_is_their_sum(self):
    plan = segments.segment_sum(
      np.array([2, 2, 2]),
      (np.array([5, 6, 5]),),
      np.array([1.5, 1, 2]),
      3,
      np.dtype(float),
    )
    segment, (source,), weight = segments.entries(plan)
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
    plan = segments.segment_sum(segment, sources, weight, 1, np.dtype(float))
    entries = segments.entries(plan)
    np.testing.assert_array_equal(
      self._sorted(*entries), self._sorted(segment, sources, weight)
    )

  def test_of_more_pairs_than_are_numbered_in_32_bits(self):
    segment, sources = np.arange(4300), (np.arange(4300) + 2**20,)
    weight = np.arange(1.0, 4301)
    plan = segments.segment_sum(segment, sources, weight, 4300, np.dtype(float))
    entries = segments.entries(plan)
    np.testing.assert_array_equal(
      self._sorted(*entries), self._sorted(segment, sources, weight)
    )

  def test_leave_out_weights_of_zero(self):
    plan = segments.segment_sum(
      np.array([2, 0, 2]),
      (np.array([5, 6, 7]),),
      np.array([1.5, 0, -1]),
      4,
      np.dtype(float),
    )
    segment, (source,), weight = segments.entries(plan)
    np.testing.assert_array_equal(segment, [2, 2])
    np.testing.assert_array_equal(source, [5, 7])
    np.testing.assert_array_equal(weight, [1.5, -1])

  def test_of_nothing(self):
    none = np.zeros(0, int)
    plan = segments.segment_sum(none, (none,), np.zeros(0), 3, np.dtype(float))
    segment, _, weight = segments.entries(plan)
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
    plan = segments.coordinate_sum(
      coordinates, weight, sizes, axis, np.dtype(float)
    )
    np.testing.assert_allclose(
      _call(plan, [jnp.asarray(v) for v in vectors]), expected, atol=1e-12
    )
    distinct = np.unique(coordinates[:, weight != 0], axis=1).shape[1]
    self.assertLess(distinct, (weight != 0).sum())
    self.assertLessEqual(len(segments.entries(plan)[2]), distinct)

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
    plan = segments.coordinate_sum(
      coordinates, weight, sizes, 0, np.dtype(float)
    )
    segment, sources, merged = segments.entries(plan)
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
    order = segments._sorting(coordinates, np.arange(4), [0, 1, 2], sizes)
    np.testing.assert_array_equal(order, [3, 1, 2, 0])

  def test_entries_without_weight_take_no_room(self):
    coordinates = np.stack([np.zeros(5, int), np.arange(5)])
    weight = np.array([0, 2.0, 0, 0, 0])
    plan = segments.coordinate_sum(
      coordinates, weight, [1, 5], 0, np.dtype(float)
    )
    self.assertEqual(plan.buckets[0].length, 1)


if __name__ == "__main__":
  absltest.main()
