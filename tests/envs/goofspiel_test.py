"""Goofspiel against OpenSpiel's."""

import random

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pyspiel
import pytest

from mdrl.envs import base as env_lib
from mdrl.envs import goofspiel
from mdrl.testing import replays

_HIDDEN = (
  dict(num_cards=4, imp_info=True),
  dict(
    num_cards=4,
    players=3,
    imp_info=True,
    egocentric=True,
    points_order="descending",
    returns_type="point_difference",
  ),
)
_SEEN = (
  dict(
    num_cards=5,
    num_turns=3,
    points_order="ascending",
    returns_type="total_points",
  ),
  dict(num_cards=3, players=4),
)
_ODD = (
  dict(num_cards=1),
  dict(num_cards=2, imp_info=True),
  dict(num_cards=3, num_turns=1, imp_info=True, points_order="descending"),
  # Hands and bids of more than one word.
  dict(num_cards=33, imp_info=True, points_order="ascending"),
)


def _string(parameters):
  given = ",".join(f"{name}={value}" for name, value in parameters.items())
  return f"goofspiel({given})"


class GoofspielTest(parameterized.TestCase):
  @parameterized.parameters(*_HIDDEN, *_SEEN)
  def test_it_is_openspiels(self, **parameters):
    env = goofspiel.Goofspiel(**parameters)
    partition = "string" if env.imp_info else None
    replays.check_replays(env, _string(parameters), 100, partition=partition)

  @parameterized.parameters(
    (4000, _HIDDEN[0]),
    (3000, _HIDDEN[1]),
    (2000, _SEEN[0]),
    (1000, _SEEN[1]),
    (200, dict(imp_info=True)),
    (100, dict(returns_type="point_difference")),
  )
  @pytest.mark.slow
  def test_it_is_openspiels_in_many_games(self, num_games, parameters):
    env = goofspiel.Goofspiel(**parameters)
    partition = "string" if env.imp_info else None
    replays.check_replays(
      env, _string(parameters), num_games, seed=1, partition=partition
    )

  @parameterized.parameters(*_HIDDEN, *_SEEN, *_ODD)
  def test_names_are_openspiels_strings(self, **parameters):
    env = goofspiel.Goofspiel(**parameters)
    game = pyspiel.convert_to_turn_based(pyspiel.load_game(_string(parameters)))
    players = jnp.arange(env.num_players)

    def after(state, move):
      behind = env.act(state, move)
      if env.num_outcomes:
        chance = env.current_player(state) == env_lib.CHANCE
        behind = env_lib.where(chance, env.resolve(state, move), behind)
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
        (name,) = env.names(key, i)
        if env.imp_info:
          self.assertEqual(name, expected)
        else:
          self.assertStartsWith(name, expected)
    self.assertEqual(int(env.current_player(state)), env_lib.TERMINAL)

  def test_bids_that_were_seen_are_remembered_in_order(self):
    # The same turns in another order, and OpenSpiel's string is the same.
    env = goofspiel.Goofspiel(num_cards=4, points_order="ascending")
    game = pyspiel.convert_to_turn_based(
      pyspiel.load_game("goofspiel(num_cards=4,points_order=ascending)")
    )
    keys, names = [], []
    for moves in ([0, 2, 1, 3], [1, 3, 0, 2]):
      state, theirs = env.root(), game.new_initial_state()
      for move in moves:
        state = env.act(state, jnp.asarray(move))
        theirs.apply_action(move)
      keys.append(env.information_state(state, jnp.asarray(0)).tolist())
      names.append(theirs.information_state_string(0))
    ours = [env.names(key, 0)[0] for key in keys]
    self.assertEqual(*names)
    self.assertNotEqual(*keys)
    self.assertNotEqual(*ours)
    for name, theirs in zip(ours, names):
      self.assertStartsWith(name, theirs)

  def test_others_bids_are_hidden_until_all_have_bid(self):
    for imp_info in (False, True):
      env = goofspiel.Goofspiel(
        num_cards=4, imp_info=imp_info, points_order="ascending"
      )
      first, second = (env.act(env.root(), jnp.asarray(i)) for i in (0, 1))
      views = [env.view(state) for state in (first, second)]
      jax.tree.map(np.testing.assert_array_equal, *views)
      known = [env.split(s, jnp.asarray(1))[0] for s in (first, second)]
      jax.tree.map(np.testing.assert_array_equal, *known)

  def test_a_state_is_its_parts(self):
    for imp_info in (False, True):
      env = goofspiel.Goofspiel(num_cards=4, players=3, imp_info=imp_info)
      state = env.init(jax.random.key(0))
      for action in (3, 1, 0, 2):
        state = env.step(state, jnp.asarray(action), jax.random.key(action))
      for i in range(3):
        player = jnp.asarray(i)
        parts = env.split(state, player)
        joined = env.join(*parts, player)
        jax.tree.map(np.testing.assert_array_equal, joined, state)

  def test_decks_can_be_given(self):
    env = goofspiel.Goofspiel(num_cards=3)
    state = env.init(jnp.asarray([2]))
    self.assertEqual(int(state.prize), 2)
    state = env.step(state, jnp.asarray(2), jnp.asarray([0]))
    state = env.step(state, jnp.asarray(1), jnp.asarray([0]))
    self.assertEqual(int(state.prize), 0)
    self.assertEqual(state.points.tolist(), [3, 0])

  @parameterized.parameters(
    (dict(num_cards=0), "`num_cards` must lie in"),
    (dict(players=1), "`players` must lie in"),
    (dict(num_cards=4, num_turns=5), "got 5 for 4 cards"),
    (dict(num_cards=4, num_turns=3), "where one card would be left, play all"),
    (dict(num_cards=4, num_turns=0), "got 0 for 4 cards"),
    (dict(points_order="rising"), "`points_order` must be one of"),
    (dict(returns_type="points"), "`returns_type` must be one of"),
    (dict(dtype=int), "`dtype` must be a floating type"),
  )
  def test_parameters_are_checked(self, parameters, message):
    with self.assertRaisesRegex(ValueError, message):
      goofspiel.Goofspiel(**parameters)


if __name__ == "__main__":
  absltest.main()
