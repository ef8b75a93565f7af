"""Tests of the CFR family against OpenSpiel, published values and numpy."""

from absl.testing import absltest, parameterized
import jax
import numpy as np
from open_spiel.python.algorithms import cfr as openspiel_cfr
from open_spiel.python.algorithms import discounted_cfr
import pyspiel

from mdrl import run
from mdrl.compile import policy_bridge
from mdrl.evaluation import gaps
from mdrl.games import matrix_game
from mdrl.solvers import averaged, regret_matching, regret_rules
from mdrl.testing import games
from tests.solvers import oracle

Simultaneous = regret_matching.RegretMatching
Alternating = regret_matching.AlternatingRegretMatching
LINEAR = regret_rules.Discounted(positive_power=1.0, negative_power=1.0)


def _exploitability(solver, game, num_updates):
  _, trace = run.run(
    solver, game, run.of_plans(gaps.exploitability), [num_updates]
  )
  return float(trace.metrics[0])


class RegretMatchingTest(parameterized.TestCase):
  @parameterized.named_parameters(
    (
      "cfr_alternating",
      Alternating(rule=regret_rules.Vanilla()),
      0.0,
      openspiel_cfr.CFRSolver,
    ),
    (
      "cfr_simultaneous",
      Simultaneous(rule=regret_rules.Vanilla()),
      0.0,
      lambda game: openspiel_cfr._CFRSolver(
        game,
        alternating_updates=False,
        linear_averaging=False,
        regret_matching_plus=False,
      ),
    ),
    (
      "cfr_plus",
      Alternating(rule=regret_rules.Plus()),
      1.0,
      openspiel_cfr.CFRPlusSolver,
    ),
    ("linear", Alternating(rule=LINEAR), 1.0, discounted_cfr.LCFRSolver),
    (
      "discounted",
      Alternating(rule=regret_rules.Discounted()),
      2.0,
      discounted_cfr.DCFRSolver,
    ),
  )
  def test_average_equals_openspiel_on_kuhn(self, solver, power, make):
    game, index = games.compiled("kuhn")
    spiel = pyspiel.load_game("kuhn_poker")
    theirs = make(spiel)
    for _ in range(30):
      theirs.evaluate_and_update_policy()
    wrapped = averaged.Averaged(solver=solver, power=power)
    state = run.advance(wrapped, game, run.init(wrapped, game), 30)
    ours = policy_bridge.to_openspiel(
      spiel, index, wrapped.policies(game, state)
    )
    expected = theirs.average_policy()
    for player in index.players:
      for name in player.infostates:
        np.testing.assert_allclose(
          ours.policy_for_key(name),
          expected.policy_for_key(name),
          atol=1e-12,
        )

  def test_three_players_equal_openspiel(self):
    game, index = games.compiled("kuhn_three_players")
    spiel = pyspiel.load_game("kuhn_poker(players=3)")
    theirs = openspiel_cfr.CFRSolver(spiel)
    # Later, regrets that cancel exactly are rounded one way or the other.
    for _ in range(3):
      theirs.evaluate_and_update_policy()
    wrapped = averaged.Averaged(solver=Alternating(rule=regret_rules.Vanilla()))
    state = run.advance(wrapped, game, run.init(wrapped, game), 3)
    ours = policy_bridge.to_openspiel(
      spiel, index, wrapped.policies(game, state)
    )
    np.testing.assert_allclose(
      ours.action_probability_array,
      theirs.average_policy().action_probability_array,
      atol=1e-12,
    )

  def test_cfr_plus_reaches_published_values(self):
    solver = averaged.Averaged(
      solver=Alternating(rule=regret_rules.Plus()), power=1.0
    )
    kuhn, _ = games.compiled("kuhn")
    self.assertAlmostEqual(
      _exploitability(solver, kuhn, 104), 0.0006017139321, delta=1e-12
    )
    leduc, _ = games.compiled("leduc")
    # Regrets that cancel exactly are cut off at rounding errors of either
    # sign, and Leduc is symmetric in suits: implementations that add in
    # another order agree to four digits here (0.0085259582 and 0.0085238264).
    self.assertAlmostEqual(
      _exploitability(solver, leduc, 140), 0.0085259582, delta=5e-6
    )

  def test_predictive_equals_a_numpy_loop(self):
    game = matrix_game.zero_sum_game(oracle.PAYOFF)
    solver = Alternating(rule=regret_rules.Predictive())
    state = run.advance(solver, game, run.init(solver, game), 12)
    policies = oracle.uniform()
    regrets = [np.zeros_like(p) for p in policies]
    for _ in range(12):
      for i in (0, 1):
        gain = oracle.gains(policies)[i]
        advantage = gain - gain @ policies[i]
        regrets[i] = np.maximum(regrets[i] + advantage, 0)
        weights = np.maximum(regrets[i] + advantage, 0)
        policies[i] = (
          weights / weights.sum()
          if weights.sum() > 0
          else np.full(len(weights), 1 / len(weights))
        )
    ours = oracle.policies(solver.policies(game, state))
    np.testing.assert_allclose(ours[0], policies[0], atol=1e-13)
    np.testing.assert_allclose(ours[1], policies[1], atol=1e-13)

  def test_average_regret_bound_of_cfr(self):
    # Average regret <= range * sum_I sqrt(|A(I)|) / sqrt(T) (Zinkevich et al.,
    # theorem 4), for both players, at every checkpoint.
    game, _ = games.compiled("kuhn")
    solver = averaged.Averaged(solver=Simultaneous(rule=regret_rules.Vanilla()))
    updates = np.array([1, 10, 100, 1000])
    _, trace = run.run(
      solver, game, run.of_plans(gaps.duality_gap), updates.tolist()
    )
    bound = 2 * 4 * 6 * np.sqrt(2) / np.sqrt(updates)
    self.assertTrue((np.asarray(trace.metrics) <= bound).all())

  def test_predictive_is_far_ahead_on_goofspiel(self):
    game, _ = games.compiled("goofspiel")
    gap = {}
    for rule in (regret_rules.Plus(), regret_rules.Predictive()):
      solver = averaged.Averaged(solver=Alternating(rule=rule), power=2.0)
      gap[type(rule).__name__] = _exploitability(solver, game, 100)
    self.assertLess(gap["Predictive"], gap["Plus"] / 3)

  def test_state_holds_the_plans_of_its_policies(self):
    game, _ = games.compiled("leduc")
    solver = Alternating(rule=regret_rules.Plus())
    state = run.advance(solver, game, run.init(solver, game), 3)
    expected = jax.jit(lambda g, p: g.plans(p))(game, state.policy)
    for a, b in zip(state.plan, expected):
      np.testing.assert_array_equal(a, b)


if __name__ == "__main__":
  absltest.main()
