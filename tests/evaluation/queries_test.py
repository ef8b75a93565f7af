"""Tests of counts of preference queries."""

from absl.testing import absltest, parameterized

from mdrl.evaluation import queries
from mdrl.games import preference_game
from mdrl.preferences import models
from mdrl.solvers import averaged, mirror_descent
from tests import named_rows
from tests.solvers import preference_conformance_test

_SIZE = 4
# Before the first update, and for each; n where all pairs are compared.
_EXPECTED = {
  "apo": (0, 1),
  "comal": (0, 2),
  "dno": (0, 1),
  "egpo": (0, 2),
  "inpo": (0, 1),
  "iterative_dpo": (0, _SIZE),
  "iterative_ipo": (0, 1),
  "magnetic": (0, 1),
  "magnetic_preference": (0, 1),
  "mirror_descent": (0, 1),
  # Its policies are midpoints, and the first one is found at once.
  "mirror_prox": (1, 2),
  "nash_ema": (0, 1),
  "nash_md": (0, 1),
  "nash_md_euclidean": (0, 1),
  "nash_mirror_prox": (0, 2),
  "onpo": (0, 1),
  "optimistic": (0, 1),
  "rlhf": (_SIZE, 0),
  "spo": (0, 1),
  "spo_queue": (0, 1),
  "sppo": (0, 1),
  "srpo": (0, _SIZE),
}


class QueriesTest(parameterized.TestCase):
  @parameterized.named_parameters(
    *named_rows.named(preference_conformance_test.ALL)
  )
  def test_of_each_solver(self, name):
    game = preference_game.preference_game(models.uniform(_SIZE, 0))
    solver = preference_conformance_test.ALL[name]
    self.assertEqual(tuple(queries.count(solver, game)), _EXPECTED[name])

  @parameterized.named_parameters(
    *named_rows.named(("comal", "nash_md", "rlhf"))
  )
  def test_contexts_cost_no_more(self, name):
    game = preference_game.preference_game(
      [models.uniform(_SIZE, seed) for seed in range(3)]
    )
    solver = preference_conformance_test.ALL[name]
    self.assertEqual(tuple(queries.count(solver, game)), _EXPECTED[name])

  def test_an_average_costs_nothing(self):
    game = preference_game.preference_game(models.dice())
    solver = averaged.Averaged(
      solver=mirror_descent.MirrorDescent(step_size=0.1)
    )
    self.assertEqual(queries.count(solver, game), queries.Queries(0, 1))


if __name__ == "__main__":
  absltest.main()
