"""Segment sums without scatters.

A segment sum is a plan made once on the host. Segments are sorted by their
length into buckets of one power of two, so that a bucket is a dense block. A
small block is a row reduction. A large one is summed by a loop over its
columns, each step one fused gather, multiply and add over all rows, which on a
CPU is several times faster than a row reduction of a gathered block.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from mdrl import struct

# Blocks of at least this many elements are summed column by column.
_LARGE = 20_000


class Bucket(NamedTuple):
  """Shape of one bucket: `rows` segments of up to `length` entries each."""

  rows: int
  length: int
  by_column: bool


@struct.dataclass
class SegmentSum:
  """`out[s] = sum over entries e of s of weight[e] * prod_k x_k[index_k[e]]`.

  Attributes:
    buckets: Shapes of the buckets.
    indices: For each bucket and each factor, where to gather; rows by entries,
      or entries by rows where the bucket is summed by column.
    weights: For each bucket, the weights, of the same shape; zero at padding.
    position: Where each segment stands in the concatenation of the buckets.
  """

  buckets: tuple[Bucket, ...] = struct.static()
  indices: tuple[tuple[Int[Array, "_ _"], ...], ...]
  weights: tuple[Float[Array, "_ _"], ...]
  position: Int[Array, " S"]

  def __call__(self, *factors: Float[Array, " _"]) -> Float[Array, " S"]:
    """Returns the sum of every segment; one factor per opponent or child."""
    floats = (*factors, *self.weights)
    dtype = floats[0].dtype if floats else jnp.result_type(float)
    parts = []
    blocks = iter(zip(self.indices, self.weights, strict=True))
    for bucket in self.buckets:
      if not bucket.length:
        parts.append(jnp.zeros(bucket.rows, dtype))
        continue
      index, weight = next(blocks)
      if bucket.by_column:
        parts.append(_sum_columns(index, weight, factors))
      else:
        parts.append(jnp.sum(_entries(index, weight, factors), axis=1))
    return take(jnp.concatenate(parts), self.position)


def put(index: np.ndarray) -> Int[Array, "..."]:
  """Returns indices on the device, in 32 bits; compiles nothing."""
  return jax.device_put(index.astype(np.int32))


def take(x: Float[Array, " _"], index: Int[Array, "..."]) -> Array:
  """Returns elements of `x`, at indices known to lie within it."""
  return x.at[index].get(
      mode="promise_in_bounds", wrap_negative_indices=False
  )


def _entries(index, weight, factors):
  for at, factor in zip(index, factors, strict=True):
    weight = weight * take(factor, at)
  return weight


def _sum_columns(index, weight, factors):
  def add(k, total):
    return total + _entries([at[k] for at in index], weight[k], factors)

  zeros = jnp.zeros(weight.shape[1:], weight.dtype)
  return jax.lax.fori_loop(0, weight.shape[0], add, zeros)


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
  order = np.argsort(segment, kind="stable")
  count = np.bincount(segment, minlength=num_segments)
  start = np.cumsum(count) - count
  length = np.where(count, 2 ** np.ceil(np.log2(np.maximum(count, 1))), 0)
  buckets, indices, weights, placed = [], [], [], []
  for size in np.unique(length).astype(int).tolist():
    rows = np.flatnonzero(length == size)
    placed.append(rows)
    by_column = len(rows) * size >= _LARGE
    buckets.append(Bucket(len(rows), size, by_column))
    if not size:
      continue
    k = np.arange(size)
    real = k < count[rows, None]
    entry = order[np.minimum(start[rows, None] + k, len(order) - 1)]
    blocks = [np.where(real, s[entry], 0).astype(np.int32) for s in sources]
    values = np.where(real, weight[entry], 0).astype(dtype)
    if by_column:
      blocks, values = [np.ascontiguousarray(b.T) for b in blocks], values.T
    indices.append(tuple(put(b) for b in blocks))
    weights.append(jax.device_put(np.ascontiguousarray(values)))
  position = np.empty(num_segments, np.int32)
  position[np.concatenate(placed)] = np.arange(num_segments, dtype=np.int32)
  return SegmentSum(
      buckets=tuple(buckets),
      indices=tuple(indices),
      weights=tuple(weights),
      position=put(position),
  )


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
  some = weight != 0
  coordinates, weight = coordinates[:, some], weight[some]
  # The axis of the result is the slowest key, then the others in order.
  keys = [axis, *(j for j in range(len(sizes)) if j != axis)]
  order = np.lexsort(coordinates[keys[::-1]])
  coordinates, weight = coordinates[:, order], weight[order]
  first = np.ones(len(weight), bool)
  first[1:] = (coordinates[:, 1:] != coordinates[:, :-1]).any(axis=0)
  if not first.all():
    starts = np.flatnonzero(first)
    coordinates = coordinates[:, starts]
    weight = np.add.reduceat(weight, starts)
  sources = tuple(coordinates[j] for j in keys[1:])
  return segment_sum(coordinates[axis], sources, weight, sizes[axis], dtype)


def entries(
    plan: SegmentSum,
) -> tuple[np.ndarray, tuple[np.ndarray, ...], np.ndarray]:
  """Returns the segments, sources and nonzero weights of a plan, on the host.

  The inverse of `segment_sum`, up to order and zero weights.
  """
  position = np.asarray(plan.position)
  segment_at = np.argsort(position)
  segments, sources, weights, at = [], [], [], 0
  blocks = iter(zip(plan.indices, plan.weights, strict=True))
  for bucket in plan.buckets:
    owner = segment_at[at : at + bucket.rows]
    at += bucket.rows
    if not bucket.length:
      continue
    index, weight = jax.tree.map(np.asarray, next(blocks))
    owner = owner[None] if bucket.by_column else owner[:, None]
    real = weight != 0
    segments.append(np.broadcast_to(owner, weight.shape)[real])
    sources.append([at_k[real] for at_k in index])
    weights.append(weight[real])
  if not segments:
    return np.zeros(0, int), (), np.zeros(0)
  return (
      np.concatenate(segments),
      tuple(np.concatenate(s) for s in zip(*sources, strict=True)),
      np.concatenate(weights),
  )
