"""Tests of the operators."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl.games import matrix_game
from mdrl.operators import base as operator_lib
from mdrl.trees import quantities


def _sum(seed, count=3, size=4):
  rng = np.random.default_rng(seed)
  return operator_lib.FiniteSum(
    matrices=jnp.asarray(rng.normal(size=(count, size, size))),
    offsets=jnp.asarray(rng.normal(size=(count, size))),
  )


class LinearTest(parameterized.TestCase):
  def test_is_affine(self):
    operator = operator_lib.Linear(
      matrix=jnp.array([[1.0, 2.0], [3.0, 4.0]]), offset=jnp.array([5.0, 6.0])
    )
    np.testing.assert_array_equal(operator(jnp.array([1.0, -1.0])), [4.0, 5.0])

  @parameterized.parameters(((2, 3), (2,)), ((2, 2), (3,)), ((3, 3), (1, 3)))
  def test_refuses_shapes_that_do_not_fit(self, matrix, offset):
    with self.assertRaisesRegex((ValueError, TypeError), "matrix|offset"):
      operator_lib.Linear(matrix=jnp.zeros(matrix), offset=jnp.zeros(offset))


class FiniteSumTest(parameterized.TestCase):
  def test_is_the_mean_of_its_components(self):
    operator = _sum(0)
    point = jnp.asarray(np.random.default_rng(1).normal(size=4))
    self.assertEqual(operator.num_components, 3)
    self.assertIsInstance(operator, operator_lib.SumOperator)
    parts = []
    for i in range(3):
      part = operator.component(jnp.asarray(i), point)
      expected = np.asarray(operator.matrices[i]) @ point + operator.offsets[i]
      np.testing.assert_allclose(part, expected, rtol=1e-13)
      parts.append(part)
    np.testing.assert_allclose(
      operator(point), np.mean(parts, axis=0), rtol=1e-13
    )

  def test_refuses_shapes_that_do_not_fit(self):
    with self.assertRaisesRegex((ValueError, TypeError), "matrices|offsets"):
      operator_lib.FiniteSum(
        matrices=jnp.zeros((3, 2, 2)), offsets=jnp.zeros((2, 2))
      )


class OfGameTest(parameterized.TestCase):
  def test_is_minus_the_gain_of_both_players(self):
    rng = np.random.default_rng(0)
    game = matrix_game.zero_sum_game(rng.normal(size=(3, 5)))
    x, y = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(5))
    # Plans begin with the empty sequence, which is always reached.
    plans = quantities.Plans(
      jnp.asarray(np.concatenate([[1], p])) for p in (x, y)
    )
    gains = game.gains(plans)
    operator = operator_lib.of_game(game)
    value = operator(jnp.asarray(np.concatenate([x, y])))
    expected = -np.concatenate([gains[0][1:], gains[1][1:]])
    np.testing.assert_allclose(value, expected, atol=1e-15)

  def test_is_skew(self):
    payoff = np.random.default_rng(0).normal(size=(3, 2))
    matrix = operator_lib.of_game(matrix_game.zero_sum_game(payoff)).matrix
    np.testing.assert_array_equal(matrix, -matrix.T)

  def test_a_uniform_equilibrium_of_value_zero_is_a_zero(self):
    game = matrix_game.zero_sum_game([[0, 1, -1], [-1, 0, 1], [1, -1, 0]])
    value = operator_lib.of_game(game)(jnp.full(6, 1 / 3))
    np.testing.assert_allclose(value, 0, atol=1e-16)

  @parameterized.parameters(
    (([[1, 2]], [[1, 2]]), "zero_sum=False"),
    ((np.zeros((2, 2, 2)),) * 3, "3 players"),
  )
  def test_refuses_other_games(self, *arguments):
    *payoffs, message = arguments
    payoffs = payoffs[0] if len(payoffs) == 1 else payoffs
    with self.assertRaisesRegex(ValueError, f"`game` must be.*{message}"):
      operator_lib.of_game(matrix_game.matrix_game(payoffs))


if __name__ == "__main__":
  absltest.main()
