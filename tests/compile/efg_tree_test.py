"""Tests of trees read from .efg files, against sums over their paths."""

import pathlib

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pyspiel

from mdrl import testing
from mdrl.compile import efg_tree
from mdrl.evaluation import best_response
from mdrl.games import tree_game
from mdrl.trees import quantities
from tests.compile import efg_writer

_PATH = pathlib.Path("folder/some.efg")
_PROLOGUE = 'EFG 2 R "A game" { "A" "B" }\n'


def _read(body, max_histories=1000, prologue=_PROLOGUE):
  return efg_tree.read(_PATH, (prologue + body).encode(), max_histories)


def _plan(tables, player, moves):
  """Returns the plan of probabilities, given in the order of sequences."""
  plan = np.concatenate([[1.0], moves])
  above = np.repeat(tables.parent[player], tables.width[player])
  for sequence, parent in enumerate(above, 1):
    plan[sequence] *= plan[parent]
  return plan


def _uniform(tables):
  return [
    _plan(tables, i, np.repeat(1 / width, width))
    for i, width in enumerate(tables.width)
  ]


def _values(tables, plans):
  reach = tables.chance.copy()
  for player, plan in enumerate(plans):
    reach *= plan[tables.sequence[:, player]]
  return reach @ tables.utility


def _best_value(tables, plans, player):
  """Returns the value of the best response, from the last set to the first."""
  reach = tables.chance.copy()
  for other, plan in enumerate(plans):
    if other != player:
      reach *= plan[tables.sequence[:, other]]
  gain = np.zeros(tables.num_sequences[player])
  np.add.at(gain, tables.sequence[:, player], reach * tables.utility[:, player])
  last = len(gain)
  for parent, width in zip(
    tables.parent[player][::-1], tables.width[player][::-1]
  ):
    gain[parent] += gain[last - width : last].max()
    last -= width
  return gain[0]


def _infoset(tree, player, name):
  """Returns the set of a row, which its name finds."""
  for infoset in tree.of_player(player):
    if name == f"{player}-{player}-{infoset.number}-{infoset.name}":
      return infoset
  raise AssertionError(name)


def _moves(tree, tables, player, policies):
  names = tables.infostates[player]
  moves = [policies[_infoset(tree, player, name)] for name in names]
  return np.concatenate([np.zeros(0), *moves])


class RandomFilesTest(parameterized.TestCase):
  @parameterized.parameters(*range(100))
  def test_values_are_sums_over_paths(self, seed):
    tree = efg_writer.Tree(seed)
    content = efg_writer.Writer(tree, seed).text().encode()
    tables = efg_tree.read(_PATH, content, 10_000)
    self.assertEqual(tables.num_histories, tree.count())
    self.assertEqual(tables.num_players, tree.players)
    policies = tree.random_policies(seed)
    plans = [
      _plan(tables, i, _moves(tree, tables, i, policies))
      for i in range(tree.players)
    ]
    np.testing.assert_allclose(
      _values(tables, plans), tree.values(policies), rtol=0, atol=1e-11
    )
    for player in range(tree.players):
      np.testing.assert_allclose(
        _best_value(tables, plans, player),
        tree.best_value(policies, player),
        rtol=0,
        atol=1e-11,
      )

  @parameterized.parameters(*range(30))
  def test_rows_keep_names_and_labels(self, seed):
    tree = efg_writer.Tree(seed)
    content = efg_writer.Writer(tree, seed).text().encode("utf-8-sig")
    tables = efg_tree.read(_PATH, content, 10_000)
    for player, names in enumerate(tables.infostates):
      infosets = [_infoset(tree, player, name) for name in names]
      self.assertCountEqual(infosets, tree.of_player(player))
      labels = [label for infoset in infosets for label in infoset.labels]
      self.assertEqual(tables.labels[player], tuple(labels))

  @parameterized.parameters(*range(30))
  def test_actions_of_a_set_have_numbers_of_their_own(self, seed):
    tree = efg_writer.Tree(seed)
    content = efg_writer.Writer(tree, seed).text().encode()
    tables = efg_tree.read(_PATH, content, 10_000)
    for width, action in zip(tables.width, tables.action):
      for actions in np.split(action, np.cumsum(width)):
        self.assertLen(set(actions.tolist()), len(actions))

  # One, two and three players; compiling takes seconds.
  @parameterized.parameters(4, 3, 6)
  def test_compiled_games_agree(self, seed):
    tree = efg_writer.Tree(seed)
    content = efg_writer.Writer(tree, seed).text().encode()
    tables = efg_tree.read(_PATH, content, 10_000)
    game, index = tree_game.build(tables)
    policies = tree.random_policies(seed)
    arrays = []
    for i, player in enumerate(index.players):
      array = np.ones(len(player.action))
      for row, name in enumerate(player.infostates):
        infoset = _infoset(tree, i, name)
        array[player.slots(row)] = policies[infoset]
        self.assertEqual(player.labels[player.slots(row)], infoset.labels)
      arrays.append(jnp.asarray(array))
    plans = game.plans(quantities.Policies(arrays))
    np.testing.assert_allclose(
      game.values(plans), tree.values(policies), rtol=0, atol=1e-11
    )
    np.testing.assert_allclose(
      best_response.values(game, plans),
      [tree.best_value(policies, i) for i in range(tree.players)],
      rtol=0,
      atol=1e-11,
    )


