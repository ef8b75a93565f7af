"""Formats tables of text, wrapped by columns where the page is too narrow."""

from collections.abc import Iterator, Sequence
import shutil
import sys

# Of a log, and of whatever else has no width of its own.
_PAGE = 80
_GAP = 2


def page_width() -> int:
  """Returns the characters in a line of stdout."""
  if not sys.stdout.isatty():
    return _PAGE
  return shutil.get_terminal_size((_PAGE, 24)).columns


def text(
  head: Sequence[str],
  rows: Sequence[Sequence[str]],
  width: int,
  num_keys: int = 1,
) -> str:
  """Returns a table; columns that do not fit continue below.

  Args:
    head: Names of columns, which may have several lines.
    rows: One cell for each column.
    width: Of the page. A column is never cut, even if it is wider.
    num_keys: The first columns, which tell rows apart and are repeated.
  """
  columns = [list(column) for column in zip(head, *rows, strict=True)]
  sizes = [
    max(len(line) for cell in column for line in cell.split("\n"))
    for column in columns
  ]
  blocks = [
    "\n".join(_lines([columns[k] for k in shown]))
    for shown in _pages(sizes, width, num_keys)
  ]
  return "\n\n".join(blocks)


def _pages(sizes, width, num_keys) -> Iterator[list[int]]:
  """Yields the columns that stand side by side."""
  keys = list(range(num_keys))
  shown, taken = list(keys), sum(sizes[:num_keys]) + _GAP * (num_keys - 1)
  start = taken
  for column in range(num_keys, len(sizes)):
    needed = _GAP + sizes[column]
    if len(shown) > num_keys and taken + needed > width:
      yield shown
      shown, taken = list(keys), start
    shown.append(column)
    taken += needed
  yield shown


def _lines(columns) -> Iterator[str]:
  heads = [column[0].split("\n") for column in columns]
  tall = max(map(len, heads))
  padded = [[""] * (tall - len(lines)) + lines for lines in heads]
  full = [
    lines + column[1:] for lines, column in zip(padded, columns, strict=True)
  ]
  widths = [max(map(len, column)) for column in full]
  for number, cells in enumerate(zip(*full, strict=True)):
    if number == tall:
      yield "-" * (sum(widths) + _GAP * (len(widths) - 1))
    yield (
      (" " * _GAP)
      .join(
        cell.rjust(width) if k else cell.ljust(width)
        for k, (cell, width) in enumerate(zip(cells, widths, strict=True))
      )
      .rstrip()
    )
