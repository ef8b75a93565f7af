"""Tests of history tables: every history is played again in OpenSpiel."""

import pathlib
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pyspiel

from mdrl.compile import openspiel
from mdrl.games import history_tables, tree_game
from mdrl.testing import games
from mdrl.trees import quantities, sweeps

_EFG = pathlib.Path(__file__).resolve().parents[1] / "data/three_players.efg"
# Perfect information, chance that draws in the middle, infostates that only
# tensors merge, and imperfect information without tensors.
_OTHERS = (
  "pig(horizon=4,winscore=3,diceoutcomes=2)",
  "goofspiel(num_cards=3,imp_info=True,points_order=random)",
  "breakthrough(rows=3,columns=2)",
  "sheriff(max_bribe=1,max_items=1,num_rounds=1)",
  "dark_hex(board_size=2)",
  "liars_dice_ir(dice_sides=2)",
)
_NFG = """NFG 1 R "three" { "A" "B" "C" } { 2 1 3 }

1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18
"""


def _source(name):
  """Returns the game of OpenSpiel that a game of the table stands for."""
  return openspiel.load_game(games.TREES.get(name, name))


class _Replay:
  """Plays all histories of tables, by the actions that lead to them."""

  def __init__(self, source, tables, index):
    self.tables = jax.tree.map(np.asarray, tables)
    self.index = index
    self._named = source.get_type().provides_information_state_string
    players = range(source.num_players())
    # What each player did, as names and actions, and where it last was.
    empty = (tuple(() for _ in players), tuple(None for _ in players))
    self.states = {0: (source.new_initial_state(), 1.0, *empty)}

  def children(self, h):
    """Returns the children of a history."""
    first, stop = self.tables.first_child[h : h + 2]
    return range(first, stop)

  def name(self, state, player):
    """Returns what a player knows where it moves."""
    if self._named:
      return state.information_state_string(player)
    return state.history_str()

  def visits(self):
    """Yields every history with its state, in order of the tables."""
    for h in range(self.tables.num_histories):
      state, chance, past, current = self.states.pop(h)
      player = state.current_player()
      if player >= 0:
        current = _changed(current, player, self.name(state, player))
      yield h, state, chance, past, current
      for child in self.children(h):
        assert self.tables.parent[child] == h
        action, share, after = self.tables.action[child], 1.0, past
        if state.is_chance_node():
          share = dict(state.chance_outcomes())[action]
        elif player >= 0:
          moves = (*past[player], (current[player], int(action)))
          after = _changed(past, player, moves)
        next_state = state.child(int(action))
        self.states[child] = (next_state, chance * share, after, current)


def _changed(items, place, item):
  return (*items[:place], item, *items[place + 1 :])


class ReplayTest(parameterized.TestCase):
  @parameterized.parameters(*games.TREES, *_OTHERS)
  def test_histories_are_those_of_openspiel(self, name):
    game, index = games.compiled(name, histories=True)
    source = _source(name)
    self._compare(source, game, index)
    kind = source.get_type()
    expected = "own_sequence"
    if kind.provides_information_state_tensor:
      expected = "information_state_tensor"
    elif kind.provides_observation_tensor:
      expected = "observation_tensor"
    self.assertEqual(game.histories.features_kind, expected)

  def test_a_file_of_extensive_form(self):
    game, index = openspiel.compile_game(str(_EFG), histories=True)
    # OpenSpiel has tensors for its own reading of the file; we have not.
    self.assertEqual(game.histories.features_kind, "own_sequence")
    source = pyspiel.load_game(f"efg_game(filename={_EFG})")
    self._compare(source, game, index)

  def test_a_file_of_normal_form(self):
    with tempfile.TemporaryDirectory() as folder:
      path = pathlib.Path(folder) / "three.nfg"
      path.write_text(_NFG)
      game, index = openspiel.compile_game(str(path), histories=True)
    source = pyspiel.convert_to_turn_based(pyspiel.load_nfg_game(_NFG))
    self.assertEqual(game.histories.features_kind, "own_sequence")
    self._compare(source, game, index)

  def _compare(self, source, game, index):
    replay = _Replay(source, game.histories, index)
    tables = replay.tables
    everything = jnp.arange(tables.num_histories)
    current = np.asarray(game.histories.current(everything))
    utility = np.asarray(game.histories.utility(everything))
    moves = np.asarray(game.histories.num_moves(everything))
    depths = np.searchsorted(tables.levels, everything, side="right") - 1
    kind = tables.features_kind
    features = [
      np.asarray(game.histories.features(i, jnp.arange(len(own.start))))
      for i, own in enumerate(tables.infostates)
    ]
    count = 0
    for h, state, chance, past, names in replay.visits():
      count += 1
      player = state.current_player()
      self.assertEqual(tables.player[h], player)
      self.assertEqual(depths[h], len(state.history()))
      self.assertEqual(tables.action[h], [-1, *state.history()][-1])
      self.assertAlmostEqual(tables.chance[h], chance, delta=1e-15)
      self._compare_own(index, current[h], tables.sequence[h], past, names)
      children = replay.children(h)
      self.assertLen(children, moves[h])
      actions = [int(tables.action[c]) for c in children]
      if state.is_terminal():
        self.assertEmpty(actions)
        self.assertEqual(utility[h].tolist(), state.returns())
        continue
      np.testing.assert_array_equal(utility[h], 0)
      if state.is_chance_node():
        self.assertEqual(tables.row[h], -1)
        shares = [float(tables.probability[c]) for c in children]
        outcomes = list(zip(actions, shares, strict=True))
        self.assertEqual(outcomes, state.chance_outcomes())
        continue
      self.assertEqual(actions, state.legal_actions())
      self.assertTrue(all(tables.probability[c] == 1 for c in children))
      self.assertEqual(tables.row[h], current[h, player])
      if kind != "own_sequence":
        np.testing.assert_array_equal(
          features[player][tables.row[h]],
          np.array(getattr(state, kind)(player), "f"),
        )
    self.assertEqual(count, tables.num_histories)
    self.assertEmpty(replay.states)

  def _compare_own(self, index, rows, slots, past, names):
    """Compares what each player did and where it last was."""
    for i, player in enumerate(index.players):
      slot = player.slot(*past[i][-1]) if past[i] else 0
      self.assertEqual(slots[i], slot)
      known = [None] if rows[i] < 0 else player.strings(int(rows[i]))
      self.assertIn(names[i], known)


