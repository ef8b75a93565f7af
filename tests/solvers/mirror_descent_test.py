"""Tests of mirror descent: oracles, its regret bound, its average."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.evaluation import best_response, gaps
from mdrl.games import matrix_game
from mdrl.geometry import dilated, mirror_maps
from mdrl.solvers import averaged, mirror_descent
from mdrl.testing import games
from mdrl.trees import quantities, sweeps
from tests.solvers import oracle


class MirrorDescentTest(parameterized.TestCase):
  def test_equals_multiplicative_weights(self):
    game = matrix_game.zero_sum_game(oracle.PAYOFF)
    solver = mirror_descent.MirrorDescent(step_size=0.3)
    state = run.advance(solver, game, run.init(solver, game), 7)
    x, y = oracle.uniform()
    for _ in range(7):
      gain = oracle.gains((x, y))
      x, y = (oracle.entropic_step(p, g, 0.3) for p, g in zip((x, y), gain))
    ours = oracle.policies(solver.policies(game, state))
    np.testing.assert_allclose(ours[0], x, atol=1e-14)
    np.testing.assert_allclose(ours[1], y, atol=1e-14)

  def test_euclidean_equals_projected_ascent(self):
    game = matrix_game.zero_sum_game([[0.0, 2.0], [1.0, 0.0]])
    solver = mirror_descent.MirrorDescent(
      step_size=0.25, mirror_map=mirror_maps.Euclidean()
    )
    state = run.advance(solver, game, run.init(solver, game), 1)
    # Gains at uniform play are (1, 1/2) and (-1/2, -1); a step of 1/4 moves
    # each probability by half the difference.
    first, second = oracle.policies(solver.policies(game, state))
    np.testing.assert_allclose(first, [0.5625, 0.4375], atol=1e-15)
    np.testing.assert_allclose(second, [0.5625, 0.4375], atol=1e-15)

  def test_average_keeps_its_regret_bound(self):
    # Regret <= log n / eta + eta T max|payoff|^2 / 2 for each player, and the
    # gap of the average plans is the sum of the average regrets.
    game = games.random_zero_sum_game(6, 9)
    step_size, updates = 0.05, np.array([1, 10, 100, 1000, 5000])
    solver = averaged.Averaged(
      solver=mirror_descent.MirrorDescent(step_size=step_size)
    )
    _, trace = run.run(
      solver, game, run.of_plans(gaps.duality_gap), updates.tolist()
    )
    greatest = float(jnp.abs(game.payoffs[0]).max())
    bound = (np.log(6) + np.log(9)) / (step_size * updates)
    bound += step_size * greatest**2
    self.assertTrue((np.asarray(trace.metrics) <= bound).all())
    # The bound is not idle: at the end it is within a factor of twenty.
    self.assertGreater(float(trace.metrics[-1]), bound[-1] / 20)

  def test_regret_on_a_tree_keeps_the_three_point_bound(self):
    # For any u: sum <gain_t, u - x_t> <= D(u, x_1) / eta
    #   + sum (<gain_t, x_{t+1} - x_t> - D(x_{t+1}, x_t) / eta).
    game, _ = games.compiled("kuhn")
    entropy, step_size = mirror_maps.NegativeEntropy(), 0.5
    solver = mirror_descent.MirrorDescent(step_size=step_size)
    update = jax.jit(solver.update)
    measure = jax.jit(self._three_points)
    state = run.init(solver, game)
    first = state.dual
    total = [jnp.zeros(t.num_slots) for t in game.treeplexes]
    played, slack = np.zeros(2), np.zeros(2)
    for _ in range(50):
      after = update(game, state)
      gains, values, extra = measure(game, state.dual, after.dual, step_size)
      total = [a + b for a, b in zip(total, gains)]
      played, slack = played + values, slack + extra
      state = after
    best = best_response.values_of_gains(game, quantities.Gains(total))
    for i, t in enumerate(game.treeplexes):
      comparator = self._best_policy(t, total[i])
      start = dilated.divergence(t, entropy, comparator, first[i]) / step_size
      self.assertLessEqual(float(best[i]) - played[i], float(start) + slack[i])

  @staticmethod
  def _three_points(game, before, after, step_size):
    entropy = mirror_maps.NegativeEntropy()
    old, new = (
      quantities.Policies(
        dilated.to_policy(t, entropy, d) for t, d in zip(game.treeplexes, duals)
      )
      for duals in (before, after)
    )
    x, y = game.plans(old), game.plans(new)
    gains = game.gains(x)
    values = jnp.stack([jnp.vdot(g, p) for g, p in zip(gains, x)])
    extra = jnp.stack(
      [
        jnp.vdot(g, b - a) - dilated.divergence(t, entropy, q, d) / step_size
        for t, g, a, b, q, d in zip(game.treeplexes, gains, x, y, new, before)
      ]
    )
    return gains, values, extra

  @staticmethod
  def _best_policy(treeplex, gain):
    def row_fn(q, group):
      return jnp.max(q, axis=1), jax.nn.one_hot(
        jnp.argmax(q, axis=1), group.width, dtype=q.dtype
      )

    return sweeps.sweep_up(treeplex, gain, row_fn)[0]

  def test_rescaled_utilities_with_inverse_step_size_change_nothing(self):
    small = games.random_zero_sum_game(3, 4)
    large = matrix_game.zero_sum_game(8 * np.asarray(small.payoffs[0]))
    ends = []
    for game, step_size in ((small, 0.8), (large, 0.1)):
      solver = mirror_descent.MirrorDescent(step_size=step_size)
      state = run.advance(solver, game, run.init(solver, game), 9)
      ends.append(solver.policies(game, state))
    for a, b in zip(*ends):
      np.testing.assert_allclose(a, b, atol=1e-14)

  def test_refuses_step_sizes_that_are_not_positive(self):
    with self.assertRaisesRegex(
      ValueError, r"`step_size` must lie in \(0, infinity\), got -0.1"
    ):
      mirror_descent.MirrorDescent(step_size=-0.1)


if __name__ == "__main__":
  absltest.main()
