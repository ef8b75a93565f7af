"""Reads preferences from files of win rates."""

from collections import Counter
import csv
import os
import pathlib
from typing import NamedTuple

from jaxtyping import Float
import numpy as np

SUFFIXES = (".csv", ".npy")


class WinRates(NamedTuple):
  """A table of win rates.

  Attributes:
    preferences: P[a, b], or P[x, a, b] with contexts.
    names: Names of the responses; their numbers if the file names none.
  """

  preferences: Float[np.ndarray, "..."]
  names: tuple[str, ...]


def load(path: str | os.PathLike[str]) -> WinRates:
  """Reads a table of win rates; does not check that they are preferences.

  A `.npy` file holds an array of numbers `[n, n]` or `[X, n, n]`. A `.csv` file
  holds one row per response; a first row of names, and a first column of the
  same names, are optional. An empty cell on the diagonal is a tie, and 60% is
  0.6.

  Raises:
    ValueError: If there is no such file, or it does not hold such a table.
  """
  path = pathlib.Path(path)
  suffix = path.suffix.lower()
  if suffix not in SUFFIXES:
    raise ValueError(f"`path` must end in .csv or .npy, got {path}")
  if not path.is_file():
    raise ValueError(f"`path` must be a file, got {path}")
  if suffix == ".npy":
    matrix = _load_npy(path)
    return WinRates(matrix, tuple(map(str, range(matrix.shape[-1]))))
  with open(path, encoding="utf-8-sig", newline="") as file:
    try:
      rows = [[cell.strip() for cell in row] for row in csv.reader(file)]
    except (csv.Error, UnicodeDecodeError) as error:
      raise ValueError(
        f"`path` must be text of cells, got {path}: {error}"
      ) from error
  return _parse(path, [row for row in rows if any(row)])


def _load_npy(path):
  with open(path, "rb") as file:
    try:
      matrix = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
      raise ValueError(
        f"`path` must hold an array of numbers, got {path}: {error}"
      ) from error
  if matrix.dtype.kind not in "biuf":
    raise ValueError(
      f"`path` must hold an array of real numbers, got {path} with "
      f"{matrix.dtype}"
    )
  if matrix.ndim not in (2, 3) or matrix.shape[-1] != matrix.shape[-2]:
    raise ValueError(
      "`path` must hold a square matrix, or one per context, got shape "
      f"{matrix.shape} in {path}"
    )
  return matrix.astype(float)


def _parse(path, rows):
  names = None
  if rows and not any(_is_number(cell) for cell in rows[0] if cell):
    names, rows = rows[0], rows[1:]
  if names is not None and rows and len(names) == len(rows[0]) == len(rows) + 1:
    names = names[1:]
  labels = [row[0] for row in rows]
  # Numbers are not names: this is one column too many.
  named = not any(map(_is_number, labels))
  if named and rows and len(rows[0]) == len(rows) + 1:
    if names is not None and labels != names:
      raise ValueError(
        f"`path` must name rows as columns, got {labels} and {names} in {path}"
      )
    names, rows = labels, [row[1:] for row in rows]
  size = len(rows)
  for number, row in enumerate(rows):
    if len(row) != size:
      raise ValueError(
        f"`path` must hold as many columns as rows, got {len(row)} cells in "
        f"row {number} of {size} in {path}"
      )
  if not size:
    raise ValueError(f"`path` must hold a row per response, got none in {path}")
  if names is not None and len(names) != size:
    raise ValueError(
      f"`path` must name every response, got {len(names)} names for {size} "
      f"rows in {path}"
    )
  twice = sorted(name for name, n in Counter(names or ()).items() if n > 1)
  if twice:
    raise ValueError(
      f"`path` must name each response once, got {', '.join(twice)} more "
      f"than once in {path}"
    )
  matrix = np.array(
    [
      [_number(path, a, b, cell) for b, cell in enumerate(row)]
      for a, row in enumerate(rows)
    ]
  )
  return WinRates(matrix, tuple(names or map(str, range(size))))


def _is_number(cell):
  # Python would also read 1_0 as ten, and digits of other scripts.
  if "_" in cell or not cell.isascii():
    return False
  try:
    float(cell.removesuffix("%"))
  except ValueError:
    return False
  return True


def _number(path, row, column, cell):
  if not cell and row == column:
    return 0.5
  if not _is_number(cell):
    raise ValueError(
      f"`path` must hold numbers, got {cell!r} at row {row}, column {column} "
      f"in {path}"
    )
  if cell.endswith("%"):
    return float(cell.removesuffix("%")) / 100
  return float(cell)
