"""Tests of numbers that users give as arrays."""

import inspect

from absl.testing import absltest, parameterized
import numpy as np

from mdrl import inputs


class InputsTest(parameterized.TestCase):
  @parameterized.parameters(
    ([[1, 2]], [[1.0, 2.0]]), (np.float32(0.5), 0.5), ([], [])
  )
  def test_real_numbers_become_doubles(self, value, expected):
    array = inputs.real_array("x", value)
    self.assertEqual(array.dtype, np.float64)
    np.testing.assert_array_equal(array, expected)

  @parameterized.parameters("1", True, 1j, [[1], [1, 2]])
  def test_other_arrays_are_refused(self, *values):
    value = values if len(values) > 1 else values[0]
    with self.assertRaisesRegex(ValueError, "`x` must be an array of real"):
      inputs.real_array("x", value)

  @parameterized.parameters(
    (True, "must be a whole number, got True"),
    (1.0, "must be a whole number, got 1.0"),
    ("1", "must be a whole number, got '1'"),
    (0, "must be positive, got 0"),
    (8, "must be at most 7, got 8"),
  )
  def test_counts_are_whole_numbers_of_the_range(self, value, message):
    check = inspect.unwrap(inputs.check_count)
    for fits in (1, np.int64(7)):
      check("x", fits, 1, 7)
    with self.assertRaisesRegex(ValueError, f"`x` {message}"):
      check("x", value, 1, 7)


if __name__ == "__main__":
  absltest.main()
