"""Tests of EGPO against its update, its loss, and numbers from elsewhere."""

import itertools

from absl.testing import absltest, parameterized
import numpy as np

from mdrl.solvers import egpo
from tests.solvers import preferences as oracle


class EGPOTest(parameterized.TestCase):
  def test_iterates_are_those_of_the_update(self):
    eta, beta = 0.5, 0.1
    ref = np.log(oracle.REFERENCE)
    theta = np.log([0.6, 0.3, 0.1])

    def move(theta, at):
      wins = oracle.HARD @ oracle.softmax(at)
      return (1 - eta * beta) * theta + eta * beta * (ref + wins / beta)

    for _ in range(5):
      theta = move(theta, move(theta, theta))
    solver = egpo.EGPO(step_size=eta, temperature=beta)
    actual = oracle.policy_after(
      solver, oracle.game(oracle.HARD), 5, [0.6, 0.3, 0.1]
    )
    np.testing.assert_allclose(actual, oracle.softmax(theta), atol=1e-14)

  @parameterized.parameters(
    (oracle.DICE, oracle.REFERENCE, 0.1, 0.5, (5.4e-3, 5.3e-7)),
    (oracle.HARD, oracle.REFERENCE, 0.1, 0.5, (9.0e-2, 1.6e-6)),
    (oracle.HARD, oracle.REFERENCE, 0.1, 1.0, (2.0e-2, 4.6e-14)),
    (oracle.RANDOM, oracle.RANDOM_REFERENCE, 0.01, 1.0, (5.9e-1, 2.4e-2)),
  )
  def test_divergences_computed_elsewhere(
    self, matrix, reference, temperature, step_size, table
  ):
    solver = egpo.EGPO(step_size=step_size, temperature=temperature)
    game = oracle.game(matrix, reference)
    actual = oracle.divergences(solver, game, temperature, [10, 100])
    np.testing.assert_allclose(actual, table, rtol=0.03, atol=2e-15)

  @parameterized.product(
    case=(
      (oracle.HARD, oracle.REFERENCE),
      (oracle.DICE, oracle.REFERENCE),
      (oracle.RANDOM, oracle.RANDOM_REFERENCE),
    ),
    temperature=(1.0, 0.1, 0.01),
  )
  def test_the_rate_holds_at_every_update_up_to_the_longest_step(
    self, case, temperature
  ):
    game = oracle.game(*case)
    step_size = 2 * (np.sqrt(1 + temperature**2) - temperature)
    solver = egpo.EGPO(step_size=step_size, temperature=temperature)
    found = oracle.divergences(solver, game, temperature, np.arange(41))
    self.assertGreater(found[0], 1e-4)
    for before, after in itertools.pairwise(found):
      # Divergences are differences of numbers of order one.
      bound = (1 - step_size * temperature) * before + 1e-14
      self.assertLessEqual(after, bound)

  def test_simulation_step_size_is_that_of_the_loss(self):
    # Gradient descent on the loss over pairs, with the gradient by differences.
    beta, rate, size = 0.1, 0.05, 10
    ref = np.log(oracle.RANDOM_REFERENCE)
    theta = np.log(oracle.softmax(np.random.default_rng(3).normal(size=size)))
    target = oracle.RANDOM @ oracle.softmax(theta) / beta

    def loss(theta):
      error = theta - ref - target
      return np.mean((error[:, None] - error[None]) ** 2)

    gradient = np.array(
      [
        (loss(theta + 1e-5 * e) - loss(theta - 1e-5 * e)) / 2e-5
        for e in np.eye(size)
      ]
    )
    eta = egpo.simulation_step_size(rate, beta, size)
    wins = oracle.RANDOM @ oracle.softmax(theta)
    moved = (1 - eta * beta) * theta + eta * beta * (ref + wins / beta)
    np.testing.assert_allclose(
      oracle.softmax(theta - rate * gradient),
      oracle.softmax(moved),
      atol=1e-9,
    )


if __name__ == "__main__":
  absltest.main()
