"""Small numbers in few words, so that states of many games stay in caches."""

from collections.abc import Sequence
import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int
import numpy as np

# Words are never negative.
_WORD = 31


@dataclasses.dataclass(frozen=True)
class Digits:
  """A row of digits, packed into words of 31 bits.

  Attributes:
    count: How many digits.
    base: One more than the largest digit; digits of base two are a set.
  """

  count: int
  base: int

  @property
  def bits(self) -> int:
    """Bits of a digit."""
    return max(1, (self.base - 1).bit_length())

  @property
  def per_word(self) -> int:
    """Digits of a word."""
    return _WORD // self.bits

  @property
  def num_words(self) -> int:
    """Words of a row."""
    return -(-self.count // self.per_word)

  def zeros(self) -> Int[Array, " W"]:
    """Returns zeros."""
    return jnp.zeros(self.num_words, jnp.int32)

  def ones(self) -> Int[Array, " W"]:
    """Returns ones."""
    digits = np.ones(self.count, np.int32)
    padded = np.zeros(self.num_words * self.per_word, np.int32)
    padded[: self.count] = digits
    shifted = padded.reshape(self.num_words, -1) << self._shifts()
    return jnp.asarray(shifted.sum(axis=1).astype(np.int32))

  def one(
    self, place: Int[Array, ""], digit: Int[Array, ""] | int
  ) -> Int[Array, " W"]:
    """Returns words in which one digit is not zero, at most.

    To add them is to set a digit that was zero.
    """
    words = jnp.arange(self.num_words, dtype=jnp.int32)
    place = place.astype(jnp.int32)
    shift = (place % self.per_word) * self.bits
    value = jnp.asarray(digit, jnp.int32) << shift
    here = words == place // self.per_word
    return jnp.where(here, value, jnp.zeros_like(value))

  def unpack(self, words: Int[Array, " W"]) -> Int[Array, " count"]:
    """Returns all digits."""
    mask = (1 << self.bits) - 1
    digits = (words[:, None] >> self._shifts()) & mask
    return digits.reshape(-1)[: self.count]

  def has(
    self, words: Int[Array, " W"], place: Int[Array, ""]
  ) -> Bool[Array, ""]:
    """Returns whether a set holds a number, which may be out of range."""
    inside = (place >= 0) & (place < self.count)
    one = self.one(jnp.clip(place, 0, self.count - 1), 1)
    return inside & jnp.any(words & one != 0)

  def size(self, words: Int[Array, " W"]) -> Int[Array, ""]:
    """Returns how many numbers a set holds."""
    return jax.lax.population_count(words).sum(dtype=jnp.int32)

  def lowest(self, words: Int[Array, " W"]) -> Int[Array, ""]:
    """Returns the least number of a set, or zero if it is empty."""
    below = jax.lax.population_count((words & -words) - 1)
    found = jnp.zeros((), jnp.int32)
    for i in reversed(range(self.num_words)):
      here = below[i] + i * self.per_word
      found = jnp.where(words[i] != 0, here, found)
    return found

  def read(self, words: Sequence[int] | np.ndarray) -> list[int]:
    """Returns all digits of words on the host."""
    mask = (1 << self.bits) - 1
    table = (np.asarray(words)[:, None] >> self._shifts()) & mask
    return [int(digit) for digit in table.reshape(-1)[: self.count]]

  def _shifts(self):
    return np.arange(self.per_word, dtype=np.int32)[None] * self.bits


def row(rows: Int[Array, "N ..."], i: Int[Array, ""]) -> Int[Array, "..."]:
  """Returns a row of a short table, without a gather, which would be slower."""
  here = jnp.arange(len(rows), dtype=jnp.int32) == i.astype(jnp.int32)
  here = here.reshape((-1,) + (1,) * (rows.ndim - 1))
  chosen = jnp.where(here, rows, jnp.zeros_like(rows))
  return chosen.sum(axis=0, dtype=rows.dtype)
