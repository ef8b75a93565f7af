"""Tests of the simplex of responses, and of what titles of figures say."""

import pathlib

from absl import flags
from absl.testing import absltest, parameterized
import numpy as np

from experiments.preferences import (
  preference_plots,
  preference_run,
  preference_settings,
)
from experiments.registry import solver_table
from experiments.solving import settings


def _result(solver="egpo", step_size=1.0):
  path = np.array([[[0.6, 0.3, 0.1]], [[0.2, 0.3, 0.5]]])
  return preference_run.Result(
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
  return preference_plots.draw_simplex(results, names, even, even, "title")


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
  def test_of_a_game(self):
    config = solver_table.SOLVERS["magnetic"].defaults
    config = {**config, "step_size": 0.25, "temperature": 0.125}
    asked = settings.Settings(
      game="kuhn_poker",
      solver="magnetic",
      config={**config, "magnet_rate": 0.0},
      out=pathlib.Path("x"),
      updates=1,
      checkpoints=1,
      precision="float32",
      seed=3,
      max_histories=1,
      cache_dir="",
      save_seconds=1.0,
      resume=False,
      overwrite=False,
      reference="qre",
      reference_temperature=0.5,
    )
    self.assertEqual(
      asked.conditions,
      "step_size 0.25, temperature 0.125, magnet_rate 0.0, seed 3, float32, "
      "reference qre at temperature 0.5",
    )

  def test_of_preferences(self):
    values = flags.FlagValues()
    preference_settings.define(values)
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
      preference_settings.read(values, "x").conditions,
      "temperatures 0.1, 0.2, uniform reference, seed 4, 2,000 updates, "
      "raters err with probability 0.1, 9 comparisons of each pair",
    )


if __name__ == "__main__":
  absltest.main()
