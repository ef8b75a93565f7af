"""Tests that named methods minimise their papers' losses, and where they go."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from mdrl import run
from mdrl.evaluation import gaps, linear_program
from mdrl.preferences import models
from mdrl.solvers import (
  magnetic_refreshed,
  mirror_descent,
  nash_md,
  pairwise_fit,
  preference_variants,
  schedules,
)
from tests.solvers import preferences as oracle

_BEFORE = np.array([0.6, 0.3, 0.1])


class SPPOTest(absltest.TestCase):
  def test_iterates_are_those_of_multiplicative_weights(self):
    policy = _BEFORE
    for _ in range(5):
      policy = policy * np.exp(0.7 * oracle.HARD @ policy)
      policy /= policy.sum()
    actual = oracle.policy_after(
      preference_variants.sppo(0.7), oracle.game(oracle.HARD), 5, _BEFORE
    )
    np.testing.assert_allclose(actual, policy, atol=1e-14)

  def test_the_loss_is_zero_up_to_its_constant(self):
    eta, game = 0.5, oracle.game(oracle.HARD)
    solver = preference_variants.sppo(eta)
    after = oracle.policy_after(solver, game, 1, _BEFORE)
    error = np.log(after / _BEFORE) - eta * (oracle.HARD @ _BEFORE - 0.5)
    np.testing.assert_allclose(error, error[0], atol=1e-14)
    # The paper's constant is zero here; the exact one is of second order.
    self.assertLess(abs(error[0]), eta**2 / 8)

  def test_steps_are_those_of_the_schedule(self):
    policy = _BEFORE
    for t in range(3):
      policy = policy * np.exp(0.7 / (1 + t) * oracle.HARD @ policy)
      policy /= policy.sum()
    steps = schedules.PowerDecay(initial=0.7, power=1.0)
    actual = oracle.policy_after(
      preference_variants.sppo(steps), oracle.game(oracle.HARD), 3, _BEFORE
    )
    np.testing.assert_allclose(actual, policy, atol=1e-14)

  def test_the_last_iterate_moves_away(self):
    game, solver = oracle.game(oracle.HARD), preference_variants.sppo(0.1)
    found = [
      oracle.gap(oracle.HARD, oracle.policy_after(solver, game, count))
      for count in (1000, 10_000)
    ]
    np.testing.assert_allclose(found, [0.323, 0.963], atol=5e-4)


class DNOTest(parameterized.TestCase):
  @parameterized.parameters("policy", "uniform", "skewed")
  def test_the_policy_minimises_the_cross_entropy(self, pairs):
    eta = 0.7
    game, solver = oracle.game(oracle.HARD), preference_variants.dno(eta)
    after = oracle.policy_after(solver, game, 1, _BEFORE)
    sampling = {
      "policy": _BEFORE,
      "uniform": np.full(3, 1 / 3),
      "skewed": np.array([0.05, 0.9, 0.05]),
    }[pairs]
    wins = oracle.HARD @ _BEFORE
    labels = special.expit(wins[:, None] - wins[None])

    def loss(logits):
      ratio = (jax.nn.log_softmax(logits) - np.log(_BEFORE)) / eta
      log_model = jax.nn.log_sigmoid(ratio[:, None] - ratio[None])
      return -2 * sampling @ (labels * log_model) @ sampling

    slope = jax.grad(loss)(jnp.log(after))
    np.testing.assert_allclose(slope, 0, atol=1e-15)
    self.assertGreater(np.abs(jax.grad(loss)(jnp.log(_BEFORE))).max(), 1e-3)

  @parameterized.parameters(0.1, 2.0)
  def test_a_logistic_regression_at_every_update_is_sppo(self, step_size):
    matrix = oracle.RANDOM
    policy = oracle.RANDOM_REFERENCE
    for _ in range(20):
      wins = matrix @ policy
      labels = special.expit(wins[:, None] - wins[None])
      scores = pairwise_fit.fit(jnp.asarray(labels), jnp.asarray(policy))
      policy = oracle.softmax(np.log(policy) + step_size * np.asarray(scores))
    game = oracle.game(matrix, oracle.RANDOM_REFERENCE)
    np.testing.assert_allclose(
      oracle.policy_after(preference_variants.dno(step_size), game, 20),
      policy,
      atol=1e-12,
    )


class MovingIPOTest(absltest.TestCase):
  def test_it_responds_from_the_iterate(self):
    temperature = 2.0
    matrix = models.three_raters(0.1)
    policy = oracle.REFERENCE
    for _ in range(30):
      # The loss over pairs is least at these odds.
      wins = matrix @ policy
      policy = oracle.softmax(np.log(policy) + wins / temperature)
    solver = preference_variants.moving_ipo(temperature)
    np.testing.assert_allclose(
      oracle.policy_after(solver, oracle.game(matrix), 30), policy, atol=1e-14
    )

  def test_refuses(self):
    with self.assertRaisesRegex(ValueError, "temperature"):
      preference_variants.moving_ipo(0.0)


class SPOTest(parameterized.TestCase):
  @parameterized.parameters(
    (oracle.HARD, oracle.REFERENCE, (3.13e-2, 8.08e-3), (0.323, 0.963)),
    (oracle.DICE, oracle.REFERENCE, (4.14e-2, 2.57e-3), (0.0650, 0.0598)),
    (oracle.RANDOM, np.full(10, 0.1), (3.34e-2, 3.59e-3), (0.115, 0.280)),
  )
  def test_gaps_computed_elsewhere(self, matrix, reference, average, last):
    solver = preference_variants.spo(0.1)
    game = oracle.game(matrix, reference)
    for count, of_average, of_last in zip((1000, 10_000), average, last):
      policy = oracle.policy_after(solver, game, count)
      np.testing.assert_allclose(
        oracle.gap(matrix, policy), of_average, rtol=3e-3
      )
      policy = oracle.last_after(solver, game, count)
      np.testing.assert_allclose(oracle.gap(matrix, policy), of_last, rtol=4e-3)

  @parameterized.parameters(0.05, 0.5)
  def test_the_regret_bound_holds_at_every_update(self, step_size):
    game = oracle.game(oracle.RANDOM, None)
    steps = np.arange(1, 500)
    _, trace = run.run(
      preference_variants.spo(step_size),
      game,
      run.of_plans(gaps.duality_gap),
      steps,
    )
    bound = 2 * (np.log(10) / (step_size * steps) + step_size / 8)
    np.testing.assert_array_less(trace.metrics, bound)

  def test_approaches_the_minimax_winner(self):
    game = oracle.game(oracle.RANDOM, None)
    solver = preference_variants.spo(schedules.PowerDecay(initial=1.0))
    policy = oracle.policy_after(solver, game, 100_000)
    (winner,) = linear_program.minimax_winner(game)
    self.assertLess(oracle.gap(oracle.RANDOM, winner), 1e-9)
    np.testing.assert_allclose(policy, winner, atol=0.1)
    self.assertLess(oracle.gap(oracle.RANDOM, policy), 0.01)


class INPOTest(parameterized.TestCase):
  def test_iterates_minimise_the_loss_over_pairs(self):
    # The loss is zero at its minimum, so every pair has its target.
    tau, inverse = 0.1, 0.5
    game = oracle.game(oracle.HARD)
    solver = preference_variants.inpo(1 / inverse, tau)
    after = oracle.policy_after(solver, game, 1, _BEFORE)
    h = (
      np.log(after)
      - tau / inverse * np.log(oracle.REFERENCE)
      - (inverse - tau) / inverse * np.log(_BEFORE)
    )
    wins = oracle.HARD @ _BEFORE / inverse
    np.testing.assert_allclose(
      h[:, None] - h[None], wins[:, None] - wins[None], atol=1e-13
    )

  @parameterized.parameters(
    (oracle.DICE, 3, (5.2e-6,), [10]),
    (oracle.HARD, 3, (2.3e-1, 1.9e-1, 2.7e-1), [10, 100, 1000]),
    (oracle.HARD, 30, (1.5e-1, 7.6e-4), [10, 100]),
  )
  def test_divergences_computed_elsewhere(self, matrix, multiple, table, steps):
    tau = 0.1
    solver = preference_variants.inpo(1 / (multiple * tau), tau)
    actual = oracle.divergences(solver, oracle.game(matrix), tau, steps)
    np.testing.assert_allclose(actual, table, rtol=0.04)

  def test_published_step_cycles_on_hard_rock_paper_scissors(self):
    tau, game = 0.1, oracle.game(oracle.HARD)
    published = preference_variants.inpo_published(tau)
    self.assertAlmostEqual(published.step_size, 1 / (3 * tau))
    steps = np.arange(9000, 10_001)
    late = oracle.divergences(published, game, tau, steps)
    self.assertGreater(min(late), 0.1)
    self.assertGreater(max(late) - min(late), 0.01)
    short = preference_variants.inpo(1 / (30 * tau), tau)
    self.assertLess(oracle.divergences(short, game, tau, [3000])[0], 1e-15)

  @parameterized.parameters(0.05, 0.1)
  def test_the_longest_step_that_settles(self, tau):
    game = oracle.game(oracle.HARD, np.full(3, 1 / 3))
    longest = 2 * tau / (tau**2 + 1 / 12)
    found = []
    for factor in (0.95, 1.05):
      solver = preference_variants.inpo(factor * longest, tau)
      state = run.init(solver, game, oracle.start(np.array([0.34, 0.33, 0.33])))
      state = run.advance(solver, game, state, 10_000)
      policy = np.asarray(solver.policies(game, state)[0])[1:]
      found.append(np.abs(policy - 1 / 3).max())
    self.assertLess(found[0], 1e-6)
    self.assertGreater(found[1], 1e-2)


class NamesTest(absltest.TestCase):
  def test_each_update_has_one_class(self):
    for solver, cls in (
      (preference_variants.sppo(0.1), mirror_descent.MirrorDescent),
      (preference_variants.dno(0.1), mirror_descent.MirrorDescent),
      (preference_variants.moving_ipo(0.1), mirror_descent.MirrorDescent),
      (preference_variants.spo(0.1).solver, mirror_descent.MirrorDescent),
      (preference_variants.inpo(0.1, 0.1), nash_md.NashMD),
      (preference_variants.inpo_published(0.1), nash_md.NashMD),
      (preference_variants.mtpo(0.1), nash_md.NashMD),
      (preference_variants.nash_md_published(0.1), nash_md.NashMD),
      (
        preference_variants.magnetic_preference(0.1, 0.1, 2),
        magnetic_refreshed.RefreshedMagnet,
      ),
    ):
      self.assertIs(type(solver), cls)

  def test_only_nash_md_mixes(self):
    self.assertIsNone(preference_variants.nash_md_published(0.1).mixture)
    for solver in (
      preference_variants.mtpo(0.1),
      preference_variants.inpo(0.1, 0.1),
    ):
      self.assertEqual(solver.mixture, 0)

  def test_theorems_of_nash_md_have_their_steps(self):
    for solver in (
      preference_variants.mtpo(0.2),
      preference_variants.nash_md_published(0.2),
    ):
      found = [
        float(schedules.at(solver.step_size, jnp.asarray(t), float))
        for t in (0, 1, 8)
      ]
      np.testing.assert_allclose(found, [5.0, 10 / 3, 1.0])


if __name__ == "__main__":
  absltest.main()
