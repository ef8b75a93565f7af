"""Tests of matrix games against sums by hand and OpenSpiel's."""

import inspect

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pyspiel

from mdrl import testing
from mdrl.compile import openspiel
from mdrl.games import matrix_game
from mdrl.testing import games
from mdrl.trees import quantities


def _policies(shape, seed=0):
  """Returns random probabilities of each player's actions."""
  rng = np.random.default_rng(seed)
  return [rng.dirichlet(np.ones(n)) for n in shape]


def _flat(policies):
  return quantities.Policies(
    jnp.asarray(np.concatenate([[1], p])) for p in policies
  )


@jax.jit
def _evaluate(game, policies):
  plans = game.plans(policies)
  return plans, game.gains(plans), game.values(plans)


class MatrixGameTest(parameterized.TestCase):
  def _assert_evaluates(self, game, policies, gains, values):
    plans, actual_gains, actual_values = _evaluate(game, _flat(policies))
    for plan, policy in zip(plans, policies, strict=True):
      np.testing.assert_array_equal(plan, np.concatenate([[1], policy]))
    for actual, gain in zip(actual_gains, gains, strict=True):
      self.assertEqual(actual[0], 0)
      np.testing.assert_allclose(actual[1:], gain, rtol=0, atol=1e-14)
    np.testing.assert_allclose(actual_values, values, rtol=0, atol=1e-14)

  def test_one_player(self):
    utility = np.array([3.0, -1.0, 0.5])
    policies = _policies((3,))
    game = matrix_game.matrix_game([utility])
    (x,) = policies
    self._assert_evaluates(game, policies, [utility], [utility @ x])
    self.assertFalse(game.zero_sum)

  def test_two_players(self):
    game = games.random_matrix_game((2, 5), seed=1)
    first, second = (np.asarray(p) for p in game.payoffs)
    x, y = policies = _policies((2, 5))
    self._assert_evaluates(
      game,
      policies,
      [first @ y, x @ second],
      [x @ first @ y, x @ second @ y],
    )

  def test_three_players(self):
    game = games.random_matrix_game((2, 4, 3), seed=2)
    a, b, c = (np.asarray(p) for p in game.payoffs)
    x, y, z = policies = _policies((2, 4, 3))
    self._assert_evaluates(
      game,
      policies,
      [
        np.einsum("ijk,j,k->i", a, y, z),
        np.einsum("ijk,i,k->j", b, x, z),
        np.einsum("ijk,i,j->k", c, x, y),
      ],
      [np.einsum("ijk,i,j,k->", u, x, y, z) for u in (a, b, c)],
    )

  def test_a_game_by_hand(self):
    # Battle of the sexes at (2/3, 1/3) and (1/4, 3/4).
    game = matrix_game.matrix_game([[[2, 0], [0, 1]], [[1, 0], [0, 2]]])
    self._assert_evaluates(
      game,
      [[2 / 3, 1 / 3], [1 / 4, 3 / 4]],
      [[1 / 2, 3 / 4], [2 / 3, 2 / 3]],
      [7 / 12, 2 / 3],
    )

  def test_keeps_the_contract_of_games(self):
    testing.check_game(games.random_matrix_game((2, 4, 3)))

  def test_equals_its_compiled_tree_of_two_players(self):
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 2, 3))
    theirs = pyspiel.create_matrix_game(
      "ragged", "ragged", ["a", "b"], ["c", "d", "e"], first, second
    )
    self._assert_equals_tree([first, second], theirs)

  def test_equals_its_compiled_tree_of_three_players(self):
    rng = np.random.default_rng(0)
    utilities = list(rng.normal(size=(3, 2, 4, 3)))
    names = [[f"{i}{k}" for k in range(n)] for i, n in enumerate((2, 4, 3))]
    theirs = pyspiel.create_tensor_game(
      "ragged", "ragged", names, [u.ravel().tolist() for u in utilities]
    )
    self._assert_equals_tree(utilities, theirs)

  def _assert_equals_tree(self, utilities, theirs):
    shape = utilities[0].shape
    tree, index = openspiel.compile_game(theirs)
    game = matrix_game.matrix_game(utilities)
    self.assertEqual(
      [t.num_slots for t in tree.treeplexes], [1 + n for n in shape]
    )
    for player, n in zip(index.players, shape, strict=True):
      np.testing.assert_array_equal(player.action, np.arange(-1, n))
    policies = _flat(_policies(shape))
    for ours, other in zip(
      jax.tree.leaves(_evaluate(game, policies)),
      jax.tree.leaves(_evaluate(tree, policies)),
      strict=True,
    ):
      np.testing.assert_allclose(ours, other, rtol=0, atol=1e-14)

  def test_zero_sum(self):
    game = matrix_game.zero_sum_game([[1, -2, 0], [0.5, 3, -1]])
    self.assertTrue(game.zero_sum)
    np.testing.assert_array_equal(game.payoffs[1], -game.payoffs[0])
    first = np.asarray(game.payoffs[0])
    constant = matrix_game.matrix_game([first, 7 - first])
    self.assertTrue(constant.zero_sum)
    self.assertFalse(matrix_game.matrix_game([first, first]).zero_sum)
    second = -first
    second[0, 0] += 1e-6
    self.assertFalse(matrix_game.matrix_game([first, second]).zero_sum)

  @parameterized.parameters(1e-300, 1e-10, 1e10, 5e307)
  def test_zero_sum_in_any_unit(self, unit):
    first = unit * np.array([[1, -2, 0], [0.5, 3, -1]])
    self.assertTrue(matrix_game.matrix_game([first, -first]).zero_sum)
    for second in (first, -first + unit * np.eye(2, 3) / 1000):
      self.assertFalse(matrix_game.matrix_game([first, second]).zero_sum)

  @parameterized.parameters(jnp.float32, jnp.float64)
  def test_dtype(self, dtype):
    game = matrix_game.zero_sum_game([[1, 2], [3, 4]], dtype)
    self.assertEqual(game.dtype, dtype)
    policies = quantities.Policies(t.uniform for t in game.treeplexes)
    for x in jax.tree.leaves(_evaluate(game, policies)):
      self.assertEqual(x.dtype, dtype)


