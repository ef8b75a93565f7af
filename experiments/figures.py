"""Figures without a window, with titles that fit them."""

import pathlib
import textwrap
from typing import BinaryIO

from matplotlib import figure
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


def plain(text: str) -> str:
  """Returns text that matplotlib can draw, dollar signs being no formulas."""
  # Names of files need not be text.
  return text.encode("utf-8", "replace").decode().replace("$", r"\$")


def save(
    file: pathlib.Path | BinaryIO, fig: figure.Figure, dpi: int = 150
) -> None:
  """Writes a figure as PNG."""
  fig.savefig(file, format="png", dpi=dpi)
