"""The figure that compares solvers: metrics against preference queries.

Each row of panels shows the solvers that approach one target; the solvers of
the other rows are drawn behind them in gray.
"""

from collections.abc import Iterator, Sequence

from matplotlib import figure, lines
import numpy as np

from experiments.preferences import solver_batch
from experiments.registry import preference_solvers
from experiments.runs import figures

# Below this, gaps are rounding error: they may be zero or negative, and are
# drawn here.
_FLOOR = 1e-17
_METRICS = {
  "divergence": "KL from the regularised equilibrium",
  "regularized_gap": "regularised duality gap",
  "duality_gap": "duality gap",
}
# As many as can be told apart; no row of panels has more results.
_COLORS = (
  "#1f77b4",
  "#ff7f0e",
  "#2ca02c",
  "#d62728",
  "#9467bd",
  "#8c564b",
  "#e377c2",
  "#17becf",
  "#bcbd22",
  "#222222",
)
# Several methods are the same in tables: what is drawn later has gaps through
# which the others are seen.
_DASHES = ("-", "--", ":")
_GROUPS = {
  "regularised": "towards the regularised equilibrium",
  "minimax winner": "towards the minimax winner",
  "": "towards something else",
}


def draw(
  results: Sequence[solver_batch.Result],
  labels: Sequence[str],
  title: str,
) -> figure.Figure:
  """Returns the figure.

  Lines are medians over games; bands reach from the least to the greatest. A
  solver that makes all its queries before the first update is a point.
  """
  rows = list(_rows(results))
  fig = figures.new(14.5, 0.9 + 3.5 * len(rows), title)
  grid = fig.subplots(
    len(rows), len(_METRICS), squeeze=False, sharex=True, sharey="col"
  )
  for (group, members), panels in zip(rows, grid, strict=True):
    for axes, metric in zip(panels, _METRICS, strict=True):
      for k, result in enumerate(results):
        if k not in members:
          _line(axes, result, metric, None)
      for place, k in enumerate(members):
        _line(axes, results[k], metric, place)
      axes.grid(which="major", alpha=0.4)
    panels[0].set_ylabel(group, fontsize=9)
    panels[-1].legend(
      handles=[
        _handle(results[k], figures.plain(labels[k]), place)
        for place, k in enumerate(members)
      ],
      loc="center left",
      bbox_to_anchor=(1.01, 0.5),
      fontsize=8,
      frameon=False,
    )
  for axes, label in zip(grid[0], _METRICS.values(), strict=True):
    axes.set_title(label, fontsize=10)
  for axes in grid[-1]:
    axes.set_xlabel("preference queries")
  _rescale(grid)
  return fig


def is_point(result: solver_batch.Result) -> bool:
  """Returns whether all queries are made before the first update."""
  return len(set(result.queries.tolist())) == 1


def _rows(results) -> Iterator[tuple[str, list[int]]]:
  """Yields the results that share a row of panels, and what they share."""
  if len(results) <= len(_COLORS):
    yield "", list(range(len(results)))
    return
  groups = {name: [] for name in _GROUPS}
  for k, result in enumerate(results):
    target = preference_solvers.SOLVERS[result.solver].approaches
    groups[next(name for name in groups if target.startswith(name))].append(k)
  for name, members in groups.items():
    parts = -(-len(members) // len(_COLORS))
    for part in np.array_split(members, parts) if parts else ():
      yield _GROUPS[name], part.tolist()


def _line(axes, result, metric, place):
  """Draws a result, in the colour of its place in the row or in gray."""
  values = np.maximum(result.metrics[metric], _FLOOR)
  # The number of queries has no logarithm before the first.
  shown = (result.queries > 0) & np.isfinite(values).all(axis=1)
  at, values = result.queries[shown], values[shown]
  if is_point(result):
    at, values = at[-1:], values[-1:]
  style = _style(result, place)
  axes.plot(at, np.median(values, axis=1), **style)
  if values.shape[1] > 1 and place is not None:
    low, high = values.min(axis=1), values.max(axis=1)
    color = style["color"]
    axes.fill_between(at, low, high, color=color, alpha=0.08, linewidth=0)


def _style(result, place):
  marker = "D" if is_point(result) else ""
  if place is None:
    return {"color": "#d9d9d9", "linewidth": 0.8, "marker": marker, "zorder": 1}
  dash = place % len(_DASHES)
  return {
    "color": _COLORS[place],
    "linestyle": "" if marker else _DASHES[dash],
    "linewidth": 1.6,
    "marker": marker,
    "zorder": 2 + dash,
  }


def _handle(result, label, place):
  return lines.Line2D([], [], label=label, **_style(result, place))


def _rescale(grid):
  """Makes the axes logarithmic, unless they are empty."""
  for axes in grid.flat:
    if any(len(line.get_xdata()) for line in axes.lines):
      axes.set(xscale="log", yscale="log")
      figures.thin_labels(axes.xaxis)
