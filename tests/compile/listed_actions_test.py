"""Tests of games that list all of their actions as they are loaded."""

import math

from absl.testing import absltest, parameterized
import pyspiel

from mdrl.compile import listed_actions, openspiel


class CheckTest(parameterized.TestCase):
  @parameterized.parameters(
    "blotto(coins=1000,fields=5)",
    "blotto(fields=5, coins = 1000, players=2)",
    "blotto(coins=1000000000,fields=1000)",
    "blotto(coins=10,fields=100)",
    "blotto(coins=0,fields=100000)",
    "blotto(coins=-3)",
    "blotto(fields=0)",
    "blotto(fields=-1)",
  )
  def test_refuses(self, name):
    # Each of these takes all memory, crashes, or has no action.
    for read in (openspiel.load_game, openspiel.symmetric_payoffs):
      with self.assertRaisesRegex(ValueError, "^`game` must have .*blotto"):
        read(name)

  @parameterized.parameters((10, 3), (0, 3), (7, 1), (200, 3), (1, 1000))
  def test_takes_what_openspiel_lists(self, coins, fields):
    name = f"blotto(coins={coins},fields={fields})"
    listed_actions.check(name)
    self.assertEqual(
      pyspiel.load_game(name).num_distinct_actions(),
      math.comb(coins + fields - 1, fields - 1),
    )

  def test_limit(self):
    # Of two fields, the actions are one more than the coins.
    listed_actions.check("blotto(coins=999999,fields=2)")
    with self.assertRaisesRegex(ValueError, "at most 1,000,000 actions"):
      listed_actions.check("blotto(coins=1000000,fields=2)")


if __name__ == "__main__":
  absltest.main()
