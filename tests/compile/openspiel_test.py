"""Tests of compiled games against OpenSpiel's own algorithms."""

import inspect
import os
import pathlib
import re
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
from open_spiel.python.algorithms import expected_game_score, exploitability
import pyspiel

from mdrl import testing
from mdrl.compile import enumeration, openspiel, policy_bridge
from mdrl.evaluation import best_response, gaps
from mdrl.games import base as game_lib
from mdrl.testing import games
from mdrl.trees import quantities, segment_plans

_DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
# Three players, general sum, ragged actions, chance after a move.
THREE_PLAYERS = str(_DATA / "three_players.efg")

# Chance without names of infostates, a player without moves, rows of one
# action, three players with ragged actions, perfect information.
MORE = (
  "sheriff(max_bribe=1,max_items=1,num_rounds=1)",
  "bargaining(max_turns=1,max_num_instances=1)",
  "first_sealed_auction(max_value=2,players=3)",
  THREE_PLAYERS,
)


def _compiled(name):
  if name == THREE_PLAYERS:
    theirs = pyspiel.load_efg_game(pathlib.Path(name).read_text())
  else:
    theirs = openspiel.load_game(games.TREES.get(name, name))
  return theirs, *games.compiled(name)


def _random_policies(index, seed):
  """Returns policies over slots; some infostates play one action only."""
  rng = np.random.default_rng(seed)
  policies = []
  for player in index.players:
    policy = np.zeros(len(player.action))
    policy[0] = 1
    for row, width in enumerate(player.width):
      weights = rng.exponential(size=width)
      if rng.uniform() < 0.2:
        weights = np.eye(width)[rng.integers(width)]
      policy[player.slots(row)] = weights / weights.sum()
    policies.append(jnp.asarray(policy))
  return quantities.Policies(policies)


@jax.jit
def _evaluate(game, policies):
  plans = game.plans(policies)
  best = best_response.values(game, plans)
  return game.values(plans), best, gaps.nash_conv(game, plans)


class RandomPoliciesTest(parameterized.TestCase):
  def _assert_near(self, actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-12)

  @parameterized.parameters(*games.TREES, *MORE)
  def test_values_and_gaps_are_those_of_openspiel(self, name):
    theirs, game, index = _compiled(name)
    for seed in range(2):
      policies = _random_policies(index, seed)
      values, best, nash_conv = _evaluate(game, policies)
      table = policy_bridge.to_openspiel(theirs, index, policies)
      expected = expected_game_score.policy_value(
        theirs.new_initial_state(), [table] * theirs.num_players()
      )
      self._assert_near(values, expected)
      gap = exploitability.nash_conv(theirs, table, return_only_nash_conv=False)
      self._assert_near(nash_conv, gap.nash_conv)
      self._assert_near(best, np.add(expected, gap.player_improvements))

  @parameterized.parameters("kuhn_three_players", "goofspiel", THREE_PLAYERS)
  def test_policies_there_and_back(self, name):
    theirs, game, index = _compiled(name)
    policies = _random_policies(index, 0)
    table = policy_bridge.to_openspiel(theirs, index, policies)
    names = [n for player in index.players for n in player.infostates]
    self.assertCountEqual(names, table.state_lookup)
    for state in table.states:
      player = state.current_player()
      name = state.information_state_string()
      probabilities = table.action_probabilities(state)
      self.assertEqual(list(probabilities), state.legal_actions())
      for action, probability in probabilities.items():
        slot = index[player].slot(name, action)
        self.assertEqual(probability, policies[player][slot])
    for t, back, policy in zip(
      game.treeplexes,
      policy_bridge.from_openspiel(index, table),
      policies,
      strict=True,
    ):
      self.assertEqual(back.shape, (t.num_slots,))
      np.testing.assert_array_equal(back, policy)

  def test_in_single_precision(self):
    theirs, _, index = _compiled("kuhn")
    game, _ = games.compiled("kuhn", dtype=jnp.float32)
    policies = _random_policies(index, 0)
    table = policy_bridge.to_openspiel(theirs, index, policies)
    policies = quantities.Policies(p.astype(jnp.float32) for p in policies)
    values, _, nash_conv = _evaluate(game, policies)
    self.assertEqual(values.dtype, jnp.float32)
    expected = exploitability.nash_conv(theirs, table)
    np.testing.assert_allclose(nash_conv, expected, rtol=0, atol=1e-5)


