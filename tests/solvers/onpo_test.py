"""Tests of ONPO against its two sequences and its theorems."""

from absl.testing import absltest, parameterized
import numpy as np

from mdrl import run
from mdrl.geometry import mirror_maps
from mdrl.solvers import onpo, optimistic
from tests.solvers import preferences as oracle


class ONPOTest(parameterized.TestCase):
  def test_iterates_are_those_of_the_two_sequences(self):
    center = policy = np.array([0.6, 0.3, 0.1])
    for _ in range(5):
      wins = 0.7 * oracle.HARD @ policy
      center = oracle.softmax(np.log(center) + wins)
      policy = oracle.softmax(np.log(center) + wins)
    actual = oracle.policy_after(
      onpo.ONPO(step_size=0.7), oracle.game(oracle.HARD), 5, [0.6, 0.3, 0.1]
    )
    np.testing.assert_allclose(actual, policy, atol=1e-14)

  def test_with_entropy_it_is_optimistic_mirror_descent(self):
    game = oracle.game(oracle.RANDOM, oracle.RANDOM_REFERENCE)
    np.testing.assert_allclose(
      oracle.policy_after(onpo.ONPO(step_size=0.3), game, 50),
      oracle.policy_after(
        optimistic.OptimisticMirrorDescent(step_size=0.3), game, 50
      ),
      atol=1e-13,
    )

  def test_with_projections_it_is_not(self):
    game, geometry = oracle.game(oracle.HARD), mirror_maps.Euclidean()
    two = onpo.ONPO(step_size=0.9, mirror_map=geometry)
    one = optimistic.OptimisticMirrorDescent(step_size=0.9, mirror_map=geometry)
    first = [0.98, 0.01, 0.01]
    off = oracle.policy_after(two, game, 8, first) - oracle.policy_after(
      one, game, 8, first
    )
    self.assertGreater(np.abs(off).max(), 1e-2)

  @parameterized.parameters(
    (oracle.HARD, (0.262, 0.0117)), (oracle.DICE, (0.0648, 0.0471))
  )
  def test_last_iterates_computed_elsewhere(self, matrix, table):
    solver, game = onpo.ONPO(step_size=0.1), oracle.game(matrix)
    actual = [
      oracle.gap(matrix, oracle.policy_after(solver, game, count))
      # What is played in the last of the updates; the first prediction was
      # another one there.
      for count in (999, 9999)
    ]
    np.testing.assert_allclose(actual, table, rtol=5e-3)

  def test_the_average_keeps_the_bound_of_theorem_2(self):
    # With uniform first policies, the divergence D is at most log n.
    game = oracle.game(oracle.RANDOM, None)
    largest = np.log(10)
    solver = onpo.ONPO(step_size=0.5)
    _, trace = run.run(solver, game, run.of_plans(oracle.plan), np.arange(400))
    played = np.asarray(trace.metrics)[:, 1:]
    for count in (1, 10, 100, 400):
      gap = oracle.gap(oracle.RANDOM, played[:count].mean(axis=0))
      self.assertLess(gap, 4 * np.sqrt(largest) / count)


if __name__ == "__main__":
  absltest.main()
