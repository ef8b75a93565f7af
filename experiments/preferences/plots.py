"""Figures of a run on preference games."""

from collections.abc import Sequence
from typing import Any

from matplotlib import figure, lines
import mpltern  # noqa: F401  # Registers the ternary projection.
import numpy as np

from experiments.preferences import solver_batch
from experiments.runs import figures

# Markers and colours of points on the simplex.
_MARKS = {
  "start": ("o", "black"),
  "end": ("o", "#d1495b"),
  "regularised equilibrium": ("x", "#e08e00"),
  "minimax winner": ("+", "#5b3fa0"),
}
# Characters of a corner's name.
_LONGEST = 24


def draw_simplex(
  results: Sequence[solver_batch.Result],
  names: Sequence[str],
  equilibrium: np.ndarray,
  winner: np.ndarray,
  title: str,
) -> figure.Figure:
  """Returns the paths of policies over three responses, one panel a result.

  Args:
    results: What was run; paths are those of the first game and context.
    names: Of the responses.
    equilibrium: The regularised one, of the first temperature.
    winner: A minimax winner.
    title: Of the figure.
  """
  columns = min(6, len(results), int(np.ceil(np.sqrt(1.5 * len(results)))))
  rows = -(-len(results) // columns)
  fig = figures.new(max(5.5, 2.9 * columns), 2.9 * rows + 1.2, title)
  for place, result in enumerate(results):
    axes: Any = fig.add_subplot(rows, columns, place + 1, projection="ternary")
    _draw_path(axes, result.path[:, 0], equilibrium, winner)
    label = short_label(result, results)
    axes.set_title("\n".join(_broken(label)), fontsize=8, pad=16)
    top, left, right = (figures.plain(_corner(name)) for name in names)
    axes.set_tlabel(top, fontsize=8)
    axes.set_llabel(left, fontsize=8)
    axes.set_rlabel(right, fontsize=8)
    for axis in (axes.taxis, axes.laxis, axes.raxis):
      axis.set_ticks([])
  handles = [
    lines.Line2D([], [], linestyle="", marker=m, color=c, label=label)
    for label, (m, c) in _MARKS.items()
  ]
  fig.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8)
  return fig


def _draw_path(axes, path, equilibrium, winner):
  # What overflow has left is no point of the simplex.
  path = path[np.abs(path.sum(axis=1) - 1) < 1e-3]
  axes.plot(*path.T, color="#00798c", linewidth=1, marker=".", markersize=3)
  points = zip(
    (path[:1], path[-1:], equilibrium[None], winner[None]),
    _MARKS.values(),
    (4, 5, 7, 8),
    strict=True,
  )
  for point, (marker, color), size in points:
    if np.isfinite(point).all():
      # Those in a corner are whole as well.
      axes.plot(*point.T, marker, color=color, markersize=size, clip_on=False)


def draw_league(
  names: Sequence[str], rates: np.ndarray, held: np.ndarray, title: str
) -> figure.Figure:
  """Returns the table of win rates, of rows against columns, in colours.

  Args:
    names: Of the contestants.
    rates: Mean win rates of rows against columns.
    held: Win rate that a best response holds each to, by game.
    title: Of the figure.
  """
  size = len(names)
  rates = np.column_stack([rates, held.mean(axis=0), held.min(axis=0)])
  side = 2.5 + 0.42 * size
  fig = figures.new(side + 1, side + 0.4, title)
  axes = fig.subplots()
  reach = max(float(np.abs(rates - 0.5).max()), 1e-9)
  image = axes.imshow(rates, cmap="PuOr_r", vmin=0.5 - reach, vmax=0.5 + reach)
  names = [figures.plain(name) for name in names]
  columns = [*names, "best response", "best response, worst game"]
  axes.set_xticks(range(size + 2), columns, rotation=60, ha="right", fontsize=8)
  axes.axvline(size - 0.5, color="black", linewidth=1.5)
  axes.set_yticks(range(size), names, fontsize=8)
  for a in range(size):
    for b in range(size + 2):
      axes.text(
        b,
        a,
        f"{100 * rates[a, b]:.0f}",
        ha="center",
        va="center",
        fontsize=6.5,
        color="white" if abs(rates[a, b] - 0.5) > 0.75 * reach else "black",
      )
  fig.colorbar(image, ax=axes, shrink=0.7, label="win rate of the row")
  return fig


def short_label(
  result: solver_batch.Result, results: Sequence[solver_batch.Result]
) -> str:
  """Returns the solver's name, with hyper-parameters that distinguish it."""
  same = [r for r in results if r.solver == result.solver]
  label = result.solver
  if len({r.temperature for r in same}) > 1:
    label += f" τ={result.temperature}"
  if len({r.step_size for r in same}) > 1 and result.step_size is not None:
    label += f" η={result.step_size}"
  return label


def _corner(name):
  """Returns a response's name; a bare number would look like a tick label."""
  name = f"response {name}" if name.isdigit() else name
  return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _broken(label):
  """Yields a label in lines: a long name of two words, then its settings."""
  name, *settings = label.split(" ")
  if len(name) > 16 and "_" in name:
    head, _, name = name.partition("_")
    yield f"{head}_"
  yield name
  if settings:
    yield " ".join(settings)
