"""Tests that compiled games play as OpenSpiel plays them."""

import functools
import pathlib
import tempfile

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.compile import openspiel
from mdrl.envs import base as env_lib
from mdrl.envs import compiled
from mdrl.testing import games

_NAMES = (
  "kuhn",
  "kuhn_three_players",
  "leduc",
  "goofspiel",
  "general_sum",
  "simultaneous",
)
# More actions than a word has bits.
_LARGE = "oshi_zumo(coins=35,size=1,horizon=1)"


_BIASED = """EFG 2 R "Biased" { "A" "B" }
c "" 1 "" { "x" 1/2 "y" 1/3 "z" 1/6 } 0
c "" 2 "" { "u" 3/4 "v" 1/4 } 0
p "" 1 1 "" { "l" "r" } 0
t "" 1 "" { 1 -1 }
t "" 2 "" { -1 1 }
p "" 2 1 "" { "l" "r" } 0
t "" 3 "" { 1 -1 }
t "" 4 "" { -1 1 }
t "" 5 "" { 0 0 }
p "" 1 2 "" { "l" "r" } 0
t "" 6 "" { 2 -2 }
t "" 7 "" { -2 2 }
"""


@functools.cache
def _environment(name):
  game, index = games.compiled(name, histories=True)
  return compiled.environment(game, index)


@jax.jit
def _described(env, state):
  players = jnp.arange(env.num_players)
  seen = jax.vmap(env.observation, (None, 0))(state, players)
  return (
    env.current_player(state),
    env.legal_actions(state),
    env.returns(state),
    seen,
    env.view(state),
  )


def _path(env, state, behind):
  """Returns what chance did between two states, as the game numbers it."""
  tables, history, actions = env.tables, int(behind.history), []
  while history != int(state.history):
    actions.append(int(tables.action[history]))
    history = int(tables.parent[history])
  return actions[::-1]


class CompiledTest(parameterized.TestCase):
  @parameterized.parameters(*_NAMES, _LARGE)
  def test_random_games_are_those_of_openspiel(self, name):
    env = _environment(name)
    game = openspiel.load_game(games.TREES.get(name, name))
    act, resolve = jax.jit(type(env).act), jax.jit(type(env).resolve)
    draw = np.random.default_rng(0)
    tensor = game.get_type().provides_information_state_tensor
    for _ in range(12):
      state, peer = env.root(), game.new_initial_state()
      while not peer.is_terminal():
        player, legal, returns, seen, view = _described(env, state)
        self.assertEqual(player, peer.current_player())
        np.testing.assert_array_equal(returns, peer.returns())
        if peer.is_chance_node():
          weights = np.asarray(env.outcomes(state))
          np.testing.assert_allclose(weights.sum(), 1)
          outcome = draw.choice(len(weights), p=weights / weights.sum())
          behind = resolve(env, state, jnp.int32(outcome))
          chance = 1.0
          for action in _path(env, state, behind):
            chance *= dict(peer.chance_outcomes())[action]
            peer.apply_action(action)
          np.testing.assert_allclose(weights[outcome], chance)
        else:
          actions = peer.legal_actions()
          self.assertEqual(np.flatnonzero(legal).tolist(), actions)
          if tensor:
            expected = peer.information_state_tensor()
            np.testing.assert_allclose(view.observation, expected, rtol=1e-6)
            np.testing.assert_array_equal(seen[player], view.observation)
          action = draw.choice(actions)
          behind = act(env, state, jnp.int32(action))
          peer.apply_action(action)
        state = behind
      player, legal, returns, *_ = _described(env, state)
      self.assertEqual(player, env_lib.TERMINAL)
      self.assertFalse(legal.any())
      np.testing.assert_allclose(returns, peer.returns(), rtol=1e-6)

  def test_histories_are_asked_for(self):
    game, index = games.compiled("kuhn")
    with self.assertRaisesRegex(ValueError, "histories=True"):
      compiled.environment(game, index)
    game, _ = games.compiled("kuhn", histories=True)
    _, other = games.compiled("leduc", histories=True)
    with self.assertRaisesRegex(ValueError, "`index` must be the index"):
      compiled.environment(game, other)

  def test_drawn_outcomes_have_their_probabilities(self):
    with tempfile.TemporaryDirectory() as folder:
      path = pathlib.Path(folder) / "biased.efg"
      path.write_text(_BIASED)
      game, index = openspiel.compile_game(str(path), histories=True)
    env = compiled.environment(game, index)
    luck = (np.arange(4096) + 0.5) / 4096
    drawn = jax.vmap(env.init)(luck[:, None].astype(env.dtype))
    weights = np.asarray(env.outcomes(env.root()))
    leaves = np.asarray(env.chance.target)[: len(weights)]
    np.testing.assert_allclose(
      sorted(weights), [1 / 8, 1 / 6, 1 / 3, 3 / 8], rtol=1e-12
    )
    for leaf, weight in zip(leaves, weights):
      share = np.mean(np.asarray(drawn.history) == leaf)
      self.assertAlmostEqual(share, weight, delta=len(weights) / 4096)


if __name__ == "__main__":
  absltest.main()
