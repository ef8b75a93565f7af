"""Tests of enumerated trees against a plain walk over them."""

import gc
import pathlib
from typing import ClassVar
from unittest import mock
import weakref

from absl.testing import absltest, parameterized
import numpy as np
import pyspiel

from mdrl.compile import enumeration, openspiel, tree_limits, tree_size
from mdrl.testing import games

_DATA = pathlib.Path(__file__).resolve().parents[1] / "data"

_GAMES = (
  "kuhn_poker",
  "kuhn_poker(players=3)",
  "leduc_poker",
  "liars_dice(dice_sides=4)",
  games.GOOFSPIEL,
  str(_DATA / "three_players.efg"),
  "breakthrough(rows=3,columns=2)",
  "pig(horizon=4,winscore=3,diceoutcomes=2)",
  "catch(rows=3,columns=2)",
  "sheriff(max_bribe=1,max_items=1,num_rounds=1)",
  "python_kuhn_poker",
  "matrix_rps",
)


class _Plain:
  """The definition: names and pairs instead of numbers, one question each."""

  def __init__(self, game):
    self.rows = [{} for _ in range(game.num_players() + 1)]
    self.terminals = []
    self.num_histories = 0
    self._named = game.get_type().provides_information_state_string
    self._visit(game.new_initial_state(), (None,) * len(self.rows), 1.0)

  def _visit(self, state, sequence, chance):
    """Enters an infostate as name: (sequence above, actions, chances)."""
    self.num_histories += 1
    if state.is_terminal():
      self.terminals.append((sequence, chance, state.returns()))
      return
    if state.is_chance_node():
      player, name = len(self.rows) - 1, state.history_str()
      moves = state.chance_outcomes()
    else:
      player = state.current_player()
      name = (
        state.information_state_string(player)
        if self._named
        else state.history_str()
      )
      moves = [(action, 1.0) for action in state.legal_actions()]
    self.rows[player].setdefault(name, (sequence[player], moves))
    for action, probability in reversed(moves):
      after = list(sequence)
      after[player] = (name, action)
      self._visit(state.child(action), tuple(after), chance * probability)

  def number(self, player, sequence):
    """Returns the number of a sequence."""
    if sequence is None:
      return 0
    count = 1
    for name, (_, moves) in self.rows[player].items():
      if name == sequence[0]:
        return count + [a for a, _ in moves].index(sequence[1])
      count += len(moves)
    raise AssertionError(sequence)


class _Fickle:
  """A game, and its only kind of state: what is legal changes unseen."""

  def __init__(self, history=()):
    self._history = history

  def num_players(self):
    return 1

  def new_initial_state(self):
    return _Fickle()

  def child(self, action):
    return _Fickle((*self._history, action))

  def apply_action(self, action):
    self._history += (action,)

  def current_player(self):
    return (enumeration.CHANCE, 0, enumeration.TERMINAL)[len(self._history)]

  def chance_outcomes(self):
    return [(0, 0.5), (1, 0.5)]

  def legal_actions(self):
    return [3, 4 + self._history[0]]

  def information_state_string(self, player):
    return f"unseen by {player}"

  def returns(self):
    return [0.0]

  def __str__(self):
    return "fickle"


class _Wide(_Fickle):
  """A game of 20 moves at three of four turns, which counts its states."""

  living: ClassVar = weakref.WeakSet()
  most = 0

  def __init__(self, history=()):
    super().__init__(history)
    _Wide.living.add(self)
    _Wide.most = max(_Wide.most, len(_Wide.living))

  def new_initial_state(self):
    return _Wide()

  def child(self, action):
    return _Wide((*self._history, action))

  def current_player(self):
    return 0 if len(self._history) < 4 else enumeration.TERMINAL

  def legal_actions(self):
    return list(range(20)) if len(self._history) != 1 else [0, 1]

  def information_state_string(self, player):
    return f"{player} after {self._history}"


class _Stuck(_Fickle):
  """A game that lists no moves, of chance or of the player."""

  def __init__(self, player):
    super().__init__()
    self._player = player

  def new_initial_state(self):
    return self

  def current_player(self):
    return self._player

  def chance_outcomes(self):
    return []

  def legal_actions(self):
    return []


