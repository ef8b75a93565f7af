"""Tests of the evaluation of preference policies, against direct sums."""

import inspect

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.evaluation import gaps, linear_program, preferences
from mdrl.games import base as game_lib
from mdrl.games import preference_game
from mdrl.preferences import models
from mdrl.solvers import nash_mirror_prox
from mdrl.testing import games
from mdrl.trees import quantities


def _game(num_contexts=3, size=5, seed=0, dtype=None):
  rng = np.random.default_rng(seed)
  matrices = [models.uniform(size, k) for k in range(num_contexts)]
  return preference_game.preference_game(
    np.stack(matrices),
    rng.dirichlet(np.ones(size), size=num_contexts),
    dtype,
  )


def _random(game, seed=0):
  return game_lib.random_policies(game, jax.random.key(seed))


def _rows(game, x):
  return np.asarray(game.by_context(x[0]))


def _softmax(logits):
  weights = np.exp(logits - logits.max())
  return weights / weights.sum()


class GapsTest(parameterized.TestCase):
  def test_duality_gap_is_that_of_pure_responses(self):
    game = _game()
    plans = game.plans(_random(game))
    expected = [
      np.max(p @ x) - np.min(x @ p)
      for p, x in zip(np.asarray(game.preferences), _rows(game, plans))
    ]
    actual = preferences.duality_gap(game, plans)
    np.testing.assert_allclose(actual, expected, atol=1e-14)
    np.testing.assert_allclose(
      gaps.duality_gap(game, plans), np.sum(expected), atol=1e-14
    )

  @parameterized.parameters(1.0, 0.1, 0.01)
  def test_regularized_gap_is_that_of_best_responses(self, tau):
    game = _game()
    policies = _random(game)
    plans = game.plans(policies)
    expected = []
    for p, x, ref in zip(
      np.asarray(game.preferences),
      _rows(game, plans),
      _rows(game, game.reference),
    ):
      best = _softmax(np.log(ref) + p @ x / tau)

      def payoff(x, y, p=p, ref=ref):
        return x @ p @ y - tau * x @ np.log(x / ref) + tau * y @ np.log(y / ref)

      expected.append(payoff(best, x) - payoff(x, best))
    np.testing.assert_allclose(
      preferences.regularized_gap(game, plans, tau), expected, atol=1e-12
    )
    np.testing.assert_allclose(
      gaps.regularized_gap(game, plans, tau),
      np.sum(expected),
      atol=1e-12,
    )

  def test_without_a_reference_it_is_uniform(self):
    matrix = models.uniform(4, 0)
    plain = preference_game.preference_game(matrix)
    stated = preference_game.preference_game(matrix, np.full(4, 0.25))
    plans = plain.plans(_random(plain))
    np.testing.assert_allclose(
      preferences.regularized_gap(plain, plans, 0.1),
      preferences.regularized_gap(stated, plans, 0.1),
      atol=1e-14,
    )

  def test_divergence(self):
    game = _game()
    first, second = (game.plans(_random(game, k)) for k in range(2))
    x, y = _rows(game, first), _rows(game, second)
    np.testing.assert_allclose(
      preferences.divergence(game, first, second),
      np.sum(x * np.log(x / y), axis=1),
      atol=1e-14,
    )
    pure = quantities.Plans((jnp.asarray([1.0, 1.0, 0.0, 0.0]),))
    one = preference_game.preference_game(models.cycle(3))
    uniform = one.plans(game_lib.uniform_policies(one))
    np.testing.assert_allclose(
      preferences.divergence(one, pure, uniform), [np.log(3)], atol=1e-15
    )
    self.assertEqual(preferences.divergence(one, uniform, pure)[0], np.inf)
    self.assertEqual(preferences.divergence(one, pure, pure)[0], 0)

  def test_win_rates(self):
    game = _game()
    policies = [_random(game, k) for k in range(4)]
    rows = np.stack([_rows(game, p) for p in policies])
    expected = np.mean(
      [
        rows[:, x] @ np.asarray(game.preferences)[x] @ rows[:, x].T
        for x in range(3)
      ],
      axis=0,
    )
    actual = preferences.win_rates(game, jnp.stack([p[0] for p in policies]))
    np.testing.assert_allclose(actual, expected, atol=1e-14)

  def test_the_most_elo_loses_to_the_most_wins(self):
    # Under the constraint that the first is twice as likely as the second.
    game = preference_game.preference_game(
      models.elo([0.0, np.log(9), np.log(2)])
    )
    most_elo = jnp.asarray([0.0, 2 / 3, 1 / 3, 0.0])
    most_wins = jnp.asarray([0.0, 0.0, 0.0, 1.0])
    rates = preferences.win_rates(game, jnp.stack([most_elo, most_wins]))
    self.assertAlmostEqual(float(rates[1, 0]), 50 / 99, places=14)


