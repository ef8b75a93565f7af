"""Tests of hyper-parameters that depend on the step."""

from absl.testing import absltest
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.solvers import mirror_descent, schedules


def _cosine(step, period):
  return 1 + jnp.cos(step * 2 * jnp.pi / period)


class SchedulesTest(absltest.TestCase):
  def test_numbers_are_constant(self):
    for step in (0, 5):
      value = schedules.at(0.25, jnp.array(step), jnp.zeros(0).dtype)
      self.assertEqual(float(value), 0.25)

  def test_power_decay(self):
    schedule = schedules.PowerDecay(initial=3.0, power=0.5, delay=4.0)
    values = [float(schedule(jnp.array(step))) for step in (0, 12, 60)]
    np.testing.assert_allclose(values, [3.0, 1.5, 0.75], rtol=1e-15)

  def test_any_function_with_leaves(self):
    schedule = schedules.Function(fn=_cosine, parameters={"period": 8.0})
    self.assertAlmostEqual(float(schedule(jnp.array(4))), 0.0)
    self.assertEqual(jax.tree.leaves(schedule), [8.0])

  def test_values_take_the_dtype_of_the_game(self):
    dtype = jnp.zeros(0, "float32").dtype
    schedule = schedules.PowerDecay(initial=1.0)
    self.assertEqual(schedules.at(schedule, jnp.array(3), dtype).dtype, dtype)

  def test_a_sweep_over_a_schedule_is_a_vmap(self):
    swept = jax.vmap(lambda s: schedules.at(s, jnp.array(3), float))(
      schedules.PowerDecay(
        initial=jnp.array([1.0, 2.0]), power=jnp.ones(2), delay=jnp.ones(2)
      )
    )
    np.testing.assert_allclose(swept, [0.25, 0.5])

  def test_solvers_take_schedules(self):
    schedule = schedules.PowerDecay(initial=1.0)
    solver = mirror_descent.MirrorDescent(step_size=schedule)
    self.assertLen(jax.tree.leaves(solver), 3)

  def test_refuses_values_out_of_range(self):
    with self.assertRaisesRegex(ValueError, "`delay` must lie in"):
      schedules.PowerDecay(initial=1.0, delay=0.0)
    with self.assertRaisesRegex(ValueError, "`power` must lie in"):
      schedules.PowerDecay(initial=1.0, power=-1.0)


if __name__ == "__main__":
  absltest.main()
