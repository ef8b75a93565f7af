"""Tests of COMAL: inner runs end where they say, outer ones at equilibria."""

from typing import Any

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
from open_spiel.python.algorithms import exploitability

from mdrl import run, struct
from mdrl.compile import openspiel, policy_bridge
from mdrl.evaluation import gaps
from mdrl.games import matrix_game, preference_game
from mdrl.solvers import comal, magnetic, nash_mirror_prox
from mdrl.testing import games
from mdrl.trees import quantities
from tests.solvers import preferences as oracle

_INNER = nash_mirror_prox.NashMirrorProx(step_size=2.0, temperature=0.1)


@struct.dataclass
class _Counted(nash_mirror_prox.NashMirrorProx):
  """Nash Mirror Prox that reports when its `init` is run."""

  report: Any = struct.static()

  def init(self, game, policies=None):
    jax.debug.callback(self.report)
    return super().init(game, policies)


class ComalTest(parameterized.TestCase):
  @parameterized.parameters(
    (oracle.HARD, oracle.REFERENCE, 2000, 1e-13),
    (oracle.DICE, oracle.REFERENCE, 20_000, 1e-4),
    (oracle.RANDOM, np.full(10, 0.1), 20_000, 1e-5),
  )
  def test_approaches_an_equilibrium(self, matrix, reference, updates, limit):
    game = oracle.game(matrix, reference)
    policy = oracle.policy_after(comal.Comal(solver=_INNER), game, updates)
    self.assertLess(oracle.gap(matrix, policy), limit)

  def test_the_first_inner_run_ends_at_the_regularised_equilibrium(self):
    game = oracle.game(oracle.HARD)
    solver = comal.Comal(solver=_INNER, tolerance=1e-9)
    state = run.init(solver, game)
    while not int(state.num_refreshes):
      before = state
      state = run.advance(solver, game, state, 1)
    expected = oracle.equilibrium(game, 0.1)
    policy = solver.policies(game, state)[0][1:]
    np.testing.assert_allclose(policy, expected, atol=1e-8)
    inner = _INNER.update(game, before.inner)
    old, new = (_INNER.policies(game, s)[0] for s in (before.inner, inner))
    self.assertLessEqual(np.abs(new - old).max(), 1e-9)
    # From here the reference is the policy that was found.
    self.assertEqual(int(state.inner.step), 0)
    np.testing.assert_allclose(
      np.exp(state.inner.reference[0][1:]), policy, atol=1e-14
    )

  def test_outer_iterates_are_those_of_the_proximal_point_method(self):
    game = oracle.game(oracle.HARD)
    solver = comal.Comal(solver=_INNER, tolerance=1e-12)
    state, center = run.init(solver, game), oracle.REFERENCE
    for outer in range(1, 4):
      while int(state.num_refreshes) < outer:
        state = run.advance(solver, game, state, 1)
      center = oracle.equilibrium(oracle.game(oracle.HARD, center), 0.1)
      policy = solver.policies(game, state)[0][1:]
      np.testing.assert_allclose(policy, center, atol=1e-10)

  def test_a_run_ends_when_no_player_moves(self):
    # The first player has one action, and never moves; the second falls.
    game = matrix_game.zero_sum_game(np.array([[1.0, 0.0, 0.5]]))
    inner = magnetic.MagneticMirrorDescent(step_size=0.1, temperature=0.5)
    solver = comal.Comal(solver=inner, tolerance=1e-4)
    state = run.advance(solver, game, run.init(solver, game), 3)
    self.assertEqual(int(state.num_refreshes), 0)
    state = run.advance(solver, game, state, 200)
    self.assertGreater(int(state.num_refreshes), 0)

  def test_the_first_update_may_end_a_run(self):
    # At an equilibrium that the reference does not move, nothing moves.
    game = oracle.game(oracle.HARD, np.full(3, 1 / 3))
    solver = comal.Comal(solver=_INNER)
    state = run.advance(solver, game, run.init(solver, game), 1)
    self.assertEqual(int(state.num_refreshes), 1)
    state = run.advance(solver, game, state, 4)
    self.assertEqual(int(state.num_refreshes), 5)

  def test_contexts_are_solved_side_by_side(self):
    matrices = np.stack([oracle.HARD, oracle.DICE])
    references = np.stack([oracle.REFERENCE, [0.2, 0.3, 0.5]])
    solver = comal.Comal(solver=_INNER, tolerance=1e-4)
    both = preference_game.preference_game(matrices, references)
    start = quantities.Policies((both.slots(jnp.asarray(references[::-1])),))
    state = run.advance(solver, both, run.init(solver, both, start), 150)
    rows = both.by_context(solver.policies(both, state)[0])
    for x, first in enumerate(references[::-1]):
      game = oracle.game(matrices[x], references[x])
      alone = run.init(solver, game, oracle.start(first))
      alone = run.advance(solver, game, alone, 150)
      np.testing.assert_allclose(
        rows[x], solver.policies(game, alone)[0][1:], atol=1e-13
      )
      self.assertEqual(state.num_refreshes[x], alone.num_refreshes)
    self.assertNotEqual(*state.num_refreshes.tolist())

  @parameterized.parameters(1, 2)
  def test_starts_are_made_only_where_a_run_ends(self, num_contexts):
    starts = []
    inner = _Counted(
      step_size=2.0, temperature=0.1, report=lambda: starts.append(1)
    )
    solver = comal.Comal(solver=inner, tolerance=1e-4)
    matrices = np.stack([oracle.HARD, oracle.DICE][:num_contexts])
    references = np.tile(oracle.REFERENCE, (num_contexts, 1))
    game = preference_game.preference_game(matrices, references)
    state = run.init(solver, game)
    jax.effects_barrier()
    self.assertLen(starts, 1)
    before = np.zeros(num_contexts)
    for _ in range(30):
      starts.clear()
      state = run.advance(solver, game, state, 1)
      jax.effects_barrier()
      ended = np.any(np.asarray(state.num_refreshes) > before)
      self.assertLen(starts, 1 if ended else 0)
      before = np.asarray(state.num_refreshes)
    self.assertGreater(before.max(), 0)
    self.assertLess(before.max(), 30)

  def test_runs_on_trees(self):
    game, names = games.compiled("kuhn")
    inner = magnetic.MagneticMirrorDescent(step_size=0.9, temperature=0.3)
    solver = comal.Comal(solver=inner, tolerance=1e-4)
    state, trace = run.run(
      solver, game, run.of_plans(gaps.exploitability), [0, 500, 5000]
    )
    self.assertGreater(int(state.num_refreshes), 3)
    self.assertLess(float(trace.metrics[2]), 0.1 * float(trace.metrics[1]))
    source = openspiel.load_game("kuhn_poker")
    self.assertIn("kuhn", str(source))
    table = policy_bridge.to_openspiel(
      source, names, solver.policies(game, state)
    )
    self.assertAlmostEqual(
      exploitability.exploitability(source, table),
      float(trace.metrics[2]),
      places=12,
    )


if __name__ == "__main__":
  absltest.main()
