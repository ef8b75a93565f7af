"""Tests of DNO: the regression it solves, and that exactly it is SPPO."""

from absl.testing import absltest, parameterized
import numpy as np
from scipy import special

from mdrl.solvers import dno, sppo
from tests.solvers import preferences as oracle


class DNOTest(parameterized.TestCase):
  def test_its_policy_minimises_the_cross_entropy(self):
    eta, before = 0.7, np.array([0.6, 0.3, 0.1])
    after = oracle.policy_after(
      dno.DNO(step_size=eta), oracle.game(oracle.HARD), 1, before
    )
    wins = oracle.HARD @ before
    labels = special.expit(wins[:, None] - wins[None])

    def loss(policy):
      ratio = np.log(policy / before) / eta
      log_model = special.log_expit(ratio[:, None] - ratio[None])
      return -2 * before @ (labels * log_model) @ before

    rng = np.random.default_rng(0)
    for _ in range(50):
      other = oracle.softmax(np.log(after) + 0.01 * rng.normal(size=3))
      self.assertGreater(loss(other), loss(after))

  @parameterized.parameters(0.1, 2.0)
  def test_exactly_it_is_sppo(self, step_size):
    game = oracle.game(oracle.RANDOM, oracle.RANDOM_REFERENCE)
    np.testing.assert_allclose(
      oracle.policy_after(dno.DNO(step_size=step_size), game, 20),
      oracle.policy_after(sppo.SPPO(step_size=step_size), game, 20),
      atol=1e-12,
    )


if __name__ == "__main__":
  absltest.main()
