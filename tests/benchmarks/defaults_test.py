"""Tests that defaults converge on random matrices and on those that cycled."""

import contextlib
import io

from absl import flags
from absl.testing import absltest, parameterized
import numpy as np

from benchmarks import defaults

# Matching pennies, rock-paper-scissors and a third; each has its equilibrium
# inside, where steps beyond the bound turn outwards.
_CYCLED = (
  np.array([[1.0, -1.0], [-1.0, 1.0]]),
  np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]),
  np.array([[1.0, -1.0], [1.0, -1.0], [-2.0, 1.0]]),
)


class DefaultsTest(parameterized.TestCase):
  @parameterized.parameters(*defaults.SOLVERS)
  def test_last_iterates_converge(self, solver):
    payoffs = [*_CYCLED, *defaults.matrices(20, seed=1)]
    left = defaults.on_matrices(solver, payoffs, 8_000, seed=1)
    np.testing.assert_array_less(left[: len(_CYCLED)], 1e-9)
    np.testing.assert_array_less(left, 0.03)
    self.assertLess(np.quantile(left, 0.9), 5e-3)

  def test_of_a_tree_whose_uniform_play_is_an_equilibrium(self):
    self.assertLess(defaults.on_tree("magnetic", "matrix_rps", 1), 1e-9)

  def test_a_game_that_is_none(self):
    values = flags.FlagValues()
    defaults.define(values)
    values(["defaults", "--matrices=0", "--games=matrix_rpsx"])
    with (
      contextlib.redirect_stderr(io.StringIO()) as stderr,
      self.assertRaises(SystemExit),
    ):
      defaults.main([], values)
    self.assertStartsWith(stderr.getvalue(), "defaults: `game` must be")

  def test_all_that_report_the_last_iterate_are_there(self):
    self.assertEqual(
      set(defaults.SOLVERS),
      {
        "anchored_mirror_prox",
        "magnetic",
        "magnetic_refreshed",
        "magnetic_annealed",
        "mirror_prox",
        "optimistic",
      },
    )


if __name__ == "__main__":
  absltest.main()
