"""Every solver keeps its contract on every game that it claims."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import pytest

from mdrl import testing
from mdrl.geometry import mirror_maps
from mdrl.solvers import (
  averaged,
  magnetic,
  mirror_descent,
  mirror_prox,
  monte_carlo,
  optimistic,
  regret_matching,
  regret_rules,
  schedules,
)
from mdrl.testing import games
from tests import named_rows

SOLVERS = {
  "mirror_descent": mirror_descent.MirrorDescent(step_size=0.1),
  "magnetic": magnetic.MagneticMirrorDescent(step_size=0.1, temperature=0.1),
  "magnetic_moving": magnetic.MagneticMirrorDescent(
    step_size=0.1, temperature=0.1, magnet_rate=0.05
  ),
  "magnetic_annealed": magnetic.MagneticMirrorDescent(
    step_size=0.1, temperature=schedules.PowerDecay(initial=1.0)
  ),
  "mirror_prox": mirror_prox.MirrorProx(step_size=0.1),
  "optimistic": optimistic.OptimisticMirrorDescent(step_size=0.1),
  "optimistic_euclidean": optimistic.OptimisticMirrorDescent(
    step_size=0.1, mirror_map=mirror_maps.Euclidean()
  ),
  "magnetic_tsallis": magnetic.MagneticMirrorDescent(
    step_size=0.1,
    temperature=0.1,
    magnet_rate=0.05,
    mirror_map=mirror_maps.Tsallis(order=0.5),
  ),
  "cfr": regret_matching.RegretMatching(rule=regret_rules.Vanilla()),
  "cfr_plus": averaged.Averaged(
    solver=regret_matching.AlternatingRegretMatching(rule=regret_rules.Plus()),
    power=1.0,
  ),
  "linear_cfr": averaged.Averaged(
    solver=regret_matching.AlternatingRegretMatching(
      rule=regret_rules.Discounted(positive_power=1.0, negative_power=1.0)
    ),
    power=1.0,
  ),
  "dcfr": regret_matching.AlternatingRegretMatching(
    rule=regret_rules.Discounted()
  ),
  "pcfr_plus": regret_matching.AlternatingRegretMatching(
    rule=regret_rules.Predictive()
  ),
}
# On games that were compiled with the moves of chance.
SAMPLED = {
  "mccfr_external": averaged.Averaged(
    solver=monte_carlo.MonteCarlo(
      solver=regret_matching.RegretMatching(rule=regret_rules.Vanilla())
    )
  ),
  "mccfr_outcome": monte_carlo.MonteCarlo(
    solver=regret_matching.RegretMatching(rule=regret_rules.Vanilla()),
    sampling="outcome",
  ),
}
# Compilation is most of the time: every solver sees two small trees, and two
# solvers see all trees.
SMALL = ("kuhn_three_players", "tiny_hanabi")
REST = tuple(name for name in games.TREES if name not in SMALL)


class ConformanceTest(parameterized.TestCase):
  @parameterized.named_parameters(*named_rows.named(SOLVERS, SMALL))
  def test_solver_keeps_its_contract(self, solver, game):
    testing.check_solver(SOLVERS[solver], games.compiled(game)[0])

  @parameterized.named_parameters(
    *((f"{s}_{g}", s, g) for s, g in zip(SAMPLED, SMALL))
  )
  @pytest.mark.slow
  def test_sampled_solver_keeps_its_contract(self, solver, game):
    compiled, _ = games.compiled(game, chance=True)
    testing.check_solver(SAMPLED[solver], compiled)

  @parameterized.named_parameters(
    *named_rows.named(("magnetic_moving", "cfr_plus"), REST)
  )
  @pytest.mark.slow
  def test_on_the_other_trees(self, solver, game):
    testing.check_solver(SOLVERS[solver], games.compiled(game)[0])

  @parameterized.named_parameters(
    *named_rows.named(("magnetic_moving", "mirror_prox", "cfr_plus"))
  )
  def test_on_a_ragged_matrix_game(self, solver):
    game = games.random_matrix_game((2, 5, 3))
    testing.check_solver(SOLVERS[solver], game)

  @parameterized.named_parameters(
    *named_rows.named(("magnetic_tsallis", "optimistic", "dcfr"))
  )
  def test_in_single_precision(self, solver):
    game, _ = games.compiled("kuhn", dtype=jnp.float32)
    testing.check_solver(SOLVERS[solver], game)


if __name__ == "__main__":
  absltest.main()
