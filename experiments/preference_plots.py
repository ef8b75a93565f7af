"""Figures of a run on preference games."""

from collections.abc import Sequence
import pathlib
from typing import Any

from matplotlib import figure, lines
from matplotlib.backends import backend_agg
import mpltern  # noqa: F401  # Registers the ternary projection.
import numpy as np

from experiments import preference_run

# Below this, gaps are rounding error: they may be zero or negative, and are
# drawn here.
_FLOOR = 1e-17
_PANELS = {
    "divergence": "KL from the regularised equilibrium",
    "regularized_gap": "regularised duality gap",
    "duality_gap": "duality gap",
}


def draw_comparison(
    results: Sequence[preference_run.Result], title: str
) -> figure.Figure:
  """Returns all measures against preference queries, one line a result.

  Lines are medians over games; bands reach from the least to the greatest.
  """
  fig = figure.Figure(figsize=(14, 5.5), layout="constrained")
  backend_agg.FigureCanvasAgg(fig)
  fig.suptitle(title, fontsize=11)
  panels = fig.subplots(1, 3)
  styles = _styles(results)
  for axes, (metric, label) in zip(panels, _PANELS.items(), strict=True):
    for result, style in zip(results, styles, strict=True):
      values = np.maximum(result.metrics[metric], _FLOOR)
      # The number of queries has no logarithm before the first.
      shown = (result.queries > 0) & np.isfinite(values).all(axis=1)
      at, values = result.queries[shown], values[shown]
      axes.plot(at, np.median(values, axis=1), **style, linewidth=1.4)
      if values.shape[1] > 1:
        axes.fill_between(
            at,
            values.min(axis=1),
            values.max(axis=1),
            color=style["color"],
            alpha=0.08,
            linewidth=0,
        )
    if any(len(line.get_xdata()) for line in axes.lines):
      axes.set(xscale="log", yscale="log")
    axes.set_xlabel("preference queries")
    axes.set_title(label, fontsize=10)
    axes.grid(which="major", alpha=0.4)
  _legend(fig, results, styles)
  return fig


def draw_simplex(
    results: Sequence[preference_run.Result],
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
  columns = min(6, int(np.ceil(np.sqrt(1.5 * len(results)))))
  rows = -(-len(results) // columns)
  fig = figure.Figure(
      figsize=(max(4.0, 2.6 * columns), 2.9 * rows + 0.8), layout="constrained"
  )
  backend_agg.FigureCanvasAgg(fig)
  fig.suptitle(title, fontsize=11)
  for place, result in enumerate(results):
    axes: Any = fig.add_subplot(
        rows, columns, place + 1, projection="ternary"
    )
    path = result.path[:, 0]
    # What overflow has left is no point of the simplex.
    path = path[np.abs(path.sum(axis=1) - 1) < 1e-3]
    axes.plot(*path.T, color="#00798c", linewidth=1, marker=".", markersize=3)
    axes.plot(*path[:1].T, color="black", marker="o", markersize=4)
    axes.plot(*path[-1:].T, color="#d1495b", marker="o", markersize=5)
    if np.isfinite(equilibrium).all():
      axes.plot(*equilibrium[:, None], "x", color="#e08e00", markersize=7)
    axes.plot(*winner[:, None], "+", color="#5b3fa0", markersize=8)
    axes.set_title(_wrapped(result), fontsize=8, pad=16)
    axes.set_tlabel(names[0], fontsize=8)
    axes.set_llabel(names[1], fontsize=8)
    axes.set_rlabel(names[2], fontsize=8)
    for axis in (axes.taxis, axes.laxis, axes.raxis):
      axis.set_ticks([])
  marks = {
      "start": ("o", "black"),
      "end": ("o", "#d1495b"),
      "regularised equilibrium": ("x", "#e08e00"),
      "minimax winner": ("+", "#5b3fa0"),
  }
  handles = [
      lines.Line2D([], [], linestyle="", marker=m, color=c, label=label)
      for label, (m, c) in marks.items()
  ]
  fig.legend(
      handles=handles, loc="outside lower center", ncols=4, fontsize=8
  )
  return fig


def draw_league(
    names: Sequence[str], rates: np.ndarray, title: str
) -> figure.Figure:
  """Returns the table of win rates, of rows against columns, in colours."""
  size = len(names)
  side = 2.5 + 0.42 * size
  fig = figure.Figure(figsize=(side + 1, side), layout="constrained")
  backend_agg.FigureCanvasAgg(fig)
  axes = fig.subplots()
  reach = max(float(np.abs(rates - 0.5).max()), 1e-9)
  image = axes.imshow(
      rates, cmap="PuOr_r", vmin=0.5 - reach, vmax=0.5 + reach
  )
  axes.set_xticks(range(size), names, rotation=60, ha="right", fontsize=8)
  axes.set_yticks(range(size), names, fontsize=8)
  for a in range(size):
    for b in range(size):
      axes.text(
          b, a, f"{100 * rates[a, b]:.0f}", ha="center", va="center",
          fontsize=6.5,
          color="white" if abs(rates[a, b] - 0.5) > 0.75 * reach else "black",
      )
  fig.colorbar(image, ax=axes, shrink=0.7, label="win rate of the row")
  axes.set_title(title, fontsize=10)
  return fig


def save(path: pathlib.Path, fig: figure.Figure) -> None:
  """Writes a figure as PNG."""
  fig.savefig(path, dpi=130)


def _styles(results):
  colors = ["#00798c", "#d1495b", "#e08e00", "#5b3fa0", "#3c8d2f", "#8c564b",
            "#444444", "#c2569b"]
  dashes = ["-", "--", ":", "-."]
  return [
      {
          "color": colors[k % len(colors)],
          "linestyle": dashes[k // len(colors) % len(dashes)],
      }
      for k in range(len(results))
  ]


def _legend(fig, results, styles):
  handles = [
      lines.Line2D([], [], label=short_label(result, results), **style)
      for result, style in zip(results, styles, strict=True)
  ]
  fig.legend(
      handles=handles, loc="outside lower center", ncols=6, fontsize=8
  )


def short_label(
    result: preference_run.Result, results: Sequence[preference_run.Result]
) -> str:
  """Returns the solver's name, with what tells it from others of that name."""
  same = [r for r in results if r.solver == result.solver]
  label = result.solver
  if len({r.temperature for r in same}) > 1:
    label += f" τ={result.temperature}"
  if len({r.step_size for r in same}) > 1 and result.step_size is not None:
    label += f" η={result.step_size}"
  return label


def _wrapped(result):
  name = result.solver
  if len(name) > 16 and "_" in name:
    head, _, tail = name.partition("_")
    name = f"{head}_\n{tail}"
  return name
