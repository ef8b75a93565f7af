"""Tests of the equilibria that runs are measured against."""

import contextlib
from unittest import mock

from absl.testing import absltest, parameterized
import jax
import numpy as np

from experiments.registry import game_solvers
from experiments.solving import equilibrium as equilibrium_lib
from mdrl.compile import openspiel
from mdrl.evaluation import gaps, quantal_response
from mdrl.games import base as game_lib
from mdrl.trees import quantities


def _find(kind, game, temperature):
  """Finds an equilibrium without a second search."""
  return equilibrium_lib.find(kind, game, temperature, _refuse)


def _refuse(text):
  raise AssertionError(text)


@contextlib.contextmanager
def _failing_from_uniform_play(error):
  """Lets root finding fail where it is given no start; yields its calls."""
  found = quantal_response.equilibrium
  calls = []

  def fails(*args, **kwargs):
    calls.append(kwargs)
    if "start" not in kwargs:
      raise error
    return found(*args, **kwargs)

  with mock.patch.object(quantal_response, "equilibrium", fails):
    yield calls


class EquilibriumTest(parameterized.TestCase):
  # Published values, of six digits or more; a closed form for Nash.
  @parameterized.parameters(
    ("qre", 0.05, -0.0287149335, 0.0462273804, 1e-6),
    ("aqre", 0.05, -0.056969025, 0.007201106, 1e-6),
    ("nash", 0.0, -1 / 18, 0.0, 1e-12),
  )
  def test_equilibria_of_kuhn(self, kind, temperature, value, gap, tolerance):
    game, _ = openspiel.compile_game("kuhn_poker", reaches=kind == "aqre")
    policies = _find(kind, game, temperature)
    plans = game.plans(policies)
    self.assertAlmostEqual(game.values(plans)[0], value, delta=tolerance)
    self.assertAlmostEqual(
      gaps.exploitability(game, plans), gap, delta=tolerance
    )
    self.assertLess(
      abs(equilibrium_lib.divergence(game, policies, policies)), 1e-12
    )

  @parameterized.parameters("kuhn_poker(players=3)", "leduc_poker")
  def test_divergence_is_that_of_the_rows(self, name):
    game, index = openspiel.compile_game(name)
    wanted = game_lib.random_policies(game, jax.random.key(0))
    own = game_lib.random_policies(game, jax.random.key(1))
    expected = 0.0
    plans = game.plans(wanted)
    for t, x, p, q in zip(game.treeplexes, plans, wanted, own, strict=True):
      legal = np.asarray(t.legal).copy()
      legal[0] = False
      x, p, q = (np.asarray(a)[legal] for a in (x, p, q))
      # x / p is what the player itself contributes to reaching the infostate.
      expected += np.sum(x * np.log(p / q))
    del index
    self.assertAlmostEqual(
      float(equilibrium_lib.divergence(game, wanted, own)), expected, places=10
    )

  def test_divergence_from_what_is_never_played(self):
    game, _ = openspiel.compile_game("kuhn_poker")
    uniform = game_lib.uniform_policies(game)
    first = quantities.Policies(p.at[1].set(0).at[2].set(1) for p in uniform)
    self.assertEqual(equilibrium_lib.divergence(game, uniform, first), np.inf)
    self.assertTrue(
      np.isfinite(equilibrium_lib.divergence(game, first, uniform))
    )

  def test_agents_where_the_branch_turns_back(self):
    game, _ = openspiel.compile_game("kuhn_poker", reaches=True)
    wanted = _find("aqre", game, 0.1)
    error = quantal_response.NotFoundError("turned back")
    with _failing_from_uniform_play(error) as calls:
      said = []
      again = equilibrium_lib.find("aqre", game, 0.1, said.append)
    self.assertLen(calls, 2)
    self.assertRegex(" ".join(said), "turns back above temperature 0.1; start")
    jax.tree.map(
      lambda a, b: np.testing.assert_allclose(a, b, atol=1e-10), again, wanted
    )

  def test_mistakes_are_not_taken_for_a_branch_that_turns_back(self):
    game, _ = openspiel.compile_game("kuhn_poker", reaches=True)
    with _failing_from_uniform_play(ValueError("`game` has NaN")) as calls:
      with self.assertRaisesRegex(ValueError, "`game` has NaN"):
        _find("aqre", game, 0.1)
    self.assertLen(calls, 1)

  def test_temperatures(self):
    fixed = {"magnet_rate": 0.0, "temperature": 0.2, "mirror_map": "entropy"}
    magnetic = game_solvers.resolve("magnetic", fixed)
    self.assertEqual(
      equilibrium_lib.temperature("qre", 0.3, magnetic, 2.0), 0.3
    )
    self.assertEqual(
      equilibrium_lib.temperature("qre", None, magnetic, 2.0), 0.4
    )
    agents = magnetic | {"feedback": "q"}
    self.assertEqual(
      equilibrium_lib.temperature("aqre", None, agents, 2.0), 0.4
    )
    for kind, config in (("qre", agents), ("aqre", magnetic)):
      with self.assertRaisesRegex(ValueError, "must be given"):
        equilibrium_lib.temperature(kind, None, config, 2.0)
    for solver, overrides in (
      ("magnetic", {}),
      ("magnetic", fixed | {"temperature_power": 1.0}),
      ("magnetic", fixed | {"temperature": 0.0}),
      ("magnetic", fixed | {"mirror_map": "euclidean"}),
      ("magnetic_refreshed", {}),
      ("cfr", {}),
    ):
      config = game_solvers.resolve(solver, overrides)
      with self.assertRaisesRegex(ValueError, "must be given"):
        equilibrium_lib.temperature("qre", None, config, 1.0)

  def test_unknown(self):
    game, _ = openspiel.compile_game("kuhn_poker")
    with self.assertRaisesRegex(ValueError, "qre, aqre, nash, got 'x'"):
      _find("x", game, 1.0)


if __name__ == "__main__":
  absltest.main()
