"""Tests of RLHF: its optimum, and what it makes of cycles it cannot fit."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl.games import preference_game
from mdrl.preferences import models
from mdrl.solvers import rlhf
from tests.solvers import preferences as oracle


class RLHFTest(parameterized.TestCase):
  def test_reaches_the_tilted_reference(self):
    scores = np.array([0.5, -0.3, 1.0])
    game = oracle.game(models.elo(scores))
    solver = rlhf.RLHF(step_size=0.3, temperature=0.5)
    policy = oracle.policy_after(solver, game, 500)
    expected = oracle.softmax(np.log(oracle.REFERENCE) + scores / 0.5)
    np.testing.assert_allclose(policy, expected, atol=1e-12)

  def test_iterates_are_those_of_mirror_ascent(self):
    scores, eta, tau = np.array([0.5, -0.3, 1.0]), 0.3, 0.5
    policy = np.array([0.6, 0.3, 0.1])
    for _ in range(4):
      policy = oracle.softmax(
        (1 - eta * tau) * np.log(policy)
        + eta * tau * np.log(oracle.REFERENCE)
        + eta * scores
      )
    game = oracle.game(models.elo(scores))
    actual = oracle.policy_after(
      rlhf.RLHF(step_size=eta, temperature=tau), game, 4, [0.6, 0.3, 0.1]
    )
    np.testing.assert_allclose(actual, policy, atol=1e-12)

  @parameterized.parameters((-0.1, 1), (0.1, 0))
  def test_three_raters_flip_it(self, epsilon, choice):
    # The rare or frequent rater decides alone between the first and second.
    matrix = models.three_raters(epsilon)
    game = oracle.game(matrix, None)
    solver = rlhf.RLHF(step_size=1.0, temperature=0.0)
    policy = oracle.policy_after(solver, game, 5000)
    self.assertGreater(policy[choice], 0.99)
    self.assertGreater(oracle.gap(matrix, policy), 0.1)

  @parameterized.product(seed=[0, 1, 2], precision=[jnp.float32, jnp.float64])
  def test_responses_that_always_win_leave_numbers(self, seed, precision):
    matrix = models.tournament(6, seed)
    game = preference_game.preference_game(matrix, dtype=precision)
    solver = rlhf.RLHF(step_size=0.5, temperature=0.1)
    policy = oracle.policy_after(solver, game, 500)
    self.assertTrue((policy >= 0).all())
    self.assertAlmostEqual(float(policy.sum()), 1, delta=1e-5)
    # Who wins most often has the highest reward.
    wins = matrix.sum(axis=1)
    self.assertAlmostEqual(
      float(policy[wins == wins.max()].sum()), 1, delta=1e-3
    )

  def test_the_reward_depends_on_the_data(self):
    game = oracle.game(models.dice(), None)
    solver = rlhf.RLHF(step_size=1.0, temperature=1.0)
    policies = [
      oracle.policy_after(solver, game, 200, data)
      for data in ([0.8, 0.1, 0.1], [0.1, 0.8, 0.1])
    ]
    self.assertEqual([int(np.argmax(p)) for p in policies], [2, 0])


if __name__ == "__main__":
  absltest.main()
