"""Tests of the games of the benchmarks."""

import shutil

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import evaluation, game_set, plain_c
from mdrl.compile import openspiel
from mdrl.evaluation import gaps, linear_program
from mdrl.games import base as game_lib
from mdrl.games import matrix_game

_SMALL_MATRIX = "random_matrix(size=7,seed=3)"

needs_cc = pytest.mark.skipif(
  shutil.which("cc") is None,
  reason="the plain C program needs a C compiler, cc",
)


class GamesTest(parameterized.TestCase):
  @parameterized.parameters(*game_set.GAMES)
  def test_every_game_is_there(self, name):
    game_set.check(name)

  def test_poker_has_the_rules_of_leduc(self):
    name = game_set.POKER.replace("numRanks=12", "numRanks=3")
    poker, histories = game_set.load(name, "float64")
    leduc, _ = openspiel.compile_game("leduc_poker", dtype=jnp.float64)
    self.assertEqual(histories, 9457)
    self.assertAlmostEqual(
      linear_program.solve(poker).value, linear_program.solve(leduc).value
    )

  @parameterized.parameters(
    "random_matrix",
    "random_matrix(size=0,seed=0)",
    "random_matrix(size=100000,seed=0)",
    "random_matrix(seed=0,size=3)",
  )
  def test_bad_matrices_are_refused(self, name):
    with self.assertRaisesRegex(ValueError, "size, from 1 to"):
      game_set.check(name)

  def test_unknown_games_are_refused(self):
    with self.assertRaisesRegex(ValueError, "did you mean"):
      game_set.check("kuhn")


class MatrixTest(absltest.TestCase):
  def test_entries_follow_from_the_seed(self):
    payoff = game_set.payoff(_SMALL_MATRIX)
    self.assertEqual(payoff.shape, (7, 7))
    self.assertBetween(np.abs(payoff).max(), 0.5, 1)
    again = game_set.payoff(_SMALL_MATRIX)
    np.testing.assert_array_equal(payoff, again)
    other = game_set.payoff("random_matrix(size=7,seed=4)")
    self.assertFalse((payoff == other).any())

  def test_tables_are_those_of_the_matrix(self):
    payoff = np.random.default_rng(0).uniform(-1, 1, (3, 5))
    judge = evaluation.Judge(game_set.matrix_tables(payoff))
    game = matrix_game.zero_sum_game(payoff, jnp.float64)
    policies = game_lib.uniform_policies(game)
    plans = game.plans(policies)
    self.assertAlmostEqual(
      judge.exploitability([np.asarray(p) for p in plans]),
      float(gaps.exploitability(game, plans)),
    )

  def test_number_of_histories(self):
    game, histories = game_set.load(_SMALL_MATRIX, "float64")
    self.assertEqual(histories, game_set.tables(_SMALL_MATRIX).num_histories)
    self.assertEqual(game.dtype, jnp.float64)

  @needs_cc
  def test_c_finds_the_value(self):
    payoff = np.random.default_rng(1).uniform(-1, 1, (6, 4))
    tables = game_set.matrix_tables(payoff)
    plans = plain_c.cfr_plus(tables, 20_000)
    game = matrix_game.zero_sum_game(payoff, jnp.float64)
    expected = linear_program.solve(game).value
    value = plans[0][1:] @ payoff @ plans[1][1:]
    self.assertAlmostEqual(value, expected, delta=1e-5)
    gap = evaluation.Judge(tables).exploitability(plans)
    self.assertBetween(gap, 0, 1e-4)


if __name__ == "__main__":
  absltest.main()
