"""Tests of the simplex of responses, and of what titles of figures say."""

from absl import flags
from absl.testing import absltest, parameterized
import numpy as np

from experiments.preferences import plots, solver_batch
from experiments.preferences import settings as settings_lib


def _result(solver="egpo", step_size=1.0):
  path = np.array([[[0.6, 0.3, 0.1]], [[0.2, 0.3, 0.5]]])
  return solver_batch.Result(
    solver=solver,
    temperature=0.1,
    step_size=step_size,
    steps=np.array([0, 1]),
    queries=np.array([0, 1]),
    metrics={},
    policies=path[-1:],
    path=path,
    seconds=0.0,
    compile_seconds=0.0,
  )


def _draw(results, names):
  even = np.full(3, 1 / 3)
  return plots.draw_simplex(results, names, even, even, "title")


class SimplexTest(parameterized.TestCase):
  @parameterized.parameters(
    (("rock", "scissors", "paper"), ("rock", "scissors", "paper")),
    (("0", "1", "2"), ("response 0", "response 1", "response 2")),
    (("5 $ off", "1%", "x" * 40), (r"5 \$ off", "1%", "x" * 23 + "…")),
  )
  def test_names_its_corners(self, names, expected):
    (axes,) = _draw([_result()], names).axes
    shown = (axes.get_tlabel(), axes.get_llabel(), axes.get_rlabel())
    self.assertEqual(shown, expected)

  def test_settings_of_one_solver_have_titles_of_their_own(self):
    results = [
      _result(),
      _result(step_size=0.5),
      _result("magnetic_preference"),
    ]
    titles = [axes.get_title() for axes in _draw(results, "abc").axes]
    self.assertEqual(
      titles, ["egpo\nη=1.0", "egpo\nη=0.5", "magnetic_\npreference"]
    )


class ConditionsTest(absltest.TestCase):
  def test_of_preferences(self):
    values = flags.FlagValues()
    settings_lib.define(values)
    values(
      [
        "program",
        "--temperature=0.1,0.2",
        "--seed=4",
        "--flip=0.1",
        "--reference=uniform",
        "--comparisons=9",
        "--updates=2000",
      ]
    )
    self.assertEqual(
      settings_lib.read(values, "x").conditions,
      "temperatures 0.1, 0.2, uniform reference, seed 4, 2,000 updates, "
      "raters err with probability 0.1, 9 comparisons of each pair",
    )


if __name__ == "__main__":
  absltest.main()
