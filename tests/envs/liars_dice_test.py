"""Liar's dice against OpenSpiel's, and for three players against a loop."""

import random

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pyspiel
import pytest

from mdrl.envs import base as env_lib
from mdrl.envs import liars_dice
from mdrl.testing import replays

_GAMES = (
  dict(),
  dict(numdice=2, dice_sides=4),
  dict(numdice=3, dice_sides=3, bidding_rule="reset-quantity"),
)


def _string(parameters):
  given = ",".join(f"{name}={value}" for name, value in parameters.items())
  return f"liars_dice({given})"


class LiarsDiceTest(parameterized.TestCase):
  @parameterized.parameters(*_GAMES)
  def test_it_is_openspiels(self, **parameters):
    env = liars_dice.LiarsDice(**parameters)
    replays.check_replays(env, _string(parameters), 200)

  @parameterized.parameters(
    (4000, _GAMES[0]),
    (3000, _GAMES[1]),
    (2000, _GAMES[2]),
    (1000, dict(numdice=5)),
    (500, dict(numdice=6, dice_sides=8, bidding_rule="reset-quantity")),
  )
  @pytest.mark.slow
  def test_it_is_openspiels_in_many_games(self, num_games, parameters):
    env = liars_dice.LiarsDice(**parameters)
    replays.check_replays(env, _string(parameters), num_games, seed=1)

  @parameterized.parameters(*_GAMES, dict(numdice=2, dice_sides=1))
  def test_names_are_openspiels_strings(self, **parameters):
    env = liars_dice.LiarsDice(**parameters)
    game = pyspiel.load_game(_string(parameters))
    players = jnp.arange(2)

    def after(state, move):
      chance = env.current_player(state) == env_lib.CHANCE
      rolled, bid = env.resolve(state, move), env.act(state, move)
      behind = env_lib.where(chance, rolled, bid)
      keys = jax.vmap(env.information_state, (None, 0))(behind, players)
      return behind, keys

    after = jax.jit(after)
    luck = random.Random(0)
    state, theirs = env.root(), game.new_initial_state()
    while not theirs.is_terminal():
      move = luck.choice(theirs.legal_actions())
      theirs.apply_action(move)
      state, keys = after(state, jnp.asarray(move))
      for i, key in enumerate(np.asarray(keys)):
        expected = theirs.information_state_string(i)
        self.assertEqual(env.names(key, i), (expected,))

  def test_three_players_bid_in_turn(self):
    env = liars_dice.LiarsDice(players=3, numdice=2, dice_sides=3)
    luck, step = random.Random(1), jax.jit(env.step)
    ends = set()
    for _ in range(40):
      dice = [luck.randrange(3) for _ in range(6)]
      state, bids = env.init(jnp.asarray(dice)), []
      while True:
        mover = len(bids) % 3
        self.assertEqual(int(state.player), mover)
        least = max(bids, default=-1) + 1
        legal = list(range(least, 18 + bool(bids)))
        self.assertEqual(
          np.flatnonzero(env.legal_actions(state)).tolist(), legal
        )
        bid = luck.choice([*legal[:5], legal[-1]])
        state = step(state, jnp.asarray(bid), jnp.zeros(0))
        if bid == 18:
          break
        bids.append(bid)
      quantity, face = bids[-1] // 3 + 1, bids[-1] % 3
      true = sum(die in (face, 2) for die in dice) >= quantity
      expected = [0, 0, 0]
      expected[mover] = -1 if true else 1
      expected[mover - 1] = -expected[mover]
      self.assertEqual(env.returns(state).tolist(), expected)
      self.assertTrue(env.is_terminal(state))
      ends.add((mover, true))
    self.assertLen(ends, 6)

  def test_dice_are_fair_and_sorted(self):
    env = liars_dice.LiarsDice(numdice=3, dice_sides=4)
    keys = jax.random.split(jax.random.key(0), 4000)
    dice = np.asarray(jax.vmap(env.init)(keys).dice)
    np.testing.assert_array_equal(dice, np.sort(dice, axis=-1))
    share = [(dice == face).mean() for face in range(1, 5)]
    np.testing.assert_allclose(share, 0.25, atol=0.01)

  def test_init_is_a_roll_of_each_die(self):
    env = liars_dice.LiarsDice(numdice=2)
    for luck in (jnp.linspace(0, 0.999, 4), jnp.asarray([5, 0, 3, 3])):
      rolled = env.settle(env.root(), luck)
      jax.tree.map(np.testing.assert_array_equal, env.init(luck), rolled)

  def test_others_dice_are_hidden(self):
    env = liars_dice.LiarsDice(numdice=2)
    dice = ([0, 1, 2, 3], [1, 0, 5, 5])
    states = [env.init(jnp.asarray(faces)) for faces in dice]
    views = [env.view(state) for state in states]
    jax.tree.map(np.testing.assert_array_equal, *views)
    known, hidden = zip(
      *(env.split(s, jnp.asarray(0)) for s in states), strict=True
    )
    jax.tree.map(np.testing.assert_array_equal, *known)
    joined = env.join(known[0], hidden[1], jnp.asarray(0))
    jax.tree.map(np.testing.assert_array_equal, joined, states[1])

  @parameterized.parameters(
    (dict(numdice=0), "`numdice` must lie in"),
    (dict(dice_sides=0), "`dice_sides` must lie in"),
    (dict(players=1), "`players` must lie in"),
    (dict(bidding_rule="reset"), "`bidding_rule` must be one of"),
  )
  def test_parameters_are_checked(self, parameters, message):
    with self.assertRaisesRegex(ValueError, message):
      liars_dice.LiarsDice(**parameters)


if __name__ == "__main__":
  absltest.main()