class MeaningTest(parameterized.TestCase):
  """What OpenSpiel's reader silently takes otherwise, or not at all."""

  def _best(self, tables, player):
    return _best_value(tables, _uniform(tables), player)

  def test_outcomes_of_chance_may_look_alike(self):
    text = """EFG 2 R "" { "A" }
c "" 1 "" { "z" 1/4 "a" 1/2 "z" 1/4 } 0
t "" 1 "" { 1 }
t "" 2 "" { 2 }
t "" 3 "" { 5 }
"""
    tables = efg_tree.read(_PATH, text.encode(), 10, histories=True)
    self.assertEqual(_values(tables, _uniform(tables)).tolist(), [2.5])
    record = tables.histories
    assert record is not None
    self.assertEqual(record.chance_action.tolist(), [0, 1, 2])
    # OpenSpiel numbers both alike, and loses the history that pays 2.
    theirs = pyspiel.load_efg_game(text).new_initial_state()
    self.assertEqual(theirs.chance_outcomes(), [(0, 0.25), (0, 0.5), (1, 0.25)])
    paid = [theirs.child(a).returns()[0] for a in theirs.legal_actions()]
    self.assertEqual(paid, [1, 1, 5])

  @parameterized.parameters(('"" ""',), ('"x" "x"',))
  def test_actions_may_look_alike(self, labels):
    tables = _read(f"""p "" 1 1 "" {{ {labels} }} 0
t "" 1 "" {{ 1 -1 }}
t "" 2 "" {{ 5 -5 }}""")
    self.assertEqual(self._best(tables, 0), 5)
    self.assertEqual(_values(tables, _uniform(tables))[0], 3)

  def test_some_actions_may_look_alike(self):
    tables = _read("""p "" 1 1 "" { "x" "y" "x" } 0
t "" 1 "" { 1 -1 }
t "" 2 "" { -8 8 }
t "" 3 "" { 3 -3 }""")
    self.assertEqual(self._best(tables, 0), 3)

  def test_outcomes_at_inner_nodes_add_up(self):
    tables = _read("""p "" 1 1 "" { "x" "y" } 1 "" { 5 -5 }
t "" 1
t "" 0""")
    self.assertEqual(tables.utility.tolist(), [[10, -10], [5, -5]])
    self.assertEqual(self._best(tables, 0), 10)

  @parameterized.parameters(("",), ('{ "h" "t" }',), ('"guess" { "h" "t" }',))
  def test_a_set_may_be_described_once(self, again):
    tables = _read(f"""p "" 1 1 "hide" {{ "h" "t" }} 0
p "" 2 1 "guess" {{ "h" "t" }} 0
t "" 1 "hit" {{ -1 1 }}
t "" 2 "miss" {{ 1 -1 }}
p "" 2 1 {again} 0
t "" 2
t "" 1""")
    # Whoever sees the coin would win one.
    self.assertEqual(self._best(tables, 1), 0)
    self.assertEqual(tables.infostates[1], ("1-1-1-guess",))

  def test_a_set_without_a_name_may_get_it_later(self):
    tables = _read("""p "" 1 1 { "h" "t" } 0
t "" 0
p "" 2 3 "" { "x" } 0
t "" 0""")
    self.assertEqual(tables.infostates, (("0-0-1-",), ("1-1-3-",)))

  def test_an_event_may_be_described_once(self):
    tables = _read("""c "" 7 "coin" { "h" 1/4 "t" 0.75 } 0
c "" 7 0
t "" 1 "" { 16 0 }
t "" 0
t "" 0""")
    self.assertEqual(tables.chance.tolist(), [1 / 16, 3 / 16, 3 / 4])
    self.assertEqual(tables.chance_parent.tolist(), [0, 1])

  def test_sets_of_two_players_may_share_a_number(self):
    tables = _read("""p "" 1 5 "x" { "a" "b" } 0
t "" 0
p "" 2 5 "x" { "a" "b" "c" } 0
t "" 0
t "" 0
t "" 0""")
    self.assertEqual(tables.infostates, (("0-0-5-x",), ("1-1-5-x",)))

  def test_numbers_are_exact(self):
    tables = _read("""c "" 1 "" { "a" 1/3 "b" 1/3 "c" 1/3 } 0
t "" 1 "" { 12345678901234567890123/12345678901234567890123, .1e1 }
p "" 1 1 "" { "x" } 2 "" { 1e16 1/3 }
p "" 1 2 "" { "x" } 3 "" { 1 -1/3 }
t "" 4 "" { -10000000000000000 0 }
t "" 0""")
    self.assertEqual(tables.utility.tolist(), [[1, 1], [1, 0], [0, 0]])
    self.assertEqual(tables.chance.tolist(), [1 / 3] * 3)

  def test_rounded_chances_are_divided_by_their_sum(self):
    tables = _read("""c "" 1 "" { "a" .3333333333 "b" .6666666666 } 0
t "" 0
t "" 0""")
    np.testing.assert_allclose(tables.chance, [1 / 3, 2 / 3], rtol=1e-9)
    self.assertAlmostEqual(tables.chance.sum(), 1, places=15)

  def test_a_game_may_be_over_at_once(self):
    tables = _read('t "" 1 "" { 1 2 }')
    self.assertEqual(tables.utility.tolist(), [[1, 2]])
    game, _ = tree_game.build(tables)
    testing.check_game(game)

  def test_a_player_may_have_no_moves(self):
    tables = _read("""p "" 2 9 "" { "x" "y" } 0
t "" 0
t "" 1 "" { 1, 2 }""")
    self.assertEqual(tables.infostates, ((), ("1-1-9-",)))
    self.assertEqual(tables.labels, ((), ("x", "y")))

  def test_trees_may_be_deep(self):
    body = "".join(
      f'p "" {1 + i % 2} {i + 1} "" {{ "on" }} 1 "" {{ 1 -1 }}\n'
      for i in range(10)
    )
    # Chance alone for the most part, as it has the shortest words.
    body += 'c "" 1 "" { "on" 1 } 1\n' + 30_000 * 'c "" 1 1\n' + 't "" 0'
    tables = _read(body, 100_000)
    self.assertEqual(tables.num_histories, 10 + 30_001 + 1)
    self.assertLen(tables.infostates[0], 5)
    self.assertEqual(self._best(tables, 0), 30_011)


