"""Tests of hyper-parameters that depend on the step."""

import inspect

from absl.testing import absltest
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run, struct
from mdrl.evaluation import gaps
from mdrl.solvers import averaged, magnetic, mirror_descent, schedules
from mdrl.testing import games


def _halving(initial):
  """A schedule as optax has them: a function that closes over its numbers."""

  def schedule(step):
    return initial / (1 + step.astype(float))

  return schedule


def _last_gap(solver):
  game = games.random_zero_sum_game(3, 4)
  measure = run.of_plans(gaps.duality_gap)
  return run.run(solver, game, measure, [0, 20])[1].metrics[-1]


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

  def test_linear_decay(self):
    schedule = schedules.LinearDecay(initial=3.0, final=1.0, steps=4.0)
    values = [float(schedule(jnp.array(step))) for step in (0, 1, 4, 9)]
    np.testing.assert_allclose(values, [3.0, 2.5, 1.0, 1.0], rtol=1e-15)

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

  def test_bare_functions_are_schedules(self):
    halving = schedules.PowerDecay(initial=0.5, power=1.0)
    for make in (
      lambda s: mirror_descent.MirrorDescent(step_size=s),
      lambda s: magnetic.MagneticMirrorDescent(step_size=s, temperature=s),
      lambda s: averaged.Averaged(
        solver=mirror_descent.MirrorDescent(step_size=s)
      ),
    ):
      ours, expected = make(_halving(0.5)), make(halving)
      np.testing.assert_allclose(
        _last_gap(ours), _last_gap(expected), rtol=1e-13
      )

  def test_bare_functions_pass_through_transformations(self):
    schedule = _halving(0.5)
    solver = magnetic.MagneticMirrorDescent(
      step_size=schedule, temperature=jnp.asarray(0.2)
    )
    alone = _last_gap(solver)

    def at(temperature):
      return _last_gap(struct.replace(solver, temperature=temperature))

    np.testing.assert_allclose(jax.jit(_last_gap)(solver), alone, rtol=1e-12)
    swept = jax.vmap(at)(jnp.array([0.1, 0.2]))
    np.testing.assert_allclose(swept[1], alone, rtol=1e-12)

  def test_the_same_function_shares_a_program_and_a_copy_does_not(self):
    schedule = _halving(0.5)

    def treedef(schedule):
      solver = mirror_descent.MirrorDescent(step_size=schedule)
      return jax.tree.structure(solver)

    self.assertEqual(treedef(schedule), treedef(schedule))
    self.assertNotEqual(treedef(schedule), treedef(_halving(0.5)))
    _last_gap(mirror_descent.MirrorDescent(step_size=schedule))
    compiled = run._run._cache_size()
    _last_gap(mirror_descent.MirrorDescent(step_size=schedule))
    self.assertEqual(run._run._cache_size(), compiled)

  def test_bare_functions_are_checked_at_step_zero(self):
    with self.assertRaisesRegex(ValueError, "a schedule that starts at -0.5"):
      mirror_descent.MirrorDescent(step_size=_halving(-0.5))

  def test_where_a_number_belongs_a_function_is_refused(self):
    for schedule in (_halving(0.5), schedules.PowerDecay(initial=1.0)):
      with self.assertRaisesRegex(ValueError, "numbers here, got a schedule"):
        inspect.unwrap(schedules.number)(schedule, jnp.zeros(0).dtype)

  def test_refuses_values_out_of_range(self):
    with self.assertRaisesRegex(ValueError, "`delay` must lie in"):
      schedules.PowerDecay(initial=1.0, delay=0.0)
    with self.assertRaisesRegex(ValueError, "`power` must lie in"):
      schedules.PowerDecay(initial=1.0, power=-1.0)
    with self.assertRaisesRegex(ValueError, "`steps` must lie in"):
      schedules.LinearDecay(initial=1.0, final=0.0, steps=0.0)


if __name__ == "__main__":
  absltest.main()
