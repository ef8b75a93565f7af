"""Tests that subgames with known first stones are ordinary tree games."""

import functools

from absl.testing import absltest
import jax.numpy as jnp
import numpy as np
import pytest

from mdrl import envs, evaluation, run, solvers
from mdrl.games import base as game_lib


@functools.cache
def _compiled():
  env = envs.load("phantom_ttt(first_stones=4/0)", dtype=jnp.float64)
  return env, *envs.compile_environment(env)


class BoardSubgamesTest(absltest.TestCase):
  @pytest.mark.slow
  def test_uniform_play_is_as_exploitable_as_known(self):
    _, game, _ = _compiled()
    self.assertEqual(game.histories.num_histories, 4_896_231)
    infostates = [t.num_infostates for t in game.treeplexes]
    self.assertEqual(infostates, [16_232, 10_027])
    plans = game.plans(game_lib.uniform_policies(game))
    gap = float(evaluation.exploitability(game, plans))
    # From a walk over all histories by another program.
    self.assertAlmostEqual(gap, 0.7372023810, delta=5e-11)

  @pytest.mark.slow
  def test_solvers_run_on_them(self):
    _, game, _ = _compiled()
    solver = solvers.MagneticMirrorDescent(step_size=2.0, temperature=0.02)
    measure = run.of_plans(evaluation.exploitability)
    (gap,) = run.run(solver, game, measure, [10])[1].metrics
    self.assertLess(float(gap), 0.3)

  @pytest.mark.slow
  def test_features_are_native_observations(self):
    env, game, index = _compiled()
    tables = game.histories
    draw = np.random.default_rng(0)
    for _ in range(20):
      state, history = env.root(), jnp.zeros((), jnp.int32)
      while not env.is_terminal(state):
        view = env.view(state)
        player, row = int(view.player), tables.row[history]
        self.assertEqual(int(tables.player[history]), player)
        np.testing.assert_array_equal(
          tables.features(player, row), view.observation
        )
        name = env.names(np.asarray(view.information_state), player)[0]
        self.assertEqual(index[player].row(name), int(row))
        legal = np.flatnonzero(view.legal)
        move = draw.integers(len(legal))
        state = env.act(state, jnp.asarray(legal[move]))
        history = tables.child(history, jnp.asarray(move))
      np.testing.assert_array_equal(tables.utility(history), env.returns(state))


if __name__ == "__main__":
  absltest.main()
