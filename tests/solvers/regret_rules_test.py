"""Tests of how regrets accumulate."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl.solvers import regret_rules

REGRET = jnp.array([2.0, -1.0, 0.5])
ADVANTAGE = jnp.array([-3.0, 0.5, 0.25])
STEP = jnp.array(4.0)


class RegretRulesTest(parameterized.TestCase):
  @parameterized.parameters(
    (regret_rules.Vanilla(), [-1.0, -0.5, 0.75]),
    (regret_rules.Plus(), [0.0, 0.0, 0.75]),
    (regret_rules.Predictive(), [0.0, 0.0, 0.75]),
    # 4^1.5 / (4^1.5 + 1) = 8/9 where positive; a half where negative.
    (regret_rules.Discounted(), [-0.5, -0.25, 0.75 * 8 / 9]),
    # Linear: 4/5 at either sign.
    (
      regret_rules.Discounted(positive_power=1.0, negative_power=1.0),
      [-0.8, -0.4, 0.6],
    ),
  )
  def test_accumulate(self, rule, expected):
    after = rule.accumulate(STEP, REGRET, ADVANTAGE)
    np.testing.assert_allclose(after, expected, atol=1e-15)

  def test_only_the_predictive_rule_counts_the_advantage_again(self):
    for rule in (regret_rules.Vanilla(), regret_rules.Plus()):
      np.testing.assert_array_equal(rule.weights(REGRET, ADVANTAGE), REGRET)
    np.testing.assert_array_equal(
      regret_rules.Predictive().weights(REGRET, ADVANTAGE),
      REGRET + ADVANTAGE,
    )

  def test_a_negative_power_forgets_negative_regrets(self):
    rule = regret_rules.Discounted(negative_power=-50.0)
    after = rule.accumulate(STEP, REGRET, ADVANTAGE)
    np.testing.assert_allclose(after[:2], 0.0, atol=1e-20)

  def test_large_powers_do_not_overflow(self):
    rule = regret_rules.Discounted(positive_power=500.0)
    after = rule.accumulate(jnp.array(1e6), REGRET, ADVANTAGE)
    self.assertEqual(float(after[2]), 0.75)


if __name__ == "__main__":
  absltest.main()
