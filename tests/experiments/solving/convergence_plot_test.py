"""Tests that any trace can be drawn on logarithmic axes."""

import itertools
import pathlib
import tempfile

from absl.testing import absltest, parameterized
from matplotlib import image
import numpy as np

from experiments.runs import figures
from experiments.solving import convergence_plot


def _rows(gaps):
  return [
    {
      "step": step,
      "seconds": 0.1 * step,
      "exploitability_last": gap,
      "exploitability_average": abs(gap) + 0.1,
    }
    for step, gap in enumerate(gaps)
  ]


class ConvergencePlotTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.path = pathlib.Path(folder) / "plot.png"

  def _pixels(self, rows):
    figure = convergence_plot.draw(rows, "kuhn_poker cfr", "last")
    figures.save(self.path, figure)
    return image.imread(self.path)

  def test_lines_are_the_trace_above_the_floor(self):
    rows = _rows([1.0, 0.1, -1e-18, 0.0])
    figure = convergence_plot.draw(rows, "kuhn_poker cfr", "last")
    updates, seconds = figure.axes
    last, average = updates.lines[:2]
    np.testing.assert_array_equal(last.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(last.get_ydata(), [0.1, 1e-16, 1e-16])
    np.testing.assert_array_equal(average.get_ydata(), [0.2, 0.1, 0.1])
    np.testing.assert_allclose(seconds.lines[0].get_xdata(), [0.1, 0.2, 0.3])
    self.assertIn("kuhn_poker cfr", figure.get_suptitle())
    for axes in figure.axes:
      self.assertEqual((axes.get_xscale(), axes.get_yscale()), ("log", "log"))

  @parameterized.parameters(0.02, 0.3, 5.0, 4000.0)
  def test_labels_do_not_overlap(self, seconds):
    rows = _rows([1.0, 0.5, 0.1, 0.05, 0.01])
    for row, share in zip(rows, [0, 0.04, 0.2, 0.5, 1], strict=True):
      row["seconds"] = seconds * share
    figure = convergence_plot.draw(rows, "kuhn_poker cfr", "last")
    figure.draw_without_rendering()
    axis = figure.axes[1].xaxis
    boxes = [
      tick.label1.get_window_extent()
      for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]
      if tick.label1.get_text()
      and axis.get_view_interval()[0] <= tick.get_loc()
      and tick.get_loc() <= axis.get_view_interval()[1]
    ]
    self.assertNotEmpty(boxes)
    boxes.sort(key=lambda box: box.x0)
    for left, right in itertools.pairwise(boxes):
      self.assertLess(left.x1, right.x0)

  @parameterized.named_parameters(
    ("usual", [1.0, 0.1, 0.01]),
    ("zero", [1.0, 0.1, 0.0]),
    ("negative rounding error", [1.0, -1e-18, 1e-30]),
    ("all zero", [0.0, 0.0]),
    ("one point", [1.0]),
  )
  def test_draws(self, gaps):
    pixels = self._pixels(_rows(gaps))
    self.assertGreater(pixels.shape[1], 1000)
    self.assertGreater(np.ptp(pixels), 0.5)

  def test_draws_where_the_clock_stood_still(self):
    rows = [{**row, "seconds": 0.0} for row in _rows([1.0, 0.5, 0.1])]
    self._pixels(rows)

  def test_divergences_have_a_panel(self):
    rows = _rows([1.0, 0.1, 0.01])
    for row, found in zip(rows, (2.0, None, 0.5), strict=True):
      row |= {"divergence_last": found, "divergence_average": 0.1}
    panel = convergence_plot.draw(rows, "kuhn_poker cfr", "last").axes[2]
    last, average = panel.lines
    np.testing.assert_array_equal(last.get_xdata(), [0, 1, 2])
    np.testing.assert_array_equal(last.get_ydata(), [2, np.nan, 0.5])
    np.testing.assert_array_equal(average.get_ydata(), [0.1, 0.1, 0.1])
    self._pixels(rows)

  def test_another_trace_is_another_figure(self):
    first = self._pixels(_rows([1.0, 0.1, 0.01]))
    second = self._pixels(_rows([1.0, 0.1, 0.001]))
    self.assertFalse(np.array_equal(first, second))


if __name__ == "__main__":
  absltest.main()
