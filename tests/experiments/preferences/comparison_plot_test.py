"""Tests of the figure that compares solvers: nothing hides in it."""

import pathlib
import tempfile

from absl.testing import absltest
from matplotlib import image
import numpy as np

from experiments.preferences import comparison_plot, solver_batch
from experiments.registry import preference_solvers
from experiments.runs import figures


def _result(solver, number=0, num_games=1):
  steps = np.array([0, 1, 10, 100])
  once = solver == "rlhf"
  values = np.outer(0.1 ** np.arange(4), 1 + np.arange(num_games) + number)
  return solver_batch.Result(
    solver=solver,
    temperature=0.1,
    step_size=None,
    steps=steps,
    queries=np.full(4, 3) if once else steps,
    metrics={
      name: values for name in ("divergence", "regularized_gap", "duality_gap")
    },
    policies=np.full((num_games, 1, 3), 1 / 3),
    path=np.full((4, 1, 3), 1 / 3),
    seconds=0.0,
    compile_seconds=0.0,
  )


def _draw(results, title="title"):
  labels = [f"{r.solver} {k}" for k, r in enumerate(results)]
  return comparison_plot.draw(results, labels, title)


def _foreground(axes):
  return [line for line in axes.lines if line.get_zorder() > 1]


class ComparisonPlotTest(absltest.TestCase):
  def test_all_solvers_have_hues_of_their_own_among_their_like(self):
    results = [
      _result(name, k) for k, name in enumerate(preference_solvers.SOLVERS)
    ]
    fig = _draw(results)
    self.assertLen(fig.axes, 9)
    labels = []
    for row in range(3):
      panels = fig.axes[3 * row : 3 * row + 3]
      (legend,) = [p.get_legend() for p in panels if p.get_legend()]
      shown = [text.get_text() for text in legend.get_texts()]
      labels += shown
      for axes in panels:
        lines = _foreground(axes)
        self.assertLen(lines, len(shown))
        self.assertLen({line.get_color() for line in lines}, len(shown))
        # The others stand behind.
        self.assertLen(axes.lines, len(results))
    self.assertLen(set(labels), len(results))

  def test_sweeps_go_on_in_further_rows(self):
    fig = _draw([_result("egpo", k) for k in range(25)])
    self.assertLen(fig.axes, 9)
    counts = [len(_foreground(axes)) for axes in fig.axes[::3]]
    self.assertEqual(counts, [9, 8, 8])

  def test_few_results_share_a_row(self):
    fig = _draw([_result("egpo"), _result("sppo", 1)])
    self.assertLen(fig.axes, 3)

  def test_a_method_that_asks_once_is_a_point(self):
    fig = _draw([_result("egpo"), _result("rlhf")])
    line, point = _foreground(fig.axes[0])
    np.testing.assert_array_equal(line.get_xdata(), [1, 10, 100])
    np.testing.assert_array_equal(point.get_xdata(), [3])
    np.testing.assert_allclose(point.get_ydata(), [1e-3])
    self.assertEqual(point.get_marker(), "D")
    self.assertEqual(line.get_marker(), "")

  def test_games_are_a_band(self):
    fig = _draw([_result("egpo", num_games=3)])
    np.testing.assert_allclose(
      _foreground(fig.axes[0])[0].get_ydata(), [0.2, 0.02, 0.002]
    )
    self.assertLen(fig.axes[0].collections, 1)


class FiguresTest(absltest.TestCase):
  def test_titles_are_no_formulas_and_fit(self):
    name = "a $\\frac{$ file \udcff of a rather long name, and some more words"
    fig = figures.new(4, 3, f"{name}\nseed 0")
    lines = fig.get_suptitle().split("\n")
    self.assertGreater(len(lines), 2)
    self.assertLessEqual(max(map(len, lines)), 50)
    with tempfile.TemporaryDirectory() as folder:
      path = pathlib.Path(folder) / "figure.png"
      figures.save(path, fig)
      pixels = image.imread(path)[:, :, 0]
    dark = np.flatnonzero((pixels < 0.5).any(axis=0))
    self.assertGreater(dark[0], 2)
    self.assertLess(dark[-1], pixels.shape[1] - 3)


if __name__ == "__main__":
  absltest.main()
