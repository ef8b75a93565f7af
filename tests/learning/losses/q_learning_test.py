"""Tests of the losses of Q-learning."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.learning.losses import q_learning


class DoubleQTargetTest(parameterized.TestCase):
  def _target(self, **changes):
    arguments = {
      "reward": jnp.asarray(0.5),
      "done": jnp.asarray(False),
      "next_values": jnp.array([9.0, 2.0, 3.0]),
      "next_target_values": jnp.array([70.0, 20.0, 10.0]),
      "next_legal": jnp.array([False, True, True]),
    }
    return q_learning.double_q_target(**(arguments | changes))

  def test_one_network_chooses_and_the_other_judges(self):
    # The best legal action is the last, which the target says is worth ten.
    self.assertEqual(self._target(), 10.5)

  def test_illegal_actions_are_not_chosen(self):
    self.assertEqual(self._target(next_legal=jnp.ones(3, bool)), 70.5)

  def test_nothing_follows_the_last_decision(self):
    self.assertEqual(self._target(done=jnp.asarray(True)), 0.5)

  def test_what_means_nothing_behind_the_last_is_no_nan(self):
    target = self._target(
      done=jnp.asarray(True),
      next_values=jnp.full(3, jnp.nan),
      next_target_values=jnp.full(3, jnp.nan),
      next_legal=jnp.zeros(3, bool),
    )
    self.assertEqual(target, 0.5)

  def test_no_gradient_passes(self):
    for name in ("reward", "next_values", "next_target_values"):
      value = jnp.ones(()) if name == "reward" else jnp.arange(3.0)
      gradient = jax.grad(lambda x, name=name: self._target(**{name: x}))(value)
      np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


class ErrorTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.values = jnp.array([1.0, 4.0, 2.0])

  def test_squared_error_is_of_the_action_taken(self):
    loss, gradient = jax.value_and_grad(q_learning.squared_error)(
      self.values, jnp.asarray(1), jnp.asarray(1.0), jnp.asarray(2.0)
    )
    self.assertEqual(loss, 9.0)
    np.testing.assert_array_equal(gradient, [0, 6, 0])

  @parameterized.parameters((1.0, 1.375, 0.5), (3.9, 0.005, 0.1))
  def test_huber_error_is_linear_far_off(self, target, loss, slope):
    found, gradient = jax.value_and_grad(q_learning.huber_error)(
      self.values,
      jnp.asarray(1),
      jnp.asarray(target),
      jnp.asarray(1.0),
      jnp.asarray(0.5),
    )
    self.assertAlmostEqual(float(found), loss)
    np.testing.assert_allclose(gradient, [0, slope, 0], atol=1e-12)

  def test_squares_are_least_at_the_mean_and_hubers_near_the_median(self):
    one, targets = jnp.asarray(1.0), jnp.array([0.0, 0.0, 0.0, 12.0])

    def slope(loss, q, *more):
      of_one = jax.grad(lambda q, t: loss(q[None], jnp.asarray(0), t, *more))
      return float(jax.vmap(of_one, (None, 0))(jnp.asarray(q), targets).sum())

    self.assertEqual(slope(q_learning.squared_error, 3.0, one), 0)
    self.assertGreater(slope(q_learning.huber_error, 3.0, one, one), 1)
    self.assertAlmostEqual(
      slope(q_learning.huber_error, 1 / 3, one, one), 0, places=12
    )

  def test_samples_without_weight_do_not_count(self):
    arguments = (
      self.values,
      jnp.asarray(0),
      jnp.asarray(7.0),
      jnp.asarray(0.0),
    )
    self.assertEqual(q_learning.squared_error(*arguments), 0)
    self.assertEqual(q_learning.huber_error(*arguments, jnp.asarray(1.0)), 0)

  def test_no_gradient_passes_through_targets(self):
    for loss in (
      q_learning.squared_error,
      lambda *x: q_learning.huber_error(*x, jnp.asarray(1.0)),
    ):
      gradient = jax.grad(loss, argnums=2)(
        self.values, jnp.asarray(0), jnp.asarray(7.0), jnp.asarray(1.0)
      )
      self.assertEqual(gradient, 0)


if __name__ == "__main__":
  absltest.main()
