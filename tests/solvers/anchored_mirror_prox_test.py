"""Tests of anchored Mirror Prox against its update, and of its last iterate."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl import run, testing
from mdrl.evaluation import gaps
from mdrl.games import matrix_game
from mdrl.geometry import mirror_maps
from mdrl.solvers import anchored_mirror_prox, mirror_prox
from mdrl.testing import games
from tests import named_rows
from tests.solvers import oracle


def _project(point):
  """Returns the nearest point of the simplex."""
  ordered = np.sort(point)[::-1]
  excess = np.cumsum(ordered) - 1
  count = np.nonzero(ordered * np.arange(1, len(point) + 1) > excess)[0][-1]
  return np.maximum(point - excess[count] / (count + 1), 0)


def _last_gaps(solver, game, steps):
  _, trace = run.run(solver, game, run.of_plans(gaps.duality_gap), steps)
  return np.asarray(trace.metrics)


class AnchoredMirrorProxTest(parameterized.TestCase):
  @parameterized.parameters((None, 0.3), (3, 0.3), (None, 2.0))
  def test_iterates_are_those_of_the_projected_update(self, period, eta):
    game = matrix_game.zero_sum_game(oracle.PAYOFF)
    anchor = iterate = oracle.uniform()
    for k in range(7):
      age = k if period is None else k % period
      if age == 0:
        anchor = iterate
      w = 1 / (age + 2)
      center = [z + w * (a - z) for z, a in zip(iterate, anchor)]
      ahead = iterate
      for _ in range(2):
        gains = oracle.gains(ahead)
        ahead = [_project(c + eta * g) for c, g in zip(center, gains)]
      iterate = ahead
    solver = anchored_mirror_prox.AnchoredMirrorProx(
      step_size=eta, period=period, mirror_map=mirror_maps.Euclidean()
    )
    state = run.advance(solver, game, run.init(solver, game), 7)
    actual = oracle.policies(solver.policies(game, state))
    for ours, expected in zip(actual, iterate):
      np.testing.assert_allclose(ours, expected, atol=1e-14)

  def test_with_a_new_anchor_at_every_update_it_is_mirror_prox(self):
    game, _ = games.compiled("kuhn")
    solver = anchored_mirror_prox.AnchoredMirrorProx(step_size=0.4, period=1)
    other = mirror_prox.MirrorProx(step_size=0.4)
    state = run.advance(solver, game, run.init(solver, game), 10)
    expected = run.advance(other, game, run.init(other, game), 10)
    for t, dual, center in zip(game.treeplexes, state.dual, expected.center):
      np.testing.assert_allclose(
        t.to_table(dual), t.to_table(center), atol=1e-12
      )

  @parameterized.named_parameters(
    ("euclidean", mirror_maps.Euclidean(), 0.1),
    ("entropy", mirror_maps.NegativeEntropy(), 0.5),
  )
  def test_the_last_iterate_improves_with_the_number_of_updates(
    self, mirror_map, step_size
  ):
    game = games.random_zero_sum_game(30, 30, 2)
    solver = anchored_mirror_prox.AnchoredMirrorProx(
      step_size=step_size, mirror_map=mirror_map
    )
    steps = np.array([100, 1000, 10_000])
    found = _last_gaps(solver, game, steps) * step_size * steps
    # Ten times the updates, and a tenth of the gap.
    self.assertLess(found.max(), 3 * found.min())
    self.assertLess(found.max(), 8)

  def test_a_period_makes_the_last_iterate_converge_linearly(self):
    game = games.random_zero_sum_game(30, 30, 2)
    shared = {"step_size": 0.13, "mirror_map": mirror_maps.Euclidean()}
    solver = anchored_mirror_prox.AnchoredMirrorProx(period=300, **shared)
    steps = np.array([300, 3000, 6000, 10_000])
    found = _last_gaps(solver, game, steps)
    self.assertLess(found[1], 1e-2 * found[0])
    self.assertLess(found[2], 1e-3 * found[1])
    self.assertLess(found[3], 1e-13)
    other = _last_gaps(mirror_prox.MirrorProx(**shared), game, steps)
    self.assertGreater(other[3], 1e-8)

  @parameterized.named_parameters(
    *named_rows.named(("kuhn_three_players", "tiny_hanabi"))
  )
  def test_keeps_the_contract(self, name):
    solver = anchored_mirror_prox.AnchoredMirrorProx(step_size=0.1, period=2)
    testing.check_solver(solver, games.compiled(name)[0])

  @parameterized.parameters(0, -1)
  def test_refuses(self, period):
    with self.assertRaisesRegex(ValueError, "period"):
      anchored_mirror_prox.AnchoredMirrorProx(step_size=0.1, period=period)

  def test_takes_a_period_as_an_array(self):
    game = games.random_zero_sum_game(3, 4, 0)
    found = []
    for period in (5, jnp.asarray(5)):
      solver = anchored_mirror_prox.AnchoredMirrorProx(
        step_size=0.3, period=period
      )
      state = run.advance(solver, game, run.init(solver, game), 12)
      found.append(solver.policies(game, state))
    for a, b in zip(*found):
      np.testing.assert_array_equal(a, b)


if __name__ == "__main__":
  absltest.main()
