"""Tests of solvers at every infostate: CFR, Hedge, and agent equilibria."""

from absl.testing import absltest, parameterized
import jax
import numpy as np
from open_spiel.python.algorithms import cfr as openspiel_cfr
from open_spiel.python.algorithms import exploitability
import pytest

from mdrl import run, testing
from mdrl.compile import openspiel, policy_bridge
from mdrl.evaluation import gaps
from mdrl.games import base as game_lib
from mdrl.solvers import (
  averaged,
  behavioral,
  comal,
  magnetic,
  mirror_descent,
  mirror_prox,
  optimistic,
  regret_matching,
  regret_rules,
  time_averaged,
)
from mdrl.testing import games
from mdrl.trees import quantities
from tests import named_rows
from tests.solvers import oracle


def _compiled(name):
  return openspiel.compile_game(games.TREES.get(name, name), reaches=True)


def _utility(game, plans):
  return game.values(plans)[0]


class BehavioralTest(parameterized.TestCase):
  @parameterized.parameters(
    ("kuhn_three_players", regret_rules.Vanilla, False),
    ("kuhn", regret_rules.Plus, True),
    ("tiny_hanabi", regret_rules.Discounted, True),
    ("goofspiel", regret_rules.Predictive, True),
  )
  def test_regret_matching_is_cfr_bit_for_bit(self, name, rule, alternating):
    game, _ = games.compiled(name)
    kind = (
      regret_matching.AlternatingRegretMatching
      if alternating
      else regret_matching.RegretMatching
    )
    inner = kind(rule=rule())
    whole = averaged.Averaged(solver=inner, power=1.0)
    local = averaged.Averaged(
      solver=behavioral.Behavioral(solver=inner), power=1.0
    )
    for solver_policies in ("policies", "last_policies"):
      found = []
      for solver in (whole, local):
        state = run.advance(solver, game, run.init(solver, game), 30)
        found.append(getattr(solver, solver_policies)(game, state))
      for a, b in zip(*found):
        np.testing.assert_allclose(a[1:], b[1:], atol=1e-12)

  def test_cfr_is_that_of_openspiel(self):
    game, names = games.compiled("kuhn")
    solver = averaged.Averaged(
      solver=behavioral.Behavioral(
        solver=regret_matching.AlternatingRegretMatching(
          rule=regret_rules.Vanilla()
        )
      )
    )
    source = openspiel.load_game("kuhn_poker")
    theirs = openspiel_cfr.CFRSolver(source)
    for _ in range(20):
      theirs.evaluate_and_update_policy()
    state = run.advance(solver, game, run.init(solver, game), 20)
    table = policy_bridge.to_openspiel(
      source, names, solver.policies(game, state)
    )
    self.assertAlmostEqual(
      exploitability.nash_conv(source, table),
      exploitability.nash_conv(source, theirs.average_policy()),
      places=12,
    )

  def test_on_a_matrix_game_the_view_changes_nothing(self):
    game, _ = openspiel.compile_game("matrix_rps")
    inner = mirror_descent.MirrorDescent(step_size=0.3)
    start = game.treeplexes[0].to_policy(
      jax.numpy.asarray([0.0, 0.5, 0.3, 0.2])
    )
    ends = []
    for solver in (inner, behavioral.Behavioral(solver=inner)):
      state = run.init(solver, game, quantities.Policies((start, start)))
      state = run.advance(solver, game, state, 10)
      ends.append(solver.policies(game, state))
    for a, b in zip(*ends):
      np.testing.assert_allclose(a, b, atol=1e-15)

  def test_hedge_multiplies_by_counterfactual_values(self):
    # One update from uniform play in Kuhn poker, at the first player's jack.
    game, names = _compiled("kuhn")
    solver = behavioral.Behavioral(
      solver=mirror_descent.MirrorDescent(step_size=2.0)
    )
    state = run.advance(solver, game, run.init(solver, game), 1)
    chosen = names[0].probabilities(
      np.asarray(solver.policies(game, state)[0])
    )["0"]
    # Passing: -1 if the other passes, and after a bet -1 or -2, each half.
    passing, betting = (-1 / 2 - 1.5 / 2), (1 / 2 - 2 / 2)
    # The jack is dealt with a chance of 1/3.
    expected = oracle.softmax(2.0 / 3 * np.array([passing, betting]))
    np.testing.assert_allclose([chosen[0], chosen[1]], expected, atol=1e-14)

  @parameterized.named_parameters(
    ("averaged", averaged.Averaged, ()),
    ("time_averaged", time_averaged.TimeAveraged, ()),
    ("nested", averaged.Averaged, (comal.Comal, behavioral.Behavioral)),
  )
  def test_refuses_averages_of_behavioral_policies(self, average, between):
    solver = average(solver=mirror_descent.MirrorDescent(step_size=0.1))
    with self.assertRaisesRegex(
      ValueError,
      f"`solver` must not average.*{average.__name__}.*use "
      rf"{average.__name__}\(solver=Behavioral\(solver=\.\.\.\)\)",
    ):
      for outer in between:
        solver = outer(solver=solver)
      behavioral.Behavioral(solver=solver)

  def test_averages_of_plans_are_allowed(self):
    inner = mirror_descent.MirrorDescent(step_size=0.1)
    solver = averaged.Averaged(solver=behavioral.Behavioral(solver=inner))
    game, _ = _compiled("kuhn")
    state = run.advance(solver, game, run.init(solver, game), 3)
    last = solver.last_policies(game, state)
    for policy, other in zip(last, solver.solver.policies(game, state.inner)):
      np.testing.assert_array_equal(policy, other)

  @parameterized.named_parameters(*named_rows.named(("counterfactual", "q")))
  def test_keeps_the_contract(self, feedback):
    game, _ = _compiled("kuhn_three_players")
    testing.check_solver(
      behavioral.Behavioral(
        solver=magnetic.MagneticMirrorDescent(
          step_size=0.1, temperature=0.1, magnet_rate=0.1
        ),
        feedback=feedback,
      ),
      game,
    )

  @parameterized.named_parameters(
    ("mirror_prox", mirror_prox.MirrorProx(step_size=0.5)),
    ("optimistic", optimistic.OptimisticMirrorDescent(step_size=0.5)),
  )
  def test_descents_approach_an_equilibrium(self, inner):
    game, _ = _compiled("kuhn")
    solver = behavioral.Behavioral(solver=inner)
    _, trace = run.run(
      solver, game, run.of_plans(gaps.exploitability), [0, 3000]
    )
    self.assertLess(float(trace.metrics[1]), 0.02 * float(trace.metrics[0]))

  @parameterized.parameters(
    # Published policies have a divergence of about 1e-6 from the fixed point.
    ("kuhn", 0.05, 0.1, 10_000, -0.056969025, 0.007201106),
    ("kuhn", 0.1, 0.1, 10_000, -0.056240452, 0.018894877),
    ("kuhn", 0.5, 0.1, 10_000, -0.044835542, 0.112409847),
  )
  def test_agent_equilibria_of_kuhn(
    self, name, temperature, step_size, updates, value, exploit
  ):
    self._assert_agent(name, temperature, step_size, updates, value, exploit)

  @pytest.mark.slow
  def test_agent_equilibrium_of_leduc(self):
    self._assert_agent("leduc", 0.1, 0.01, 30_000, -0.088702206, 0.037147607)

  def _assert_agent(
    self, name, temperature, step_size, updates, value, exploit
  ):
    game, _ = _compiled(name)
    solver = behavioral.Behavioral(
      solver=magnetic.MagneticMirrorDescent(
        step_size=step_size, temperature=temperature
      ),
      feedback="q",
    )
    state = run.advance(solver, game, run.init(solver, game), updates)
    plans = solver.plans(game, state)
    self.assertAlmostEqual(float(game.values(plans)[0]), value, delta=2e-7)
    self.assertAlmostEqual(
      float(gaps.exploitability(game, plans)), exploit, delta=2e-7
    )

  def test_in_a_cooperative_game_every_small_step_improves(self):
    game, _ = games.compiled("tiny_hanabi")
    solver = behavioral.Behavioral(
      solver=mirror_descent.MirrorDescent(step_size=0.05)
    )
    start = game_lib.random_policies(game, jax.random.key(4))
    state = run.init(solver, game, start)
    _, trace = run.run(
      solver, game, run.of_plans(_utility), np.arange(3000), state
    )
    gained = np.diff(np.asarray(trace.metrics))
    self.assertGreater(gained.min(), -1e-13)
    self.assertGreater(trace.metrics[-1], trace.metrics[0] + 1)

  def test_three_players_have_a_gap_each(self):
    game, _ = games.compiled("kuhn_three_players")
    solver = averaged.Averaged(
      solver=behavioral.Behavioral(
        solver=regret_matching.RegretMatching(rule=regret_rules.Plus())
      )
    )
    _, trace = run.run(solver, game, run.of_plans(gaps.improvements), [0, 3000])
    self.assertEqual(trace.metrics.shape, (2, 3))
    self.assertLess(np.max(trace.metrics[1]), 0.01)

  def test_refuses(self):
    with self.assertRaisesRegex(ValueError, "`feedback` must be one of"):
      behavioral.Behavioral(
        solver=mirror_descent.MirrorDescent(step_size=0.1), feedback="Q"
      )


if __name__ == "__main__":
  absltest.main()
