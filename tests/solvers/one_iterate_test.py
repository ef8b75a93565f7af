"""Tests of what solvers with one iterate share."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.games import matrix_game
from mdrl.geometry import mirror_maps
from mdrl.solvers import egpo, nash_md, one_iterate, schedules
from mdrl.testing import games
from tests.solvers import preferences as oracle


class OneIterateTest(parameterized.TestCase):
  def test_starts_from_the_reference(self):
    game = oracle.game(oracle.HARD)
    state = run.init(egpo.EGPO(step_size=1.0, temperature=0.1), game)
    np.testing.assert_allclose(
      np.exp(state.dual[0][1:]), oracle.REFERENCE, atol=1e-15
    )
    np.testing.assert_array_equal(state.reference[0], state.dual[0])

  def test_starts_elsewhere_if_asked(self):
    game = oracle.game(oracle.HARD)
    solver = egpo.EGPO(step_size=1.0, temperature=0.1)
    state = run.init(solver, game, oracle.start([0.6, 0.3, 0.1]))
    np.testing.assert_allclose(
      np.exp(state.dual[0][1:]), [0.6, 0.3, 0.1], atol=1e-15
    )
    np.testing.assert_allclose(
      np.exp(state.reference[0][1:]), oracle.REFERENCE, atol=1e-15
    )

  def test_without_a_reference_it_is_the_potential(self):
    game = matrix_game.zero_sum_game(np.eye(3))
    state = run.init(egpo.EGPO(step_size=1.0, temperature=0.1), game)
    for t, reference in zip(game.treeplexes, state.reference):
      np.testing.assert_array_equal(reference, np.zeros(t.num_slots))

  @parameterized.parameters(
    mirror_maps.NegativeEntropy(), mirror_maps.Euclidean()
  )
  def test_solves_two_players_of_a_matrix_game(self, geometry):
    game = games.random_zero_sum_game(3, 4)
    solver = nash_md.NashMD(
      step_size=0.2, temperature=0.5, mixture=0.0, mirror_map=geometry
    )
    end = run.advance(solver, game, run.init(solver, game), 500)
    again = run.advance(solver, game, end, 1)
    for before, after in zip(end.dual, again.dual):
      np.testing.assert_allclose(before, after, atol=1e-12)

  @parameterized.parameters((10.0, 0.1), (1.0, 1.0), (5.0, 0.0))
  def test_check_explicit_accepts(self, step_size, temperature):
    one_iterate.check_explicit(step_size, temperature)

  @parameterized.parameters((10.1, 0.1), (jnp.array([1.0, 2.0]), 0.6))
  def test_check_explicit_refuses(self, step_size, temperature):
    with self.assertRaisesRegex(ValueError, "must be at most 1"):
      one_iterate.check_explicit(step_size, temperature)

  def test_check_explicit_does_not_know_schedules_and_tracers(self):
    one_iterate.check_explicit(schedules.PowerDecay(initial=100.0), 1.0)
    jax.jit(lambda x: one_iterate.check_explicit(x, 1.0))(jnp.ones(()))


if __name__ == "__main__":
  absltest.main()
