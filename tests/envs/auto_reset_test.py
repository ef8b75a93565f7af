"""Tests that finished games are followed by new ones."""

import functools

from absl.testing import absltest
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.envs import auto_reset, compiled
from mdrl.testing import games


@functools.cache
def _play(num_games, num_steps):
  game, index = games.compiled("leduc", histories=True)
  env = auto_reset.AutoReset(environment=compiled.environment(game, index))

  def body(state, key):
    choice, luck = jax.random.split(key)
    legal = jax.vmap(env.environment.legal_actions)(state)
    logits = jnp.where(legal, 0.0, -jnp.inf)
    action = jax.random.categorical(choice, logits)
    keys = jax.random.split(luck, num_games)
    behind, transition = jax.vmap(env.step)(state, action, keys)
    return behind, (state, action, transition)

  keys = jax.random.split(jax.random.key(0), num_steps + 1)
  start = jax.vmap(env.init)(jax.random.split(keys[0], num_games))
  return env, jax.jit(lambda: jax.lax.scan(body, start, keys[1:])[1])()


class AutoResetTest(absltest.TestCase):
  def test_play_never_ends(self):
    env, (states, _, transition) = _play(256, 40)
    players = env.environment.player[states.history]
    self.assertGreaterEqual(int(players.min()), 0)
    self.assertGreater(int(transition.done.sum()), 256)

  def test_rewards_are_paid_where_a_game_ends(self):
    env, (_, _, transition) = _play(256, 40)
    done, rewards = map(np.asarray, (transition.done, transition.rewards))
    self.assertFalse(rewards[~done].any())
    self.assertTrue((np.abs(rewards[done]).sum(axis=-1) <= 26).all())
    np.testing.assert_array_equal(rewards.sum(axis=-1), 0)
    # Each game pays what its last history says.
    tables = env.environment.tables
    paid = {tuple(row) for row in np.asarray(tables.returns).tolist()}
    self.assertLessEqual({tuple(row) for row in rewards[done].tolist()}, paid)

  def test_new_games_begin_as_games_do(self):
    env, (states, _, transition) = _play(256, 40)
    behind, done = np.asarray(states.history)[1:], transition.done[:-1]
    started = behind[np.asarray(done)]
    begins = np.asarray(env.environment.chance.target)
    begins = begins[: env.environment.num_outcomes]
    counts = np.array([(started == history).sum() for history in begins])
    self.assertEqual(counts.sum(), len(started))
    expected = len(started) * np.asarray(
      env.environment.outcomes(env.environment.root())
    )
    # Chi-squared, of 29 degrees of freedom: beyond 70 once in 30,000 draws.
    self.assertLess(((counts - expected) ** 2 / expected).sum(), 70)

  def test_given_draws_are_those_of_the_move_and_of_a_new_game(self):
    env, _ = _play(256, 40)
    inner = env.environment
    self.assertEqual(env.step_draws, inner.step_draws + inner.init_draws)
    state = env.init(jnp.array([7], jnp.int32))
    ended = False
    while not ended:
      action = jnp.argmax(inner.legal_actions(state))
      plain = inner.step(state, action, jnp.array([1], jnp.int32))
      state, transition = env.step(state, action, jnp.array([1, 3], jnp.int32))
      ended = bool(transition.done)
      expected = inner.init(jnp.array([3], jnp.int32)) if ended else plain
      self.assertEqual(int(state.history), int(expected.history))
    np.testing.assert_array_equal(transition.rewards, inner.returns(plain))


if __name__ == "__main__":
  absltest.main()
