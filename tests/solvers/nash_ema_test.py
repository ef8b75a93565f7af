"""Tests of Nash-EMA against its recursion and its fixed point."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.solvers import nash_ema, nash_md
from tests.solvers import preferences as oracle


class NashEMATest(parameterized.TestCase):
  def test_iterates_are_those_of_the_recursion(self):
    eta, tau, decay = 0.7, 0.3, 0.8
    ref = np.log(oracle.REFERENCE)
    logits = average = np.log([0.6, 0.3, 0.1])
    for _ in range(6):
      wins = oracle.HARD @ oracle.softmax(average)
      logits = logits + eta * (wins - tau * (logits - ref))
      logits = np.log(oracle.softmax(logits))
      average = decay * average + (1 - decay) * logits
    solver = nash_ema.NashEMA(step_size=eta, temperature=tau, decay=decay)
    actual = oracle.policy_after(
      solver, oracle.game(oracle.HARD), 6, [0.6, 0.3, 0.1]
    )
    np.testing.assert_allclose(actual, oracle.softmax(logits), atol=1e-14)

  @parameterized.parameters(0.0, 0.5, 0.9)
  def test_reaches_the_equilibrium_with_small_steps(self, decay):
    game = oracle.game(oracle.DICE)
    solver = nash_ema.NashEMA(step_size=0.1, temperature=0.1, decay=decay)
    policy = oracle.policy_after(solver, game, 5000)
    expected = oracle.equilibrium(game, 0.1)
    np.testing.assert_allclose(policy, expected, atol=1e-12)

  def test_without_an_average_it_plays_against_itself(self):
    game = oracle.game(oracle.HARD)
    solver = nash_ema.NashEMA(step_size=0.5, temperature=0.1, decay=0.0)
    other = nash_md.NashMD(step_size=0.5, temperature=0.1, mixture=0.0)
    np.testing.assert_allclose(
      oracle.policy_after(solver, game, 20),
      oracle.policy_after(other, game, 20),
      atol=1e-14,
    )

  def test_refuses_an_average_that_never_moves(self):
    with self.assertRaisesRegex(ValueError, "`decay` must not be 1"):
      nash_ema.NashEMA(step_size=0.5, temperature=0.1, decay=1.0)


if __name__ == "__main__":
  absltest.main()