def _expected_values(state, player=None):
  """Returns utilities where all play uniformly, or `player` best of all."""
  if state.is_terminal():
    return np.array(state.returns())
  if state.is_chance_node():
    return sum(
      probability * _expected_values(state.child(action), player)
      for action, probability in state.chance_outcomes()
    )
  below = [
    _expected_values(state.child(action), player)
    for action in state.legal_actions()
  ]
  if state.current_player() == player:
    return max(below, key=lambda values: values[player])
  return np.mean(below, axis=0)


class CompileTest(parameterized.TestCase):
  # Histories, terminals, infostates and sequences, the empty one included, as
  # OpenSpiel's api_test.py and history_tree_test.cc have them where they do.
  @parameterized.parameters(
    ("kuhn_poker", 58, 30, (6, 6), (13, 13)),
    ("kuhn_poker(players=3)", 617, 312, (16, 16, 16), (33, 33, 33)),
    ("leduc_poker", 9_457, 5_520, (468, 468), (1_093, 1_093)),
    (
      "leduc_poker(suit_isomorphism=True)",
      1_939,
      1_116,
      (144, 144),
      (337, 337),
    ),
    ("liars_dice(dice_sides=4)", 8_181, 4_080, (512, 512), (1_021, 1_021)),
    (games.GOOFSPIEL, 1_077, 576, (81, 81), (175, 175)),
    (
      "goofspiel(num_cards=4,imp_info=True,points_order=random)",
      26_773,
      13_824,
      (1_804, 1_804),
      (3_737, 3_737),
    ),
    (
      "goofspiel(num_cards=5,imp_info=True,points_order=descending)",
      26_931,
      14_400,
      (1_062, 1_062),
      (2_284, 2_284),
    ),
    (
      "dark_hex(board_size=2,gameversion=adh)",
      471,
      234,
      (59, 35),
      (89, 81),
    ),
    (
      "battleship(board_width=2,board_height=2,ship_sizes=[2],"
      "ship_values=[1],num_shots=4,allow_repeated_shots=False)",
      12_373,
      5_568,
      (3_717, 1_873),
      (5_269, 4_101),
    ),
  )
  def test_sizes(self, name, histories, terminals, infostates, sequences):
    tables = openspiel.enumerate_tree(openspiel.load_game(name))
    self.assertEqual(tables.num_histories, histories)
    self.assertLen(tables.utility, terminals)
    self.assertEqual(tuple(map(len, tables.infostates)), infostates)
    self.assertEqual(tables.num_sequences, sequences)

  # Leaves that pay, as pairs of sequences.
  @parameterized.parameters(
    ("kuhn", 30), ("leduc", 4_920), ("liars_dice", 4_080), ("goofspiel", 464)
  )
  def test_sizes_of_payoffs(self, name, num_leaves):
    game, _ = games.compiled(name)
    for payoff in game.payoffs:
      self.assertLen(segment_plans.entries(payoff)[2], num_leaves)

  @parameterized.parameters(
    ("kuhn", True),
    ("kuhn_three_players", True),
    ("goofspiel", True),
    ("tiny_hanabi", False),
    ("general_sum", False),
    (THREE_PLAYERS, False),
  )
  def test_zero_sum(self, name, zero_sum):
    self.assertEqual(games.compiled(name)[0].zero_sum, zero_sum)

  @parameterized.parameters(
    "blotto(coins=3,fields=2,players=3)", "catch(rows=3,columns=2)"
  )
  def test_other_games_keep_the_contract(self, name):
    testing.check_game(games.compiled(name)[0])

  @parameterized.parameters(
    "battleship(board_width=2,board_height=1,ship_sizes=[1],ship_values=[1],"
    "num_shots=2,allow_repeated_shots=False)",
    "coordinated_mp",
    "dark_hex(board_size=2,gameversion=adh)",
    "goofspiel(num_cards=3,imp_info=True,players=3)",
    "lewis_signaling",
    "matching_pennies_3p",
    "misere(game=nim(pile_sizes=1;2))",
    "python_kuhn_poker",
    "trade_comm(num_items=2)",
  )
  def test_other_trees_have_the_values_of_openspiel(self, name):
    game = openspiel.load_game(name)
    tables = openspiel.enumerate_tree(game)
    reach = tables.chance.copy()
    for player in range(tables.num_players):
      width = tables.width[player]
      plan = np.concatenate([[1], np.repeat(1 / width, width)])
      above = np.repeat(tables.parent[player], width)
      for sequence, parent in enumerate(above, 1):
        plan[sequence] *= plan[parent]
      reach *= plan[tables.sequence[:, player]]
    np.testing.assert_allclose(
      reach @ tables.utility,
      _expected_values(game.new_initial_state()),
      rtol=0,
      atol=1e-12,
    )

  @parameterized.parameters(
    ("breakthrough(rows=3,columns=2)", 2),
    ("pig(horizon=4,winscore=3,diceoutcomes=2)", 2),
    ("catch(rows=3,columns=2)", 1),
  )
  def test_histories_name_what_has_no_names(self, name, num_players):
    game, _ = games.compiled(name)
    theirs = openspiel.load_game(name)
    self.assertFalse(theirs.get_type().provides_information_state_string)
    values, best, _ = _evaluate(game, game_lib.uniform_policies(game))
    root = theirs.new_initial_state()
    np.testing.assert_allclose(values, _expected_values(root), atol=1e-12)
    for player in range(num_players):
      expected = _expected_values(root, player)[player]
      np.testing.assert_allclose(best[player], expected, rtol=0, atol=1e-12)

  def test_a_file_by_hand(self):
    game, index = games.compiled(THREE_PLAYERS)
    self.assertEqual(
      [sorted(player.infostates) for player in index.players],
      [
        ["0-0-1-first", "0-0-2-again"],
        ["1-1-1-blind", "1-1-2-seen"],
        ["2-2-1-last"],
      ],
    )
    named = (
      {"0-0-1-first": (0.5, 0.3, 0.2), "0-0-2-again": (0.6, 0.4)},
      {"1-1-1-blind": (0.25, 0.75), "1-1-2-seen": (0.1, 0.6, 0.3)},
      {"2-2-1-last": (0.2, 0.3, 0.5)},
    )
    policies = []
    for player, rows in zip(index.players, named, strict=True):
      policy = np.zeros(len(player.action))
      for name, probabilities in rows.items():
        policy[player.slots(player.row(name))] = probabilities
      policies.append(jnp.asarray(policy))
    left = 0.5 * np.array([1, 2, 3])
    heads = 0.25 * np.array([4, 0, -2]) + 0.75 * (
      0.2 * np.array([0, 1, 5])
      + 0.3 * np.array([2, 2, 2])
      + 0.5 * np.array([-3, 6, 0])
    )
    tails = 0.25 * np.array([-1, 3, 1]) + 0.75 * (
      0.2 * np.array([7, 0, 0])
      + 0.3 * np.array([0, -4, 2])
      + 0.5 * np.array([1, 1, -6])
    )
    right = (
      0.1 * np.array([0, 0, 9])
      + 0.6
      * (
        0.2 * np.array([5, -5, 1])
        + 0.3 * np.array([0, 8, 0])
        + 0.5 * np.array([2, 0, 4])
      )
      + 0.3 * (0.6 * np.array([-2, 1, 0]) + 0.4 * np.array([10, 0, -1]))
    )
    expected = left + 0.3 * (0.25 * heads + 0.75 * tails) + 0.2 * right
    values, _, _ = _evaluate(game, quantities.Policies(policies))
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)

  def test_a_game_may_be_given_as_an_object(self):
    first, index = openspiel.compile_game(pyspiel.load_game("matrix_rps"))
    second, other = openspiel.compile_game("matrix_rps")
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second)):
      np.testing.assert_array_equal(a, b)
    self.assertEqual(index[1].infostates, other[1].infostates)

  def test_simultaneous_moves_become_successive(self):
    game = openspiel.load_game("matrix_rps")
    self.assertEqual(
      game.get_type().dynamics, pyspiel.GameType.Dynamics.SEQUENTIAL
    )