class RefusedTest(absltest.TestCase):
  def test_imperfect_recall(self):
    with self.assertRaisesRegex(
      ValueError,
      r"`game` must have perfect recall, and 'folder/some.efg' does not: "
      r"player 0 reaches infostate '0-0-1-me'.*\(line 4, column 1\)",
    ):
      _read("""p "" 1 1 "me" { "x" "y" } 0
t "" 0
p "" 1 1 0
t "" 0
t "" 0""")

  def test_too_large_a_tree(self):
    body = """p "" 1 1 "me" { "x" "y" } 0
t "" 0
t "" 0"""
    self.assertEqual(_read(body, 3).num_histories, 3)
    for limit in (1, 2):
      with self.assertRaisesRegex(
        ValueError,
        f"`max_histories` is {limit}, and 'folder/some.efg' has more; "
        r"stopped at line \d, column 1; raise the limit",
      ):
        _read(body, limit)

  def test_too_large_a_tree_is_refused_before_it_is_read(self):
    # What the first node leads to is known from it alone.
    with self.assertRaisesRegex(ValueError, "stopped at line 2, column 1"):
      _read('p "" 1 1 "me" { "x" "y" "z" } 0 and what nobody reads', 3)

  def test_more_than_a_tree(self):
    with self.assertRaisesRegex(ValueError, "line 2, column 8: .*the end of"):
      _read('t "" 0 t "" 0')

  def test_sums_that_no_double_holds(self):
    with self.assertRaisesRegex(
      ValueError, "line 3, column 1: expected payoffs.*whose sums a double"
    ):
      _read("""p "" 1 1 "me" { "x" } 1 "" { 1e308 1 }
t "" 1""")


if __name__ == "__main__":
  jax.config.update("jax_enable_x64", True)
  absltest.main()
