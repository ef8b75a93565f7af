"""Tests of segment sums against numpy's unbuffered additions."""

from unittest import mock

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.trees import segment_plans, shared_sources
from tests.trees import segment_draws


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
    rng.integers(0, segment_draws.SIZE, num_entries) for _ in range(num_factors)
  )
  return segment, sources, rng.normal(size=num_entries), num_segments


def _factors(seed, num_factors, *batch):
  rng = np.random.default_rng((seed, 1))
  return [
    rng.normal(size=(*batch, segment_draws.SIZE)) for _ in range(num_factors)
  ]


_call = jax.jit(lambda plan, factors: plan(*factors))
_call_batch = jax.jit(
  lambda plan, factors: jax.vmap(lambda f: plan(*f))(factors)
)


class SegmentSumTest(parameterized.TestCase):
  def _assert_sums(self, entries, seed=0):
    plan = segment_plans.segment_sum(*entries, np.dtype(float))
    factors = _factors(seed, len(entries[1]))
    np.testing.assert_allclose(
      _call(plan, [jnp.asarray(f) for f in factors]),
      _expected(*entries, factors),
      rtol=0,
      atol=1e-12,
    )
    return plan

  @parameterized.product(num_factors=(0, 1, 2), way=tuple(segment_draws.WAYS))
  def test_random_segments(self, num_factors, way):
    entries = _draw(num_factors, 30, 300, num_factors)
    with (
      segment_draws.all_by(way),
      mock.patch.object(shared_sources, "_BUCKET", 1),
    ):
      plan = self._assert_sums(entries)
    # Without factors all segments share one class.
    self.assertGreater(len(plan.buckets), 2 if num_factors else 0)

  @parameterized.product(num_factors=(1, 2), way=tuple(segment_draws.WAYS))
  def test_shared_sources(self, num_factors, way):
    entries = segment_draws.draw_sharing(num_factors, num_factors)
    with (
      segment_draws.all_by(way),
      mock.patch.object(shared_sources, "_BUCKET", 1),
    ):
      plan = self._assert_sums(entries)
    self.assertGreater(max(b.members for b in plan.buckets), 2)
    gathers = sum(index[0].size for index in plan.indices)
    self.assertLess(gathers, len(entries[0]) / 2)

  @parameterized.parameters(*segment_draws.WAYS)
  def test_under_vmap(self, way):
    entries = segment_draws.draw_sharing(5, 2)
    factors = _factors(5, 2, 4)
    with segment_draws.all_by(way):
      plan = segment_plans.segment_sum(*entries, np.dtype(float))
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
    (250, 4, "reduce["),
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
    plan = segment_plans.segment_sum(*entries, np.dtype(float))
    self.assertEqual(plan.buckets, ((length, 1, rows),))
    factor = rng.normal(size=size)
    np.testing.assert_allclose(
      _call(plan, [jnp.asarray(factor)]),
      _expected(*entries, [factor]),
      rtol=0,
      atol=1e-12,
    )
    program = str(jax.make_jaxpr(plan)(jnp.asarray(factor)))
    ways = [w for w in ("reduce[", "scan", "dot_general") if w in program]
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
    sources = (rng.integers(0, segment_draws.SIZE, 21),)
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
    plan = segment_plans.segment_sum(*entries, np.dtype(np.float32))
    (factor,) = _factors(1, 1)
    total = plan(jnp.asarray(factor, jnp.float32))
    self.assertEqual(total.dtype, jnp.float32)
    np.testing.assert_allclose(
      total, _expected(*entries, [factor]), rtol=0, atol=1e-4
    )


if __name__ == "__main__":
  absltest.main()
