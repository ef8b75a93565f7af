"""Tests of the checks of hyper-parameters."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import checks


class BetweenTest(parameterized.TestCase):

  @parameterized.parameters(
      0, 1, 0.5, True, np.float32(0.25), ([0.0, 1.0],), ([[0.1], [0.9]],)
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

  def test_none_raises(self):
    with self.assertRaisesRegex(ValueError, "`rate` must lie in .* got None"):
      checks.between("rate", None, 0, 1)

  @parameterized.parameters((lambda step: -step,), ("fast",))
  def test_schedules_and_other_objects_pass(self, value):
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


class PositiveTest(parameterized.TestCase):

  @parameterized.parameters(1e-300, 1, ([0.1, 3],))
  def test_positive_values_pass(self, value):
    checks.positive("step_size", value)

  @parameterized.parameters(0, -0.0, -1, np.nan, ([1.0, 0.0],))
  def test_others_raise(self, value):
    with self.assertRaisesRegex(
        ValueError, r"`step_size` must lie in \(0, infinity\), got "
    ):
      checks.positive("step_size", value)


class DiffersTest(parameterized.TestCase):

  @parameterized.parameters(0.99, 1 + 1e-9, ([0.5, 2],), "one")
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
