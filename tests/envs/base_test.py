"""Tests of what environments share: draws of chance."""

import inspect

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.envs import base as env_lib
from mdrl.envs import compiled
from mdrl.testing import games


class DrawTest(parameterized.TestCase):
  def test_outcomes_have_their_probabilities(self):
    weights = jnp.array([0.0, 0.5, 0.0, 0.125, 0.375, 0.0])
    points = jnp.asarray((np.arange(1000) + 0.5) / 1000)
    drawn = jax.vmap(env_lib.draw, (None, 0))(weights, points)
    share = np.bincount(np.asarray(drawn), minlength=6) / 1000
    np.testing.assert_allclose(share, weights, atol=1e-3)

  def test_the_largest_number_below_one_is_a_possible_outcome(self):
    # Ten tenths in single precision add up to less than one, or to more.
    weights = jnp.append(jnp.full(10, 0.1, jnp.float32), jnp.float32(0))
    point = np.nextafter(np.float32(1), np.float32(0))
    self.assertEqual(int(env_lib.draw(weights, jnp.asarray(point))), 9)
    self.assertEqual(int(env_lib.draw(weights, jnp.float32(0))), 0)

  def test_given_outcomes_stay(self):
    weights = jnp.array([0.5, 0.5])
    self.assertEqual(int(env_lib.draw(weights, jnp.array(1))), 1)


class LuckTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    game, index = games.compiled("leduc", histories=True)
    self.env = compiled.environment(game, index)

  @parameterized.parameters(
    (lambda: jnp.zeros(2),),
    (lambda: jnp.zeros(()),),
    (lambda: jax.random.PRNGKey(0),),
    (lambda: jnp.zeros(1, bool),),
  )
  def test_other_arrays_are_refused(self, bad):
    with self.assertRaisesRegex(ValueError, "`key` must be a key of"):
      inspect.unwrap(env_lib.Environment.luck)(self.env, bad(), 1)

  @parameterized.parameters(0, [0.5])
  def test_what_is_no_array_is_refused(self, bad):
    with self.assertRaisesRegex(ValueError, "`key` must be a key of"):
      inspect.unwrap(env_lib.Environment.luck)(self.env, bad, 1)

  def test_games_that_share_their_luck_are_dealt_alike(self):
    luck = jax.random.uniform(jax.random.key(3), (1,), self.env.dtype)
    first, second = self.env.init(luck), self.env.init(luck)
    self.assertEqual(int(first.history), int(second.history))
    self.assertEqual(
      int(self.env.init(jax.random.key(3)).history), int(first.history)
    )

  def test_chance_of_several_moves_takes_a_draw_for_each(self):
    # The base's own way, which the joined moves of the class replace.
    settled = env_lib.Environment.settle(
      self.env, self.env.root(), jnp.array([4], jnp.int32)
    )
    expected = self.env.init(jnp.array([4], jnp.int32))
    self.assertEqual(int(settled.history), int(expected.history))

  def test_names_are_the_numbers_of_the_key(self):
    key = self.env.information_state(self.env.root(), jnp.array(0))
    self.assertEqual(self.env.names(np.asarray(key), 0), ("-1 0",))


if __name__ == "__main__":
  absltest.main()
