"""Tests of one player's decisions against the others."""

import functools
import pathlib

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mdrl import policies, struct
from mdrl.compile import openspiel
from mdrl.envs import compiled
from mdrl.learning import seats
from mdrl.policies import base as policy_lib
from mdrl.testing import games
from mdrl.trees import quantities

_THREE = pathlib.Path(__file__).parents[1] / "data" / "three_players.efg"
_NUM_GAMES = 4000


@functools.cache
def _game(name):
  if name == "three":
    return openspiel.compile_game(str(_THREE), histories=True)
  return games.compiled(name, histories=True)


@functools.cache
def _seat(name, player, scale=1.0):
  game, index = _game(name)
  return seats.Seat(
    env=compiled.environment(game, index),
    policy=_random(name, 0),
    seat=jnp.asarray(player, jnp.int32),
    scale=jnp.asarray(scale),
  )


@functools.cache
def _random(name, seed):
  """Returns a random policy as a table."""
  return policies.from_policies(
    _random_policies(name, seed), policies.of_game(*_game(name))
  )


@functools.cache
def _random_policies(name, seed):
  rng, (_, index) = np.random.default_rng(seed), _game(name)
  tables = []
  for own in index.players:
    table = np.zeros(len(own.action))
    table[0] = 1
    for row in range(len(own.start)):
      table[own.slots(row)] = rng.dirichlet(np.ones(own.width[row]))
    tables.append(jnp.asarray(table))
  return quantities.Policies(tuple(tables))


_play = jax.jit(seats.play, static_argnames="num_games")
_start = jax.jit(seats.start, static_argnames="num_games")
_step, _renew = jax.jit(seats.step), jax.jit(seats.renew)


@struct.dataclass
class _Counting:
  """Takes the action that a table has for the number of own decisions made."""

  table: jax.Array

  def init_carry(self):
    return jnp.zeros((), jnp.int32)

  def __call__(self, view, carry):
    action = self.table[view.player, carry]
    logits = jnp.where(jnp.arange(view.legal.shape[0]) == action, 0.0, -jnp.inf)
    return policy_lib.Outputs(logits, logits[0] * 0), carry + 1


class PlayTest(parameterized.TestCase):
  @parameterized.parameters(
    ("kuhn", 0),
    ("kuhn", 1),
    ("kuhn", -1),
    ("three", 0),
    ("three", 1),
    ("three", 2),
  )
  def test_means_are_the_exact_values(self, name, player):
    game, _ = _game(name)
    returns = _play(
      _seat(name, player),
      _random(name, 1),
      jax.random.key(0),
      num_games=_NUM_GAMES,
    )
    mixed = list(_random_policies(name, 0))
    if player >= 0:
      mixed[player] = _random_policies(name, 1)[player]
    exact = game.values(game.plans(quantities.Policies(tuple(mixed))))
    error = np.std(returns, axis=0) / np.sqrt(_NUM_GAMES)
    self.assertLess(np.max(np.abs(np.mean(returns, 0) - exact) / error), 4.5)

  def test_players_carry_apart(self):
    # Pass, bet, bet: two chips are at stake wherever each counts its own.
    table = jnp.array([[0, 1], [1, 0]])
    seat = struct.replace(_seat("kuhn", -1), policy=_Counting(table=table))
    returns = _play(seat, _random("kuhn", 0), jax.random.key(0), num_games=64)
    np.testing.assert_array_equal(np.abs(returns), 2)


class StepTest(parameterized.TestCase):
  @parameterized.parameters(
    ("kuhn", 0), ("kuhn", 1), ("three", 0), ("three", 2)
  )
  @pytest.mark.slow
  def test_rewards_add_up_to_returns(self, name, player):
    seat = _seat(name, player, 2.0)
    num_games, total, ended = 256, np.zeros(256), 0
    held = _start(seat, jax.random.key(0), num_games=num_games)
    for t in range(8):
      decides = np.asarray(seats.decides(seat, held))
      views = seats.views(seat, held)
      np.testing.assert_array_equal(views.player[decides], player)
      key = jax.random.fold_in(jax.random.key(1), t)
      action = seats.sample(_random(name, 2), views, key)
      held, outcome = _step(seat, held, action, key)
      self.assertTrue(np.all(outcome.done[~decides]))
      np.testing.assert_array_equal(outcome.reward[~decides], 0)
      total += np.asarray(outcome.reward)
      done = np.asarray(outcome.done)
      returns = jax.vmap(seat.env.returns)(held.state)[:, player]
      right = done & decides
      np.testing.assert_allclose(total[right], returns[right] / 2, atol=1e-12)
      ended += right.sum()
      total[done] = 0
      held = _renew(seat, held, key)
    self.assertGreater(ended, num_games)

  def test_games_that_end_before_a_decision_are_over(self):
    # The first player ends them at once by the first of three actions.
    seat = _seat("three", 2)
    held = _start(seat, jax.random.key(0), num_games=2000)
    policy = _random_policies("three", 0)
    index = _game("three")[1]
    row = index[0].slots(0)
    least = float(policy[0][row][0])
    over = 1 - float(jnp.mean(seats.decides(seat, held)))
    self.assertGreater(over, least - 0.05)
    self.assertLess(over, 1)


if __name__ == "__main__":
  absltest.main()
