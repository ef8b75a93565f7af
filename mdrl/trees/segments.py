"""Segment sums without scatters, on the device.

`segment_plans` makes a plan once on the host, and says what classes and buckets
are. A small bucket is summed by a reduction, which fuses with what is around
it. Large ones are summed by a loop over entries, each step one multiplication
and addition for all segments, which on a CPU is many times faster than a
reduction; long ones of few segments by inner products.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mdrl import struct
from mdrl.trees import sums

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
      sources of a class, by class. With `by_dot`, it is `[B, K]`.
    weights: For each bucket, the weights, `[K, I, B]`: by source, member and
      class; zero at padding. With `by_dot`, it is `[B, I, K]`.
    position: The place of each segment in the concatenation of the buckets and
      a zero; None where that is the order of segments.
  """

  buckets: tuple[Bucket, ...] = struct.static()
  indices: tuple[tuple[Int[Array, "_ _"], ...], ...]
  weights: tuple[Float[Array, "_ _ _"], ...]
  position: Int[Array, " S"] | None

  @property
  def num_segments(self) -> int:
    """Number of sums."""
    if self.position is not None:
      return self.position.shape[0]
    return sum(b.members * b.blocks for b in self.buckets)

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


def take(x: Float[Array, " _"], index: Int[Array, "..."]) -> Array:
  """Returns elements of `x`, at indices known to lie within it."""
  return x.at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _sum(bucket, index, weight, factors):
  """Returns the sums of a bucket, the first members of all classes first."""
  # What is gathered is a product of factors, shared by the members of a class.
  product = jnp.ones_like(weight[:, 0])
  for k, (place, factor) in enumerate(zip(index, factors, strict=True)):
    value = take(factor, place)
    product = product * value if k else value
  if bucket.by_dot:
    highest = jax.lax.Precision.HIGHEST
    products = jnp.einsum("bik,bk->ib", weight, product, precision=highest)
    return products.reshape(-1)
  product = product[:, None]
  if bucket.small:
    return sums.total(weight * product, 0).reshape(-1)
  zeros = jnp.zeros(weight.shape[1:], weight.dtype)
  return jax.lax.fori_loop(
    0,
    bucket.length,
    lambda k, total: total + weight[k] * product[k],
    zeros,
    unroll=min(2, bucket.length),
  ).reshape(-1)
