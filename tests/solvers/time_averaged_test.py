"""Tests of coarse-correlated gaps of joint play."""

from absl.testing import absltest, parameterized
import jax
import numpy as np

from mdrl import run, testing
from mdrl.evaluation import gaps
from mdrl.games import matrix_game
from mdrl.solvers import (
  averaged,
  mirror_descent,
  regret_matching,
  regret_rules,
  time_averaged,
)
from mdrl.testing import games
from mdrl.trees import quantities

_HEDGE = mirror_descent.MirrorDescent(step_size=0.3)


def _gap(game, state):
  return float(gaps.coarse_correlated_gap(game, state.gain, state.value))


class TimeAveragedTest(parameterized.TestCase):
  def test_the_gap_is_the_largest_regret(self):
    game = games.random_matrix_game((2, 3, 2))
    solver = time_averaged.TimeAveraged(solver=_HEDGE)
    state = run.init(solver, game)
    regrets = [np.zeros(n) for n in (2, 3, 2)]
    for _ in range(7):
      plans = [np.asarray(p)[1:] for p in solver.plans(game, state)]
      for i, u in enumerate(np.asarray(p) for p in game.payoffs):
        rows = np.einsum(
          {0: "abc,b,c->a", 1: "abc,a,c->b", 2: "abc,a,b->c"}[i],
          u,
          *(x for j, x in enumerate(plans) if j != i),
        )
        regrets[i] += rows - rows @ plans[i]
      state = run.advance(solver, game, state, 1)
    expected = max(r.max() for r in regrets) / 7
    self.assertAlmostEqual(_gap(game, state), expected, places=13)

  @parameterized.parameters("kuhn_three_players", "general_sum")
  def test_no_regret_play_approaches_a_coarse_equilibrium(self, name):
    game, _ = games.compiled(name)
    solver = time_averaged.TimeAveraged(
      solver=regret_matching.RegretMatching(rule=regret_rules.Vanilla())
    )
    state = run.advance(solver, game, run.init(solver, game), 50)
    early = _gap(game, state)
    state = run.advance(solver, game, state, 5000)
    self.assertLess(_gap(game, state), early / 5)
    self.assertLess(_gap(game, state), 0.01)

  def test_a_product_need_not_be_what_the_joint_play_is(self):
    # Both choose one of two meeting places, always the same one: correlated
    # play is an equilibrium, and the product of its marginals is none.
    payoff = np.array([[2.0, 0.0], [0.0, 1.0]])
    game = matrix_game.matrix_game([payoff, payoff])
    half = np.array([1.0, 0.5, 0.5])
    gains = quantities.Gains(
      jax.numpy.asarray([0.0, 1.0, 0.5]) for _ in range(2)
    )
    joint = float(
      gaps.coarse_correlated_gap(game, gains, jax.numpy.asarray([1.5, 1.5]))
    )
    self.assertAlmostEqual(joint, -0.5)
    plans = quantities.Plans(jax.numpy.asarray(half) for _ in range(2))
    self.assertGreater(float(gaps.nash_conv(game, plans)), 0.4)

  def test_keeps_the_contract(self):
    game, _ = games.compiled("kuhn_three_players")
    testing.check_solver(time_averaged.TimeAveraged(solver=_HEDGE), game)

  def test_two_player_zero_sum_play_has_the_gap_of_its_average(self):
    # The sum of both regrets is the duality gap of the average plans.
    game = games.random_zero_sum_game(3, 4)
    solver = time_averaged.TimeAveraged(solver=_HEDGE)
    state = run.advance(solver, game, run.init(solver, game), 30)
    mean = averaged.Averaged(solver=_HEDGE)
    end = run.advance(mean, game, run.init(mean, game), 30)
    gap = float(gaps.duality_gap(game, mean.plans(game, end)))
    self.assertLessEqual(_gap(game, state), gap + 1e-12)
    self.assertGreaterEqual(_gap(game, state), gap / 2 - 1e-12)


if __name__ == "__main__":
  absltest.main()
