"""Games on boards that are not seen, against OpenSpiel and an oracle."""

import inspect

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pyspiel
import pytest

from mdrl import envs, testing
from mdrl.envs import board_keys
from mdrl.testing import replays
from tests.envs import phantom_board_oracle

_GAMES = {
  "phantom_ttt": envs.PhantomTicTacToe(),
  "phantom_ttt(gameversion=abrupt)": envs.PhantomTicTacToe(abrupt=True),
  "dark_hex": envs.DarkHex(),
  "dark_hex(gameversion=adh)": envs.DarkHex(abrupt=True),
}
_BOARDS = {
  "dark_hex(board_size=2)": envs.DarkHex(num_rows=2, num_cols=2),
  "dark_hex(num_rows=4,num_cols=3)": envs.DarkHex(num_rows=4),
  "dark_hex(num_rows=2,num_cols=4,gameversion=adh)": envs.DarkHex(
    num_rows=2, num_cols=4, abrupt=True
  ),
  "dark_hex(board_size=4,gameversion=adh)": envs.DarkHex(
    num_rows=4, num_cols=4, abrupt=True
  ),
}


def _check(name, env, num_games):
  if isinstance(env, envs.PhantomTicTacToe):
    partitions = ("string", "tensor")
    testing.check_replays(env, name, num_games, partition=partitions)
    return
  testing.check_replays(env, name, num_games, partition="tensor")
  if env.abrupt:
    # Between its own moves a player's string tells of the other's.
    testing.check_replays(
      env, name, num_games // 4, seed=1, tensor=None, movers=True
    )


class BoardGamesTest(parameterized.TestCase):
  @parameterized.parameters(*_GAMES.items())
  def test_plays_as_openspiel(self, name, env):
    testing.check_replays(env, name, 200, partition="tensor")

  @parameterized.parameters(*_GAMES.items())
  @pytest.mark.slow
  def test_plays_as_openspiel_for_long(self, name, env):
    _check(name, env, 10_000)

  @parameterized.parameters(*_BOARDS.items())
  @pytest.mark.slow
  def test_plays_as_openspiel_on_other_boards(self, name, env):
    _check(name, env, 1_000)

  @parameterized.parameters((2, False), (4, True))
  def test_plays_as_the_oracle(self, side, abrupt):
    # The oracle is no game of OpenSpiel, which types ask for.
    check = inspect.unwrap(testing.check_replays)
    env = envs.PhantomTicTacToe(side=side, abrupt=abrupt)
    check(env, phantom_board_oracle.Game(side, abrupt), 100)

  @parameterized.product(side=(2, 3, 4), abrupt=(False, True))
  @pytest.mark.slow
  def test_plays_as_the_oracle_for_long(self, side, abrupt):
    check = inspect.unwrap(testing.check_replays)
    env = envs.PhantomTicTacToe(side=side, abrupt=abrupt)
    check(env, phantom_board_oracle.Game(side, abrupt), 1_000)

  def test_the_string_of_classical_dark_hex_tells_more(self):
    with self.assertRaisesRegex(AssertionError, "differ by string"):
      testing.check_replays(
        envs.DarkHex(), "dark_hex", 200, partition="string", movers=True
      )

  @parameterized.parameters(*_GAMES.items())
  def test_names_are_those_of_openspiel(self, name, env):
    game = pyspiel.load_game(name)
    for moves in replays.random_moves(game, 40):
      theirs, ours = game.new_initial_state(), env.root()
      ours = jax.tree.map(np.asarray, ours)
      tries = ([], [])
      for move in moves:
        player = theirs.current_player()
        key = board_keys.encode(tries[player], env.num_cells)
        self.assertIn(
          theirs.information_state_string(player), env.names(key, player)
        )
        theirs.apply_action(move)
        seen = theirs.information_state_string(player).replace("\n", "")
        tries[player].append((move, seen[move] == "xo"[player]))

  @parameterized.parameters(
    ("dark_hex(board_size=2)", envs.DarkHex(num_rows=2, num_cols=2)),
    (
      "dark_hex(board_size=2,gameversion=adh)",
      envs.DarkHex(num_rows=2, num_cols=2, abrupt=True),
    ),
  )
  def test_names_are_all_that_exist(self, name, env):
    self._assert_all_named(name, env)

  @pytest.mark.slow
  def test_names_are_all_that_exist_on_a_larger_board(self):
    env = envs.DarkHex(num_rows=3, num_cols=2)
    self._assert_all_named("dark_hex(num_rows=3,num_cols=2)", env)

  def _assert_all_named(self, name, env):
    strings, keys = _all_strings(pyspiel.load_game(name))
    for player in range(2):
      named = [
        string
        for key in keys[player]
        for string in env.names(board_keys.encode(key, env.num_cells), player)
      ]
      self.assertEqual(sorted(named), sorted(strings[player]))

  @parameterized.parameters(*_GAMES.items())
  def test_first_stones_are_known_as_if_they_had_been_met(self, name, env):
    del name
    known = type(env)(abrupt=env.abrupt, first_stones=(4, 0))
    classical = type(env)()
    state = classical.root()
    for cell in (4, 4, 0, 0):
      state = jax.jit(classical.act)(state, jnp.int32(cell))
    for ours, played in zip(
      jax.tree.leaves(known.root()), jax.tree.leaves(state), strict=True
    ):
      np.testing.assert_array_equal(ours, played)
      self.assertEqual(ours.dtype, played.dtype)
    self.assertEqual(known.max_decisions, 13)

  @parameterized.parameters(jnp.float32, jnp.float64)
  def test_numbers_have_the_precision_that_was_asked_for(self, dtype):
    env = envs.DarkHex(dtype=dtype)
    state = jax.eval_shape(env.root)
    self.assertEqual(env.dtype, dtype)
    self.assertEqual(state.sides.stones.dtype, jnp.uint32)
    for leaf in (
      jax.eval_shape(env.returns, state),
      jax.eval_shape(env.observation, state, jnp.int32(1)),
    ):
      self.assertEqual(leaf.dtype, dtype)

  @parameterized.parameters((4, 4), (0, 9), (-1, 3))
  def test_refuses_first_stones_that_are_not_two_cells(self, *stones):
    with self.assertRaisesRegex(
      ValueError, "`first_stones` must be a pair of different cells, from 0"
    ):
      envs.PhantomTicTacToe(first_stones=stones)

  def test_refuses_large_boards(self):
    with self.assertRaisesRegex(
      ValueError, "`num_rows` must be a whole number"
    ):
      envs.DarkHex(num_rows=5)


def _all_strings(game):
  """Returns the strings and tries of each player at all of its decisions."""
  strings, keys, met = (set(), set()), (set(), set()), set()
  stack = [(game.new_initial_state(), ((), ()))]
  while stack:
    state, tries = stack.pop()
    if state.is_terminal():
      continue
    player = state.current_player()
    strings[player].add(state.information_state_string(player))
    keys[player].add(tries[player])
    for action in state.legal_actions():
      child = state.child(action)
      seen = child.information_state_string(player).replace("\n", "")
      after = list(tries)
      after[player] += ((action, seen[action] == "xo"[player]),)
      # Histories of the same tries go on alike.
      place = (*after, child.current_player())
      if place not in met:
        met.add(place)
        stack.append((child, tuple(after)))
  return strings, keys


if __name__ == "__main__":
  absltest.main()
