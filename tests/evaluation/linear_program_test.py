"""Tests of exact equilibria against published values."""

import inspect
from unittest import mock

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np
import pyspiel
import pytest
from scipy import optimize

from mdrl.compile import openspiel
from mdrl.evaluation import gaps, linear_program
from mdrl.games import matrix_game, tree_game
from mdrl.testing import games
from mdrl.trees import quantities


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
    plans = quantities.Plans(map(jnp.asarray, equilibrium.plans))
    self.assertLess(abs(float(gaps.exploitability(game, plans))), 1e-11)

  @pytest.mark.slow
  def test_six_sided_liars_dice(self):
    game, _ = openspiel.compile_game("liars_dice")
    value = linear_program.solve(game).value
    self.assertAlmostEqual(value, -7 / 258, delta=1e-9)

  def test_matrix_game_by_hand(self):
    # Mixing evens out 3p = 1 - p.
    game = matrix_game.zero_sum_game([[3.0, 0.0], [0.0, 1.0]])
    value, plans, _ = linear_program.solve(game)
    self.assertAlmostEqual(value, 0.75, delta=1e-12)
    np.testing.assert_allclose(plans[0], [1.0, 0.25, 0.75], atol=1e-12)

  def test_constant_sum(self):
    first = np.array([[3.0, 0.0], [0.0, 1.0]])
    game = matrix_game.matrix_game([first, 5 - first])
    self.assertTrue(game.zero_sum)
    self.assertAlmostEqual(linear_program.solve(game).value, 0.75, delta=1e-12)

  @parameterized.parameters(1e-9, 1e-20, 1e-300, 1e300)
  def test_any_unit_of_utility(self, unit):
    payoff = np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    game = matrix_game.zero_sum_game(unit * payoff)
    value, plans, gap = linear_program.solve(game)
    self.assertAlmostEqual(value / unit, 1 / 12, delta=1e-15)
    np.testing.assert_allclose(plans[0], [1, 1 / 4, 5 / 12, 1 / 3], atol=1e-14)
    np.testing.assert_allclose(plans[1], [1, 1 / 3, 5 / 12, 1 / 4], atol=1e-14)
    self.assertLess(abs(gap), 1e-14 * unit)

  def test_a_tree_in_a_tiny_unit(self):
    tables = openspiel.enumerate_tree(pyspiel.load_game("kuhn_poker"))
    tiny = tables._replace(utility=1e-12 * tables.utility)
    value = linear_program.solve(tree_game.build(tiny)[0]).value
    self.assertAlmostEqual(1e12 * value, -1 / 18, delta=1e-12)

  def test_utilities_far_apart(self):
    # Each action is played in inverse proportion to what it may win.
    game = matrix_game.zero_sum_game([[1e6, 0], [0, 1e-6]])
    value, plans, gap = linear_program.solve(game)
    self.assertAlmostEqual(value, 1e-6, delta=1e-17)
    np.testing.assert_allclose(plans[0], [1, 1e-12, 1], rtol=1e-9)
    self.assertLess(abs(gap), 1e-20)
    game = matrix_game.zero_sum_game([[1e8, 0], [0, 1e-8]])
    self.assertAlmostEqual(linear_program.solve(game).value, 1e-8, delta=1e-20)

  @parameterized.parameters(3, 6, 12)
  def test_random_utilities_of_many_sizes(self, digits):
    rng = np.random.default_rng(digits)
    for rows, columns in ((2, 3), (11, 13), (14, 15), (17, 2)):
      shape = (rows, columns)
      sizes = 10 ** rng.uniform(-digits, digits, size=shape)
      payoff = sizes * rng.normal(size=shape)
      equilibrium = linear_program.solve(matrix_game.zero_sum_game(payoff))
      first, second = (p[1:] for p in equilibrium.plans)
      gap = np.max(payoff @ second) - np.min(first @ payoff)
      largest = np.abs(payoff).max()
      self.assertLess(gap, 1e-9 * largest)
      self.assertAlmostEqual(gap, equilibrium.gap, delta=1e-14 * largest)

  def test_a_large_constant_is_left_out(self):
    payoff = np.array([[3.0, 0.0], [0.0, 1.0]])
    game = matrix_game.zero_sum_game(1e10 + payoff)
    value, plans, gap = linear_program.solve(game)
    np.testing.assert_allclose(plans[0], [1, 0.25, 0.75], atol=1e-12)
    self.assertEqual(value, 1e10 + 0.75)
    self.assertLess(abs(gap), 1e-12)

  def test_an_answer_that_is_not_exact_is_refused(self):
    game = matrix_game.zero_sum_game([[3.0, 0.0], [0.0, 1.0]])
    roughly = optimize.OptimizeResult(
      success=True, x=np.array([1.0, 0.5, 0.5, 0.0, 0.0])
    )
    with mock.patch.object(optimize, "linprog", return_value=roughly):
      with self.assertRaisesRegex(
        ValueError, "did not solve to a gap of 1e-09 .* gap of 3.3e-01"
      ):
        linear_program.solve(game)

  def test_single_precision_is_allowed_its_rounding(self):
    # Nearly equal actions, which a constant's rounding orders anew.
    rng = np.random.default_rng(4)
    first = np.tile(rng.normal(size=(3, 3)), (4, 4))
    first += 1e-7 * rng.normal(size=first.shape)
    game = matrix_game.matrix_game([first, 8 - first], jnp.float32)
    gap = linear_program.solve(game).gap
    self.assertGreater(gap, 1e-8)
    self.assertLess(gap, 1e-6)

  def test_winners_are_of_preferences(self):
    game = matrix_game.zero_sum_game([[1.0]])
    with self.assertRaisesRegex(ValueError, "got a MatrixGame; use solve"):
      inspect.unwrap(linear_program.minimax_winner)(game)

  def test_refuses_other_games(self):
    for name in ("general_sum", "kuhn_three_players"):
      with self.assertRaisesRegex(
        ValueError, "`game` must be two-player zero-sum, got"
      ):
        linear_program.solve(games.compiled(name)[0])


class KindTest(absltest.TestCase):
  def test_what_is_no_game_is_refused(self):
    with self.assertRaisesRegex(
      ValueError, "`game` must be a TreeGame or a MatrixGame, got a NoneType"
    ):
      inspect.unwrap(linear_program.solve)(None)


if __name__ == "__main__":
  absltest.main()
