"""Hanabi is OpenSpiel's, and tells histories apart as its players do."""

import inspect

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pyspiel
import pytest

from mdrl import envs, testing
from mdrl.envs import base as env_lib
from mdrl.envs import compilation
from mdrl.games import base as game_lib

_TINY = dict(colors=1, ranks=2, hand_size=1, max_information_tokens=2)
_PUBLISHED = dict(
  colors=2, hand_size=2, max_information_tokens=3, max_life_tokens=1
)
_MORE = (
  ("small", 5_000, dict(players=2, **_PUBLISHED)),
  ("three", 2_000, dict(players=3, **_TINY)),
  ("four", 1_500, dict(players=4, colors=2, ranks=3, hand_size=2)),
  ("five", 1_000, dict(players=5, colors=2, ranks=4, hand_size=2)),
  ("many_lives", 200, dict(players=2, ranks=3, max_life_tokens=20)),
  ("full", 150, dict(players=2)),
  ("seven_cards", 150, dict(players=2, hand_size=7, max_information_tokens=4)),
  ("full_of_five", 50, dict(players=5)),
)


def _spiel(sizes):
  parameters = ",".join(f"{name}={value}" for name, value in sizes.items())
  return pyspiel.load_game(f"hanabi({parameters})")


def _uniform_value(state):
  """Returns what uniform play of a state of OpenSpiel is worth."""
  if state.is_terminal():
    return state.returns()[0]
  if state.is_chance_node():
    moves = state.chance_outcomes()
  else:
    legal = state.legal_actions()
    moves = [(move, 1 / len(legal)) for move in legal]
  return sum(p * _uniform_value(state.child(move)) for move, p in moves)


def _histories(state, moves=(), seen=None):
  """Yields the moves of all histories, and what each player has seen and done.

  That is OpenSpiel's strings, and all moves of players, which are public.
  """
  players = range(state.num_players())
  seen = seen or [() for _ in players]
  yield moves, seen
  for move in [] if state.is_terminal() else state.legal_actions():
    child = state.child(move)
    public = None if state.is_chance_node() else move
    more = [(public, child.observation_string(player)) for player in players]
    behind = [(*s, m) for s, m in zip(seen, more, strict=True)]
    yield from _histories(child, (*moves, move), behind)


@jax.jit
def _states(env, moves):
  """Returns the states behind moves, as long as those are not negative."""

  def step(state, move):
    chance = env.current_player(state) == env_lib.CHANCE
    after = env_lib.where(
      chance, env.resolve(state, move), env.act(state, move)
    )
    return env_lib.where(move >= 0, after, state), None

  return jax.vmap(lambda m: jax.lax.scan(step, env.root(), m)[0])(moves)


@jax.jit
def _parts(env, states, player):
  """Returns keys of a player, what it knows and what is hidden, and its all."""

  def of_one(state):
    known, hidden = env.split(state, player)
    whole = env.join(known, hidden, player)
    return env.information_state(state, player), known, hidden, whole

  return jax.vmap(of_one)(states)


def _rows(tree):
  """Returns the bytes of each of many states, or of one."""
  leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]
  if not leaves[0].ndim:
    leaves = [leaf[None] for leaf in leaves]
  return [
    b"".join(x[i].tobytes() for x in leaves) for i in range(len(leaves[0]))
  ]


