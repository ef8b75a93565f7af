"""What the players of a phantom game on a small board have done, as numbers.

An own sequence is the list of a player's tries, of which each is a cell and
whether it was free. A sequence of k tries is numbered by its cells, in the
order of permutations, and one bit for each try: rank * 2^k + bits. Infostates
are the sequences after which a player may move, in the order of k and of these
numbers, so that parents come first and those of one k stand together.
"""

import math
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, UInt
import numpy as np

# The numbers of longer sequences would not fit 32 bits.
MAX_CELLS = 9


class Board(NamedTuple):
  """What the numbers of sequences depend on.

  Attributes:
    num_cells: Size of the board, up to `MAX_CELLS`.
    known: Cells that nobody tries, as bits.
  """

  num_cells: int
  known: int

  @property
  def num_free(self) -> int:
    """How many cells may be tried."""
    return self.num_cells - self.known.bit_count()

  @property
  def offsets(self) -> tuple[int, ...]:
    """The first place of each number of tries, and behind the last.

    The place of a sequence of k tries is the k-th of these, plus its number.
    """
    free = self.num_free
    sizes = [math.perm(free, k) << k for k in range(free)]
    return tuple(sum(sizes[:k]) for k in range(free + 1))


class BoardRules(NamedTuple):
  """A game of two players who try cells in turns, unseen by each other.

  A try succeeds where the cell is free, and puts a stone there; all others are
  known to fail. The first player whose stones win gets 1 from the other, and
  a full board is a draw.

  Attributes:
    num_cells: Size of the board, up to `MAX_CELLS`.
    abrupt: Whether a try that fails ends the turn; else the player goes on.
    wins: Whether each player wins with each set of stones, `[2, 2^cells]`, by
      the bits of the cells.
    stones: The stones of each player that the game begins with, as bits, which
      both players know.
    mover: Who moves first.
  """

  num_cells: int
  abrupt: bool
  wins: np.ndarray
  stones: tuple[int, int] = (0, 0)
  mover: int = 0

  @property
  def board(self) -> Board:
    """How sequences are numbered."""
    return Board(self.num_cells, self.stones[0] | self.stones[1])


def check(rules: BoardRules) -> None:
  """Raises ValueError unless the rules are those of a game on a small board."""
  if not 1 <= rules.num_cells <= MAX_CELLS:
    raise ValueError(
      f"`num_cells` must lie in [1, {MAX_CELLS}], got {rules.num_cells}; "
      "larger boards have too many infostates for exact values"
    )
  shape = (2, 1 << rules.num_cells)
  if rules.wins.shape != shape or rules.wins.dtype != np.bool_:
    raise ValueError(
      f"`wins` must be bool{list(shape)}, got "
      f"{rules.wins.dtype}{list(rules.wins.shape)}"
    )
  if rules.stones[0] & rules.stones[1] or rules.board.known >> rules.num_cells:
    raise ValueError(
      "`stones` must be two disjoint sets of cells of the board, got "
      f"{rules.stones}"
    )


class Tries(NamedTuple):
  """Own sequences, written out.

  Attributes:
    length: How many tries.
    cell: The cells in order; -1 behind the last.
    success: Whether each was free; 0 behind the last.
  """

  length: Int[Array, "*B"]
  cell: Int[Array, "*B K"]
  success: Int[Array, "*B K"]


def decode(board: Board, place: Int[Array, "*B"] | UInt[Array, "*B"]) -> Tries:
  """Returns the sequences at places."""
  offsets = jnp.asarray(board.offsets[:-1], jnp.int32)
  place = place.astype(jnp.int32)
  free = board.num_free
  count = jnp.searchsorted(offsets, place, side="right").astype(jnp.int32) - 1
  number = place - offsets[count]
  bits, rank = number & ((1 << count) - 1), number >> count
  digits = []
  for j in reversed(range(free)):
    here = j < count
    digits.append(jnp.where(here, rank % (free - j), 0))
    rank = jnp.where(here, rank // (free - j), rank)
  tried = jnp.full_like(count, board.known)
  cells, successes = [], []
  for j, digit in enumerate(reversed(digits)):
    cell = _nth_free(board.num_cells, tried, digit)
    here = j < count
    cells.append(jnp.where(here, cell, -1))
    tried = jnp.where(here, tried | (1 << cell), tried)
    bit = bits >> jnp.maximum(count - 1 - j, 0)
    successes.append(jnp.where(here, bit & 1, 0))
  return Tries(count, jnp.stack(cells, -1), jnp.stack(successes, -1))


def _nth_free(num_cells: int, tried: Any, nth: Any) -> Any:
  """Returns the cell before which so many have not been tried."""
  found, seen = jnp.full_like(tried, 0), jnp.full_like(tried, 0)
  for cell in range(num_cells):
    free = 1 - ((tried >> cell) & 1)
    found = jnp.where((free == 1) & (seen == nth), cell, found)
    seen = seen + free
  return found


class Infostates(NamedTuple):
  """The infostates of one player, in order.

  Attributes:
    place: Of each in all sequences that there could be.
    parent: The slot that leads to each, a row times the number of cells plus a
      cell; -1 at the root.
    legal: What may be tried.
    levels: The first row of each number of tries, and behind the last.
  """

  place: np.ndarray
  parent: np.ndarray
  legal: np.ndarray
  levels: tuple[int, ...]


def describe(board: Board, place: np.ndarray) -> Infostates:
  """Returns what is known of infostates, from their places in order."""
  free, offsets = board.num_free, np.asarray(board.offsets)
  levels = np.searchsorted(place, offsets)
  parent = np.full(len(place), -1, np.int32)
  legal = np.ones((len(place), board.num_cells), bool)
  for cell in range(board.num_cells):
    legal[:, cell] = not board.known >> cell & 1
  for k in range(1, free):
    rows = slice(levels[k], levels[k + 1])
    number = place[rows] - offsets[k]
    bits, rank = number & ((1 << k) - 1), number >> k
    above = offsets[k - 1] + ((rank // (free - k + 1)) << (k - 1)) + (bits >> 1)
    row = np.searchsorted(place, above)
    # The last try is the so manieth of those that were left.
    nth = rank % (free - k + 1)
    left = np.cumsum(legal[row], axis=1) == nth[:, None] + 1
    cell = np.argmax(left & legal[row], axis=1)
    legal[rows] = legal[row]
    legal[np.arange(rows.start, rows.stop), cell] = False
    parent[rows] = row * board.num_cells + cell
  return Infostates(place, parent, legal, tuple(int(n) for n in levels))
