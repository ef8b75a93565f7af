"""Tests of the judge of the benchmarks against OpenSpiel."""

from absl.testing import absltest, parameterized
import numpy as np
from open_spiel.python import policy as policy_lib
import pyspiel

from benchmarks import evaluation
from mdrl.compile import openspiel


def _random_policy(game, seed):
  policy = policy_lib.TabularPolicy(game)
  rng = np.random.default_rng(seed)
  drawn = rng.random(policy.action_probability_array.shape)
  # Some actions are never played, so that some infostates are not reached.
  drawn *= policy.legal_actions_mask * (rng.random(drawn.shape) < 0.7)
  drawn += 1e-9 * policy.legal_actions_mask * (drawn.sum(1, keepdims=True) == 0)
  policy.action_probability_array[:] = drawn / drawn.sum(1, keepdims=True)
  return policy


class JudgeTest(parameterized.TestCase):
  @parameterized.product(
    name=(
      "kuhn_poker",
      "leduc_poker",
      "goofspiel(imp_info=True,num_cards=3)",
      "liars_dice(dice_sides=3)",
      "tiny_hanabi",
    ),
    seed=(0, 1),
  )
  def test_random_policies(self, name, seed):
    game = openspiel.load_game(name)
    policy = _random_policy(game, seed)
    judge = evaluation.Judge(openspiel.enumerate_tree(game))

    def lookup(infostate):
      return list(enumerate(policy.policy_for_key(infostate).tolist()))

    expected = pyspiel.nash_conv(game, policy.to_dict()) / 2
    self.assertGreater(expected, 0.01)
    self.assertAlmostEqual(judge.exploitability_of(lookup, lookup), expected)

  def test_nothing_is_uniform(self):
    game = openspiel.load_game("kuhn_poker")
    judge = evaluation.Judge(openspiel.enumerate_tree(game))
    nothing = judge.exploitability_of(lambda _: [], lambda _: [])
    expected = pyspiel.exploitability(
      game, policy_lib.TabularPolicy(game).to_dict()
    )
    self.assertAlmostEqual(nothing, expected)

  def test_three_players_are_refused(self):
    game = openspiel.load_game("kuhn_poker(players=3)")
    with self.assertRaisesRegex(ValueError, "two players, got 3"):
      evaluation.Judge(openspiel.enumerate_tree(game))


if __name__ == "__main__":
  absltest.main()