class HanabiTest(parameterized.TestCase):
  @parameterized.named_parameters(
    ("small", 300, dict(players=2, **_PUBLISHED)),
    ("three", 100, dict(players=3, **_TINY)),
  )
  def test_replays_openspiel(self, num_games, sizes):
    testing.check_replays(
      envs.Hanabi(**sizes),
      _spiel(sizes),
      num_games,
      partition=None,
      tensor="observation",
    )

  @parameterized.named_parameters(*_MORE)
  @pytest.mark.slow
  def test_replays_more_of_openspiel(self, num_games, sizes):
    testing.check_replays(
      envs.Hanabi(**sizes, dtype=jnp.float32),
      _spiel(sizes),
      num_games,
      1,
      partition=None,
      tensor="observation",
      movers=True,
    )

  @parameterized.named_parameters(
    ("ranks", dict(players=2, **_TINY)),
    ("slots", dict(players=2, **_TINY | dict(hand_size=2))),
    ("three", dict(players=3, **_TINY | dict(max_information_tokens=1))),
  )
  def test_information_states_are_what_was_seen_and_done(self, sizes):
    self._check_information_states(sizes)

  @pytest.mark.slow
  def test_information_states_of_more_histories(self):
    tokens = dict(max_information_tokens=1, max_life_tokens=1)
    self._check_information_states(
      dict(players=2, colors=2, ranks=1, hand_size=2, **tokens)
    )

  def _check_information_states(self, sizes):
    env = envs.Hanabi(**sizes)
    histories = list(_histories(_spiel(sizes).new_initial_state()))
    longest = max(len(moves) for moves, _ in histories)
    moves = [[*m, *[-1] * (longest - len(m))] for m, _ in histories]
    states = _states(env, jnp.array(moves, jnp.int32))
    for player in range(env.num_players):
      keys, known, _, whole = _parts(env, states, jnp.int32(player))
      self.assertEqual(_rows(whole), _rows(states))
      keys, known = _rows(keys), _rows(known)
      seen = [seen[player] for _, seen in histories]
      self.assertLess(len(set(seen)), len(histories))
      self.assertLen(set(zip(keys, seen, strict=True)), len(set(seen)))
      self.assertLen(set(keys), len(set(seen)))
      # What is known is a function of the key, with the player to move.
      self.assertLen(set(zip(keys, known, strict=True)), len(set(seen)))

  @parameterized.parameters((2, 3), (5, 1))
  def test_draws_are_as_one_by_one(self, players, hand_size):
    env = envs.Hanabi(players=players, ranks=4, hand_size=hand_size)
    numbers = jax.random.uniform(jax.random.key(0), (50, env.init_draws))
    many = jax.jit(jax.vmap(env.init))(numbers)
    slow = jax.jit(
      jax.vmap(lambda x: env_lib.Environment.settle(env, env.root(), x))
    )
    one_by_one = jax.jit(jax.vmap(lambda x: env.settle(env.root(), x)))
    self.assertEqual(_rows(many), _rows(slow(numbers)))
    self.assertEqual(_rows(many), _rows(one_by_one(numbers)))
    dealt = np.bitwise_count(np.asarray(many.hands.cards) - 1)
    cards = jnp.asarray(dealt.reshape(50, -1), jnp.int32)
    self.assertEqual(_rows(many), _rows(jax.vmap(env.init)(cards)))
    self.assertEqual(_rows(many), _rows(slow(cards)))

  def test_a_key_is_numbers(self):
    env = envs.Hanabi(**_TINY)
    key = jax.random.key(3)
    numbers = jax.random.uniform(key, (env.init_draws,), env.dtype)
    self.assertEqual(
      jax.tree.map(int, env.init(key).hands.cards[:, 0].tolist()),
      env.init(numbers).hands.cards[:, 0].tolist(),
    )

  def test_the_largest_numbers_draw_the_last_card(self):
    env = envs.Hanabi(dtype=jnp.float32)
    below = np.nextafter(np.float32(1), np.float32(0))
    state = env.init(jnp.full(env.init_draws, below))
    cards = np.bitwise_count(np.asarray(state.hands.cards).reshape(-1) - 1)
    self.assertEqual(cards.tolist(), [24, 23, 23, 22, 22, 21, 21, 20, 20, 20])

  def test_cards_come_in_the_order_of_a_deck(self):
    env = envs.Hanabi(players=3, ranks=3, max_life_tokens=9)
    deck = env.deck(jax.random.key(1))
    counts = np.bincount(deck, minlength=env.num_outcomes)
    self.assertEqual(counts.reshape(5, 3).tolist(), [[3, 2, 1]] * 5)
    step, state = jax.jit(env.step_from), env.init_from(deck)
    first = np.bitwise_count(np.asarray(state.hands.cards) - 1).reshape(-1)
    self.assertEqual(first.tolist(), deck[:15].tolist())
    for drawn in range(15, env.deck_size):
      player = int(state.current)
      state = step(state, jnp.int32(env.hand_size), deck)
      card = int(state.hands.cards[player, -1])
      self.assertEqual(card, 1 << int(deck[drawn]))

  @parameterized.parameters(
    dict(_PUBLISHED),
    dict(players=4, **_TINY),
    dict(colors=1, ranks=1, hand_size=1),
  )
  def test_no_game_is_longer(self, **sizes):
    env = envs.Hanabi(**sizes)
    state, step = env.init(jax.random.key(0)), jax.jit(env.step)
    decisions = 0
    while not env.is_terminal(state):
      legal = np.flatnonzero(env.legal_actions(state))
      hints = legal[legal >= 2 * env.hand_size]
      action = hints[0] if len(hints) else legal[0]
      state = step(state, jnp.int32(action), jax.random.key(decisions))
      decisions += 1
    self.assertEqual(decisions, env.max_decisions)
    again = step(state, jnp.int32(0), jax.random.key(0))
    self.assertEqual(_rows(again), _rows(state))

  def test_an_illegal_action_is_the_first_legal_one(self):
    env = envs.Hanabi(**_TINY | dict(hand_size=2))
    state, step = env.init(jnp.array([0, 0, 0, 1], jnp.int32)), jax.jit(env.act)
    # With all tokens, slots are played, and not discarded.
    for action, same in ((0, 2), (1, 2), (-1, 2), (env.num_actions, 2)):
      moved = step(state, jnp.int32(action))
      self.assertEqual(_rows(moved), _rows(step(state, jnp.int32(same))))
    self.assertNotEqual(_rows(moved), _rows(step(state, jnp.int32(3))))

  @pytest.mark.slow
  def test_contract(self):
    testing.check_env(
      envs.Hanabi(players=3, colors=2, ranks=3, hand_size=2, max_life_tokens=2)
    )

  def test_compiles_into_a_game_that_is_worth_the_same(self):
    sizes = dict(players=3, **_TINY | dict(max_information_tokens=1))
    game, _ = compilation.compile_environment(envs.Hanabi(**sizes))
    plans = game.plans(game_lib.uniform_policies(game))
    value = _uniform_value(_spiel(sizes).new_initial_state())
    np.testing.assert_allclose(game.values(plans), [value] * 3, rtol=1e-12)

  @parameterized.parameters(
    ("players", 6),
    ("colors", 0),
    ("ranks", 6),
    ("hand_size", 26),
    ("max_information_tokens", -1),
    ("max_life_tokens", 0),
    ("dtype", jnp.int32),
  )
  def test_sizes_that_openspiel_has_not(self, name, value):
    with self.assertRaisesRegex(ValueError, f"`{name}`"):
      inspect.unwrap(envs.Hanabi)(**{name: value})


if __name__ == "__main__":
  absltest.main()
