"""Tests of matches, against the exact values of the policies that play."""

import functools
from typing import Any

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from mdrl import run, struct
from mdrl.envs import compiled
from mdrl.games import base as game_lib
from mdrl.judges import intervals, matches
from mdrl.policies import base as policy_lib
from mdrl.testing import games
from mdrl.trees import quantities

_play = jax.jit(matches.play, static_argnums=4)


@struct.dataclass
class _Table:
  """Probabilities of actions at all infostates of all players."""

  rows: Float[Array, "R A"]
  first: Int[Array, " N"]

  def init_carry(self) -> Any:
    return ()

  def __call__(self, view, carry):
    row = self.first[view.player] + view.information_state[0]
    logits = jnp.log(self.rows[jnp.maximum(row, 0)])
    return policy_lib.Outputs(logits, jnp.zeros_like(logits[0])), carry


@struct.dataclass
class _Counting:
  """Takes action 0 for its first move, and then action 1."""

  def init_carry(self) -> Any:
    return jnp.zeros((), jnp.int32)

  def __call__(self, view, carry):
    actions = jnp.arange(view.legal.shape[0], dtype=jnp.int32)
    logits = jnp.where(actions == jnp.minimum(carry, 1), 0.0, -jnp.inf)
    logits = logits.astype(view.observation.dtype)
    return policy_lib.Outputs(logits, jnp.zeros_like(logits[0])), carry + 1


@struct.dataclass
class _Bet:
  """Takes action 1."""

  def init_carry(self) -> Any:
    return ()

  def __call__(self, view, carry):
    actions = jnp.arange(view.legal.shape[0], dtype=jnp.int32)
    logits = jnp.where(actions == 1, 0.0, -jnp.inf)
    logits = logits.astype(view.observation.dtype)
    return policy_lib.Outputs(logits, jnp.zeros_like(logits[0])), carry


def _table(game, index, policies):
  width = 1 + max(int(own.action.max()) for own in index.players)
  rows = []
  for own, policy in zip(index.players, policies, strict=True):
    for found in own.probabilities(np.asarray(policy)).values():
      rows.append([found.get(action, 0.0) for action in range(width)])
  sizes = [len(own.infostates) for own in index.players]
  return _Table(
    rows=jnp.asarray(rows, game.dtype),
    first=jnp.asarray(np.cumsum([0, *sizes[:-1]]), jnp.int32),
  )


@functools.cache
def _problem(name):
  """Returns a game, its environment, and two policies in both forms."""
  game, index = games.compiled(name, histories=True)
  env = compiled.environment(game, index)
  policies = [
    game_lib.random_policies(game, jax.random.key(seed)) for seed in (1, 2)
  ]
  tables = tuple(_table(game, index, found) for found in policies)
  return game, env, policies, tables


def _value(game, policies, row):
  """Returns what players get where each has the policy of a row."""
  mixed = quantities.Policies(
    policies[p][seat] for seat, p in enumerate(np.asarray(row).tolist())
  )
  return np.asarray(game.values(game.plans(mixed)))


def _match(name, policies, **options):
  env = _problem(name)[1]
  rows = matches.seatings(len(policies), env.num_players)
  return matches.Match(policies=policies, seatings=jnp.asarray(rows), **options)


