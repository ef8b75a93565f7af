"""Tests of `experiments.sweeping.grid`."""

from absl.testing import absltest, parameterized

from experiments.registry import game_solvers
from experiments.sweeping import grid as grid_lib


class SweepGridTest(parameterized.TestCase):
  def test_settings_are_all_combinations(self):
    grid = grid_lib.read(
      "magnetic",
      "step_size = 0.1, 1e-2 ; temperature=0.5",
      "normalize=false; mirror_map=entropy",
    )
    self.assertEqual(grid.names, ("step_size", "temperature"))
    self.assertEqual(grid.settings, ((0.1, 0.5), (0.01, 0.5)))
    values = grid.values(grid.settings[1])
    self.assertEqual(
      values,
      game_solvers.SOLVERS["magnetic"].defaults
      | {
        "step_size": 0.01,
        "temperature": 0.5,
        "normalize": False,
        "mirror_map": "entropy",
      },
    )

  @parameterized.parameters(
    ("", "", "must name a hyper-parameter of magnetic"),
    ("step_size", "", "NAME=VALUE"),
    ("step_size=", "", "NAME=VALUE"),
    ("step_size=1;step_size=2", "", "each name once"),
    ("step_size=1,1", "", "each value once"),
    ("step_size=1,x", "", "numbers, got 'x'"),
    ("step_size=nan", "", "numbers, got 'nan'"),
    ("positive_power=1", "", "no hyper-parameter of magnetic"),
    ("mirror_map=entropy", "", "is a choice"),
    ("step_size=1", "step_size=2", "which --grid sweeps over"),
    ("step_size=1", "alternating=true", "no hyper-parameter"),
    ("step_size=1", "normalize=yes", "true or false"),
    ("step_size=1", "temperature=x", "numbers, got 'x'"),
    ("step_delay=1,2", "", "step_power"),
    ("tsallis_order=0.5,1.5", "", "mirror_map=tsallis"),
    ("magnet_power=0.5", "magnet_rate=0", "magnet_rate is 0"),
    ("temperature_power=0.5", "temperature=0", "temperature is 0"),
    ("average_power=0,1", "", "`--grid` has average_power.*last iterate"),
    ("step_size=1", "average_power=2", "`--fixed` has average_power"),
  )
  def test_what_is_wrong(self, grid, fixed, message):
    with self.assertRaisesRegex(ValueError, message):
      grid_lib.read("magnetic", grid, fixed)

  def test_periods_are_whole(self):
    grid = grid_lib.read("magnetic_refreshed", "period=5,10", "")
    self.assertEqual(grid.settings, ((5,), (10,)))
    with self.assertRaisesRegex(ValueError, "whole numbers, got '2.5'"):
      grid_lib.read("magnetic_refreshed", "period=2.5", "")

  def test_dependent_hyperparameters_may_be_swept_together(self):
    grid = grid_lib.read("magnetic", "step_delay=1,2", "step_power=0.5")
    self.assertLen(grid.settings, 2)

  def test_the_order_of_values_does_not_matter(self):
    for powers in ("0,0.5", "0.5,0"):
      grid = grid_lib.read("magnetic", f"step_power={powers}", "step_delay=3")
      self.assertLen(grid.settings, 2)

  def test_what_is_fixed_may_depend_on_what_is_swept(self):
    grid = grid_lib.read("magnetic", "step_power=0.5,1", "step_delay=3")
    self.assertEqual(grid.fixed["step_delay"], 3)
    self.assertEqual(grid.fixed["step_power"], 0)
    self.assertEqual(grid.values(grid.settings[1])["step_power"], 1)


if __name__ == "__main__":
  absltest.main()
