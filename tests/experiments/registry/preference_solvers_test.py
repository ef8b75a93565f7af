"""Tests of the tables of solvers and games, and of the solvers they make."""

import inspect

from absl.testing import absltest, parameterized
import numpy as np

from experiments.preferences import named_games
from experiments.registry import preference_factory, preference_solvers
from mdrl import run
from mdrl.games import preference_game
from mdrl.preferences import models
from mdrl.preferences import order as preference_order
from mdrl.solvers import averaged, mirror_descent, nash_md
from mdrl.solvers import base as solver_lib


class PreferenceTableTest(parameterized.TestCase):
  @parameterized.parameters(*preference_solvers.SOLVERS)
  def test_every_entry_makes_a_solver(self, name):
    config = preference_solvers.resolve(name, {})
    for temperature in (0.01, 0.1, 5.0):
      step_size = preference_factory.default_step_size(name, temperature)
      solver = preference_factory.make(name, temperature, step_size, config)
      self.assertIsInstance(solver, solver_lib.Solver)

  def test_every_field_belongs_to_a_solver(self):
    used = set()
    for entry in preference_solvers.SOLVERS.values():
      used |= set(entry.defaults) - {"step_size"}
    self.assertEqual(used, set(preference_solvers.FIELDS))

  @parameterized.parameters(*named_games.GAMES)
  def test_games_have_the_order_that_they_state(self, name):
    entry = named_games.GAMES[name]
    parameters = inspect.signature(entry.model).parameters
    for seed in range(5):
      sized = {"num_responses": 6, "seed": seed} if entry.sized else {}
      self.assertContainsSubset(sized, parameters)
      order = preference_order.decide(entry.model(**sized))
      stated = {"yes": True, "no": False}
      if entry.transitive in stated:
        self.assertEqual(order.transitive, stated[entry.transitive])
      if entry.condorcet_winner in stated:
        self.assertEqual(
          order.condorcet_winner is not None, stated[entry.condorcet_winner]
        )

  def test_what_depends_takes_both_values(self):
    for name, entry in named_games.GAMES.items():
      orders = [
        preference_order.decide(entry.model(num_responses=4, seed=seed))
        for seed in range(60)
        if entry.sized
      ]
      transitive = {order.transitive for order in orders}
      without = {order.condorcet_winner is None for order in orders}
      for stated, found in (
        (entry.transitive, transitive),
        (entry.condorcet_winner, without),
      ):
        if stated == "depends":
          self.assertEqual(found, {True, False}, name)

  def test_parameters_reach_the_game(self):
    name, values = named_games.parse_game(
      "soft_rock_paper_scissors(num_responses=5, win=0.6)"
    )
    matrix = named_games.GAMES[name].model(**values)
    self.assertEqual(matrix.shape, (5, 5))
    self.assertEqual(matrix.max(), 0.6)

  def test_published_steps(self):
    solver = preference_factory.make("inpo_published", 0.1, None, {})
    self.assertIsInstance(solver, nash_md.NashMD)
    self.assertEqual(solver.mixture, 0.0)
    np.testing.assert_allclose(solver.step_size, 1 / 0.3)
    solver = preference_factory.make("mtpo", 0.1, None, {})
    self.assertIsInstance(solver, nash_md.NashMD)
    self.assertEqual(solver.mixture, 0.0)

  def test_hyper_parameters_reach_the_solver(self):
    def made(name, step_size=0.3, seed=0, **config):
      values = preference_solvers.resolve(name, config)
      return preference_factory.make(name, 0.5, step_size, values, seed)

    self.assertEqual(made("nash_ema", decay=0.0).decay, 0.0)
    self.assertEqual(made("nash_md_constant", mixture=0.3).mixture, 0.3)
    self.assertEqual(made("apo", momentum=0.0).momentum, 0.0)
    self.assertEqual(made("magnetic_preference", period=7.0).period, 7)
    self.assertEqual(made("comal", tolerance=0.1).tolerance, 0.1)
    self.assertEqual(
      made("iterative_dpo", label_smoothing=0.2).label_smoothing, 0.2
    )
    self.assertEqual(made("rlhf", label_smoothing=0.2).label_smoothing, 0.2)
    queue = made("spo_queue", seed=5, queue_length=9.0, num_samples=2.0)
    self.assertEqual((queue.seed, queue.length, queue.num_samples), (5, 9, 2))
    self.assertEqual(made("srpo").step_size, 2.0)
    self.assertIsInstance(made("sppo"), mirror_descent.MirrorDescent)
    self.assertIsInstance(made("spo"), averaged.Averaged)
    self.assertIsInstance(made("mirror_descent"), averaged.Averaged)

  @parameterized.product(name=["rlhf", "iterative_dpo"], temperature=[0.1, 1.0])
  def test_defaults_reach_the_optimum_of_rlhf(self, name, temperature):
    scores = models.random_scores(1, 10)[0]
    reference = np.random.default_rng(1).dirichlet(np.ones(10))
    game = preference_game.preference_game(models.elo(scores), reference)
    solver = preference_factory.make(
      name,
      temperature,
      preference_factory.default_step_size(name, temperature),
      preference_solvers.resolve(name, {}),
    )
    state = run.advance(solver, game, run.init(solver, game), 1000)
    weights = reference * np.exp((scores - scores.max()) / temperature)
    np.testing.assert_allclose(
      solver.policies(game, state)[0][1:],
      weights / weights.sum(),
      atol=1e-6,
    )

  @parameterized.parameters(
    "egpo", "inpo", "nash_ema", "nash_md_constant", "rlhf"
  )
  def test_default_steps_do_not_pass_the_reference(self, name):
    step_size = preference_factory.default_step_size(name, 100.0)
    self.assertEqual(step_size, 0.01)

  @parameterized.parameters(
    ("period", 1.5),
    ("period", float("inf")),
    ("num_samples", 0.0),
    ("queue_length", 1e30),
    ("decay", float("nan")),
  )
  def test_overrides_must_fit(self, name, value):
    solvers = list(preference_solvers.SOLVERS)
    with self.assertRaisesRegex(ValueError, f"`--{name}` must be a"):
      preference_solvers.check_overrides(solvers, {name: value})

  def test_grid(self):
    self.assertEqual(
      preference_factory.grid("egpo", [0.1, 2.0], []),
      [(0.1, 1.0), (2.0, 0.5)],
    )
    self.assertEqual(
      preference_factory.grid("egpo", [0.1], [0.3, 0.4]),
      [(0.1, 0.3), (0.1, 0.4)],
    )
    self.assertEqual(
      preference_factory.grid("srpo", [0.1, 0.2], [0.3]),
      [(0.1, None), (0.2, None)],
    )


if __name__ == "__main__":
  absltest.main()
