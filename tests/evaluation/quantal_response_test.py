"""Tests of root finding against published equilibria and the solvers."""

import inspect

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mdrl import run
from mdrl.compile import openspiel
from mdrl.evaluation import gaps, preferences, quantal_response
from mdrl.games import base as game_lib
from mdrl.games import behavioral_game, matrix_game, preference_game
from mdrl.preferences import models
from mdrl.solvers import behavioral, magnetic
from mdrl.testing import games
from mdrl.trees import quantities

_PERTURBED = (np.array([[0, -3, 3], [3, 0, -1], [-3, 1, 0]]) + 3) / 6


def _compiled(name):
  return openspiel.compile_game(games.TREES[name], reaches=True)[0]


class QuantalResponseTest(parameterized.TestCase):
  @parameterized.parameters(
    (0.5, (0.29813319, 0.41382045, 0.28804635)),
    (0.2, (0.22364492, 0.47798817, 0.29836691)),
    (0.1, (0.17347803, 0.48630324, 0.34021873)),
    (0.05, (0.1517447, 0.46794775, 0.38030755)),
  )
  def test_perturbed_rock_paper_scissors(self, temperature, expected):
    game = matrix_game.zero_sum_game(_PERTURBED)
    policies = quantal_response.equilibrium(game, temperature)
    for policy in policies:
      np.testing.assert_allclose(policy[1:], expected, atol=1e-8)

  @parameterized.parameters(0.0, np.nan, np.inf, -1.0)
  def test_tolerances(self, tolerance):
    game = matrix_game.zero_sum_game(_PERTURBED)
    with self.assertRaisesRegex(ValueError, "`tolerance` must lie in"):
      quantal_response.equilibrium(game, 0.1, tolerance)

  @parameterized.parameters("temperature", "tolerance")
  def test_numbers_are_single(self, name):
    game = matrix_game.zero_sum_game(_PERTURBED)
    numbers = {"temperature": 0.1, name: np.array([0.1, 0.2])}
    with self.assertRaisesRegex(ValueError, f"`{name}` must be a single"):
      inspect.unwrap(quantal_response.equilibrium)(game, **numbers)

  def test_in_single_precision_the_precision_is_what_is_wrong(self):
    game = matrix_game.zero_sum_game(_PERTURBED, "float32")
    with self.assertRaisesRegex(
      ValueError, "`tolerance` must be at least 5e-07 in float32.*in float64"
    ):
      quantal_response.equilibrium(game, 0.1)
    policies = quantal_response.equilibrium(game, 0.1, tolerance=1e-5)
    off = quantal_response.residual(game, policies, jnp.float32(0.1))
    self.assertLess(float(off), 1e-5)

  def test_a_start_that_is_none(self):
    game = matrix_game.zero_sum_game(_PERTURBED)
    first, second = game_lib.uniform_policies(game)
    with self.assertRaisesRegex(ValueError, "`start` must be distributions"):
      quantal_response.equilibrium(
        game, 0.1, start=quantities.Policies((first, -second))
      )

  @parameterized.parameters(
    ("kuhn", 0.5, 0.0408650642, 0.2639340502),
    ("kuhn", 0.05, -0.0287149335, 0.0462273804),
    ("leduc", 0.1, 0.6923858789, 2.0445823202),
  )
  def test_normal_form_equilibria(self, name, temperature, value, exploit):
    game = _compiled(name)
    policies = quantal_response.equilibrium(game, temperature)
    off = quantal_response.residual(game, policies, temperature)
    self.assertLess(float(off), 1e-12)
    gap = gaps.regularized_gap(game, game.plans(policies), temperature)
    self.assertAlmostEqual(float(gap), 0.0, places=12)
    plans = game.plans(policies)
    # Published from policies with a gap of 1e-11.
    self.assertAlmostEqual(float(game.values(plans)[0]), value, delta=2e-7)
    self.assertAlmostEqual(
      float(gaps.exploitability(game, plans)), exploit, delta=2e-7
    )

  @parameterized.parameters(
    ("kuhn", 0.5, -0.044835542, 0.112409847),
    ("kuhn", 0.05, -0.056969025, 0.007201106),
  )
  def test_agent_equilibria(self, name, temperature, value, exploit):
    game = _compiled(name)
    view = behavioral_game.view(game, "q")
    policies = quantal_response.equilibrium(view, temperature)
    off = quantal_response.residual(view, policies, temperature)
    self.assertLess(float(off), 1e-12)
    plans = game.plans(policies)
    self.assertAlmostEqual(float(game.values(plans)[0]), value, delta=2e-7)
    self.assertAlmostEqual(
      float(gaps.exploitability(game, plans)), exploit, delta=2e-7
    )

  @pytest.mark.slow
  def test_solvers_find_the_same(self):
    game = _compiled("kuhn_three_players")
    inner = magnetic.MagneticMirrorDescent(step_size=0.1, temperature=0.4)
    for solver, seen in (
      (inner, game),
      (
        behavioral.Behavioral(solver=inner, feedback="q"),
        behavioral_game.view(game, "q"),
      ),
    ):
      state = run.advance(solver, game, run.init(solver, game), 5000)
      found = quantal_response.equilibrium(seen, 0.4)
      for t, a, b in zip(game.treeplexes, solver.policies(game, state), found):
        np.testing.assert_allclose(t.to_table(a), t.to_table(b), atol=1e-11)

  def test_preference_games_are_solved_likewise(self):
    game = preference_game.preference_game(models.cycle(3), games.SKEWED)
    np.testing.assert_allclose(
      quantal_response.equilibrium(game, 0.1)[0][1:],
      preferences.equilibrium(game, 0.1)[0][1:],
      atol=1e-13,
    )

  def test_starts_where_it_is_told(self):
    game = _compiled("kuhn")
    view = behavioral_game.view(game, "q")
    expected = quantal_response.equilibrium(view, 0.1)
    near = quantities.Policies(
      t.to_policy(0.99 * p + 0.01 * t.uniform)
      for t, p in zip(game.treeplexes, expected)
    )
    found = quantal_response.equilibrium(view, 0.1, start=near)
    for t, a, b in zip(game.treeplexes, found, expected):
      np.testing.assert_allclose(t.to_table(a), t.to_table(b), atol=1e-12)

  def test_residual_tells_an_error(self):
    game = _compiled("kuhn")
    policies = game_lib.random_policies(game, jax.random.key(0))
    off = quantal_response.residual(game, policies, jnp.asarray(0.1))
    self.assertGreater(float(off), 0.01)

  def test_residual_is_the_largest_of_all_errors(self):
    # Where nothing is at stake, all respond with uniform policies.
    game = matrix_game.zero_sum_game(np.zeros((3, 3)))
    t = game.treeplexes[0]
    skewed = t.to_policy(jnp.asarray([0.0, 4.0, 1.0, 1.0]))
    for policies in ((t.uniform, skewed), (skewed, t.uniform)):
      off = quantal_response.residual(game, quantities.Policies(policies), 0.1)
      self.assertAlmostEqual(float(off), 2 / 3 - 1 / 3, places=14)

  def test_tells_that_it_found_none(self):
    # At this temperature, rounding errors of the gains are large.
    game = matrix_game.zero_sum_game(_PERTURBED)
    with self.assertRaisesRegex(ValueError, "1e-13 is too low to be reached"):
      quantal_response.equilibrium(game, 1e-13)
    start = game_lib.random_policies(game, jax.random.key(0))
    with self.assertRaisesRegex(ValueError, "`start` must be near"):
      quantal_response.equilibrium(game, 1e-13, start=start)

  @parameterized.parameters(0.0, -1.0, float("nan"))
  def test_refuses(self, temperature):
    game = matrix_game.zero_sum_game(_PERTURBED)
    with self.assertRaisesRegex(ValueError, "`temperature` must lie in"):
      quantal_response.equilibrium(game, temperature)


if __name__ == "__main__":
  absltest.main()
