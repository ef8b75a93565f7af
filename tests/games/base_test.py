"""Tests of the policies that every game has."""

from absl.testing import absltest, parameterized
import jax
import numpy as np

from mdrl.games import base
from mdrl.testing import games


def _rows(game, policies):
  for t, policy in zip(game.treeplexes, policies, strict=True):
    for group in t.groups:
      legal = np.asarray(group.view(t.legal))
      yield np.asarray(group.view(policy)), legal


class PoliciesTest(parameterized.TestCase):

  @parameterized.parameters("goofspiel", "kuhn_three_players")
  def test_random_policies_are_distributions(self, name):
    game, _ = games.compiled(name)
    self.assertIsInstance(game, base.Game)
    for rows, legal in _rows(
        game, base.random_policies(game, jax.random.key(0))
    ):
      self.assertTrue((rows[legal] > 0).all())
      self.assertFalse(rows[~legal].any())
      np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-14)

  def test_random_policies_follow_the_key(self):
    game = games.random_matrix_game((2, 5))
    self.assertIsInstance(game, base.Game)
    first = base.random_policies(game, jax.random.key(0))
    again = base.random_policies(game, jax.random.key(0))
    other = base.random_policies(game, jax.random.key(1))
    for a, b, c in zip(first, again, other, strict=True):
      np.testing.assert_array_equal(a, b)
      self.assertTrue((a[1:] != c[1:]).all())

  def test_random_policies_are_uniform_on_the_simplex(self):
    game = games.random_matrix_game((3, 1))
    keys = jax.random.split(jax.random.key(0), 4000)
    draws, alone = jax.vmap(lambda k: base.random_policies(game, k))(keys)
    np.testing.assert_array_equal(alone[:, 1], 1)
    # Of Dirichlet(1, 1, 1): a mean of 1/3 and a variance of 1/18.
    draws = np.asarray(draws)[:, 1:]
    np.testing.assert_allclose(draws.mean(axis=0), 1 / 3, atol=0.02)
    np.testing.assert_allclose(draws.var(axis=0), 1 / 18, atol=0.005)

  def test_uniform_policies(self):
    game, _ = games.compiled("goofspiel")
    for rows, legal in _rows(game, base.uniform_policies(game)):
      width = legal.sum(axis=1, keepdims=True)
      np.testing.assert_allclose(rows, legal / width, rtol=1e-15)


if __name__ == "__main__":
  absltest.main()
