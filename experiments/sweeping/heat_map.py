"""The figure of a sweep: heat maps, or a line over one hyper-parameter."""

from matplotlib import colors, figure
import numpy as np

from experiments.runs import figures
from experiments.sweeping import grid as grid_lib

# Exploitabilities below this are rounding error.
_FLOOR = 1e-16
_MAX_COLUMNS = 3


def draw(grid: grid_lib.Grid, last: np.ndarray, title: str) -> figure.Figure:
  """Returns one heat map for each value of a third hyper-parameter.

  Args:
    grid: The settings. The first two hyper-parameters are the axes; of more
      than three, the best values of the others are shown.
    last: Exploitability at the end, one number per setting.
    title: Names the game, the solver and the conditions.
  """
  # Infinite ones are left white, as those that are no numbers.
  shown = np.where(np.isfinite(last), np.maximum(last, _FLOOR), np.nan)
  columns = list(zip(*grid.settings, strict=True))
  if len(grid.names) == 1:
    return _line(grid.names[0], np.array(columns[0]), shown, title)
  names = grid.names[:3]
  axes_values = [sorted(set(column)) for column in columns[:3]]
  cube = _cube(grid, shown, axes_values)
  finite = np.isfinite(cube).any()
  low, high = (np.nanmin(cube), np.nanmax(cube)) if finite else (1e-3, 1)
  norm = colors.LogNorm(low, high if high > low else 2 * low)
  across = min(cube.shape[2], _MAX_COLUMNS)
  down = -(-cube.shape[2] // across)
  fig, panels = _figure(
    down,
    across,
    (1.5 + 0.62 * cube.shape[1]) * across + 1,
    (1.4 + 0.42 * cube.shape[0]) * down,
    title,
  )
  image = None
  for k, axes in enumerate(panels[: cube.shape[2]]):
    image = _heat_map(axes, cube[:, :, k], axes_values, norm)
    axes.set(xlabel=names[1], ylabel=names[0])
    if len(names) == 3:
      axes.set_title(f"{names[2]} = {axes_values[2][k]:g}", fontsize=9)
  for axes in panels[cube.shape[2] :]:
    axes.set_axis_off()
  if image is not None:
    fig.colorbar(image, ax=panels.tolist(), label="exploitability")
  return fig


def _cube(grid, shown, axes_values):
  """Returns the least numbers by the first three hyper-parameters."""
  cube = np.full([len(values) for values in axes_values], np.nan)
  for setting, value in zip(grid.settings, shown, strict=True):
    at = tuple(
      values.index(x) for values, x in zip(axes_values, setting, strict=False)
    )
    cube[at] = np.fmin(cube[at], value)
  return cube[:, :, None] if cube.ndim == 2 else cube


def _figure(down, across, width, height, title):
  fig = figures.new(max(width, 5.5), max(height, 3.5), title)
  return fig, fig.subplots(down, across, squeeze=False).reshape(-1)


def _line(name, values, shown, title):
  fig, (axes,) = _figure(1, 1, 6, 4, title)
  order = np.argsort(values)
  axes.plot(values[order], shown[order], "o-", color="#00798c")
  axes.set(xlabel=name, ylabel="exploitability")
  if np.isfinite(shown).any():
    axes.set_yscale("log")
  if values.min() > 0:
    axes.set_xscale("log")
  axes.grid(alpha=0.4)
  return fig


def _heat_map(axes, table, values, norm):
  image = axes.imshow(
    table, norm=norm, cmap="viridis_r", origin="lower", aspect="auto"
  )
  axes.set_xticks(range(table.shape[1]), [f"{v:g}" for v in values[1]])
  axes.set_yticks(range(table.shape[0]), [f"{v:g}" for v in values[0]])
  for a, b in np.argwhere(np.isfinite(table)).tolist():
    # Dark cells are those of high numbers.
    dark = norm(table[a, b]) > 0.5
    axes.text(
      b,
      a,
      f"{table[a, b]:.1e}",
      ha="center",
      va="center",
      fontsize=7,
      color="white" if dark else "black",
    )
  return image
