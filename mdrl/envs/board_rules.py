"""Who has won on small boards, for every set of stones.

A set of stones is a number whose bit `row * num_cols + col` says whether there
is one. Tables over all sets are made once, on the host.
"""

import functools

from jaxtyping import Bool
import numpy as np

# Tables have two to the power of the number of cells.
MAX_SIDE = 4


def check_sides(num_rows: int, num_cols: int) -> None:
  """Raises ValueError unless a board has between 2 and 4 rows and columns."""
  for name, side in (("num_rows", num_rows), ("num_cols", num_cols)):
    if not isinstance(side, int) or not 2 <= side <= MAX_SIDE:
      raise ValueError(
        f"`{name}` must be a whole number from 2 to {MAX_SIDE}, got {side!r}"
      )


@functools.cache
def lines(side: int) -> Bool[np.ndarray, " M"]:
  """Returns which sets of stones fill a line of a square board.

  Lines are rows, columns and the two diagonals, from side to side.

  Raises:
    ValueError: If the side is not from 2 to 4.
  """
  check_sides(side, side)
  cells = 1 << np.arange(side * side, dtype=np.int64).reshape(side, side)
  filled = [*cells, *cells.T, cells.diagonal(), cells[:, ::-1].diagonal()]
  stones = np.arange(1 << side * side)
  return _frozen(
    np.any([stones & line.sum() == line.sum() for line in filled], axis=0)
  )


@functools.cache
def connections(num_rows: int, num_cols: int) -> Bool[np.ndarray, "2 M"]:
  """Returns which sets of stones connect the two sides of each player in hex.

  The first player connects the first row with the last, the second player the
  first column with the last. A cell touches those left and right of it, above
  and below, and above to the right and below to the left.

  Raises:
    ValueError: If the numbers of rows and columns are not from 2 to 4.
  """
  check_sides(num_rows, num_cols)
  cells = 1 << np.arange(num_rows * num_cols).reshape(num_rows, num_cols)
  stones = np.arange(1 << cells.size)
  ends = ((cells[0], cells[-1]), (cells[:, 0], cells[:, -1]))
  return _frozen(
    np.stack(
      [
        _spread(stones, stones & first.sum(), cells) & last.sum() != 0
        for first, last in ends
      ]
    )
  )


def _spread(stones, reached, cells):
  """Returns the stones that are connected with those reached."""
  num_cols = cells.shape[1]
  left, right = ~cells[:, 0].sum(), ~cells[:, -1].sum()
  while True:
    from_left, from_right = reached & right, reached & left
    touched = reached << num_cols | reached >> num_cols
    touched |= from_left << 1 | from_left >> (num_cols - 1)
    touched |= from_right >> 1 | from_right << (num_cols - 1)
    wider = reached | touched & stones
    if np.array_equal(wider, reached):
      return reached
    reached = wider


def _frozen(table):
  # Shared by all who ask for it.
  table.flags.writeable = False
  return table
