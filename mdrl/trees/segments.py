"""Segment sums without scatters.

A segment sum is a plan made once on the host. Segments with nearly equal
sources form a class, which shares one gather and is a small dense matrix;
classes of about one shape are stored in one bucket, a dense array of entries by
members by classes. A small bucket is summed by a reduction, which fuses with
what is around it. Large ones are summed by a loop over entries, each step one
multiplication and addition for all segments, which on a CPU is many times
faster than a reduction; long ones of few segments by inner products.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from mdrl import struct
from mdrl.trees import shared_sources

# Buckets of up to this many weights are small.
_SMALL = 1000
# A step of a loop costs as much as the start of this many inner products, which
# are worth it from this length on.
_STEP = 40
_LONG = 17


class Bucket(NamedTuple):
  """Shape of one bucket.

  Attributes:
    length: Entries of each segment, padding included.
    members: Segments of each class, padding included.
    blocks: Number of classes.
  """

  length: int
  members: int
  blocks: int

  @property
  def small(self) -> bool:
    """Whether it is summed by a reduction."""
    return self.length * self.members * self.blocks <= _SMALL

  @property
  def by_dot(self) -> bool:
    """Whether it is summed by inner products, and not by a loop."""
    if self.small or self.length < _LONG:
      return False
    return _STEP * self.length > self.members * self.blocks


@struct.dataclass
class SegmentSum:
  """`out[s] = sum over entries e of s of weight[e] * prod_k x_k[index_k[e]]`.

  Attributes:
    buckets: Shapes of the buckets.
    indices: For each bucket and each factor, where to gather, `[K, B]`: the
      entries of a class, by class. With `by_dot`, it is `[B, K]`.
    weights: For each bucket, the weights, `[K, I, B]`: one for each
      member of a class; zero at padding. With `by_dot`, it is `[B, I, K]`.
    position: Where each segment stands in the concatenation of the buckets and
      a zero; None where that is the order of segments.
  """

  buckets: tuple[Bucket, ...] = struct.static()
  indices: tuple[tuple[Int[Array, "_ _"], ...], ...]
  weights: tuple[Float[Array, "_ _ _"], ...]
  position: Int[Array, " S"] | None

  def __call__(self, *factors: Float[Array, " _"]) -> Float[Array, " S"]:
    """Returns the sum of every segment; one factor per opponent or child."""
    floats = (*factors, *self.weights)
    dtype = floats[0].dtype if floats else jnp.result_type(float)
    parts = [
      _sum(bucket, index, weight, factors)
      for bucket, index, weight in zip(
        self.buckets, self.indices, self.weights, strict=True
      )
    ]
    if self.position is None:
      return parts[0] if len(parts) == 1 else jnp.concatenate(parts)
    parts.append(jnp.zeros(1, dtype))
    return take(jnp.concatenate(parts), self.position)


def to_device(index: np.ndarray) -> Int[Array, "..."]:
  """Returns indices on the device, in 32 bits; compiles nothing."""
  return jax.device_put(index.astype(np.int32))


def take(x: Float[Array, " _"], index: Int[Array, "..."]) -> Array:
  """Returns elements of `x`, at indices known to lie within it."""
  return x.at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _sum(bucket, index, weight, factors):
  """Returns the sums of a bucket, the first members of all classes first."""
  product = jnp.ones_like(weight[:, 0])
  for k, (at, factor) in enumerate(zip(index, factors, strict=True)):
    value = take(factor, at)
    product = product * value if k else value
  if bucket.by_dot:
    highest = jax.lax.Precision.HIGHEST
    sums = jnp.einsum("bik,bk->ib", weight, product, precision=highest)
    return sums.reshape(-1)
  product = product[:, None]
  if bucket.small:
    return jnp.sum(weight * product, axis=0).reshape(-1)
  zeros = jnp.zeros(weight.shape[1:], weight.dtype)
  return jax.lax.fori_loop(
    0,
    bucket.length,
    lambda k, total: total + weight[k] * product[k],
    zeros,
    unroll=min(2, bucket.length),
  ).reshape(-1)


def segment_sum(
  segment: np.ndarray,
  sources: tuple[np.ndarray, ...],
  weight: np.ndarray,
  num_segments: int,
  dtype: np.dtype,
) -> SegmentSum:
  """Plans a segment sum on the host.

  Args:
    segment: The segment of every entry.
    sources: For each factor, the element of it that every entry multiplies.
    weight: The weight of every entry.
    num_segments: Number of segments; those without entries sum to zero.
    dtype: Floating type of the weights.

  Returns:
    The plan, to be called with one array per factor.
  """
  some = np.bincount(segment, minlength=num_segments) > 0
  filled, own = np.flatnonzero(some), (np.cumsum(some) - 1)[segment]
  source, seen = _combined(sources, len(segment))
  of_segment = shared_sources.find(own, source)
  classes = of_segment[own]
  owner, held, among = _shared(classes, source)
  length, members = np.bincount(owner), np.bincount(of_segment)
  chosen = shared_sources.buckets(length, members)
  k, i, b = _ranks(owner), _ranks(of_segment), _ranks(chosen)
  buckets, indices, weights = [], [], []
  # Segments without entries take a zero that follows the buckets.
  position, placed = np.full(num_segments, -1), 0
  for n in range(chosen.max(initial=-1) + 1):
    here = chosen == n
    bucket = Bucket(
      int(length[here].max()), int(members[here].max()), int(here.sum())
    )
    buckets.append(bucket)
    pairs, inside, mine = here[owner], here[classes], here[of_segment]
    at = (k[pairs], b[owner[pairs]])
    stands = seen[held[pairs]]
    index = [_dense(bucket, bucket[::2], at, s[stands]) for s in sources]
    indices.append(tuple(to_device(x) for x in index))
    at = (k[among[inside]], i[own[inside]], b[classes[inside]])
    values = _dense(bucket, bucket, at, weight[inside])
    weights.append(jax.device_put(values.astype(dtype)))
    row = i[mine] * bucket.blocks + b[of_segment[mine]]
    position[filled[mine]] = placed + row
    placed += bucket.members * bucket.blocks
  position[position < 0] = placed
  in_order = placed and np.array_equal(position, np.arange(placed))
  return SegmentSum(
    buckets=tuple(buckets),
    indices=tuple(indices),
    weights=tuple(weights),
    position=None if in_order else to_device(position),
  )


def _shared(classes, source):
  """Returns the sources of classes: whose, which, and where each entry's is."""
  width = int(source.max(initial=0)) + 1
  key = classes * width + source
  pairs = shared_sources.distinct(key)
  return *np.divmod(pairs, width), np.searchsorted(pairs, key)