class MatchTest(parameterized.TestCase):
  @parameterized.parameters("kuhn", "kuhn_three_players", "general_sum")
  def test_means_are_the_exact_values(self, name):
    game, env, policies, tables = _problem(name)
    match = _match(name, tables, num_deals=2000, seed=3)
    state = run.advance(match, env, run.init(match, env), 10)
    found = matches.results(match, state, confidence=1 - 1e-6)
    rows = np.asarray(match.seatings)
    values = np.stack([_value(game, policies, row) for row in rows])
    self.assertEqual(found.num_deals, 20_000)
    self.assertEqual(found.num_games, 20_000 * len(rows))
    for policy in range(2):
      sits = rows == policy
      own = found.returns[policy]
      self.assertBetween(values[sits].mean(), own.low, own.high)
      for seat in range(game.num_players):
        expected = values[sits[:, seat], seat].mean()
        cell = found.by_seat[policy][seat]
        self.assertBetween(expected, cell.low, cell.high)
        # Narrow enough to tell the seats apart.
        self.assertLess(cell.high - cell.low, 0.2)
    margin = found.margins[0][1]
    exact = values[rows == 0].mean() - values[rows == 1].mean()
    self.assertBetween(exact, margin.low, margin.high)
    self.assertAlmostEqual(found.margins[1][0].mean, -margin.mean)
    self.assertEqual(found.margins[0][0].mean, 0)

  def test_values_of_seats_differ_more_than_intervals_are_wide(self):
    # So that the test above would see seats that are not swapped.
    game, _, policies, _ = _problem("kuhn")
    first, second = (_value(game, policies, row) for row in ((0, 1), (1, 0)))
    self.assertGreater(abs(first[0] - second[1]), 0.2)
    self.assertGreater(abs(first[0] - first[1]), 0.2)

  def test_a_pure_policy_that_plays_itself_has_the_same_luck_in_both_seats(
    self,
  ):
    game, env, _, _ = _problem("leduc")
    index = games.compiled("leduc", histories=True)[1]
    # Always the first action: who is ahead after the cards fall pays or wins.
    pure = quantities.Policies(
      jnp.zeros(t.num_slots, game.dtype)
      .at[jnp.asarray([own.slots(r).start for r in range(len(own.start))])]
      .set(1)
      for t, own in zip(game.treeplexes, index.players, strict=True)
    )
    table = _table(game, index, pure)
    match = _match("leduc", (table, table), num_deals=500)
    deals = _play(env, match.policies, match.seatings, jax.random.key(0), 500)
    np.testing.assert_array_equal(deals.returns, np.zeros((500, 2)))
    by_seat = np.asarray(deals.by_seat)
    np.testing.assert_array_equal(by_seat[:, 0], by_seat[:, 1])
    # And luck differs from deal to deal.
    self.assertGreater(by_seat[:, 0, 0].std(), 0.1)

  def test_luck_is_shared_by_number_of_draw(self):
    # Chance that comes later in one seating than in the other is the same.
    env = _problem("leduc")[1]
    luck = jax.random.uniform(jax.random.key(4), (20,), env.dtype)

    def cards(calls):
      """The public card after a first round with a call more or less."""
      games = matches._first(env, (), luck)
      for action in calls:
        state = env.act(games.state, jnp.asarray(action))
        games = matches._settled(
          env, games._replace(state=state), luck, env.step_draws
        )
      return np.asarray(env.view(games.state).observation)[8:14]

    short, long = cards((1, 1)), cards((1, 2, 1))
    self.assertEqual(short.sum(), 1)
    np.testing.assert_array_equal(short, long)

  def test_each_player_carries_its_own(self):
    env = _problem("kuhn")[1]
    seatings = jnp.asarray(matches.seatings(2, 2))
    deals = _play(env, (_Counting(), _Bet()), seatings, jax.random.key(0), 50)
    by_seat = np.asarray(deals.by_seat)[:, 0]
    # In the first seat it passes, and calls by its second move; in the second
    # it folds by its first.
    np.testing.assert_array_equal(np.abs(by_seat[:, 0]), 2)
    np.testing.assert_array_equal(by_seat[:, 1], -1)

  def test_players_of_one_policy_carry_apart(self):
    env = _problem("kuhn")[1]
    seatings = jnp.zeros((1, 2), jnp.int32)
    deals = _play(env, (_Counting(),), seatings, jax.random.key(0), 50)
    # Both pass by their first moves, and the higher card gets one.
    np.testing.assert_array_equal(np.abs(np.asarray(deals.by_seat)), 1)

  def test_pieces_are_the_whole(self):
    _, env, _, tables = _problem("kuhn")
    match = _match("kuhn", tables, num_deals=100, seed=1)
    first = run.init(match, env)
    whole = run.advance(match, env, first, 3)
    parts = run.advance(match, env, run.advance(match, env, first, 1), 2)
    for a, b in zip(
      jax.tree.leaves(whole._replace(key=0)),
      jax.tree.leaves(parts._replace(key=0)),
      strict=True,
    ):
      np.testing.assert_array_equal(a, b)
    other = run.init(match, env, jax.random.key(2))
    self.assertEqual(other.key, jax.random.key(2))

  def test_moments_are_those_of_all_deals(self):
    _, env, _, tables = _problem("kuhn")
    match = _match("kuhn", tables, num_deals=64, seed=5)
    state = run.advance(match, env, run.init(match, env), 2)
    key, played = run.init(match, env).key, []
    for _ in range(2):
      key, own = jax.random.split(key)
      played.append(_play(env, tables, match.seatings, own, match.num_deals))
    deals = [np.concatenate(leaves) for leaves in zip(*played, strict=True)]
    for mean, squares, sample in zip(
      state.mean, state.squares, deals, strict=True
    ):
      np.testing.assert_allclose(mean, sample.mean(0), atol=1e-12)
      np.testing.assert_allclose(squares, 128 * sample.var(0), atol=1e-9)

  def test_intervals_hold_as_often_as_they_say(self):
    game, env, policies, tables = _problem("kuhn")
    match = _match("kuhn", tables, num_deals=200)
    exact = _value(game, policies, (0, 1))[0], _value(game, policies, (1, 0))[1]

    @jax.jit
    @jax.vmap
    def moments(seed):
      state = match.update(env, struct.replace(match, seed=seed).init(env))
      return state.mean, state.squares

    mean, squares = jax.device_get(moments(jnp.arange(300)))
    hits = 0
    for k in range(300):
      found = intervals.of_moments(
        200, mean.by_seat[k, 0, 0], squares.by_seat[k, 0, 0], confidence=0.9
      )
      hits += found.low <= exact[0] <= found.high
    self.assertBetween(hits / 300, 0.9 - 0.07, 0.9 + 0.07)

  @parameterized.parameters((2, 2, 2), (2, 3, 6), (3, 3, 6), (1, 4, 1))
  def test_all_seatings(self, policies, players, count):
    rows = matches.seatings(policies, players)
    self.assertEqual(rows.shape, (count, players))
    self.assertLen({tuple(row) for row in rows.tolist()}, count)
    for row in rows:
      self.assertLen(set(row.tolist()), policies)

  @parameterized.parameters((2, 10, 2), (3, 10, 30), (6, 6, 6))
  def test_of_many_seatings_rotations_are_taken(self, policies, players, count):
    rows = matches.seatings(policies, players)
    self.assertEqual(rows.shape, (count, players))
    for policy in range(policies):
      often = (rows == policy).sum(axis=0)
      self.assertEqual(np.ptp(often), 0)
      self.assertGreater(often[0], 0)

  @parameterized.parameters(
    ([[0, 1]], "each policy every seat as often"),
    ([[0, 0], [0, 0]], "each policy every seat as often"),
    ([[0, 2], [2, 0]], "one of 2 policies"),
    ([[0, 1, 0], [1, 0, 1]], "each of 2 seats"),
  )
  def test_unfair_seatings_are_refused(self, rows, message):
    _, env, _, tables = _problem("kuhn")
    match = matches.Match(policies=tables, seatings=jnp.asarray(rows))
    with self.assertRaisesRegex(ValueError, message):
      run.init(match, env)

  def test_too_many_policies_are_refused(self):
    with self.assertRaisesRegex(ValueError, "`num_policies` must be from 1"):
      matches.seatings(3, 2)

  def test_nothing_played_has_no_results(self):
    _, env, _, tables = _problem("kuhn")
    match = _match("kuhn", tables)
    with self.assertRaisesRegex(ValueError, "play more games"):
      matches.results(match, run.init(match, env))


if __name__ == "__main__":
  absltest.main()
