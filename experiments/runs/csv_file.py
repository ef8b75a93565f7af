"""Writes tables as CSV to open files."""

from collections.abc import Iterable, Sequence
import csv
import io
from typing import Any, BinaryIO


def write(file: BinaryIO, rows: Iterable[Sequence[Any]]) -> None:
  """Writes rows, the head first; the file stays open."""
  text = io.TextIOWrapper(file, encoding="utf-8", newline="")
  csv.writer(text).writerows(rows)
  text.flush()
  text.detach()
