"""Plans segment sums, on the host.

A plan is made once and called in every update, so it is worth seconds here. The
entries of a sum are sorted into three levels:

- a *class* holds segments with equal or nearly equal sources, which are
  gathered once for all of them: a small dense matrix of weights, sources by
  members;
- a *bucket* holds classes of about one shape, padded to one shape: a dense
  array of sources by members by classes;
- the *plan* holds a few buckets, each of which is a few operations of the
  compiled program.

`shared_sources` decides what is a class and what a bucket, by what they cost.
"""

import math
from typing import NamedTuple

import jax
from jaxtyping import Array, Int
import numpy as np

from mdrl.trees import segments, shared_sources


class _Classes(NamedTuple):
  """Segments in classes; a gather is a pair of a class and one of its sources.

  Attributes:
    segment: The class of each segment that has entries.
    entry: The class of each entry.
    gather: The class of each gather.
    example: For each gather, an entry that has its source.
    gather_of_entry: The gather that each entry reads.
  """

  segment: np.ndarray
  entry: np.ndarray
  gather: np.ndarray
  example: np.ndarray
  gather_of_entry: np.ndarray


class _Ranks(NamedTuple):
  """Places along the axes of a bucket.

  Attributes:
    gather: The place of each gather among those of its class.
    member: The place of each segment among those of its class.
    block: The place of each class among those of its bucket.
  """

  gather: np.ndarray
  member: np.ndarray
  block: np.ndarray


def to_device(index: np.ndarray) -> Int[Array, "..."]:
  """Returns indices on the device, in 32 bits; compiles nothing."""
  return jax.device_put(index.astype(np.int32))


def segment_sum(
  segment: np.ndarray,
  sources: tuple[np.ndarray, ...],
  weight: np.ndarray,
  num_segments: int,
  dtype: np.dtype,
) -> segments.SegmentSum:
  """Plans a segment sum.

  Args:
    segment: The segment of every entry.
    sources: For each factor, the element of it that every entry multiplies.
    weight: The weight of every entry.
    num_segments: Number of segments; those without entries sum to zero.
    dtype: Floating type of the weights.

  Returns:
    The plan, to be called with one array per factor.
  """
  # Segments without entries have no place in a bucket: the others are numbered
  # anew, without gaps.
  used = np.bincount(segment, minlength=num_segments) > 0
  used_segments = np.flatnonzero(used)
  member = (np.cumsum(used) - 1)[segment]
  classes = _classify(member, sources)
  length, members = np.bincount(classes.gather), np.bincount(classes.segment)
  bucket_of_class = shared_sources.buckets(length, members)
  groups = (classes.gather, classes.segment, bucket_of_class)
  ranks = _Ranks(*map(_ranks, groups))

  buckets, indices, weights = [], [], []
  # The place of each segment's sum in the concatenation of the buckets.
  position, num_placed = np.full(num_segments, -1), 0
  for n in range(bucket_of_class.max(initial=-1) + 1):
    in_bucket = bucket_of_class == n
    bucket = _common_shape(length[in_bucket], members[in_bucket])
    buckets.append(bucket)
    indices.append(_indices(bucket, in_bucket, classes, ranks, sources))
    values = _weights(bucket, in_bucket, classes, ranks, member, weight)
    weights.append(jax.device_put(values.astype(dtype)))

    # Its sums come out member by member, each for all classes.
    s = in_bucket[classes.segment]
    place = ranks.member[s] * bucket.blocks + ranks.block[classes.segment[s]]
    position[used_segments[s]] = num_placed + place
    num_placed += bucket.members * bucket.blocks

  # Segments without entries take a zero that follows the buckets.
  position[position < 0] = num_placed
  in_order = num_placed and np.array_equal(position, np.arange(num_placed))
  return segments.SegmentSum(
    buckets=tuple(buckets),
    indices=tuple(indices),
    weights=tuple(weights),
    position=None if in_order else to_device(position),
  )


def _common_shape(length, members):
  """Returns the bucket that takes classes of these shapes, padded."""
  return segments.Bucket(int(length.max()), int(members.max()), len(length))


def _indices(bucket, in_bucket, classes, ranks, sources):
  """Returns, for each factor, where the classes of a bucket gather."""
  g = in_bucket[classes.gather]
  at = (ranks.gather[g], ranks.block[classes.gather[g]])
  shape, example = (bucket.length, bucket.blocks), classes.example[g]
  return tuple(
    to_device(_dense(bucket, shape, at, source[example])) for source in sources
  )


def _weights(bucket, in_bucket, classes, ranks, member, weight):
  """Adds up, for each source, member and class, the weights of its entries."""
  e = in_bucket[classes.entry]
  at = (
    ranks.gather[classes.gather_of_entry[e]],
    ranks.member[member[e]],
    ranks.block[classes.entry[e]],
  )
  return _dense(bucket, bucket, at, weight[e])