def _policies(game, seed):
  rng = np.random.default_rng(seed)
  return quantities.Policies(
    t.to_policy(jnp.asarray(rng.uniform(0.1, 1, t.num_slots), t.dtype))
    for t in game.treeplexes
  )


def _values(game, policies):
  """Returns what each player gets behind each history."""
  tables = jax.tree.map(np.asarray, game.histories)
  policies = [np.asarray(policy) for policy in policies]
  values = np.array(game.histories.utility(jnp.arange(len(tables.player))))
  # From the last history to the first: the average over its children.
  for h in reversed(range(1, tables.num_histories)):
    parent = tables.parent[h]
    mover, share = tables.player[parent], tables.probability[h]
    if mover >= 0:
      share = policies[mover][tables.sequence[h, mover]]
    values[parent] += share * values[h]
  return values


@jax.jit
def _action_values(t, gain, policy):
  """Returns the counterfactual value of each action, by a sweep."""

  def expectation(q, group):
    return (group.view(policy) * q).sum(axis=1), q

  return sweeps.sweep_up(t, gain, expectation)[0]


class EvaluationTest(parameterized.TestCase):
  @parameterized.parameters(*games.TREES)
  def test_walks_over_histories_give_the_values_of_the_game(self, name):
    game, _ = games.compiled(name, histories=True)
    policies = _policies(game, 0)
    values = _values(game, policies)
    np.testing.assert_allclose(
      values[0], game.values(game.plans(policies)), rtol=0, atol=1e-12
    )

  @parameterized.parameters("leduc", "kuhn_three_players", "simultaneous")
  def test_histories_of_an_infostate_give_the_values_of_its_actions(self, name):
    game, _ = games.compiled(name, histories=True)
    policies = _policies(game, 2)
    plans = game.plans(policies)
    values = _values(game, policies)
    tables = jax.tree.map(np.asarray, game.histories)
    for i, t in enumerate(game.treeplexes):
      # All that the others and chance contribute to the way here.
      alone = [
        np.ones(t.num_slots) if j == i else p for j, p in enumerate(plans)
      ]
      reach = np.asarray(
        game.histories.reach(quantities.Plans(map(jnp.asarray, alone)))
      )
      actions = np.zeros(t.num_slots)
      moved = np.flatnonzero(tables.player[tables.parent[1:]] == i) + 1
      slots = tables.sequence[moved, i]
      np.add.at(actions, slots, reach[moved] * values[moved, i])
      expected = _action_values(t, game.gain(plans, i), policies[i])
      np.testing.assert_allclose(actions, expected, rtol=0, atol=1e-12)

  @parameterized.parameters("leduc", "kuhn_three_players", "simultaneous")
  def test_reaches_add_up_at_every_depth(self, name):
    game, _ = games.compiled(name, histories=True)
    plans = game.plans(_policies(game, 1))
    reach = np.asarray(game.histories.reach(plans))
    ended = 0.0
    tables = game.histories
    for start, stop in zip(tables.levels[:-1], tables.levels[1:]):
      here = reach[start:stop]
      self.assertAlmostEqual(here.sum() + ended, 1, delta=1e-12)
      ended += here[np.asarray(tables.player[start:stop]) == -4].sum()
    ends = np.asarray(tables.player) == history_tables.TERMINAL
    np.testing.assert_allclose(
      reach[ends] @ np.asarray(tables.returns),
      game.values(plans),
      rtol=0,
      atol=1e-12,
    )


