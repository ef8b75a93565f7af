"""Tests of exact equilibria against published values."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np
import pytest

from mdrl.evaluation import gaps, linear_program
from mdrl.games import matrix_game, openspiel
from mdrl.testing import games


class LinearProgramTest(parameterized.TestCase):

  @parameterized.parameters(
      ("kuhn", -1 / 18),
      ("leduc", -0.0856064240780),
      ("liars_dice", 1 / 16),
      ("goofspiel", 0.0),
      ("liars_dice(dice_sides=3)", 1 / 9),
  )
  def test_values(self, name, value):
    game, _ = games.compiled(name)
    equilibrium = linear_program.solve(game)
    self.assertAlmostEqual(equilibrium.value, value, delta=1e-11)
    plans = tuple(map(jnp.asarray, equilibrium.plans))
    self.assertLess(abs(float(gaps.exploitability(game, plans))), 1e-11)

  @pytest.mark.slow
  def test_six_sided_liars_dice(self):
    game, _ = openspiel.compile_game("liars_dice")
    value = linear_program.solve(game).value
    self.assertAlmostEqual(value, -7 / 258, delta=1e-9)

  def test_matrix_game_by_hand(self):
    # Mixing evens out 3p = 1 - p.
    game = matrix_game.zero_sum_game([[3.0, 0.0], [0.0, 1.0]])
    value, plans = linear_program.solve(game)
    self.assertAlmostEqual(value, 0.75, delta=1e-12)
    np.testing.assert_allclose(plans[0], [1.0, 0.25, 0.75], atol=1e-12)

  def test_constant_sum(self):
    first = np.array([[3.0, 0.0], [0.0, 1.0]])
    game = matrix_game.matrix_game([first, 5 - first])
    self.assertTrue(game.zero_sum)
    self.assertAlmostEqual(linear_program.solve(game).value, 0.75, delta=1e-12)

  def test_refuses_other_games(self):
    for name in ("general_sum", "kuhn_three_players"):
      with self.assertRaisesRegex(
          ValueError, "`game` must be two-player zero-sum, got"
      ):
        linear_program.solve(games.compiled(name)[0])


if __name__ == "__main__":
  absltest.main()