class EquilibriumTest(parameterized.TestCase):
  @parameterized.parameters(1.0, 0.1, 0.01, 0.003)
  def test_the_residual_is_rounding(self, temperature):
    game = _game(num_contexts=5, size=20)
    plans = game.plans(preferences.equilibrium(game, temperature))
    worst = preferences.residual(game, plans, temperature).max()
    self.assertLess(worst, 1e-14)
    gap = preferences.regularized_gap(game, plans, temperature)
    np.testing.assert_allclose(gap, 0, atol=1e-14)

  def test_many_contexts_end(self):
    # Conditions of loops that are rounded apart from their bodies never end.
    game = preference_game.preference_game(
      np.stack([models.uniform(20, seed) for seed in range(64)])
    )
    for temperature in (0.02, 0.01, 0.007):
      plans = game.plans(preferences.equilibrium(game, temperature))
      worst = preferences.residual(game, plans, temperature).max()
      self.assertLess(worst, 1e-13)

  def test_equilibria_computed_elsewhere(self):
    for matrix, expected in (
      (models.dice(), (0.697734, 0.180430, 0.121836)),
      (models.cycle(3), (0.433430, 0.213711, 0.352860)),
    ):
      game = preference_game.preference_game(matrix, games.SKEWED)
      actual = preferences.equilibrium(game, 0.1)[0][1:]
      np.testing.assert_allclose(actual, expected, atol=1e-6)

  def test_agrees_with_nash_mirror_prox(self):
    game = _game()
    solver = nash_mirror_prox.NashMirrorProx(step_size=2.0, temperature=0.1)
    state = run.advance(solver, game, run.init(solver, game), 500)
    np.testing.assert_allclose(
      _rows(game, solver.policies(game, state)),
      _rows(game, preferences.equilibrium(game, 0.1)),
      atol=1e-14,
    )

  @parameterized.parameters(-1 / 3, -0.1, 0.0, 0.1, 0.3)
  def test_three_raters(self, epsilon):
    # The equilibrium without a regulariser is in the limit of low temperatures
    # and, by a program of its own, exact.
    expected = [1 / 3 + epsilon / 2, 1 / 3 + epsilon / 2, 1 / 3 - epsilon]
    game = preference_game.preference_game(
      models.three_raters(epsilon), games.SKEWED
    )
    (winner,) = linear_program.minimax_winner(game)
    np.testing.assert_allclose(winner, expected, atol=1e-10)
    plans = game.plans(quantities.Policies((jnp.asarray([0.0, *expected]),)))
    self.assertLess(preferences.duality_gap(game, plans)[0], 1e-15)
    near = preferences.equilibrium(game, 1e-3)[0][1:]
    np.testing.assert_allclose(near, expected, atol=0.02)

  def test_residual_tells_an_error(self):
    game = _game()
    plans = game.plans(_random(game))
    self.assertGreater(preferences.residual(game, plans, 0.1).min(), 0.01)

  def test_in_single_precision(self):
    game = _game(dtype=jnp.float32)
    policies = preferences.equilibrium(game, 0.1)
    self.assertEqual(policies[0].dtype, jnp.float32)
    plans = game.plans(policies)
    self.assertLess(preferences.residual(game, plans, 0.1).max(), 1e-5)


class MinimaxWinnerTest(absltest.TestCase):
  def test_no_response_beats_it(self):
    game = _game()
    winners = linear_program.minimax_winner(game)
    for matrix, winner in zip(np.asarray(game.preferences), winners):
      self.assertLess((matrix @ winner).max(), 0.5 + 1e-9)


class TemperatureTest(parameterized.TestCase):
  @parameterized.parameters(0, -0.1, np.nan, np.inf, True)
  def test_temperatures_are_positive_and_finite(self, temperature):
    game = preference_game.preference_game(models.dice())
    plans = game.plans(game_lib.uniform_policies(game))
    for call in (
      lambda: preferences.equilibrium(game, temperature),
      lambda: preferences.regularized_gap(game, plans, temperature),
      lambda: preferences.residual(game, plans, temperature),
      lambda: gaps.regularized_gap(game, plans, temperature),
    ):
      with self.assertRaisesRegex(ValueError, "`temperature` must "):
        call()

  @parameterized.parameters("equilibrium", "regularized_gap", "residual")
  def test_temperatures_that_are_none_of_the_game(self, name):
    game = preference_game.preference_game(models.dice(), dtype="float32")
    plans = (game.plans(game_lib.uniform_policies(game)),)
    plans = () if name == "equilibrium" else plans
    fn = inspect.unwrap(getattr(preferences, name))
    for temperature in (1e-300, 1e300):
      with self.assertRaisesRegex(ValueError, "must fit float32, from 1e-38"):
        fn(game, *plans, temperature)
    with self.assertRaisesRegex(ValueError, "`temperature` must be a single"):
      fn(game, *plans, np.full(3, 0.1))


if __name__ == "__main__":
  absltest.main()
