"""Tests of APO against its recursion, and of what momentum is worth."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.games import matrix_game
from mdrl.solvers import apo, preference_variants
from tests.solvers import preferences as oracle


class APOTest(parameterized.TestCase):
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
      oracle.policy_after(preference_variants.sppo(0.3), game, 40),
      atol=1e-13,
    )

  @parameterized.parameters((0.5, 1), (0.5, 7), (0.9, 30))
  def test_on_a_reward_momentum_is_a_longer_step(self, alpha, count):
    # One player, whose gain is the same wherever it stands.
    reward = np.array([1.0, 0.9, 0.0])
    game = matrix_game.matrix_game([reward])
    eta = 0.01
    policy = oracle.policy_after(
      apo.APO(step_size=eta, momentum=alpha), game, count
    )
    missing = alpha**2 * (1 - alpha**count) / (1 - alpha)
    expected = oracle.softmax(eta * reward * (count - missing) / (1 - alpha))
    np.testing.assert_allclose(policy, expected, atol=1e-14)

  def test_a_step_is_the_proximal_point_of_a_reward(self):
    # What is extrapolated maximises the reward near the policy.
    reward, eta = np.array([1.0, 0.9, 0.0]), 0.7
    game = matrix_game.matrix_game([reward])
    solver = apo.APO(step_size=eta, momentum=0.5)
    state = run.advance(solver, game, run.init(solver, game), 3)
    after = run.advance(solver, game, state, 1)
    (before,) = solver.policies(game, state)

    def objective(logits):
      log_policy = jax.nn.log_softmax(logits)
      log_ratio = log_policy - jnp.log(before[1:])
      return jnp.exp(log_policy) @ (reward - log_ratio / eta)

    slope = jax.grad(objective)(after.stepped[0][1:])
    np.testing.assert_allclose(slope, 0, atol=1e-14)


if __name__ == "__main__":
  absltest.main()
