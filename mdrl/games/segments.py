"""Segment sums without scatters.

A segment sum is a plan made once on the host. Segments of equal sources are
twins, and share what they gather; classes of twins of about one shape are a
bucket, which is dense: entries by twins by classes. A small bucket is one
reduction. A large one is summed by a loop over its entries, each step one fused
gather, multiply and add over all classes, which on a CPU is many times faster
than a reduction.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from mdrl import struct
from mdrl.games import twins

# Blocks of more elements, or longer ones, are summed entry by entry.
_SMALL = 3500
_SHORT = 16


class Bucket(NamedTuple):
  """Shape of one bucket: `blocks` classes of `twins` segments.

  Each segment has up to `length` entries.
  """

  length: int
  twins: int
  blocks: int


@struct.dataclass
class SegmentSum:
  """`out[s] = sum over entries e of s of weight[e] * prod_k x_k[index_k[e]]`.

  Attributes:
    buckets: Shapes of the buckets.
    indices: For each bucket and each factor, where to gather, `[K, B]`: the
      entries of a class, by class.
    weights: For each bucket, the weights, `[K, I, B]`: one for each of the
      twins of a class; zero at padding.
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


def put(index: np.ndarray) -> Int[Array, "..."]:
  """Returns indices on the device, in 32 bits; compiles nothing."""
  return jax.device_put(index.astype(np.int32))


def take(x: Float[Array, " _"], index: Int[Array, "..."]) -> Array:
  """Returns elements of `x`, at indices known to lie within it."""
  return x.at[index].get(
      mode="promise_in_bounds", wrap_negative_indices=False
  )


def _sum(bucket, index, weight, factors):
  if weight.size <= _SMALL and bucket.length <= _SHORT:
    return jnp.sum(_entries(index, weight, factors), axis=0).reshape(-1)

  def add(k, total):
    return total + _entries([at[k] for at in index], weight[k], factors)

  zeros = jnp.zeros(weight.shape[1:], weight.dtype)
  return jax.lax.fori_loop(
      0, bucket.length, add, zeros, unroll=min(2, bucket.length)
  ).reshape(-1)


def _entries(index, weight, factors):
  """Returns the terms of `[..., B]` indices and `[..., I, B]` weights."""
  product = None
  for at, factor in zip(index, factors, strict=True):
    value = take(factor, at)
    product = value if product is None else product * value
  return weight if product is None else weight * product[..., None, :]


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
      Twins are found where their entries come in the same order.
    weight: The weight of every entry.
    num_segments: Number of segments; those without entries sum to zero.
    dtype: Floating type of the weights.

  Returns:
    The plan, to be called with one array per factor.
  """
  order = np.argsort(segment, kind="stable")
  sources = tuple(source[order] for source in sources)
  weight = weight[order].astype(dtype)
  count = np.bincount(segment, minlength=num_segments)
  start = np.cumsum(count) - count
  classes = twins.find(start, count, sources)
  chosen = twins.buckets(classes.length, classes.twins)
  shapes, indices, weights = [], [], []
  # Segments without entries take a zero that follows the buckets.
  position, placed = np.full(num_segments, -1), 0
  for bucket in range(chosen.max(initial=-1) + 1):
    at = np.flatnonzero(chosen == bucket)
    leader = classes.members[classes.first[at]]
    shape = Bucket(
        int(classes.length[at].max()), int(classes.twins[at].max()), len(at)
    )
    k = np.arange(shape.length)[:, None]
    entry = np.where(k < count[leader], start[leader] + k, -1)
    index = tuple(np.where(entry < 0, 0, s[entry]) for s in sources)
    values = np.zeros(shape, dtype)
    for i in range(shape.twins):
      some = np.flatnonzero(i < classes.twins[at])
      member = classes.members[classes.first[at[some]] + i]
      entry = np.where(k < count[member], start[member] + k, -1)
      values[:, i, some] = np.where(entry < 0, 0, weight[entry])
      position[member] = placed + i * shape.blocks + some
    placed += shape.twins * shape.blocks
    shapes.append(shape)
    indices.append(tuple(put(at_k) for at_k in index))
    weights.append(jax.device_put(values))
  position[position < 0] = placed
  in_order = placed and np.array_equal(position, np.arange(placed))
  return SegmentSum(
      buckets=tuple(shapes),
      indices=tuple(indices),
      weights=tuple(weights),
      position=None if in_order else put(position),
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
  total = sum(b.twins * b.blocks for b in plan.buckets)
  segment_at = np.arange(total + 1)
  if plan.position is not None:
    position = np.asarray(plan.position)
    segment_at[position] = np.arange(len(position))
  segments, sources, weights, at = [], [], [], 0
  for bucket, index, weight in zip(
      plan.buckets, plan.indices, plan.weights, strict=True
  ):
    size = bucket.twins * bucket.blocks
    owner = segment_at[at : at + size].reshape(bucket.twins, bucket.blocks)
    at += size
    weight = np.asarray(weight)
    k, i, b = np.nonzero(weight)
    segments.append(owner[i, b])
    sources.append([np.asarray(at_k)[k, b] for at_k in index])
    weights.append(weight[k, i, b])
  if not segments:
    return np.zeros(0, int), (), np.zeros(0)
  return (
      np.concatenate(segments),
      tuple(np.concatenate(s) for s in zip(*sources, strict=True)),
      np.concatenate(weights),
  )
