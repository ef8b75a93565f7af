"""Packed digits against lists."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl.envs import digits


class DigitsTest(parameterized.TestCase):
  @parameterized.parameters((5, 2), (31, 2), (32, 2), (64, 2), (13, 14), (1, 1))
  def test_digits_are_those_that_were_set(self, count, base):
    row = digits.Digits(count, base)
    luck = np.random.default_rng(0)
    expected, words = [0] * count, row.zeros()
    for place in luck.permutation(count)[: (count + 1) // 2].tolist():
      expected[place] = int(luck.integers(base))
      words = words + row.one(jnp.asarray(place), expected[place])
    self.assertEqual(row.unpack(words).tolist(), expected)
    self.assertEqual(row.read(np.asarray(words)), expected)
    self.assertLen(words, row.num_words)
    self.assertGreaterEqual(int(words.min()), 0)

  @parameterized.parameters(5, 31, 32, 70)
  def test_sets_hold_their_numbers(self, count):
    row = digits.Digits(count, 2)
    words = row.ones()
    self.assertEqual(int(row.size(words)), count)
    for number in range(count):
      self.assertEqual(int(row.lowest(words)), number)
      self.assertTrue(row.has(words, jnp.asarray(number)))
      words = words - row.one(jnp.asarray(number), 1)
      self.assertFalse(row.has(words, jnp.asarray(number)))
    self.assertEqual(int(row.lowest(words)), 0)
    for outside in (-1, count, 100):
      self.assertFalse(row.has(row.ones(), jnp.asarray(outside)))

  def test_a_row_is_that_of_the_table(self):
    table = jnp.arange(12).reshape(3, 4)
    for i in range(3):
      np.testing.assert_array_equal(digits.row(table, jnp.asarray(i)), table[i])


if __name__ == "__main__":
  absltest.main()