class TablesTest(parameterized.TestCase):
  def test_rows_and_slots_are_those_of_the_index(self):
    game, index = openspiel.compile_game(str(_EFG), histories=True)
    for own, player, t in zip(
      game.histories.infostates, index.players, game.treeplexes, strict=True
    ):
      np.testing.assert_array_equal(own.start, player.start)
      np.testing.assert_array_equal(own.stride, player.stride)
      np.testing.assert_array_equal(own.width, player.width)
      rows = np.full(t.num_slots, -1)
      for row in range(len(player.infostates)):
        rows[player.slots(row)] = row
      np.testing.assert_array_equal(own.row, rows)

  def test_games_are_stepped_through_in_batches(self):
    game, _ = games.compiled("leduc", histories=True)

    @jax.jit
    def play(tables, keys):
      def step(history, key):
        moves = tables.num_moves(history)
        move = jax.random.randint(key, (), 0, jnp.maximum(moves, 1))
        after = tables.child(history, move)
        return jnp.where(tables.is_terminal(history), history, after), history

      depth = len(tables.levels)
      starts = jnp.zeros((), tables.parent.dtype)
      return jax.vmap(
        lambda key: jax.lax.scan(step, starts, jax.random.split(key, depth))
      )(keys)

    ends, paths = play(game.histories, jax.random.split(jax.random.key(0), 100))
    tables = jax.tree.map(np.asarray, game.histories)
    np.testing.assert_array_equal(tables.player[ends], history_tables.TERMINAL)
    moved = paths[:, 1:] != paths[:, :-1]
    np.testing.assert_array_equal(
      tables.parent[paths[:, 1:]][moved], paths[:, :-1][moved]
    )
    self.assertGreater(len(np.unique(ends)), 50)

  def test_they_are_off_by_default(self):
    game, _ = openspiel.compile_game("kuhn_poker")
    self.assertIsNone(game.histories)

  @parameterized.parameters(jnp.float32, jnp.float64)
  def test_numbers_have_the_dtype_of_the_game(self, dtype):
    game, _ = games.compiled("kuhn", dtype, histories=True)
    tables = game.histories
    row = jnp.arange(6)
    for numbers in (
      tables.dtype,
      tables.probability.dtype,
      tables.chance.dtype,
      tables.returns.dtype,
      tables.features(0, row).dtype,
      tables.reach(game.plans(_policies(game, 0))).dtype,
    ):
      self.assertEqual(numbers, dtype)
    # OpenSpiel's tensors hold zeros and ones, and are kept as bytes.
    self.assertEqual(tables.infostates[0].features.dtype, jnp.uint8)
    # They take the memory that the module says.
    leaves = (tables.parent, tables.player, tables.action, tables.first_child)
    leaves += (tables.row, tables.sequence, tables.probability, tables.chance)
    size = jnp.dtype(dtype).itemsize
    # There is one more first child than there are histories.
    expected = 58 * (18 + 4 * 2 + 2 * size) + 4
    self.assertEqual(sum(leaf.nbytes for leaf in leaves), expected)
    self.assertEqual(tables.returns.nbytes, 30 * 2 * size)

  def test_tables_without_a_record_are_refused(self):
    tables = openspiel.enumerate_tree(openspiel.load_game("kuhn_poker"))
    with self.assertRaisesRegex(
      ValueError, "`tables` must have histories, got none; .*histories=True"
    ):
      tree_game.build(tables, histories=True)

  @mock.patch.object(history_tables, "_MOST", 57)
  def test_more_histories_than_bits_are_refused(self):
    with self.assertRaisesRegex(
      ValueError, "`histories` must be at most 57, got 58; choose a smaller"
    ):
      openspiel.compile_game("kuhn_poker", histories=True)

  @parameterized.parameters(
    "kuhn_poker(players=3)", "leduc_poker", "matrix_rps", "tiny_hanabi"
  )
  def test_records_of_other_trees_are_refused(self, name):
    tables, other = (
      openspiel.enumerate_tree(openspiel.load_game(game), histories=True)
      for game in ("kuhn_poker", name)
    )
    for a, b in ((tables, other), (other, tables)):
      with self.assertRaisesRegex(
        ValueError, "`tables` must have the histories of their own tree"
      ):
        tree_game.build(a._replace(histories=b.histories), histories=True)

  def test_records_that_were_changed_are_refused(self):
    tables = openspiel.enumerate_tree(
      openspiel.load_game("kuhn_poker"), histories=True
    )
    record = tables.histories
    assert record is not None
    # Only the terminals change places.
    ends = record.player == history_tables.TERMINAL
    row = record.row.copy()
    row[ends] = row[ends][::-1]
    for changed in (
      record._replace(row=row),
      record._replace(row=record.row[::-1]),
      record._replace(player=record.player[::-1]),
      record._replace(player=record.player[:-1], row=record.row[:-1]),
    ):
      with self.assertRaisesRegex(ValueError, "must have the histories of"):
        tree_game.build(tables._replace(histories=changed), histories=True)


if __name__ == "__main__":
  absltest.main()
