"""Names of rows in tables of tests, so that `pytest -k` finds them."""

from collections.abc import Iterable
import itertools


def named(*columns: Iterable[str]) -> tuple[tuple[str, ...], ...]:
  """Returns cases of `parameterized.named_parameters`: all combinations.

  The name of a case is its values, so that `-k nash_md` runs the cases of that
  solver in every table.
  """
  return tuple(("_".join(row), *row) for row in itertools.product(*columns))
