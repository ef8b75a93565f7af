"""Tests of Nash-MD: printed examples, its bound, and its fixed points."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl.solvers import nash_md, schedules
from tests.solvers import preferences as oracle

_UNIFORM = np.full(3, 1 / 3)


class NashMDTest(parameterized.TestCase):
  def test_one_step_on_dice(self):
    # A worked example of the published update, rounded to three digits.
    game = oracle.game(oracle.DICE, _UNIFORM)
    solver = nash_md.NashMD(step_size=5.0, temperature=0.1)
    policy = oracle.policy_after(solver, game, 1, [0.6, 0.3, 0.1])
    np.testing.assert_allclose(policy, [0.491, 0.309, 0.200], atol=5e-4)

  @parameterized.parameters(None, 0.0, 0.3)
  def test_iterates_are_those_of_the_equations(self, mixture):
    tau, eta, ref = 0.3, 0.7, oracle.REFERENCE
    b = eta * tau if mixture is None else mixture
    policy = np.array([0.6, 0.3, 0.1])
    for _ in range(5):
      opponent = oracle.softmax((1 - b) * np.log(policy) + b * np.log(ref))
      policy = oracle.softmax(
        (1 - eta * tau) * np.log(policy)
        + eta * tau * np.log(ref)
        + eta * oracle.HARD @ opponent
      )
    solver = nash_md.NashMD(step_size=eta, temperature=tau, mixture=mixture)
    actual = oracle.policy_after(
      solver, oracle.game(oracle.HARD), 5, [0.6, 0.3, 0.1]
    )
    np.testing.assert_allclose(actual, policy, atol=1e-14)

  @parameterized.parameters(
    (oracle.DICE, None, (5.22e-5, 8.18e-7, 8.53e-9)),
    (oracle.HARD, None, (1.68e-2, 5.36e-5, 1.18e-6)),
    (oracle.HARD, 0.0, (2.21e-1, 2.92e-4, 3.89e-8)),
  )
  def test_divergences_computed_elsewhere(self, preferences, mixture, table):
    solver = nash_md.NashMD(
      step_size=nash_md.paper_schedule(0.1), temperature=0.1, mixture=mixture
    )
    game = oracle.game(preferences)
    actual = oracle.divergences(solver, game, 0.1, [10, 100, 1000])
    np.testing.assert_allclose(actual, table, rtol=6e-3)

  @parameterized.parameters(
    (oracle.DICE, 0.1), (oracle.HARD, 0.1), (oracle.HARD, 0.5)
  )
  def test_the_bound_holds_at_every_update(self, preferences, temperature):
    solver = nash_md.NashMD(
      step_size=nash_md.paper_schedule(temperature), temperature=temperature
    )
    steps = np.arange(1, 300)
    actual = oracle.divergences(
      solver, oracle.game(preferences), temperature, steps
    )
    bound = 8 / (temperature**2 * (steps + 1))
    np.testing.assert_array_less(actual, bound)

  @parameterized.parameters(0.1, 0.25, 0.5)
  def test_a_mixture_that_stays_solves_a_higher_temperature(self, mixture):
    game, tau = oracle.game(oracle.HARD), 0.2
    solver = nash_md.NashMD(step_size=0.5, temperature=tau, mixture=mixture)
    policy = oracle.policy_after(solver, game, 2000)
    opponent = oracle.softmax(
      (1 - mixture) * np.log(policy) + mixture * np.log(oracle.REFERENCE)
    )
    np.testing.assert_allclose(
      opponent, oracle.equilibrium(game, tau / (1 - mixture)), atol=1e-12
    )
    off = np.abs(policy - oracle.equilibrium(game, tau)).max()
    self.assertGreater(off, 1e-2)

  def test_a_constant_step_solves_a_higher_temperature(self):
    game, tau, eta = oracle.game(oracle.HARD), 0.2, 0.5
    solver = nash_md.NashMD(step_size=eta, temperature=tau)
    policy = oracle.policy_after(solver, game, 2000)
    opponent = oracle.softmax(
      (1 - eta * tau) * np.log(policy) + eta * tau * np.log(oracle.REFERENCE)
    )
    np.testing.assert_allclose(
      opponent, oracle.equilibrium(game, tau / (1 - eta * tau)), atol=1e-12
    )

  def test_without_a_mixture_the_opponent_is_the_policy(self):
    eta, tau, policy = 0.5, 0.1, oracle.RANDOM_REFERENCE
    game = oracle.game(oracle.RANDOM, np.full(10, 0.1))
    for _ in range(50):
      policy = oracle.softmax(
        (1 - eta * tau) * np.log(policy) + eta * oracle.RANDOM @ policy
      )
    solver = nash_md.NashMD(step_size=eta, temperature=tau, mixture=0.0)
    actual = oracle.policy_after(solver, game, 50, oracle.RANDOM_REFERENCE)
    np.testing.assert_allclose(actual, policy, atol=1e-13)

  def test_steps_are_those_of_the_schedule(self):
    tau, policy = 0.1, np.array([0.6, 0.3, 0.1])
    for t in range(3):
      eta = 2 / (tau * (t + 2))
      center = oracle.softmax(
        (1 - eta * tau) * np.log(policy) + eta * tau * np.log(oracle.REFERENCE)
      )
      policy = oracle.softmax(np.log(center) + eta * oracle.HARD @ center)
    solver = nash_md.NashMD(
      step_size=nash_md.paper_schedule(tau), temperature=tau
    )
    actual = oracle.policy_after(
      solver, oracle.game(oracle.HARD), 3, [0.6, 0.3, 0.1]
    )
    np.testing.assert_allclose(actual, policy, atol=1e-13)

  def test_a_first_policy_may_lack_a_response(self):
    # The first step of the paper forgets it altogether.
    solver = nash_md.NashMD(
      step_size=nash_md.paper_schedule(0.1), temperature=0.1
    )
    actual = oracle.policy_after(
      solver, oracle.game(oracle.HARD), 5, [0.0, 0.5, 0.5]
    )
    self.assertTrue(np.isfinite(actual).all())

  def test_paper_schedule(self):
    schedule = nash_md.paper_schedule(0.1)
    actual = [
      float(schedules.at(schedule, jnp.asarray(t), float)) for t in range(4)
    ]
    np.testing.assert_allclose(actual, [2 / (0.1 * (t + 2)) for t in range(4)])

  @parameterized.parameters(
    ({"step_size": 0.0}, "step_size"),
    ({"temperature": -0.1}, "temperature"),
    ({"mixture": 1.5}, "mixture"),
    ({"step_size": 20.0}, "times `temperature`"),
  )
  def test_refuses(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      nash_md.NashMD(**{"step_size": 1.0, "temperature": 0.1} | change)


if __name__ == "__main__":
  absltest.main()
