"""Tests of IPO: its toys, offline, and its fixed point, iterated."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.preferences import models
from mdrl.solvers import iterative_ipo, preference_variants
from tests.solvers import preferences as oracle


class IterativeIPOTest(parameterized.TestCase):
  @parameterized.parameters((1.0, 0.55), (0.1, 0.88))
  def test_offline_with_two_responses(self, temperature, probability):
    # Win rates of 0.7 and uniform data: the odds are exp(0.2 / temperature).
    game = oracle.game([[0.5, 0.7], [0.3, 0.5]], None)
    solver = iterative_ipo.IterativeIPO(temperature=temperature)
    policy = oracle.policy_after(solver, game, 1)
    self.assertAlmostEqual(policy[0], probability, places=2)
    self.assertAlmostEqual(
      np.log(policy[0] / policy[1]), 0.2 / temperature, places=12
    )

  def test_offline_on_dice(self):
    game = oracle.game(oracle.DICE, None)
    solver = iterative_ipo.IterativeIPO(temperature=0.1)
    policy = oracle.policy_after(solver, game, 1, [0.6, 0.3, 0.1])
    # Published as (0.365, 0.247, 0.388): the first two are cut, not rounded.
    weights = np.exp([2 / 18, -5 / 18, 3 / 18])
    np.testing.assert_allclose(policy, weights / weights.sum(), atol=1e-14)
    np.testing.assert_allclose(policy, [0.365, 0.247, 0.388], atol=2e-3)

  def test_its_policy_minimises_the_loss(self):
    tau, data = 0.3, np.array([0.6, 0.3, 0.1])
    solver = iterative_ipo.IterativeIPO(temperature=tau)
    policy = oracle.policy_after(solver, oracle.game(oracle.HARD), 1, data)

    def loss(policy):
      h = np.log(policy / oracle.REFERENCE)
      error = (h[:, None] - h[None] - 1 / (2 * tau)) ** 2
      return 2 * data @ (oracle.HARD * error) @ data

    rng = np.random.default_rng(0)
    for _ in range(50):
      other = oracle.softmax(np.log(policy) + 0.01 * rng.normal(size=3))
      self.assertGreater(loss(other), loss(policy))

  def test_iterated_around_the_reference(self):
    # The map is a contraction above the largest advantage.
    game = oracle.game(oracle.HARD)
    solver = iterative_ipo.IterativeIPO(temperature=0.6)
    policy = oracle.policy_after(solver, game, 300)
    np.testing.assert_allclose(
      policy, oracle.equilibrium(game, 0.6), atol=1e-13
    )
    solver = iterative_ipo.IterativeIPO(temperature=0.05)
    policy = oracle.policy_after(solver, game, 300)
    off = np.abs(policy - oracle.equilibrium(game, 0.05)).max()
    self.assertGreater(off, 0.1)

  def test_it_is_inpo_with_its_longest_step(self):
    game = oracle.game(models.three_raters(0.1))
    np.testing.assert_allclose(
      oracle.policy_after(
        iterative_ipo.IterativeIPO(temperature=2.0), game, 30
      ),
      oracle.policy_after(preference_variants.inpo(0.5, 2.0), game, 30),
      atol=1e-14,
    )


if __name__ == "__main__":
  absltest.main()
