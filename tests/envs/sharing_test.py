"""Values that are computed once."""

from absl.testing import absltest
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.envs import sharing


class SharingTest(absltest.TestCase):
  def test_numbers_are_as_they_were(self):
    numbers = jnp.asarray([-(2**31) + 2, -5, -1, 0, 1, 7, 2**31 - 2], jnp.int32)
    found = jax.jit(sharing.once)(numbers)
    np.testing.assert_array_equal(found, numbers)
    self.assertEqual(found.dtype, numbers.dtype)

  def test_xla_does_not_take_it_for_nothing(self):
    number = jax.ShapeDtypeStruct((), jnp.int32)
    program = jax.jit(sharing.once).lower(number).compile().as_text()
    self.assertIn("remainder(", program)


if __name__ == "__main__":
  absltest.main()