class ErrorsTest(parameterized.TestCase):
  def test_a_number_is_no_list_of_payoffs(self):
    with self.assertRaisesRegex(ValueError, "one array per player, got 3"):
      inspect.unwrap(matrix_game.matrix_game)(3)

  @parameterized.parameters(
    ([np.zeros((2, 3))], r"\[\(2, 3\)\]"),
    ([np.zeros((2, 3)), np.zeros((3, 2))], r"\[\(2, 3\), \(3, 2\)\]"),
    ([np.zeros(2), np.zeros(2)], r"\[\(2,\), \(2,\)\]"),
    ([np.zeros((2, 2))] * 3, r"\[\(2, 2\), \(2, 2\), \(2, 2\)\]"),
    ([1.0], r"\[\(\)\]"),
    ([], r"\[\]"),
    ([np.zeros((0, 2))] * 2, r"\[\(0, 2\), \(0, 2\)\]"),
  )
  def test_shapes_must_fit(self, payoffs, shapes):
    with self.assertRaisesRegex(
      ValueError, f"`payoffs` must hold .* per player.*got shapes {shapes}"
    ):
      matrix_game.matrix_game(payoffs)

  @parameterized.parameters(np.nan, np.inf, -np.inf)
  def test_payoffs_must_be_finite(self, value):
    second = np.zeros((2, 3))
    second[1, 2] = value
    with self.assertRaisesRegex(
      ValueError,
      rf"`payoffs` must be finite, got {value} for player 1 at actions "
      r"\[1, 2\]",
    ):
      matrix_game.matrix_game([np.zeros((2, 3)), second])

  @parameterized.parameters((np.zeros(3),), (np.zeros((2, 2, 2)),))
  def test_a_zero_sum_game_is_of_a_matrix(self, payoff):
    with self.assertRaisesRegex(
      ValueError, "`payoff` must be a matrix, got .*; use matrix_game"
    ):
      matrix_game.zero_sum_game(payoff)

  @parameterized.parameters(
    ([[1 + 0j, 2]], "must be an array of real numbers, .*complex128"),
    ([["1", "2"]], "must be an array of real numbers"),
    ([[True, False]], "must be an array of real numbers, .*bool"),
    ([[1, 2], [3]], "must be an array of real numbers, got"),
  )
  def test_payoffs_are_real_numbers(self, payoff, message):
    with self.assertRaisesRegex(ValueError, f"`payoff` {message}"):
      matrix_game.zero_sum_game(payoff)
    with self.assertRaisesRegex(ValueError, f"`payoffs` {message}"):
      matrix_game.matrix_game([payoff, payoff])

  @parameterized.parameters(1e300, 1e-300)
  def test_payoffs_fit_the_dtype(self, unit):
    with self.assertRaisesRegex(
      ValueError, r"`payoffs` must fit float32, .* got 1e[+-]300 as the larg"
    ):
      matrix_game.zero_sum_game([[unit, 0]], jnp.float32)
    self.assertEqual(matrix_game.zero_sum_game([[unit]]).payoffs[0], unit)

  @parameterized.parameters(int, "int32", complex, bool, "fast")
  def test_the_dtype_is_a_floating_type(self, dtype):
    with self.assertRaisesRegex(ValueError, "`dtype` must be a floating type"):
      matrix_game.zero_sum_game([[1, 2]], dtype)

  def test_masked_payoffs(self):
    payoff = np.ma.masked_array([[1.0, 2.0]], [[True, False]])
    with self.assertRaisesRegex(ValueError, "got a masked array; fill it"):
      matrix_game.zero_sum_game(payoff)
    matrix_game.zero_sum_game(np.ma.masked_array([[1.0, 2.0]]))


if __name__ == "__main__":
  absltest.main()
