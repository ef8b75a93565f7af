"""Tests of the exact exploitability of policies against tree games."""

import dataclasses
import unittest

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mdrl import envs, judges, policies
from mdrl.envs import compilation
from mdrl.evaluation import gaps
from mdrl.judges import board_native
from mdrl.policies import infostates, networks

_NATIVE = board_native.compiler() is not None
_SMALL = {
  "hex": envs.DarkHex(num_rows=2, num_cols=2),
  "abrupt_hex": envs.DarkHex(num_rows=2, num_cols=2, abrupt=True),
  "lines": envs.PhantomTicTacToe(side=2, abrupt=True),
}


def _network(env, seed):
  """Returns a network with random parameters."""
  rng = np.random.default_rng(seed)
  architecture = policies.Architecture(
    num_players=2,
    num_actions=env.num_actions,
    observation_size=env.observation_size,
    width=8,
  )
  shapes = jax.eval_shape(
    lambda key: networks.init(architecture, key).parameters, jax.random.key(0)
  )
  parameters = jax.tree.map(
    lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), leaf.dtype), shapes
  )
  return policies.NetworkPolicy(
    parameters=parameters, architecture=architecture
  )


class BoardPoliciesTest(parameterized.TestCase):
  def _check(self, env, methods):
    game, index = compilation.compile_environment(env)
    network = _network(env, seed=3)
    seen = infostates.of_game(game, index)
    plans = game.plans(policies.to_policies(network, seen))
    expected = float(gaps.exploitability(game, plans))
    self.assertGreater(expected, 0.01)
    values = np.asarray(game.values(plans))
    for method in methods:
      found = judges.exact_board_exploitability(
        env, network, method=method, batch_size=100
      )
      self.assertAlmostEqual(found.exploitability, expected, places=12)
      np.testing.assert_allclose(found.values, values, atol=1e-12)

  @unittest.skipUnless(_NATIVE, "there is no C++ compiler")
  @parameterized.parameters(*_SMALL)
  def test_networks_are_worth_what_they_are_in_the_tree(self, name):
    self._check(_SMALL[name], ["native"])

  @pytest.mark.slow
  def test_networks_are_worth_the_same_on_the_device(self):
    self._check(_SMALL["abrupt_hex"], ["device"])
    env = envs.DarkHex(num_rows=2, num_cols=3, first_stones=(0, 4), abrupt=True)
    self._check(env, ["device"])

  def test_errors_name_what_was_expected(self):
    env = _SMALL["hex"]
    network = _network(env, seed=0)
    with self.assertRaisesRegex(ValueError, "`method` must be one of"):
      judges.exact_board(env, method="cloud")
    with self.assertRaisesRegex(ValueError, r"`num_cells` must lie in"):
      judges.exact_board(envs.DarkHex(num_rows=4, num_cols=3))
    with self.assertRaisesRegex(ValueError, "`batch_size` must be at least 1"):
      judges.exact_board_exploitability(
        env, network, board=judges.exact_board(env), batch_size=0
      )
    recurrent = networks.NetworkPolicy(
      parameters=network.parameters,
      architecture=dataclasses.replace(network.architecture, torso="gru"),
    )
    with self.assertRaisesRegex(ValueError, "`policy` must be feed-forward"):
      judges.exact_board_exploitability(
        env, recurrent, board=judges.exact_board(env)
      )


if __name__ == "__main__":
  absltest.main()
