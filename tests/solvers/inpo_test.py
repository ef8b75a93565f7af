"""Tests of INPO: where it converges, and where the published step cycles."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.solvers import inpo
from tests.solvers import preferences as oracle


class INPOTest(parameterized.TestCase):
  def test_iterates_minimise_the_loss_over_pairs(self):
    # The loss is zero at its minimum, so every pair has its target.
    tau, inverse = 0.1, 0.5
    game = oracle.game(oracle.HARD)
    before = np.array([0.6, 0.3, 0.1])
    solver = inpo.INPO(step_size=1 / inverse, temperature=tau)
    after = oracle.policy_after(solver, game, 1, before)
    h = (
      np.log(after)
      - tau / inverse * np.log(oracle.REFERENCE)
      - (inverse - tau) / inverse * np.log(before)
    )
    wins = oracle.HARD @ before / inverse
    np.testing.assert_allclose(
      h[:, None] - h[None], wins[:, None] - wins[None], atol=1e-13
    )

  @parameterized.parameters(
    (oracle.DICE, 3, (5.2e-6,), [10]),
    (oracle.HARD, 3, (2.3e-1, 1.9e-1, 2.7e-1), [10, 100, 1000]),
    (oracle.HARD, 30, (1.5e-1, 7.6e-4), [10, 100]),
  )
  def test_divergences_computed_elsewhere(self, matrix, multiple, table, steps):
    tau = 0.1
    solver = inpo.INPO(step_size=1 / (multiple * tau), temperature=tau)
    actual = oracle.divergences(solver, oracle.game(matrix), tau, steps)
    np.testing.assert_allclose(actual, table, rtol=0.04)

  def test_published_step_cycles_on_hard_rock_paper_scissors(self):
    tau, game = 0.1, oracle.game(oracle.HARD)
    step_size = inpo.published_step_size(tau)
    self.assertAlmostEqual(step_size, 1 / (3 * tau))
    steps = np.arange(9000, 10_001)
    late = oracle.divergences(
      inpo.INPO(step_size=step_size, temperature=tau), game, tau, steps
    )
    self.assertGreater(min(late), 0.1)
    self.assertGreater(max(late) - min(late), 0.01)
    (short,) = oracle.divergences(
      inpo.INPO(step_size=step_size / 10, temperature=tau), game, tau, [3000]
    )
    self.assertLess(short, 1e-15)


if __name__ == "__main__":
  absltest.main()
