"""The table of solvers as text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich import box, console, table

from benchmarks import race, suite

_WIDTH = 190
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


def _pair(solver, first, second):
  """Returns the cell of two figures of a solver."""

  def cell(by_solver):
    figures = by_solver.get(solver, {})
    shown = [_short(figures.get(name)) for name in (first, second)]
    return None if shown == ["-", "-"] else " / ".join(shown)

  return cell


def _start(*names):
  """Returns the cell of figures of a column's first solver."""

  def cell(by_solver):
    figures = next(iter(by_solver.values()), {})
    shown = [_short(figures[n]) for n in names if figures.get(n) is not None]
    return " / ".join(shown) or None

  return cell


def _lines() -> Iterator[_Line]:
  """Yields the lines of a game."""
  for solver, label in _SOLVERS.items():
    yield _Line(
        f"{label}, updates/s",
        _pair(solver, "updates_per_cpu_second", "updates_per_wall_second"),
    )
  for solver, label in _SOLVERS.items():
    for target in race.TARGETS:
      yield _Line(
          f"{label}, s to {target:g}",
          _pair(
              solver,
              f"cpu_seconds_to_{target:g}",
              f"wall_seconds_to_{target:g}",
          ),
      )
  yield _Line("build, s", _start("build_seconds"))
  yield _Line(
      "compile, s, cold / warm",
      _start("compile_seconds", "warm_compile_seconds"),
  )
  yield _Line("peak memory, MB", _start("peak_megabytes"))


def _short(value: float | None) -> str:
  """Returns a number in at most six characters."""
  if value is None:
    return "-"
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
        label += f" {suite.COLUMNS[row['fastest_peer']].title}"
      out.append([label, _short(row[key]), *("-" for _ in names[1:])])
  return out


def show(rows: Sequence[Mapping[str, Any]]) -> None:
  """Prints the table: games from top to bottom, programs from left to right."""
  names = [n for n in suite.COLUMNS if any(n in row["cells"] for row in rows)]
  grid = table.Table(
      box=box.SIMPLE_HEAD,
      title="rates and times by CPU / by wall; times from the start of a "
      "process",
  )
  grid.add_column("")
  for name in names:
    grid.add_column(suite.COLUMNS[name].title, justify="right")
  for row in rows:
    game = row["game"].split("(")[0] + " …" * ("(" in row["game"])
    grid.add_row(f"[bold]{game}[/], {row['histories']:,} histories")
    for line in text_lines(row, names):
      grid.add_row(*line)
    grid.add_section()
  console.Console(width=_WIDTH).print(grid)
