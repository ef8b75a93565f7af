"""Tests of APO against its recursion, and of what momentum is worth."""

from absl.testing import absltest
import numpy as np

from mdrl.games import matrix_game
from mdrl.solvers import apo, sppo
from tests.solvers import preferences as oracle


class APOTest(absltest.TestCase):
  def test_iterates_are_those_of_the_recursion(self):
    eta, alpha = 0.7, 0.3
    policy = previous = np.array([0.6, 0.3, 0.1])
    for _ in range(6):
      stepped = oracle.softmax(np.log(policy) + eta * oracle.HARD @ policy)
      policy = oracle.softmax(
        np.log(stepped) + alpha * (np.log(stepped) - np.log(previous))
      )
      previous = stepped
    actual = oracle.policy_after(
      apo.APO(step_size=eta, momentum=alpha),
      oracle.game(oracle.HARD),
      6,
      [0.6, 0.3, 0.1],
    )
    np.testing.assert_allclose(actual, policy, atol=1e-14)

  def test_without_momentum_it_is_sppo(self):
    game = oracle.game(oracle.RANDOM, oracle.RANDOM_REFERENCE)
    np.testing.assert_allclose(
      oracle.policy_after(apo.APO(step_size=0.3, momentum=0.0), game, 40),
      oracle.policy_after(sppo.SPPO(step_size=0.3), game, 40),
      atol=1e-13,
    )

  def test_on_a_reward_momentum_is_a_longer_step(self):
    # One player, whose gain is the same wherever it stands.
    reward = np.array([1.0, 0.9, 0.0])
    game = matrix_game.matrix_game([reward])
    eta, alpha, count = 0.01, 0.5, 200
    policy = oracle.policy_after(
      apo.APO(step_size=eta, momentum=alpha), game, count
    )
    effective = np.log(policy[0] / policy[2]) / count
    # The first steps are shorter, by a geometric series.
    self.assertAlmostEqual(effective, eta / (1 - alpha), delta=eta / count * 3)


if __name__ == "__main__":
  absltest.main()
