"""Tests of DPO: what it finds with and without Bradley-Terry preferences."""

from absl.testing import absltest, parameterized
import numpy as np
from scipy import special

from mdrl.preferences import models
from mdrl.solvers import iterative_dpo
from tests.solvers import preferences as oracle


class IterativeDPOTest(parameterized.TestCase):
  @parameterized.parameters((1.0, 0.7), (0.1, 0.9998))
  def test_with_two_responses(self, temperature, probability):
    game = oracle.game([[0.5, 0.7], [0.3, 0.5]], None)
    solver = iterative_dpo.IterativeDPO(temperature=temperature)
    policy = oracle.policy_after(solver, game, 1)
    self.assertAlmostEqual(policy[0], probability, places=4)
    odds = (0.7 / 0.3) ** (1 / temperature)
    np.testing.assert_allclose(policy[0] / policy[1], odds, rtol=1e-10)
    # Iterated around the reference, too: it is no regularised equilibrium.
    again = oracle.policy_after(solver, game, 50)
    np.testing.assert_allclose(again, policy, atol=1e-12)
    off = np.abs(again - oracle.equilibrium(game, temperature)).max()
    self.assertGreater(off, 0.1)

  def test_its_policy_minimises_the_loss(self):
    beta, data = 0.5, np.array([0.6, 0.3, 0.1])
    solver = iterative_dpo.IterativeDPO(temperature=beta)
    policy = oracle.policy_after(solver, oracle.game(oracle.DICE), 1, data)

    def loss(policy):
      h = beta * np.log(policy / oracle.REFERENCE)
      log_model = special.log_expit(h[:, None] - h[None])
      return -data @ (oracle.DICE * log_model) @ data

    rng = np.random.default_rng(0)
    for _ in range(50):
      other = oracle.softmax(np.log(policy) + 0.01 * rng.normal(size=3))
      self.assertGreater(loss(other), loss(policy))

  def test_with_bradley_terry_preferences_data_do_not_matter(self):
    scores = np.array([0.5, -0.3, 1.0])
    game = oracle.game(models.elo(scores))
    solver = iterative_dpo.IterativeDPO(temperature=2.0)
    expected = oracle.softmax(np.log(oracle.REFERENCE) + scores / 2)
    for data in ([0.6, 0.3, 0.1], [0.1, 0.1, 0.8]):
      policy = oracle.policy_after(solver, game, 1, data)
      np.testing.assert_allclose(policy, expected, atol=1e-12)

  def test_around_the_iterate_scores_add_up(self):
    scores = np.array([0.5, -0.3, 1.0])
    game = oracle.game(models.elo(scores))
    solver = iterative_dpo.IterativeDPO(temperature=2.0, moving=True)
    expected = oracle.softmax(np.log(oracle.REFERENCE) + 5 * scores / 2)
    policy = oracle.policy_after(solver, game, 5)
    np.testing.assert_allclose(policy, expected, atol=1e-12)

  def test_smoothed_labels_keep_scores_finite(self):
    game = oracle.game([[0.5, 1.0], [0.0, 0.5]], None)
    solver = iterative_dpo.IterativeDPO(temperature=1.0, label_smoothing=0.1)
    policy = oracle.policy_after(solver, game, 1)
    np.testing.assert_allclose(policy, [0.9, 0.1], atol=1e-12)

  def test_a_response_that_always_wins_gives_a_finite_policy(self):
    game = oracle.game([[0.5, 1.0], [0.0, 0.5]], None)
    solver = iterative_dpo.IterativeDPO(temperature=1.0)
    policy = oracle.policy_after(solver, game, 20)
    self.assertTrue(np.isfinite(policy).all())
    self.assertGreater(policy[0], 1 - 1e-9)


if __name__ == "__main__":
  absltest.main()
