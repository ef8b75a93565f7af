"""Tests of the unit of utility against dense linear algebra."""

from absl.testing import absltest, parameterized
import jax
import numpy as np

from mdrl import struct
from mdrl.evaluation import payoff_norm
from mdrl.games import base
from mdrl.testing import games


def _dense_norm(game):
  """The largest singular value of the whole matrix of derivatives."""
  plans = game.plans(base.uniform_policies(game))
  jacobian = jax.jacobian(game.gains)(plans)
  return np.linalg.norm(np.block([list(row) for row in jacobian]), 2)


class PayoffNormTest(parameterized.TestCase):

  @parameterized.parameters("kuhn", "kuhn_three_players", "general_sum")
  def test_is_the_spectral_norm_of_the_derivative(self, name):
    game, _ = games.compiled(name)
    np.testing.assert_allclose(
        payoff_norm.payoff_norm(game), _dense_norm(game), rtol=1e-3
    )

  def test_is_the_largest_singular_value_of_a_zero_sum_matrix(self):
    game = games.random_zero_sum_game(4, 3, seed=1)
    expected = np.linalg.norm(np.asarray(game.payoffs[0]), 2)
    found = payoff_norm.payoff_norm(game)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    self.assertEqual(found, float(f"{found:.4g}"))

  def test_is_one_where_nothing_is_paid(self):
    game = games.random_zero_sum_game(2, 2)
    zero = tuple(0 * p for p in game.payoffs)
    self.assertEqual(
        payoff_norm.payoff_norm(struct.replace(game, payoffs=zero)), 1.0
    )


if __name__ == "__main__":
  absltest.main()
