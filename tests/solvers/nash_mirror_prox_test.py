"""Tests of Nash Mirror Prox: its bound at every update, and where it stalls."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.solvers import magnetic, nash_mirror_prox
from tests.solvers import preferences as oracle


def _solver(multiple, temperature):
  """Returns the solver of the paper's eta, as a multiple of beta."""
  return nash_mirror_prox.NashMirrorProx(
    step_size=float(multiple), temperature=temperature
  )


class NashMirrorProxTest(parameterized.TestCase):
  def test_iterates_are_those_of_the_closed_form(self):
    beta = 0.1
    eta, ref = 2 * beta, oracle.REFERENCE

    def prox(center, opponent):
      return oracle.softmax(
        (
          eta * np.log(ref)
          + np.log(center)
          + eta / beta * oracle.HARD @ opponent
        )
        / (1 + eta)
      )

    policy = np.array([0.6, 0.3, 0.1])
    for _ in range(5):
      policy = prox(policy, prox(policy, policy))
    actual = oracle.policy_after(
      _solver(2, beta), oracle.game(oracle.HARD), 5, [0.6, 0.3, 0.1]
    )
    np.testing.assert_allclose(actual, policy, atol=1e-14)

  @parameterized.parameters(
    (oracle.DICE, oracle.REFERENCE, 0.1),
    (oracle.HARD, oracle.REFERENCE, 0.1),
    (oracle.HARD, oracle.REFERENCE, 0.01),
    (oracle.RANDOM, oracle.RANDOM_REFERENCE, 0.1),
    (oracle.RANDOM, oracle.RANDOM_REFERENCE, 0.01),
  )
  def test_the_bound_holds_at_every_update(self, matrix, reference, beta):
    steps = np.arange(101)
    actual = oracle.divergences(
      _solver(2, beta), oracle.game(matrix, reference), beta, steps
    )
    bound = actual[0] * (1 + 2 * beta) ** -steps.astype(float)
    np.testing.assert_array_less(actual, bound + 1e-15)

  @parameterized.parameters(
    (0.1, 0.5, (3.4e-2, 1.1e-3, 3e-11)),
    (0.1, 1, (2.1e-3, 8e-7, 0)),
    (0.1, 2, (1.8e-6, 1.5e-14, 0)),
    (0.1, 8, (3.0e-2, 3.9e-2, 3.8e-2)),
    (0.01, 0.5, (0.20, 0.092, 1.1e-3)),
    (0.01, 2, (1.2e-3, 1.7e-7, 0)),
    (0.01, 4, (3.5e-2, 4.1e-2, 3.8e-2)),
  )
  def test_divergences_computed_elsewhere(self, beta, multiple, table):
    actual = oracle.divergences(
      _solver(multiple, beta), oracle.game(oracle.HARD), beta, [20, 50, 200]
    )
    np.testing.assert_allclose(actual, table, rtol=0.06, atol=1e-14)

  def test_without_the_midpoint_it_does_not_converge(self):
    game = oracle.game(oracle.RANDOM, oracle.RANDOM_REFERENCE)
    one_step = magnetic.MagneticMirrorDescent(step_size=2.0, temperature=0.01)
    (stuck,) = oracle.divergences(one_step, game, 0.01, [1000])
    (there,) = oracle.divergences(_solver(2, 0.01), game, 0.01, [1000])
    self.assertAlmostEqual(stuck, 0.625, delta=5e-3)
    self.assertLess(there, 1e-15)


if __name__ == "__main__":
  absltest.main()
