"""Classical dark hex is compiled by what its players know."""

import io
import tempfile

from absl.testing import absltest, parameterized
import jax
import numpy as np
from open_spiel.python.algorithms import expected_game_score, exploitability
import pyspiel

from experiments.solving import policy_file
from mdrl import envs
from mdrl.compile import (
  cache,
  enumeration,
  merged_names,
  openspiel,
  policy_bridge,
)
from mdrl.evaluation import gaps
from mdrl.games import base as game_lib
from mdrl.games import tree_game
from mdrl.testing import games
from mdrl.trees import quantities

_NAME = "dark_hex(board_size=2)"


def _by_string():
  tables = enumeration.enumerate_tree(
    pyspiel.load_game(_NAME), named=True, max_histories=10_000
  )
  return tree_game.build(tables)


class MergedNamesTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.game, self.index = games.compiled(_NAME)
    self.policies = game_lib.random_policies(self.game, jax.random.key(3))

  def test_infostates_are_those_of_the_environment(self):
    native, names = envs.compile_environment(
      envs.DarkHex(num_rows=2, num_cols=2)
    )
    _, by_string = _by_string()
    self.assertEqual(native.num_players, self.game.num_players)
    for ours, theirs, split in zip(
      self.index.players, names.players, by_string.players, strict=True
    ):
      pairs = [
        {
          player.infostates[row]: player.aliases[row]
          for row in range(len(player.infostates))
        }
        for player in (ours, theirs)
      ]
      self.assertEqual(*pairs)
      self.assertLess(len(ours.infostates), len(split.infostates))
      self.assertCountEqual(ours.names(), split.infostates)
    self.assertEqual([len(p.infostates) for p in by_string.players], [33, 101])

  def test_any_string_leads_to_the_row(self):
    player = self.index[1]
    self.assertGreater(max(map(len, player.aliases)), 0)
    for row in range(len(player.infostates)):
      for name in player.strings(row):
        self.assertEqual(player.row(name), row)

  def test_play_is_worth_what_openspiel_says(self):
    spiel = pyspiel.load_game(_NAME)
    table = policy_bridge.to_openspiel(spiel, self.index, self.policies)
    values = self.game.values(self.game.plans(self.policies))
    np.testing.assert_allclose(
      values,
      expected_game_score.policy_value(
        spiel.new_initial_state(), [table, table]
      ),
      atol=1e-12,
    )
    back = policy_bridge.from_openspiel(self.index, table)
    for ours, given in zip(back, self.policies, strict=True):
      np.testing.assert_allclose(ours[1:], given[1:], atol=1e-12)
    # Its best responses know the other's number of tries.
    by_string, split = _by_string()
    same = quantities.Policies(
      np.asarray(theirs.policy(ours.probabilities(np.asarray(policy))))
      for ours, theirs, policy in zip(
        self.index.players, split.players, self.policies, strict=True
      )
    )
    gap = float(gaps.nash_conv(by_string, by_string.plans(same)))
    self.assertAlmostEqual(gap, exploitability.nash_conv(spiel, table), 10)
    own = float(gaps.nash_conv(self.game, self.game.plans(self.policies)))
    self.assertLessEqual(own, gap + 1e-12)

  def test_saved_policies_list_every_string(self):
    file = io.BytesIO()
    policy_file.write(file, _NAME, self.index, {"last": self.policies}, "last")
    file.seek(0)
    data = np.load(file)
    names = [name for p in self.index.players for name in p.names()]
    self.assertEqual(data["infostate"].tolist(), names)
    self.assertLen(names, 33 + 101)
    lengths = [len(p.names()) for p in self.index.players]
    np.testing.assert_array_equal(data["player"], np.repeat([0, 1], lengths))
    for name, player, actions, probabilities in zip(
      names, data["player"], data["action"], data["probability"], strict=True
    ):
      own = self.index[int(player)]
      expected = own.probabilities(np.asarray(self.policies[int(player)]))[name]
      legal = actions >= 0
      found = zip(actions[legal].tolist(), probabilities[legal].tolist())
      self.assertEqual(dict(found), expected)

  def test_the_cache_keeps_every_string(self):
    folder = self.enterContext(tempfile.TemporaryDirectory())
    for _ in range(2):
      _, index = openspiel.compile_game(_NAME, cache_dir=folder)
      for player, expected in zip(
        index.players, self.index.players, strict=True
      ):
        self.assertEqual(player.aliases, expected.aliases)
    stored = openspiel.enumerate_tree(pyspiel.load_game(_NAME))
    cache.save(folder, "tree", stored)
    loaded = cache.load(folder, "tree")
    assert loaded is not None
    self.assertEqual(loaded.aliases, stored.aliases)

  def test_refuses_policies_that_differ_where_a_player_knows_no_more(self):
    player = self.index[0]
    table = player.probabilities(np.asarray(self.policies[0]))
    row = next(r for r, names in enumerate(player.aliases) if names)
    name = player.aliases[row][0]
    table[name] = {action: 0.0 for action in table[name]}
    with self.assertRaisesRegex(ValueError, "must be equal at strings of one"):
      player.policy(table)
    del table[name]
    np.testing.assert_allclose(player.policy(table)[1:], self.policies[0][1:])

  @parameterized.parameters(
    "dark_hex(board_size=2,gameversion=adh)",
    "dark_hex(board_size=2,obstype=reveal-numturns)",
    "phantom_ttt",
    "kuhn_poker",
  )
  def test_other_games_tell_what_players_know(self, name):
    self.assertIsNone(merged_names.of_game(pyspiel.load_game(name)))


if __name__ == "__main__":
  absltest.main()
