"""Creates and saves figures without a display, with titles that fit."""

import pathlib
import textwrap
from typing import BinaryIO

from matplotlib import figure, ticker
from matplotlib.axis import Axis
from matplotlib.backends import backend_agg

_TITLE_SIZE = 11
# Characters of that size in an inch, a little fewer than there is room for.
_PER_INCH = 11.5


def new(width: float, height: float, title: str) -> figure.Figure:
  """Returns an empty figure.

  Args:
    width: In inches.
    height: In inches, the title included.
    title: Its lines are broken where they would not fit.
  """
  fig = figure.Figure(figsize=(width, height), layout="constrained")
  backend_agg.FigureCanvasAgg(fig)
  lines = [
    part
    for line in title.split("\n")
    for part in textwrap.wrap(line, int(width * _PER_INCH))
  ]
  fig.suptitle(plain("\n".join(lines)), fontsize=_TITLE_SIZE)
  return fig


def thin_labels(axis: Axis) -> None:
  """Thins the labels of a logarithmic axis so that they do not overlap."""
  axis.set_major_locator(ticker.LogLocator(subs=(1.0,)))
  low, high = sorted(axis.get_view_interval())
  if high < 30 * low:
    # There may be one power of ten in it, or none.
    axis.set_major_locator(ticker.LogLocator(subs=(1.0, 3.0)))
  axis.set_minor_formatter(ticker.NullFormatter())


def plain(text: str) -> str:
  """Escapes text for matplotlib, so that dollar signs start no formula."""
  # Names of files need not be text.
  return text.encode("utf-8", "replace").decode().replace("$", r"\$")


def save(
  file: pathlib.Path | BinaryIO, fig: figure.Figure, dpi: int = 150
) -> None:
  """Writes a figure as PNG."""
  fig.savefig(file, format="png", dpi=dpi)
