"""Tests of magnetic mirror descent against OpenSpiel, theory and numpy."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
from open_spiel.python.algorithms import mmd_dilated
import pyspiel

from mdrl import run
from mdrl.compile import policy_bridge
from mdrl.evaluation import gaps
from mdrl.games import base as game_lib
from mdrl.games import matrix_game
from mdrl.geometry import dilated, mirror_maps
from mdrl.solvers import magnetic, mirror_descent, schedules
from mdrl.testing import games
from tests.solvers import oracle


def _end(solver, game, num_updates, policies=None):
  state = run.init(solver, game, policies)
  return run.advance(solver, game, state, num_updates)


class MagneticTest(parameterized.TestCase):
  @parameterized.parameters(
    ("kuhn", "kuhn_poker", 50, 0.1, 0.1),
    ("kuhn", "kuhn_poker", 50, 0.02, 1.5),
    ("leduc", "leduc_poker", 5, 0.05, 0.2),
  )
  def test_iterates_equal_openspiel(
    self, name, string, num_updates, temperature, step_size
  ):
    game, index = games.compiled(name)
    theirs = mmd_dilated.MMDDilatedEnt(
      pyspiel.load_game(string), alpha=temperature, stepsize=step_size
    )
    for _ in range(num_updates):
      theirs.update_sequences()
    solver = magnetic.MagneticMirrorDescent(
      step_size=step_size, temperature=temperature
    )
    end = _end(solver, game, num_updates)
    ours = policy_bridge.to_openspiel(
      pyspiel.load_game(string), index, solver.policies(game, end)
    )
    np.testing.assert_allclose(
      ours.action_probability_array,
      theirs.get_policies().action_probability_array,
      atol=1e-12,
    )

  @parameterized.parameters(
    (0.5, 0.2639340502), (0.2, 0.1592253039), (0.1, 0.1036940539)
  )
  def test_reaches_the_quantal_response_equilibrium_of_kuhn(
    self, temperature, exploitability
  ):
    game, _ = games.compiled("kuhn")
    solver = magnetic.MagneticMirrorDescent(
      step_size=1.0, temperature=temperature
    )
    end = _end(solver, game, 4000)
    policies = solver.policies(game, end)
    plans = game.plans(policies)
    self.assertLess(gaps.regularized_gap(game, plans, temperature), 1e-12)
    self.assertAlmostEqual(
      float(gaps.exploitability(game, game.plans(policies))),
      exploitability,
      # The published digits come from a gap of 1e-11, not of zero.
      delta=1e-8,
    )

  @parameterized.parameters(0, 1, 2)
  def test_contracts_linearly_at_each_step(self, seed):
    game, _ = games.compiled("kuhn")
    # The largest payoff of a pair of sequences is 2 / 6.
    temperature = 0.1
    step_size = temperature / (1 / 3) ** 2
    solver = magnetic.MagneticMirrorDescent(
      step_size=step_size, temperature=temperature
    )
    fixed = solver.policies(game, _end(solver, game, 3000))
    start = game_lib.random_policies(game, jax.random.key(seed))
    state = run.init(solver, game, start)
    distance = self._distance(game, fixed, state.dual)
    for _ in range(60):
      state = run.advance(solver, game, state, 1)
      after = self._distance(game, fixed, state.dual)
      bound = distance / (1 + step_size * temperature)
      self.assertLessEqual(after, bound + 1e-13)
      distance = after

  @staticmethod
  def _distance(game, fixed, duals):
    entropy = mirror_maps.NegativeEntropy()
    return float(
      sum(
        dilated.divergence(t, entropy, p, d)
        for t, p, d in zip(game.treeplexes, fixed, duals)
      )
    )

  def test_temperature_zero_is_mirror_descent(self):
    game, _ = games.compiled("kuhn_three_players")
    plain = mirror_descent.MirrorDescent(step_size=0.4)
    solver = magnetic.MagneticMirrorDescent(step_size=0.4, temperature=0.0)
    for a, b in zip(
      solver.policies(game, _end(solver, game, 20)),
      plain.policies(game, _end(plain, game, 20)),
    ):
      np.testing.assert_allclose(a, b, atol=1e-13)

  def test_magnet_follows_the_policy_that_was_played(self):
    game = matrix_game.zero_sum_game(oracle.PAYOFF)
    eta, alpha, rate = 0.5, 0.2, 0.3
    solver = magnetic.MagneticMirrorDescent(
      step_size=eta, temperature=alpha, magnet_rate=rate
    )
    policies = oracle.uniform()
    magnets = [np.zeros(n) for n in oracle.PAYOFF.shape]
    for _ in range(6):
      gains = oracle.gains(policies)
      after = [
        oracle.softmax(
          (eta * g + np.log(x) + eta * alpha * m) / (1 + eta * alpha)
        )
        for g, x, m in zip(gains, policies, magnets)
      ]
      magnets = [
        np.log(oracle.softmax((1 - rate) * m + rate * np.log(x)))
        for m, x in zip(magnets, policies)
      ]
      policies = after
    ours = solver.policies(game, _end(solver, game, 6))
    for a, b in zip(oracle.policies(ours), policies):
      np.testing.assert_allclose(a, b, atol=1e-13)

  def test_moving_magnet_reaches_a_nash_equilibrium(self):
    game, _ = games.compiled("kuhn")
    solver = magnetic.MagneticMirrorDescent(
      step_size=1.0, temperature=0.3, magnet_rate=0.05
    )
    end = _end(solver, game, 20_000)
    plans = solver.plans(game, end)
    self.assertLess(gaps.exploitability(game, plans), 1e-3)

  def test_annealed_temperature_equals_a_loop_of_temperatures(self):
    game = matrix_game.zero_sum_game(oracle.PAYOFF)
    solver = magnetic.MagneticMirrorDescent(
      step_size=0.5,
      temperature=schedules.PowerDecay(initial=1.0, power=0.5),
    )
    x, y = oracle.uniform()
    for t in range(8):
      eta, alpha = 0.5, 1 / np.sqrt(1 + t)
      x, y = (
        oracle.softmax((eta * g + np.log(p)) / (1 + eta * alpha))
        for g, p in zip(oracle.gains((x, y)), (x, y))
      )
    ours = oracle.policies(solver.policies(game, _end(solver, game, 8)))
    np.testing.assert_allclose(ours[0], x, atol=1e-14)
    np.testing.assert_allclose(ours[1], y, atol=1e-14)

  def test_three_step_sizes_share_one_trace(self):
    game, _ = games.compiled("kuhn")
    traces = 0

    @jax.jit
    def end(solver, game):
      nonlocal traces
      traces += 1
      state = solver.init(game)
      return solver.update(game, state)

    for step_size in (0.1, 0.2, 0.4):
      end(
        magnetic.MagneticMirrorDescent(step_size=step_size, temperature=0.1),
        game,
      )
    self.assertEqual(traces, 1)

  @parameterized.parameters(
    (dict(step_size=0.0, temperature=0.1), r"`step_size` must lie in \(0"),
    (dict(step_size=0.1, temperature=-1.0), r"`temperature` must lie in \[0"),
    (
      dict(step_size=0.1, temperature=0.1, magnet_rate=1.5),
      r"`magnet_rate` must lie in \[0, 1\], got 1.5",
    ),
    (
      dict(step_size=jnp.array([0.1, -2.0]), temperature=0.1),
      r"`step_size` must lie in",
    ),
  )
  def test_refuses_values_out_of_range(self, values, message):
    with self.assertRaisesRegex(ValueError, message):
      magnetic.MagneticMirrorDescent(**values)


if __name__ == "__main__":
  absltest.main()
