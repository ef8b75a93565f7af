"""Updates of all solvers are the same bits in both tiers of compilation."""

from unittest import mock
import zlib

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import game_set, mdrl_solvers
from experiments.registry import (
  preference_factory,
  preference_solvers,
)
from mdrl import testing, tiers
from mdrl.games import preference_game
from mdrl.geometry import mirror_maps
from mdrl.preferences import models
from mdrl.solvers import behavioral, magnetic, mirror_descent
from mdrl.testing import games
from tests import named_rows
from tests.solvers import conformance_test

_SOLVERS = conformance_test.SOLVERS
_MOVING = magnetic.MagneticMirrorDescent(
  step_size=0.3,
  temperature=0.05,
  magnet_rate=0.05,
  mirror_map=mirror_maps.Euclidean(),
)
_MORE = {
  "euclidean_moving": _MOVING,
  "behavioral": behavioral.Behavioral(
    solver=mirror_descent.MirrorDescent(step_size=0.1)
  ),
}
# Newton's method for the Tsallis projection, after some fifty updates of Leduc
# poker. `tiers.TwoTiers` finds out, and stays with the quick program.
_APART = ("magnetic_tsallis",)
_BENCHMARKED = ("cfr_plus", "pcfr_plus", "magnetic")


def _spread(name, shares):
  """Returns one of the shares that a row is tested with, the same each time."""
  return shares[zlib.crc32(name.encode()) % len(shares)]


class TiersTest(parameterized.TestCase):
  @parameterized.named_parameters(*named_rows.named({**_SOLVERS, **_MORE}))
  def test_on_a_small_tree(self, solver):
    game, _ = games.compiled("kuhn_three_players")
    dtype = _spread(solver, (jnp.float64, jnp.float32))
    if dtype == jnp.float32:
      game, _ = games.compiled("tiny_hanabi", dtype=dtype)
    testing.check_tiers({**_SOLVERS, **_MORE}[solver], game)

  @parameterized.named_parameters(*named_rows.named({**_SOLVERS, **_MORE}))
  @pytest.mark.slow
  def test_on_leduc_poker(self, solver):
    if solver in _APART:
      self.skipTest("rounds apart, which the program finds out when it runs")
    game, _ = games.compiled("leduc")
    testing.check_tiers({**_SOLVERS, **_MORE}[solver], game)

  @parameterized.named_parameters(
    *named_rows.named(tuple(preference_solvers.SOLVERS))
  )
  def test_of_preferences(self, name):
    size = _spread(name, (3, 10))
    matrices = np.stack([models.uniform(size, k) for k in range(3)])
    reference = np.random.default_rng(0).dirichlet(np.ones(size), 3)
    game = preference_game.preference_game(matrices, reference)
    defaults = dict(preference_solvers.SOLVERS[name].defaults)
    step = None if preference_solvers.step_size(name) is None else 0.05
    solver = preference_factory.make(name, 0.1, step, defaults, 0)
    testing.check_tiers(solver, game)

  @parameterized.product(
    game=game_set.GAMES[:7],
    solver=_BENCHMARKED,
    precision=("float32", "float64"),
  )
  @pytest.mark.slow
  def test_on_the_games_of_the_benchmark(self, game, solver, precision):
    large = game in ("liars_dice(dice_sides=5)", "liars_dice")
    if large and (precision == "float64") != (solver == "pcfr_plus"):
      self.skipTest("it takes long, and the other precision is tested")
    compiled, _ = game_set.load(game, precision)
    testing.check_tiers(mdrl_solvers.solver(solver, compiled), compiled)

  def test_names_what_differs(self):
    if not tiers.quick_options():
      self.skipTest("this version of XLA has one tier")
    game, _ = games.compiled("kuhn")
    with (
      mock.patch.object(tiers, "same_bits", return_value=False),
      self.assertRaisesRegex(AssertionError, "step differs between the tiers"),
    ):
      testing.check_tiers(_SOLVERS["cfr"], game)


if __name__ == "__main__":
  absltest.main()