class ErrorsTest(parameterized.TestCase):
  def test_tables_of_openspiel_need_information_states(self):
    name = "catch(rows=3,columns=2)"
    game, index = openspiel.compile_game(name)
    with self.assertRaisesRegex(
      ValueError, "`game` must give information-state strings, and catch"
    ):
      policy_bridge.to_openspiel(
        openspiel.load_game(name), index, game_lib.uniform_policies(game)
      )

  @parameterized.parameters("leduc_poker", "kuhn_poker(players=3)")
  def test_tables_are_of_the_game_that_was_compiled(self, other):
    game, index = openspiel.compile_game("kuhn_poker")
    with self.assertRaisesRegex(ValueError, "must be the one that was comp"):
      policy_bridge.to_openspiel(
        openspiel.load_game(other), index, game_lib.uniform_policies(game)
      )

  @parameterized.parameters(
    "add_noise(epsilon=0.5,game=kuhn_poker(),seed=3)",
    "misere(game=add_noise(epsilon=0.5,game=kuhn_poker(),seed=3))",
    "add_noise(epsilon=0.5,game=matrix_mp(),seed=3)",
  )
  def test_payoffs_that_are_drawn_when_seen(self, name):
    with self.assertRaisesRegex(ValueError, "payoffs that its string decides"):
      openspiel.load_game(name)

  @parameterized.parameters(10**25, 10**400)
  def test_limits_beyond_any_memory(self, limit):
    with self.assertRaisesRegex(ValueError, "`max_histories` must be at most"):
      openspiel.compile_game("kuhn_poker", max_histories=limit)

  @parameterized.parameters(
    (pathlib.Path("game.efg"), "the path of a file as a string"),
    (None, "`game` must be a game string, .* got None"),
  )
  def test_what_is_no_game(self, game, hint):
    with self.assertRaisesRegex(ValueError, hint):
      inspect.unwrap(openspiel.compile_game)(game)

  @parameterized.parameters(np.nan, np.inf, 58.5, True, "58", None)
  def test_limits_are_whole_numbers(self, limit):
    with self.assertRaisesRegex(ValueError, "`max_histories` must be a whole"):
      inspect.unwrap(openspiel.compile_game)("kuhn_poker", max_histories=limit)

  @parameterized.parameters(
    ("khun_poker", "did you mean kuhn_poker"),
    ("leduc_pokr(players=3)", "did you mean .*leduc_poker"),
    ("zzzz", r"`pyspiel.registered_names\(\)` lists all"),
  )
  def test_unknown_games(self, name, hint):
    with self.assertRaisesRegex(ValueError, f"`game` must be a game.*{hint}"):
      openspiel.load_game(name)

  @parameterized.parameters(
    ("kuhn_poker(playrs=3)", "Unknown parameter 'playrs'"),
    ("kuhn_poker(players=99)", "num_players"),
    ("kuhn_poker(", "bracket"),
    ("misere", "Missing parameter game"),
    ("nfg_game", ""),
  )
  def test_strings_that_openspiel_refuses(self, name, reason):
    with self.assertRaisesRegex(
      ValueError, f"`game` must be a game string that OpenSpiel .*{reason}"
    ):
      openspiel.load_game(name)

  def test_openspiel_prints_nothing_of_its_own(self):
    with tempfile.TemporaryFile() as printed:
      stderr = os.dup(2)
      os.dup2(printed.fileno(), 2)
      try:
        for function in (openspiel.load_game, openspiel.symmetric_payoffs):
          with self.assertRaisesRegex(ValueError, "Unknown parameter 'playrs'"):
            function("kuhn_poker(playrs=3)")
        os.write(2, b"ours")
      finally:
        os.dup2(stderr, 2)
        os.close(stderr)
      printed.seek(0)
      self.assertEqual(printed.read(), b"ours")

  def test_a_game_that_fails_is_refused(self):
    game = openspiel.load_game("kuhn_poker")
    for error, words in (
      (IndexError("pop from\n empty list"), "pop from empty list"),
      (MemoryError(), "MemoryError"),
    ):
      with (
        mock.patch.object(enumeration, "enumerate_tree", side_effect=error),
        self.assertRaisesRegex(
          ValueError,
          "`game` must be a game whose tree can be read, and OpenSpiel "
          rf"fails in kuhn_poker\(\): {words}; choose another game",
        ),
      ):
        openspiel.enumerate_tree(game)

  @parameterized.parameters("maedn", "chess", "leduc_poker")
  def test_normal_forms_are_small(self, name):
    with self.assertRaisesRegex(
      ValueError,
      "`game` must have at most 1000 strategies, one for every plan of "
      "action, 200,000 histories and 1000 moves in a row, and "
      f"{name} has more",
    ):
      openspiel.symmetric_payoffs(name)

  @parameterized.parameters(
    "dark_hex_ir",
    "dark_hex_ir(board_size=2)",
    "phantom_ttt_ir",
    "liars_dice_ir",
  )
  def test_imperfect_recall_is_refused_before_the_tree_is_large(self, name):
    with self.assertRaisesRegex(
      ValueError,
      "`game` must have perfect recall, and "
      rf"{re.escape(name)}.* does not: player \d reaches infostate",
    ):
      openspiel.compile_game(name, max_histories=100_000)

  @parameterized.parameters((1, 4), (57, 58))
  def test_too_large_a_tree(self, limit, known):
    with self.assertRaisesRegex(
      ValueError,
      rf"`max_histories` is {limit}, and kuhn_poker\(\) has more: about 5.*; "
      rf"stopped at {known}; choose a smaller game, or raise the limit",
    ):
      openspiel.compile_game("kuhn_poker", max_histories=limit)

  def test_a_tree_of_the_largest_size(self):
    tables = openspiel.enumerate_tree(openspiel.load_game("kuhn_poker"), 58)
    self.assertEqual(tables.num_histories, 58)

  @parameterized.parameters(0, -5)
  def test_max_histories_must_be_positive(self, limit):
    with self.assertRaisesRegex(
      ValueError, f"`max_histories` must be positive, got {limit}"
    ):
      openspiel.compile_game("kuhn_poker", max_histories=limit)

  @parameterized.parameters("negotiation", "bridge_uncontested_bidding")
  def test_chance_must_be_listed(self, name):
    with self.assertRaisesRegex(
      ValueError, f"`game` must list its chance outcomes, and {name}"
    ):
      openspiel.compile_game(name)

  def test_mean_field_games(self):
    with self.assertRaisesRegex(
      ValueError, "`game` must have finitely many players.*mfg_garnet"
    ):
      openspiel.compile_game("mfg_garnet")

  @parameterized.parameters("coin_game", "phantom_go")
  def test_infostates_must_have_names(self, name):
    with self.assertRaisesRegex(
      ValueError, f"`game` must give information-state strings, and {name}"
    ):
      openspiel.compile_game(name)

  def test_a_missing_file(self):
    with self.assertRaisesRegex(
      ValueError, "`game` must be a game or a file, got no file 'none.efg'"
    ):
      openspiel.compile_game("none.efg")

  def _compile_text(self, text):
    folder = self.enterContext(tempfile.TemporaryDirectory())
    path = pathlib.Path(folder) / "game.efg"
    path.write_text(text, encoding="utf-8")
    return openspiel.compile_game(str(path))

  def test_a_file_that_is_none(self):
    with self.assertRaisesRegex(
      ValueError, "`game` cannot be read from.*expected EFG.*got 'hello'"
    ):
      self._compile_text("hello")

  def test_a_file_without_perfect_recall(self):
    with self.assertRaisesRegex(
      ValueError,
      "`game` must have perfect recall.*player 0 reaches infostate "
      "'0-0-2-again' by different moves",
    ):
      self._compile_text("""EFG 2 R "Forgets" { "A" "B" }
p "" 1 1 "first" { "l" "r" } 0
p "" 1 2 "again" { "l" "r" } 0
t "" 1 "" { 1 2 }
t "" 2 "" { 3 4 }
p "" 1 2 "again" { "l" "r" } 0
t "" 3 "" { 5 6 }
t "" 4 "" { 7 8 }
""")

  def test_a_file_with_utilities_that_are_not_finite(self):
    with self.assertRaisesRegex(
      ValueError, "line 3, column 13: expected a payoff, got 'nan'"
    ):
      self._compile_text("""EFG 2 R "Not a number" { "A" "B" }
p "" 1 1 "first" { "l" "r" } 0
t "" 1 "" { nan 2 }
t "" 2 "" { 3 4 }
""")

  @parameterized.parameters(
    f"efg_game(filename={THREE_PLAYERS})",
    f"misere(game=efg_game(filename={THREE_PLAYERS}))",
    "repeated_game(stage_game=nfg_game(filename=x),num_repetitions=2)",
  )
  def test_openspiel_itself_loads_no_files(self, name):
    message = "must be a game of OpenSpiel itself.*`compile_game` reads `.efg`"
    with self.assertRaisesRegex(ValueError, message):
      openspiel.load_game(name)
    if not name.startswith("efg"):
      for read in (openspiel.compile_game, openspiel.symmetric_payoffs):
        with self.assertRaisesRegex(ValueError, message):
          read(name)

  def test_names_that_are_not_ascii(self):
    _, index = self._compile_text("""EFG 2 R "Jeu" { "Å" "B" }
p "" 1 1 "été 日" { "l" "r" } 0
t "" 1 "" { 1 2 }
t "" 2 "" { 3 4 }
""")
    self.assertEqual(index[0].row("0-0-1-été 日"), 0)


if __name__ == "__main__":
  absltest.main()
