"""A memory of samples, the oldest of which give way to new ones.

Arrays of its own, as flashbax's buffers broadcast over ranks, and raise under
`jax_numpy_rank_promotion=raise`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Key


class Memory(NamedTuple):
  """Samples, stacked.

  Attributes:
    samples: A pytree of arrays, a row for each sample that there is room for.
    place: The row that the next sample goes to.
    held: How many rows have samples.
  """

  samples: Any
  place: Int[Array, ""]
  held: Int[Array, ""]


def empty(sample: Any, capacity: int) -> Memory:
  """Returns a memory without samples.

  Args:
    sample: One of them, for its shapes and dtypes.
    capacity: How many it holds.

  Raises:
    ValueError: If it holds none.
  """
  if capacity < 1:
    raise ValueError(
      f"`capacity` must be a positive number of samples, got {capacity}"
    )
  samples = jax.tree.map(
    lambda x: jnp.zeros((capacity, *x.shape), x.dtype), sample
  )
  none = jnp.zeros((), jnp.int32)
  return Memory(samples, none, none)


def add(memory: Memory, batch: Any) -> Memory:
  """Returns the memory with more samples, in place of the oldest.

  Args:
    memory: The memory.
    batch: Samples, stacked; always as many, a divisor of the capacity.

  Raises:
    ValueError: If their number does not divide the capacity.
  """
  added, capacity = _length(batch), _length(memory.samples)
  if not added or capacity % added:
    raise ValueError(
      "`batch` must have a number of samples that divides the capacity "
      f"{capacity}, got {added}"
    )
  # Whole blocks are written in place, where rows one by one are scattered.
  samples = jax.tree.map(
    lambda x, new: jax.lax.dynamic_update_slice_in_dim(x, new, memory.place, 0),
    memory.samples,
    batch,
  )
  return Memory(
    samples,
    (memory.place + added) % capacity,
    jnp.minimum(memory.held + added, capacity),
  )


def draw(memory: Memory, key: Key[Array, ""], num_samples: int) -> Any:
  """Returns samples drawn uniformly, with replacement.

  From an empty memory they mean nothing.
  """
  rows = jax.random.randint(
    key, (num_samples,), 0, jnp.maximum(memory.held, 1), jnp.int32
  )
  return jax.tree.map(lambda x: x[rows], memory.samples)


def _length(samples):
  return jax.tree.leaves(samples)[0].shape[0]
