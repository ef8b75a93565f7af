"""What a player has tried on a board that it does not see, as numbers.

A player tries one cell after the other, and is told of each whether its stone
was placed, or the opponent's was there. A try is six bits, the number of the
cell plus one and whether the stone was placed, and a word holds five of them,
the first one lowest. Cells that were not tried yet are zeros.
"""

from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt32

TRIES_PER_WORD = 5
_BITS = 6

# A cell, and whether the stone was placed there.
Try = tuple[int, bool]


def num_words(num_cells: int) -> int:
  """Returns how many words hold as many tries as there are cells."""
  return -(-num_cells // TRIES_PER_WORD)


def encode(tries: Iterable[Try], num_cells: int) -> list[int]:
  """Returns the words of tries, on the host."""
  words = [0] * num_words(num_cells)
  for t, (cell, placed) in enumerate(tries):
    code = (cell + 1) << 1 | int(placed)
    words[t // TRIES_PER_WORD] |= code << _BITS * (t % TRIES_PER_WORD)
  return words


def decode(words: Iterable[Any]) -> list[Try]:
  """Returns the tries of words, on the host."""
  codes = [
    int(word) >> _BITS * t & (1 << _BITS) - 1
    for word in words
    for t in range(TRIES_PER_WORD)
  ]
  return [((code >> 1) - 1, bool(code & 1)) for code in codes if code]


def appended(
  words: Int[Array, " K"],
  count: Int[Array, ""],
  cell: Int[Array, ""],
  placed: Bool[Array, ""],
) -> Int[Array, " K"]:
  """Returns the words with one try more.

  Args:
    words: The tries up to now.
    count: How many they are.
    cell: What is tried; nothing where it is -1.
    placed: Whether the stone is placed.
  """
  code = ((cell + 1) << 1) + placed.astype(jnp.int32)
  code = jnp.where(cell < 0, 0, code)
  first = TRIES_PER_WORD * jnp.arange(words.shape[0], dtype=jnp.int32)
  place = count - first
  at = (place >= 0) & (place < TRIES_PER_WORD)
  return words | jnp.where(at, code << _BITS * jnp.where(at, place, 0), 0)


def cells(words: Int[Array, " K"], num_cells: int) -> Int[Array, " T"]:
  """Returns the cell of each try in order, -1 where there was none yet."""
  shifts = _BITS * jnp.arange(TRIES_PER_WORD, dtype=jnp.int32) + 1
  codes = words[:, None] >> shifts[None, :]
  return (codes.reshape(-1)[:num_cells] & (1 << _BITS - 1) - 1) - 1


def on_board(stones: UInt32[Array, ""], num_cells: int) -> Bool[Array, " C"]:
  """Returns whether there is a stone on each cell."""
  return (stones >> jnp.arange(num_cells, dtype=jnp.uint32) & 1) == 1


def view_string(
  tries: Iterable[Try], shape: tuple[int, int], player: int
) -> str:
  """Returns the board as a player sees it, as OpenSpiel writes it."""
  known = {cell: "xo"[player ^ (not placed)] for cell, placed in tries}
  rows, cols = shape
  lines = [
    "".join(known.get(row * cols + col, ".") for col in range(cols))
    for row in range(rows)
  ]
  return "".join(f"{line}\n" for line in lines)


def tries_string(tries: Iterable[Try], player: int) -> str:
  """Returns a player's tries as OpenSpiel writes them."""
  return "".join(f"{player},{cell} " for cell, _ in tries)
