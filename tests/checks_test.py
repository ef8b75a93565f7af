"""Tests of the checks of hyper-parameters."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import checks
from mdrl.solvers import schedules


class BetweenTest(parameterized.TestCase):
  @parameterized.parameters(
    0,
    1,
    0.5,
    np.float32(0.25),
    (jnp.asarray(0.5, jnp.bfloat16),),
    ([0.0, 1.0],),
    ([[0.1], [0.9]],),
  )
  def test_values_inside_pass(self, value):
    checks.between("rate", value, 0, 1)

  @parameterized.parameters(
    -1e-12, 1.0001, np.nan, np.inf, -np.inf, ([0.5, -0.1],), ([0.5, np.nan],)
  )
  def test_values_outside_raise(self, value):
    with self.assertRaisesRegex(ValueError, r"`rate` must lie in \[0, 1\]"):
      checks.between("rate", value, 0, 1)

  def test_arrays_are_checked_in_every_element(self):
    checks.between("rate", jnp.array([0.0, 1.0]), 0, 1)
    with self.assertRaisesRegex(ValueError, r"got \[0.  3.5\]"):
      checks.between("rate", jnp.array([0.0, 3.5]), 0, 1)

  def test_open_end(self):
    checks.between("order", 1e-300, 0, 2, open_low=True)
    checks.between("order", 2, 0, 2, open_low=True)
    with self.assertRaisesRegex(
      ValueError, r"`order` must lie in \(0, 2\], got 0"
    ):
      checks.between("order", 0, 0, 2, open_low=True)

  def test_no_upper_end(self):
    checks.between("power", 1e300, 0)
    with self.assertRaisesRegex(
      ValueError, r"`power` must lie in \[0, infinity\), got -1"
    ):
      checks.between("power", -1, 0)

  @parameterized.parameters(
    None,
    "0.3",
    "fast",
    True,
    0.3 + 0j,
    10**400,
    ([[0.1], [0.2, 0.3]],),
    ([],),
    (np.array(["0.3"]),),
    (np.array([True]),),
    (object(),),
  )
  def test_what_is_no_real_number_raises(self, value):
    for check in (checks.between, checks.whole):
      with self.assertRaisesRegex(
        ValueError, "`rate` must be a real number, got "
      ):
        check("rate", value, 0, 1)

  def test_infinity_passes_where_it_is_allowed(self):
    for value in (np.inf, -np.inf, 0.0, [-np.inf, 1.0]):
      checks.between("power", value, -np.inf, infinite=True)
    with self.assertRaisesRegex(
      ValueError, r"`power` must lie in \[-infinity, infinity\], got nan"
    ):
      checks.between("power", np.nan, -np.inf, infinite=True)
    with self.assertRaisesRegex(
      ValueError, r"`power` must lie in \(-infinity, infinity\), got -inf"
    ):
      checks.between("power", -np.inf, -np.inf)

  @parameterized.parameters(
    (lambda step: 1 / (step + 1),),
    (lambda step: jnp.where(step == 0, 0.5, 7.0),),
    (schedules.PowerDecay(initial=0.5),),
  )
  def test_schedules_that_start_inside_pass(self, value):
    checks.between("rate", value, 0, 1)

  @parameterized.parameters(
    (lambda step: 1 / step,),
    (lambda step: -0.5 - step.astype(float),),
    (lambda step: jnp.nan * step.astype(float),),
    (schedules.PowerDecay(initial=5.0),),
  )
  def test_schedules_that_start_outside_raise(self, value):
    with self.assertRaisesRegex(
      ValueError, r"`rate` must lie in \[0, 1\], got a schedule that starts"
    ):
      checks.between("rate", value, 0, 1)

  def test_traced_values_pass(self):

    @jax.jit
    def call(rate):
      checks.between("rate", rate, 0, 1)
      checks.positive("rate", rate)
      checks.differs("rate", rate, -5, "choose another")
      return rate

    self.assertEqual(float(call(-5.0)), -5)
    np.testing.assert_array_equal(jax.vmap(call)(-jnp.ones(2)), [-1, -1])


class WholeTest(parameterized.TestCase):
  @parameterized.parameters(1, 100, np.int32(7), ([3, 5],), (jnp.array([2]),))
  def test_whole_numbers_pass(self, value):
    checks.whole("period", value, 1)

  @parameterized.parameters(2.5, 100.0, ([3, 5.0],))
  def test_floats_raise(self, value):
    with self.assertRaisesRegex(
      ValueError, "`period` must be of whole numbers, got "
    ):
      checks.whole("period", value, 1)

  def test_others_raise(self):
    with self.assertRaisesRegex(ValueError, r"lie in \[1, 5\], got 6"):
      checks.whole("length", 6, 1, 5)

  def test_traced_values_pass(self):
    jax.jit(lambda x: checks.whole("period", x, 1))(-0.5)


class FloatingTypeTest(parameterized.TestCase):
  def test_floating_types(self):
    self.assertEqual(checks.floating_type(None), jnp.float64)
    self.assertEqual(checks.floating_type("float32"), jnp.float32)
    self.assertEqual(checks.floating_type(float), jnp.float64)

  @parameterized.parameters(int, "int32", bool, complex, "fast", object)
  def test_others_raise(self, dtype):
    with self.assertRaisesRegex(
      ValueError, "`dtype` must be a floating type, got "
    ):
      checks.floating_type(dtype)


class PositiveTest(parameterized.TestCase):
  @parameterized.parameters(1e-300, 1, ([0.1, 3],))
  def test_positive_values_pass(self, value):
    checks.positive("step_size", value)

  @parameterized.parameters(0, -0.0, -1, np.nan, np.inf, ([1.0, 0.0],))
  def test_others_raise(self, value):
    with self.assertRaisesRegex(
      ValueError, r"`step_size` must lie in \(0, infinity\), got "
    ):
      checks.positive("step_size", value)


class DiffersTest(parameterized.TestCase):
  @parameterized.parameters(0.99, 1 + 1e-9, ([0.5, 2],))
  def test_other_values_pass(self, value):
    checks.differs("order", value, 1, "use NegativeEntropy")

  @parameterized.parameters(1, 1.0, ([0.5, 1],))
  def test_the_value_raises_with_a_remedy(self, value):
    with self.assertRaisesRegex(
      ValueError, "`order` must not be 1, got .*; use NegativeEntropy"
    ):
      checks.differs("order", value, 1, "use NegativeEntropy")


if __name__ == "__main__":
  absltest.main()