def _dense(bucket, shape, at, values):
  """Adds values up in an array of a shape, in the bucket's order of axes."""
  place = np.ravel_multi_index(at, shape)
  dense = np.bincount(place, values, int(np.prod(shape)))
  return _turned(dense.reshape(shape), bucket)


def _turned(x, bucket):
  """Brings `[K, ..., B]` to the bucket's order of axes, or back."""
  return np.ascontiguousarray(x.T) if bucket.by_dot else x


def _combined(sources, num_entries):
  """Returns a number for each combination of sources, and where it is seen."""
  combined = np.zeros(num_entries, np.int64)
  for k, source in enumerate(sources):
    if k:
      combined = np.unique(combined, return_inverse=True)[1]
    combined = combined * (int(source.max(initial=0)) + 1) + source
  if len(sources) > 1:
    combined = np.unique(combined, return_inverse=True)[1]
  seen = np.zeros(int(combined.max(initial=0)) + 1, int)
  seen[combined] = np.arange(num_entries)
  return combined, seen


def _ranks(group):
  """Returns the place of each element among those of its group."""
  order = np.argsort(group, kind="stable")
  count = np.bincount(group)
  rank = np.empty(len(group), int)
  rank[order] = np.arange(len(group)) - (np.cumsum(count) - count)[group[order]]
  return rank


def coordinate_sum(
  coordinates: np.ndarray,
  weight: np.ndarray,
  sizes: list[int],
  axis: int,
  dtype: np.dtype,
) -> SegmentSum:
  """Plans a contraction of a coordinate list, along all axes but one.

  Entries of equal coordinates are merged, and those of no weight left out.

  Args:
    coordinates: For each axis, where every entry lies on it.
    weight: The weight of every entry.
    sizes: The length of each axis.
    axis: Of the result.
    dtype: Floating type of the weights.

  Returns:
    The plan, to be called with one array for each other axis, in order.
  """
  # The axis of the result is the slowest key, then the others in order.
  axes = [axis, *(j for j in range(len(sizes)) if j != axis)]
  order = np.flatnonzero(weight)
  order = order[_sorting(coordinates, order, axes, sizes)]
  weight = weight[order]
  columns = [coordinates[j][order] for j in axes]
  del order
  first = np.zeros(len(weight), bool)
  first[:1] = True
  for column in columns:
    first[1:] |= column[1:] != column[:-1]
  if not first.all():
    starts = np.flatnonzero(first)
    columns = [column[starts] for column in columns]
    weight = np.add.reduceat(weight, starts)
  return segment_sum(columns[0], tuple(columns[1:]), weight, sizes[axis], dtype)


def _sorting(coordinates, entries, axes, sizes):
  """Sorts entries along axes, the first the slowest; equal ones stay put."""
  if math.prod(sizes) >= 2**63:
    return np.lexsort([coordinates[j][entries] for j in axes[::-1]])
  # One number that holds all coordinates is sorted in half the time.
  whole = np.zeros(len(entries), np.int64)
  for j in axes:
    whole *= sizes[j]
    whole += coordinates[j][entries]
  return np.argsort(whole, kind="stable")


def entries(
  plan: SegmentSum,
) -> tuple[np.ndarray, tuple[np.ndarray, ...], np.ndarray]:
  """Returns the segments, sources and nonzero weights of a plan, on the host.

  The inverse of `segment_sum`, up to order and zero weights.
  """
  total = sum(b.members * b.blocks for b in plan.buckets)
  segment_at = np.arange(total + 1)
  if plan.position is not None:
    position = np.asarray(plan.position)
    segment_at[position] = np.arange(len(position))
  segments, sources, weights, at = [], [], [], 0
  for bucket, index, weight in zip(
    plan.buckets, plan.indices, plan.weights, strict=True
  ):
    size = bucket.members * bucket.blocks
    owner = segment_at[at : at + size].reshape(bucket.members, bucket.blocks)
    at += size
    weight = _turned(np.asarray(weight), bucket)
    k, i, b = np.nonzero(weight)
    segments.append(owner[i, b])
    index = [_turned(np.asarray(at_k), bucket) for at_k in index]
    sources.append([at_k[k, b] for at_k in index])
    weights.append(weight[k, i, b])
  if not segments:
    return np.zeros(0, int), (), np.zeros(0)
  return (
    np.concatenate(segments),
    tuple(np.concatenate(s) for s in zip(*sources, strict=True)),
    np.concatenate(weights),
  )
