"""Tests of the losses of proximal policy optimisation."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.learning.losses import policy_gradient
from mdrl.policies import masks


def _surrogate(log, old=0.0, advantage=1.0, weight=1.0, clip=0.2):
  return policy_gradient.clipped_surrogate(
    *(jnp.asarray(x) for x in (log, old, advantage, weight, clip))
  )


class ClippedSurrogateTest(parameterized.TestCase):
  # Ratio, advantage, loss and whether the loss still depends on the ratio.
  @parameterized.parameters(
    (1.1, 2.0, -2.2, True),
    (1.5, 2.0, -2.4, False),
    (0.5, 2.0, -1.0, True),
    (0.9, -2.0, 1.8, True),
    (0.5, -2.0, 1.6, False),
    (1.5, -2.0, 3.0, True),
  )
  def test_gains_are_clipped_and_losses_are_not(
    self, ratio, advantage, loss, moves
  ):
    value, slope = jax.value_and_grad(_surrogate)(
      float(np.log(ratio)), advantage=advantage
    )
    self.assertAlmostEqual(float(value), loss)
    self.assertAlmostEqual(float(slope), -ratio * advantage * moves)

  def test_the_first_step_is_the_policy_gradient(self):
    # At the old policy the gradient in logits is that of the expectation.
    logits = jnp.array([0.3, -1.0, 0.7])
    legal = jnp.array([True, True, False])
    q = jnp.array([1.0, -2.0, 100.0])
    old = masks.log_probabilities(logits, legal)
    chance = masks.probabilities(logits, legal)
    value = chance @ q

    def sampled(logits):
      logs = masks.log_probabilities(logits, legal)
      losses = [_surrogate(logs[a], old[a], q[a] - value) for a in range(2)]
      return chance[0] * losses[0] + chance[1] * losses[1]

    exact = jax.grad(lambda x: masks.probabilities(x, legal) @ q)
    slope = jax.jit(jax.grad(sampled))(logits)
    np.testing.assert_allclose(-slope, jax.jit(exact)(logits), atol=1e-12)

  def test_data_has_no_gradient(self):
    for argument in ("old", "advantage"):
      slope = jax.grad(lambda x, name=argument: _surrogate(0.1, **{name: x}))(
        0.05
      )
      self.assertEqual(slope, 0)

  def test_samples_without_weight_do_not_count(self):
    self.assertEqual(_surrogate(0.1, weight=0.0), 0)


class OtherTest(parameterized.TestCase):
  def test_value_error(self):
    arguments = [jnp.asarray(x) for x in (1.0, 4.0, 2.0)]
    self.assertEqual(policy_gradient.value_error(*arguments), 9)
    slopes = jax.grad(policy_gradient.value_error, argnums=(0, 1))(*arguments)
    self.assertEqual(slopes, (-6, 0))

  def test_entropy_is_over_legal_actions(self):
    legal = jnp.array([True, False, True])
    loss = policy_gradient.negative_entropy(
      jnp.array([1.0, 50.0, 1.0]), legal, jnp.asarray(3.0)
    )
    self.assertAlmostEqual(float(loss), -3 * np.log(2))


if __name__ == "__main__":
  absltest.main()
