"""Tests of NeuRD: Hedge without a threshold, and what the threshold keeps."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run, testing
from mdrl.evaluation import gaps
from mdrl.games import base as game_lib
from mdrl.games import matrix_game
from mdrl.solvers import averaged, behavioral, mirror_descent, neurd
from mdrl.testing import games
from mdrl.trees import quantities
from tests import named_rows
from tests.solvers import oracle


class NeuRDTest(parameterized.TestCase):
  def test_logits_are_those_of_the_update(self):
    game = matrix_game.zero_sum_game(oracle.PAYOFF)
    logits = [np.zeros(n) for n in oracle.PAYOFF.shape]
    for _ in range(5):
      policies = [oracle.softmax(y) for y in logits]
      gains = oracle.gains(policies)
      logits = [
        y + 0.3 * (g - g @ x) for y, g, x in zip(logits, gains, policies)
      ]
    solver = neurd.NeuRD(step_size=0.3)
    state = run.advance(solver, game, run.init(solver, game), 5)
    for actual, expected in zip(state.logits, logits):
      np.testing.assert_allclose(actual[1:], expected, atol=1e-14)

  def test_without_a_threshold_it_is_hedge(self):
    game, _ = games.compiled("kuhn_three_players")
    start = game_lib.random_policies(game, jax.random.key(0))
    found = []
    for inner in (
      neurd.NeuRD(step_size=0.5),
      mirror_descent.MirrorDescent(step_size=0.5),
    ):
      solver = behavioral.Behavioral(solver=inner)
      state = run.init(solver, game, start)
      state = run.advance(solver, game, state, 20)
      found.append(solver.policies(game, state))
    for t, a, b in zip(game.treeplexes, *found):
      np.testing.assert_allclose(t.to_table(a), t.to_table(b), atol=1e-13)

  def test_the_threshold_keeps_logits(self):
    # The first action is better by one, always.
    game = matrix_game.matrix_game([np.array([1.0, 0.0])])
    for threshold, bound in ((2.0, 2.0), (float("inf"), 1000.0)):
      solver = neurd.NeuRD(step_size=0.7, threshold=threshold)
      state = run.advance(solver, game, run.init(solver, game), 1000)
      largest = float(jnp.max(jnp.abs(state.logits[0])))
      self.assertLessEqual(largest, bound)
      self.assertGreater(largest, bound / 10)

  def test_logits_beyond_the_threshold_come_back(self):
    game = matrix_game.matrix_game([np.array([0.0, 1.0])])
    solver = neurd.NeuRD(step_size=0.5, threshold=1.0)
    start = quantities.Policies((jnp.asarray([0.0, 0.999, 0.001]),))
    state = run.init(solver, game, start)
    first = float(state.logits[0][1])
    self.assertGreater(first, 3.0)
    state = run.advance(solver, game, state, 500)
    self.assertLess(float(state.logits[0][1]), 1.0)
    self.assertGreater(float(solver.policies(game, state)[0][2]), 0.5)

  def test_the_threshold_is_that_of_openspiel_but_for_the_step_across(self):
    # OpenSpiel's `neurd.thresholded` allows a change by the logit before it.
    threshold, eta = 1.0, 0.6
    rng = np.random.default_rng(0)
    before = rng.uniform(-1.6, 1.6, size=40)
    reward = rng.normal(size=40)
    game = matrix_game.matrix_game([reward])
    solver = neurd.NeuRD(step_size=eta, threshold=threshold)
    state = run.init(solver, game)
    logits = quantities.Duals(
      (jnp.concatenate([jnp.zeros(1), jnp.asarray(before)]),)
    )
    after = run.advance(solver, game, state._replace(logits=logits), 1)
    actual = np.asarray(after.logits[0][1:]) - before
    change = eta * (reward - reward @ oracle.softmax(before))
    allowed = np.where(change > 0, before < threshold, before > -threshold)
    across = allowed & (
      np.where(change > 0, before + change, -before - change) > threshold
    )
    expected = np.where(allowed & ~across, change, 0)
    np.testing.assert_allclose(actual, expected, atol=1e-14)
    self.assertTrue(across.any())
    self.assertTrue((~allowed).any())
    # Beyond the threshold, logits come back.
    self.assertTrue((expected[np.abs(before) > threshold] != 0).any())

  def test_the_average_approaches_an_equilibrium(self):
    game, _ = games.compiled("kuhn")
    solver = averaged.Averaged(
      solver=behavioral.Behavioral(solver=neurd.NeuRD(step_size=0.5))
    )
    _, trace = run.run(
      solver, game, run.of_plans(gaps.exploitability), [100, 10_000]
    )
    self.assertLess(float(trace.metrics[1]), float(trace.metrics[0]) / 5)

  @parameterized.named_parameters(
    *named_rows.named(("kuhn_three_players", "tiny_hanabi"))
  )
  def test_keeps_the_contract(self, name):
    solver = neurd.NeuRD(step_size=0.3, threshold=2.0)
    testing.check_solver(solver, games.compiled(name)[0])

  def test_refuses(self):
    with self.assertRaisesRegex(ValueError, "threshold"):
      neurd.NeuRD(step_size=0.1, threshold=0.0)


if __name__ == "__main__":
  absltest.main()
