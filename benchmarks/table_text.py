"""Formats the table of solvers as text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks import table_columns, time_to_target
from experiments.runs import tables

_CLOCKS = ("cpu", "wall")
_SOLVERS = {
  "cfr_plus": "CFR+",
  "pcfr_plus": "PCFR+",
  "magnetic": "magnetic MD",
  "exact": "exact",
}

# From a column's figures by solver to what stands in the cell.
_Cell = Callable[[Mapping[str, Mapping[str, Any]]], str | None]


class _Line(NamedTuple):
  label: str
  cell: _Cell


def _cell(*names, solver=None):
  """Returns the cell of figures of a solver, or of a column's first."""

  def cell(by_solver):
    first = next(iter(by_solver.values()), {})
    figures = by_solver.get(solver, {}) if solver else first
    shown = [_short(figures.get(name)) for name in names]
    return " / ".join(shown) if any(s != "-" for s in shown) else None

  return cell


def _lines() -> Iterator[_Line]:
  """Yields the lines of a game."""
  by_clocks = ("updates_per_cpu_second", "updates_per_wall_second")
  for solver, label in _SOLVERS.items():
    yield _Line(f"{label}, updates/s", _cell(*by_clocks, solver=solver))
  for solver, label in _SOLVERS.items():
    for target in time_to_target.TARGETS:
      by_clocks = (f"{clock}_seconds_to_{target:g}" for clock in _CLOCKS)
      yield _Line(f"{label}, s to {target:g}", _cell(*by_clocks, solver=solver))
  for name, label in (
    ("build", "build, s"),
    ("compile", "compile, s"),
    ("warm_compile", "compile, s, from disk"),
  ):
    yield _Line(label, _cell(*(f"{name}_{clock}_seconds" for clock in _CLOCKS)))
  yield _Line("peak memory, MB", _cell("peak_megabytes"))


def _short(value: float | None) -> str:
  """Returns a number in at most six characters."""
  if value is None:
    return "-"
  # Digits of what takes no time would make the table wide.
  if value < 0.01:
    return "<0.01"
  for size, unit in ((1e6, "M"), (1e3, "k")):
    if value >= 0.9995 * size:
      return f"{value / size:.3g}{unit}"
  return f"{value:.3g}"


def text_lines(row: Mapping[str, Any], names: Sequence[str]) -> list[list[str]]:
  """Returns the lines of a game: a label, and a cell for each column."""
  found = row["cells"]
  out = []
  for line in _lines():
    shown = [line.cell(found.get(name, {})) for name in names]
    if any(shown):
      out.append([line.label, *(x or "-" for x in shown)])
  for key, label in (
    ("ratio_to_c", "CFR+ / that in C, double"),
    ("ratio_to_fastest_peer", "CFR+ / that of"),
  ):
    if key in row:
      if key == "ratio_to_fastest_peer":
        label += f" {table_columns.COLUMNS[row['fastest_peer']].title}"
      out.append([label, _short(row[key]), *("-" for _ in names[1:])])
  return out


def heading(row: Mapping[str, Any]) -> str:
  """Returns a game's name and size."""
  return f"{row['game']}: {row['histories']:,} histories"


def show(rows: Sequence[Mapping[str, Any]]) -> None:
  """Prints a table for each game: programs from left to right."""
  names = [
    n for n in table_columns.COLUMNS if any(n in row["cells"] for row in rows)
  ]
  head = ["", *(table_columns.COLUMNS[name].title for name in names)]
  print("rates and times by CPU / by wall; times from the start of a process")
  for row in rows:
    lines = text_lines(row, names)
    print(f"\n{heading(row)}\n")
    print(tables.text(head, lines, tables.page_width()))
