"""Tests of SPPO: multiplicative weights, whose last iterate moves away."""

from absl.testing import absltest
import numpy as np

from mdrl.solvers import mirror_descent, schedules, sppo
from tests.solvers import preferences as oracle


class SPPOTest(absltest.TestCase):
  def test_iterates_are_those_of_multiplicative_weights(self):
    policy = np.array([0.6, 0.3, 0.1])
    for _ in range(5):
      policy = policy * np.exp(0.7 * oracle.HARD @ policy)
      policy /= policy.sum()
    actual = oracle.policy_after(
      sppo.SPPO(step_size=0.7), oracle.game(oracle.HARD), 5, [0.6, 0.3, 0.1]
    )
    np.testing.assert_allclose(actual, policy, atol=1e-14)

  def test_the_loss_is_zero_up_to_its_constant(self):
    before, eta = np.array([0.6, 0.3, 0.1]), 0.5
    game = oracle.game(oracle.HARD)
    after = oracle.policy_after(sppo.SPPO(step_size=eta), game, 1, before)
    error = np.log(after / before) - eta * (oracle.HARD @ before - 0.5)
    np.testing.assert_allclose(error, error[0], atol=1e-14)
    # The paper's constant is zero here; the exact one is of second order.
    self.assertLess(abs(error[0]), eta**2 / 8)

  def test_it_is_mirror_descent(self):
    game = oracle.game(oracle.RANDOM, oracle.RANDOM_REFERENCE)
    np.testing.assert_allclose(
      oracle.policy_after(sppo.SPPO(step_size=0.3), game, 40),
      oracle.policy_after(
        mirror_descent.MirrorDescent(step_size=0.3), game, 40
      ),
      atol=1e-13,
    )

  def test_steps_are_those_of_the_schedule(self):
    policy = np.array([0.6, 0.3, 0.1])
    for t in range(3):
      policy = policy * np.exp(0.7 / (1 + t) * oracle.HARD @ policy)
      policy /= policy.sum()
    steps = schedules.PowerDecay(initial=0.7, power=1.0)
    actual = oracle.policy_after(
      sppo.SPPO(step_size=steps),
      oracle.game(oracle.HARD),
      3,
      [0.6, 0.3, 0.1],
    )
    np.testing.assert_allclose(actual, policy, atol=1e-14)

  def test_the_last_iterate_moves_away(self):
    game = oracle.game(oracle.HARD)
    solver = sppo.SPPO(step_size=0.1)
    gaps = [
      oracle.gap(oracle.HARD, oracle.policy_after(solver, game, count))
      for count in (1000, 10_000)
    ]
    np.testing.assert_allclose(gaps, [0.323, 0.963], atol=5e-4)


if __name__ == "__main__":
  absltest.main()
