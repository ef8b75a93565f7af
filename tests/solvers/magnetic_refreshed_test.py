"""Tests of magnetic mirror descent whose magnet is refreshed."""

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.solvers import magnetic, magnetic_refreshed
from tests.solvers import preferences as oracle


def _solver(period, step_size=0.1, temperature=0.1):
  return magnetic_refreshed.RefreshedMagnet(
    step_size=step_size, temperature=temperature, period=period
  )


class RefreshedMagnetTest(parameterized.TestCase):
  def test_iterates_are_those_of_the_closed_form(self):
    eta, alpha = 0.7, 0.3
    policy, magnet = np.array([0.6, 0.3, 0.1]), oracle.REFERENCE
    for step in range(1, 8):
      policy = oracle.softmax(
        (
          np.log(policy)
          + eta * alpha * np.log(magnet)
          + eta * oracle.HARD @ policy
        )
        / (1 + eta * alpha)
      )
      if step % 3 == 0:
        magnet = policy
    actual = oracle.policy_after(
      _solver(3, eta, alpha), oracle.game(oracle.HARD), 7, [0.6, 0.3, 0.1]
    )
    np.testing.assert_allclose(actual, policy, atol=1e-14)

  @parameterized.parameters(
    (oracle.HARD, oracle.REFERENCE, (0.129, 9.42e-9)),
    (oracle.DICE, oracle.REFERENCE, (0.0449, 0.0505)),
    (oracle.RANDOM, np.full(10, 0.1), (0.108, 2.40e-3)),
  )
  def test_gaps_computed_elsewhere(self, matrix, reference, table):
    game = oracle.game(matrix, reference)
    actual = [
      oracle.gap(matrix, oracle.policy_after(_solver(50), game, count))
      for count in (1000, 10_000)
    ]
    np.testing.assert_allclose(actual, table, rtol=5e-3)

  def test_before_the_first_refresh_it_is_magnetic_mirror_descent(self):
    game = oracle.game(oracle.HARD)
    other = magnetic.MagneticMirrorDescent(step_size=0.1, temperature=0.1)
    np.testing.assert_allclose(
      oracle.policy_after(_solver(100), game, 99),
      oracle.policy_after(other, game, 99),
      atol=1e-14,
    )

  def test_the_magnet_is_the_iterate_after_each_period(self):
    game, solver = oracle.game(oracle.HARD), _solver(5)
    state = run.advance(solver, game, run.init(solver, game), 15)
    np.testing.assert_array_equal(state.magnet[0], state.dual[0])
    state = run.advance(solver, game, state, 1)
    self.assertTrue((state.magnet[0][1:] != state.dual[0][1:]).any())

  @parameterized.parameters(0, -1)
  def test_refuses(self, period):
    with self.assertRaisesRegex(ValueError, "period"):
      _solver(period)

  def test_takes_a_period_as_an_array(self):
    game = oracle.game(oracle.HARD)
    np.testing.assert_array_equal(
      oracle.policy_after(_solver(jnp.asarray(5)), game, 12),
      oracle.policy_after(_solver(5), game, 12),
    )


if __name__ == "__main__":
  absltest.main()