def _classify(segment, sources):
  """Puts segments, numbered without gaps, into classes that share gathers."""
  source, example = _combined(sources, len(segment))
  class_of_segment = shared_sources.find(segment, source)
  class_of_entry = class_of_segment[segment]
  # A gather is numbered by its class, then by its source.
  width = int(source.max(initial=0)) + 1
  key = class_of_entry * width + source
  keys = shared_sources.distinct(key)
  gather, gathered = np.divmod(keys, width)
  return _Classes(
    segment=class_of_segment,
    entry=class_of_entry,
    gather=gather,
    example=example[gathered],
    gather_of_entry=np.searchsorted(keys, key),
  )


def _dense(bucket, shape, at, values):
  """Adds values up in an array of a shape, in the bucket's order of axes."""
  place = np.ravel_multi_index(at, shape)
  dense = np.bincount(place, values, int(np.prod(shape)))
  return _transposed(dense.reshape(shape), bucket)


def _transposed(x, bucket):
  """Brings `[K, ..., B]` to the bucket's order of axes, or back."""
  return np.ascontiguousarray(x.T) if bucket.by_dot else x


def _combined(sources, num_entries):
  """Numbers the combinations of sources, as one source of every entry.

  Returns the number of each entry's combination, and for each number the last
  entry that has it.
  """
  combined = np.zeros(num_entries, np.int64)
  for k, source in enumerate(sources):
    # Numbered anew before each factor, so that products stay in 64 bits.
    if k:
      combined = np.unique(combined, return_inverse=True)[1]
    combined = combined * (int(source.max(initial=0)) + 1) + source
  if len(sources) > 1:
    combined = np.unique(combined, return_inverse=True)[1]
  example = np.zeros(int(combined.max(initial=0)) + 1, int)
  example[combined] = np.arange(num_entries)
  return combined, example


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
) -> segments.SegmentSum:
  """Plans a contraction of a sparse array, along all axes but one.

  Entries of equal coordinates are added up, and those of weight zero left out.

  Args:
    coordinates: For each axis, the place of every entry on it.
    weight: The weight of every entry.
    sizes: The length of each axis.
    axis: The axis that remains.
    dtype: Floating type of the weights.

  Returns:
    The plan, to be called with one array for each other axis, in order.
  """
  # Sorted by the axis that remains, then by the others in order: equal
  # coordinates are then side by side.
  axes = [axis, *(j for j in range(len(sizes)) if j != axis)]
  order = np.flatnonzero(weight)
  order = order[_sorting(coordinates, order, axes, sizes)]
  weight = weight[order]
  columns = [coordinates[j][order] for j in axes]
  # Trees have millions of entries: free what is not needed any more.
  del order
  is_first = np.zeros(len(weight), bool)
  is_first[:1] = True
  for column in columns:
    is_first[1:] |= column[1:] != column[:-1]
  if not is_first.all():
    starts = np.flatnonzero(is_first)
    columns = [column[starts] for column in columns]
    weight = np.add.reduceat(weight, starts)
  return segment_sum(columns[0], tuple(columns[1:]), weight, sizes[axis], dtype)


def _sorting(coordinates, entries, axes, sizes):
  """Sorts entries by the first of the axes, then by the next; stable."""
  if math.prod(sizes) >= 2**63:
    return np.lexsort([coordinates[j][entries] for j in axes[::-1]])
  # One number that holds all coordinates is sorted in half the time.
  key = np.zeros(len(entries), np.int64)
  for j in axes:
    key *= sizes[j]
    key += coordinates[j][entries]
  return np.argsort(key, kind="stable")


def entries(
  plan: segments.SegmentSum,
) -> tuple[np.ndarray, tuple[np.ndarray, ...], np.ndarray]:
  """Returns the segments, sources and nonzero weights of a plan, on the host.

  The inverse of `segment_sum`, up to order and zero weights.
  """
  total = sum(b.members * b.blocks for b in plan.buckets)
  # The segment at each place of the concatenated buckets.
  segment_at = np.arange(total + 1)
  if plan.position is not None:
    position = np.asarray(plan.position)
    segment_at[position] = np.arange(len(position))
  segment_parts, source_parts, weight_parts, start = [], [], [], 0
  for bucket, index, weight in zip(
    plan.buckets, plan.indices, plan.weights, strict=True
  ):
    stop = start + bucket.members * bucket.blocks
    segment = segment_at[start:stop].reshape(bucket.members, bucket.blocks)
    start = stop
    weight = _transposed(np.asarray(weight), bucket)
    k, i, b = np.nonzero(weight)
    segment_parts.append(segment[i, b])
    source_parts.append(
      [_transposed(np.asarray(source), bucket)[k, b] for source in index]
    )
    weight_parts.append(weight[k, i, b])
  if not segment_parts:
    return np.zeros(0, int), (), np.zeros(0)
  return (
    np.concatenate(segment_parts),
    tuple(np.concatenate(parts) for parts in zip(*source_parts, strict=True)),
    np.concatenate(weight_parts),
  )
