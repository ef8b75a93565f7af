"""The figure of a run: exploitability against updates and against seconds.

A run with an equilibrium has a third panel, of the divergence from it.
"""

from collections.abc import Sequence
from typing import Any

from matplotlib import figure
import numpy as np

from experiments.runs import figures

# Below this, exploitability is rounding error: it may be zero or negative, and
# is drawn here.
_FLOOR = 1e-16
_COLORS = {"last": "#d1495b", "average": "#00798c"}
_LABELS = {"last": "last iterate", "average": "average iterate"}


def draw(
  rows: Sequence[dict[str, Any]], title: str, reports: str
) -> figure.Figure:
  """Returns the figure of a trace.

  Args:
    rows: The rows of the trace.
    title: Names the game, the solver and the conditions.
    reports: The iterate that is the result; its line is thicker.
  """
  with_divergence = bool(rows) and "divergence_last" in rows[0]
  fig = figures.new(9 + 4 * with_divergence, 4.2, title)
  panels = fig.subplots(1, 2 + with_divergence)
  panels[1].sharey(panels[0])
  panels[1].tick_params(labelleft=False)
  labels = {"step": "updates", "seconds": "seconds of updates"}
  for axes, key in zip(panels[:2], labels, strict=True):
    # The first state comes before the first update, so it has no logarithm.
    shown = [row for row in rows if row[key] > 0]
    at = np.array([row[key] for row in shown])
    for iterate, color in _COLORS.items():
      gaps = np.array([row[f"exploitability_{iterate}"] for row in shown])
      axes.plot(
        at,
        np.maximum(gaps, _FLOOR),
        marker=".",
        color=color,
        linewidth=2.2 if iterate == reports else 1.2,
        label=_LABELS[iterate] + (" (result)" * (iterate == reports)),
      )
    if shown:
      axes.set(xscale="log", yscale="log")
      figures.thin_labels(axes.xaxis)
    axes.set_xlabel(labels[key])
    axes.grid(which="major", alpha=0.4)
  panels[0].set_ylabel("exploitability")
  panels[0].legend()
  _mark_floor(panels[0], rows)
  if with_divergence:
    _draw_divergence(panels[2], rows, reports)
  return fig


def _mark_floor(axes, rows):
  """Marks where lower exploitabilities are drawn, if there are any."""
  lowest = min(min(row[f"exploitability_{i}"] for i in _COLORS) for row in rows)
  if lowest < _FLOOR:
    axes.axhline(_FLOOR, color="gray", linewidth=0.8, linestyle=":")
    axes.annotate(
      f"{_FLOOR:.0e} or less",
      (0.02, _FLOOR),
      xycoords=("axes fraction", "data"),
      fontsize=8,
      va="bottom",
    )


def _draw_divergence(axes, rows, reports):
  for iterate, color in _COLORS.items():
    # Infinite ones, which are no numbers in a trace, leave a gap.
    found = np.array(
      [row[f"divergence_{iterate}"] for row in rows], dtype=float
    )
    axes.plot(
      [row["step"] for row in rows],
      np.maximum(found, _FLOOR),
      marker=".",
      color=color,
      linewidth=2.2 if iterate == reports else 1.2,
    )
  axes.locator_params(axis="x", nbins=5)
  axes.set(
    yscale="log", xlabel="updates", ylabel="divergence from the equilibrium"
  )
  axes.grid(which="major", alpha=0.4)
