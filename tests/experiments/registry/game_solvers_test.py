"""Tests of the table of solvers and of the solvers made from it."""

from absl.testing import absltest, parameterized
import pytest

from experiments.registry import game_factory, game_solvers
from mdrl import run
from mdrl.compile import openspiel
from mdrl.evaluation import gaps, payoff_norm
from mdrl.geometry import mirror_maps
from mdrl.solvers import behavioral, magnetic, regret_matching, regret_rules


def _made(name, payoff_norm=1.0, **overrides):
  values = game_solvers.resolve(name, overrides)
  return game_factory.make(name, values, payoff_norm)


class SolverTableTest(parameterized.TestCase):
  @parameterized.parameters(*game_solvers.SOLVERS)
  def test_every_entry_makes_a_solver_and_explains_its_fields(self, name):
    entry = game_solvers.SOLVERS[name]
    self.assertContainsSubset(entry.defaults, game_solvers.FIELDS)
    self.assertIn(entry.reports, ("last", "average"))
    for field, value in entry.defaults.items():
      self.assertIsInstance(value, game_solvers.FIELDS[field].type)
    solver = _made(name)
    self.assertEqual(solver.power, entry.defaults["average_power"])

  def test_every_field_belongs_to_a_solver(self):
    used = set().union(*(e.defaults for e in game_solvers.SOLVERS.values()))
    self.assertEqual(used, set(game_solvers.FIELDS))

  def test_none_keeps_the_default(self):
    self.assertEqual(
      game_solvers.resolve("cfr", {"alternating": None, "step_size": None}),
      game_solvers.SOLVERS["cfr"].defaults,
    )

  def test_rules_of_the_regret_matching_family(self):
    self.assertEqual(
      _made("linear_cfr").solver.rule,
      regret_rules.Discounted(positive_power=1.0, negative_power=1.0),
    )
    self.assertEqual(_made("dcfr").solver.rule, regret_rules.Discounted())
    self.assertEqual(
      _made("dcfr", negative_power=-1.0).solver.rule,
      regret_rules.Discounted(positive_power=1.5, negative_power=-1.0),
    )
    self.assertIsInstance(
      _made("cfr_plus").solver, regret_matching.AlternatingRegretMatching
    )
    self.assertIs(
      type(_made("cfr_plus", alternating=False).solver),
      regret_matching.RegretMatching,
    )

  @parameterized.parameters(
    ("cfr", regret_rules.Vanilla),
    ("cfr_plus", regret_rules.Plus),
    ("linear_cfr", regret_rules.Discounted),
    ("dcfr", regret_rules.Discounted),
    ("pcfr_plus", regret_rules.Predictive),
  )
  def test_the_regret_matching_family_has_its_rules(self, name, rule):
    self.assertIs(type(_made(name).solver.rule), rule)

  def test_units_of_the_payoff_norm(self):
    solver = _made("magnetic", 4.0, step_size=0.5, temperature=0.2).solver
    assert isinstance(solver, magnetic.MagneticMirrorDescent)
    self.assertAlmostEqual(solver.step_size, 0.125)
    self.assertAlmostEqual(solver.temperature, 0.8)
    plain = _made("magnetic", 4.0, step_size=0.5, normalize=False).solver
    self.assertEqual(plain.step_size, 0.5)

  def test_schedules(self):
    solver = _made(
      "magnetic",
      2.0,
      step_size=0.5,
      step_power=0.5,
      temperature=3.0,
      temperature_power=1.0,
      temperature_delay=7.0,
    ).solver
    self.assertEqual(
      (solver.step_size.initial, solver.step_size.power), (0.25, 0.5)
    )
    self.assertEqual(solver.temperature.initial, 6.0)
    self.assertEqual(solver.temperature.power, 1.0)
    self.assertEqual(solver.temperature.delay, 7.0)
    slower = _made("magnetic", 2.0, magnet_rate=0.3, magnet_power=0.25).solver
    rate = slower.magnet_rate
    # A rate has no unit.
    self.assertEqual((rate.initial, rate.power, rate.delay), (0.3, 0.25, 1.0))
    with self.assertRaisesRegex(ValueError, "`magnet_rate`"):
      _made("magnetic", magnet_rate=1.5, magnet_power=0.25)

  def test_feedback(self):
    for name in ("mirror_descent", "magnetic", "magnetic_refreshed"):
      self.assertNotIsInstance(_made(name).solver, behavioral.Behavioral)
      local = _made(name, feedback="q").solver
      assert isinstance(local, behavioral.Behavioral)
      self.assertEqual(local.feedback, "q")
      self.assertEqual(local.solver, _made(name).solver)
    with self.assertRaisesRegex(ValueError, "`feedback` must be"):
      _made("magnetic", feedback="x")

  def test_refreshes(self):
    solver = _made(
      "magnetic_refreshed", 2.0, period=7, step_size=0.5, temperature=0.2
    ).solver
    self.assertEqual(solver.period, 7)
    self.assertEqual((solver.step_size, solver.temperature), (0.25, 0.4))
    with self.assertRaisesRegex(ValueError, "`period`"):
      _made("magnetic_refreshed", period=0)

  @parameterized.parameters(
    ("entropy", mirror_maps.NegativeEntropy()),
    ("euclidean", mirror_maps.Euclidean()),
    ("tsallis", mirror_maps.Tsallis(order=0.5)),
  )
  def test_mirror_maps(self, name, expected):
    solver = _made("optimistic", mirror_map=name).solver
    self.assertEqual(solver.mirror_map, expected)

  @parameterized.parameters("magnetic", "magnetic_refreshed")
  @pytest.mark.slow
  def test_moving_magnets_solve_leduc_by_default(self, name):
    game, _ = openspiel.compile_game("leduc_poker")
    solver = _made(name, payoff_norm.payoff_norm(game)).solver
    state = run.advance(solver, game, run.init(solver, game), 40_000)
    gap = gaps.exploitability(game, solver.plans(game, state))
    self.assertLess(gap, 1e-3)


if __name__ == "__main__":
  absltest.main()