class EnumerateTest(parameterized.TestCase):
  @parameterized.parameters(*_GAMES)
  def test_is_a_plain_walk(self, name):
    if name.endswith(".efg"):
      game = pyspiel.load_efg_game(pathlib.Path(name).read_text())
    else:
      game = openspiel.load_game(name)
    plain = _Plain(game)
    tables = openspiel.enumerate_tree(game)
    players = game.num_players()
    self.assertEqual(tables.num_histories, plain.num_histories)
    for i in range(players):
      rows = plain.rows[i].values()
      self.assertEqual(tables.infostates[i], tuple(plain.rows[i]))
      self.assertEqual(
        tables.parent[i].tolist(), [plain.number(i, r[0]) for r in rows]
      )
      self.assertEqual(tables.width[i].tolist(), [len(r[1]) for r in rows])
      self.assertEqual(
        tables.action[i].tolist(), [a for r in rows for a, _ in r[1]]
      )
    nodes = plain.rows[-1].values()
    self.assertEqual(
      tables.chance_parent.tolist(),
      [plain.number(players, node[0]) for node in nodes],
    )
    self.assertEqual(
      tables.chance_width.tolist(), [len(node[1]) for node in nodes]
    )
    self.assertEqual(
      tables.chance_probability.tolist(),
      [p for node in nodes for _, p in node[1]],
    )
    self._assert_terminals(tables, plain)

  def _assert_terminals(self, tables, plain):
    self.assertLen(tables.utility, len(plain.terminals))
    # Numbers are slow to look up in names, so each is looked up once.
    known = {}
    for t, (sequence, chance, returns) in enumerate(plain.terminals):
      numbers = []
      for player, last in enumerate(sequence):
        if (player, last) not in known:
          known[player, last] = plain.number(player, last)
        numbers.append(known[player, last])
      self.assertEqual(tables.sequence[t].tolist(), numbers[:-1])
      self.assertEqual(tables.chance_sequence[t], numbers[-1])
      self.assertEqual(tables.chance[t], chance)
      self.assertEqual(tables.utility[t].tolist(), returns)

  @parameterized.parameters("kuhn_poker", "matrix_rps")
  def test_types(self, name):
    tables = openspiel.enumerate_tree(openspiel.load_game(name))
    for whole in (
      *tables.parent,
      *tables.width,
      *tables.action,
      tables.chance_parent,
      tables.chance_width,
    ):
      self.assertEqual(whole.dtype.str, np.dtype(np.int64).str)
    for index in (tables.sequence, tables.chance_sequence):
      self.assertEqual(index.dtype, np.int32)
      self.assertTrue(index.flags.c_contiguous)
    for real in (tables.chance, tables.chance_probability, tables.utility):
      self.assertEqual(real.dtype, np.float64)
      self.assertTrue(real.flags.c_contiguous)

  def test_chance_and_terminals_are_told_by_the_player(self):
    self.assertEqual(enumeration.CHANCE, pyspiel.PlayerId.CHANCE)
    self.assertEqual(enumeration.TERMINAL, pyspiel.PlayerId.TERMINAL)

  def test_actions_must_be_the_same_throughout_an_infostate(self):
    with self.assertRaisesRegex(
      ValueError,
      r"`game` must offer the same actions throughout an infostate, and "
      r"fickle offers player 0 both \[3, 5\] and \[3, 4\] at 'unseen by 0'",
    ):
      enumeration.enumerate_tree(_Fickle(), named=True, max_histories=100)

  @parameterized.parameters(
    (enumeration.CHANCE, "list its chance outcomes, and fickle lists none"),
    (0, "must offer a move wherever .* and fickle offers player 0 none at '"),
  )
  def test_there_must_be_moves(self, player, reason):
    with self.assertRaisesRegex(ValueError, reason):
      enumeration.enumerate_tree(_Stuck(player), named=True, max_histories=100)

  def test_moves_that_wait_are_no_states(self):
    game = _Wide()
    gc.collect()
    tables = enumeration.enumerate_tree(game, named=True, max_histories=200_000)
    self.assertEqual(
      tables.num_histories, 1 + 20 * (1 + 2 * (1 + 20 * (1 + 20)))
    )
    # The game, one for each turn on the way, and one that comes next.
    self.assertLessEqual(_Wide.most, 7)

  def test_small_trees_are_not_estimated(self):
    game = openspiel.load_game("kuhn_poker")
    with mock.patch.object(tree_size, "estimate") as estimate:
      openspiel.enumerate_tree(game, 58)
    estimate.assert_not_called()

  def test_large_trees_are_estimated_once(self):
    game = openspiel.load_game("leduc_poker")
    with (
      mock.patch.object(tree_limits, "_LARGE", 1_000),
      mock.patch.object(
        tree_size, "estimate", wraps=tree_size.estimate
      ) as estimate,
    ):
      tables = openspiel.enumerate_tree(game)
    estimate.assert_called_once()
    self.assertEqual(tables.num_histories, 9_457)

  # What is far too large is refused early, what is a little so late.
  @parameterized.parameters((1_000, "10[0-9]"), (9_456, "9457"))
  def test_trees_that_are_too_large_are_refused(self, limit, stop):
    game = openspiel.load_game("leduc_poker")
    with (
      mock.patch.object(tree_limits, "_LARGE", 100),
      self.assertRaisesRegex(
        ValueError, f"`max_histories` is {limit}.*stopped at {stop};"
      ),
    ):
      openspiel.enumerate_tree(game, limit)


if __name__ == "__main__":
  absltest.main()
