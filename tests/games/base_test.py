"""Tests of the policies that every game has."""

from absl.testing import absltest, parameterized
import jax
import numpy as np

from mdrl.games import base as game_lib
from mdrl.testing import games
from mdrl.trees import quantities


def _rows(game, policies):
  for t, policy in zip(game.treeplexes, policies, strict=True):
    for group in t.groups:
      legal = np.asarray(group.view(t.legal))
      yield np.asarray(group.view(policy)), legal


class PoliciesTest(parameterized.TestCase):
  @parameterized.parameters("goofspiel", "kuhn_three_players")
  def test_random_policies_are_distributions(self, name):
    game, _ = games.compiled(name)
    self.assertIsInstance(game, game_lib.Game)
    for rows, legal in _rows(
      game, game_lib.random_policies(game, jax.random.key(0))
    ):
      self.assertTrue((rows[legal] > 0).all())
      self.assertFalse(rows[~legal].any())
      np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-14)

  def test_random_policies_follow_the_key(self):
    game = games.random_matrix_game((2, 5))
    self.assertIsInstance(game, game_lib.Game)
    first = game_lib.random_policies(game, jax.random.key(0))
    again = game_lib.random_policies(game, jax.random.key(0))
    other = game_lib.random_policies(game, jax.random.key(1))
    for a, b, c in zip(first, again, other, strict=True):
      np.testing.assert_array_equal(a, b)
      self.assertTrue((a[1:] != c[1:]).all())

  def test_random_policies_are_uniform_on_the_simplex(self):
    game = games.random_matrix_game((3, 1))
    keys = jax.random.split(jax.random.key(0), 4000)
    draws, alone = jax.vmap(lambda k: game_lib.random_policies(game, k))(keys)
    np.testing.assert_array_equal(alone[:, 1], 1)
    # Of Dirichlet(1, 1, 1): a mean of 1/3 and a variance of 1/18.
    draws = np.asarray(draws)[:, 1:]
    np.testing.assert_allclose(draws.mean(axis=0), 1 / 3, atol=0.02)
    np.testing.assert_allclose(draws.var(axis=0), 1 / 18, atol=0.005)

  def test_uniform_policies(self):
    game, _ = games.compiled("goofspiel")
    for rows, legal in _rows(game, game_lib.uniform_policies(game)):
      width = legal.sum(axis=1, keepdims=True)
      np.testing.assert_allclose(rows, legal / width, rtol=1e-15)


class CheckPoliciesTest(parameterized.TestCase):
  @parameterized.parameters("goofspiel", "kuhn_three_players")
  def test_policies_pass(self, name):
    game, _ = games.compiled(name)
    game_lib.check_policies(game, game_lib.uniform_policies(game))
    for seed in range(3):
      policies = game_lib.random_policies(game, jax.random.key(seed))
      game_lib.check_policies(game, policies)
      game_lib.check_policies(
        game, quantities.Policies(map(np.asarray, policies))
      )
      # Slot 0 carries no choice.
      game_lib.check_policies(
        game, quantities.Policies(p.at[0].set(7.0) for p in policies)
      )

  @parameterized.parameters(
    (np.nan, "got nan at slot 1 of player 1"),
    (-0.5, "got -0.5 at slot 1 of player 1"),
    (np.inf, "got inf at slot 1 of player 1"),
    (0.6, "got a sum of 1.1 at infostate 0 of player 1"),
  )
  def test_others_raise(self, value, message):
    game = games.random_matrix_game((3, 2))
    first, second = game_lib.uniform_policies(game)
    with self.assertRaisesRegex(
      ValueError, f"`start` must be distributions .*{message}; .*to_policy"
    ):
      wrong = quantities.Policies((first, second.at[1].set(value)))
      game_lib.check_policies(game, wrong, "start")

  def test_padding_holds_nothing(self):
    game, _ = games.compiled("leduc")
    policies = list(game_lib.uniform_policies(game))
    player = next(i for i, t in enumerate(game.treeplexes) if not t.legal.all())
    slot = int(np.argmin(game.treeplexes[player].legal))
    policies[player] = policies[player].at[slot].set(0.5)
    with self.assertRaisesRegex(ValueError, f"slot {slot}, which is padding"):
      game_lib.check_policies(game, quantities.Policies(policies))

  def test_of_another_shape_or_type(self):
    game = games.random_matrix_game((3, 2))
    first, second = game_lib.uniform_policies(game)
    for arrays in ((first,), (second, first), first, ()):
      with self.assertRaisesRegex(
        ValueError, r"one array per player, of shapes \[\(4,\), \("
      ):
        game_lib.check_policies(game, quantities.Policies(arrays))
    plans = game.plans(game_lib.uniform_policies(game))
    for other in (first, (first, second), [first, second], plans, None):
      with self.assertRaisesRegex(ValueError, "`policies` must be Policies"):
        game_lib.check_policies(game, other)
    with self.assertRaisesRegex(ValueError, "of float64 .*got float32 for pl"):
      game_lib.check_policies(
        game, quantities.Policies((first.astype(np.float32), second))
      )

  def test_traced_policies_pass(self):
    game = games.random_matrix_game((3, 2))

    @jax.jit
    def check(policies):
      game_lib.check_policies(game, policies)
      return policies

    check(jax.tree.map(lambda p: -p, game_lib.uniform_policies(game)))


if __name__ == "__main__":
  absltest.main()
