"""Tests that policies have one value: here, as tables, and in OpenSpiel."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
from open_spiel.python.algorithms import expected_game_score, exploitability
import pyspiel
import pytest

from mdrl.compile import policy_bridge
from mdrl.evaluation import gaps
from mdrl.policies import (
  architecture,
  evaluation,
  infostates,
  networks,
  openspiel,
  table,
)
from mdrl.testing import games

_TOLERANCES = ((jnp.float32, 1e-5), (jnp.float64, 1e-12))


def _compiled(name, dtype=jnp.float64):
  game, index = games.compiled(name, dtype, histories=True)
  return game, index, infostates.of_game(game, index)


def _network(everywhere, seed=0, **options):
  """Returns a network with random parameters, made without compiling."""
  rng = np.random.default_rng(seed)
  own = architecture.Architecture(
    num_players=len(everywhere.players),
    num_actions=everywhere.num_actions,
    observation_size=everywhere.observation_size,
    width=6,
    **options,
  )
  shapes = jax.eval_shape(
    lambda key: networks.init(own, key).parameters, jax.random.key(0)
  )
  return networks.NetworkPolicy(
    parameters=jax.tree.map(
      lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), everywhere.dtype),
      shapes,
    ),
    architecture=own,
  )


def _value(name, policy):
  state = pyspiel.load_game(games.TREES[name]).new_initial_state()
  return expected_game_score.policy_value(state, [policy] * state.num_players())


class ValueTest(parameterized.TestCase):
  @parameterized.product(
    name=("kuhn", "kuhn_three_players"),
    torso=("mlp", "gru"),
    precision=_TOLERANCES,
  )
  def test_network_table_and_openspiel_agree(self, name, torso, precision):
    self.check_agreement(name, torso, *precision)

  @parameterized.parameters(*_TOLERANCES)
  @pytest.mark.slow
  def test_they_agree_on_leduc(self, *precision):
    self.check_agreement("leduc", "mlp", *precision)

  def check_agreement(self, name, torso, dtype, tolerance):
    game, index, everywhere = _compiled(name, dtype)
    network = _network(everywhere, torso=torso)
    policies = evaluation.to_policies(network, everywhere)
    ours = np.asarray(game.values(game.plans(policies)))
    own_table = table.from_policies(policies, everywhere)
    again = evaluation.to_policies(own_table, everywhere)
    of_table = np.asarray(game.values(game.plans(again)))
    for other in (
      of_table,
      _value(name, openspiel.to_openspiel(network, games.TREES[name])),
      _value(
        name,
        openspiel.to_openspiel(own_table, games.TREES[name], index=index),
      ),
    ):
      np.testing.assert_allclose(other, ours, atol=tolerance, rtol=0)
    self.assertGreater(np.abs(ours).max(), 0.01)

  @pytest.mark.slow
  def test_exploitability_of_a_network_is_that_of_openspiel(self):
    game, index, everywhere = _compiled("leduc")
    policies = evaluation.to_policies(_network(everywhere), everywhere)
    spiel = pyspiel.load_game("leduc_poker")
    theirs = policy_bridge.to_openspiel(spiel, index, policies)
    self.assertAlmostEqual(
      float(gaps.exploitability(game, game.plans(policies))),
      exploitability.exploitability(spiel, theirs),
      places=11,
    )


class PlayTest(parameterized.TestCase):
  def test_uniform_plays_games_without_tables(self):
    name = "phantom_ttt"
    uniform = openspiel.to_openspiel(table.UniformPolicy(), name)
    state = pyspiel.load_game(name).new_initial_state()
    state.apply_action(4)
    state.apply_action(0)
    found = uniform.action_probabilities(state)
    legal = state.legal_actions()
    np.testing.assert_allclose(list(found.values()), 1 / len(legal))
    self.assertEqual(list(found), legal)
    self.assertIn(uniform.sample_action(state), legal)

  def test_samples_in_single_precision(self):
    _, _, everywhere = _compiled("leduc", jnp.float32)
    played = openspiel.to_openspiel(_network(everywhere), "leduc_poker")
    state = pyspiel.load_game("leduc_poker").new_initial_state()
    state.apply_action(0)
    state.apply_action(3)
    for _ in range(10):
      self.assertIn(played.sample_action(state), state.legal_actions())

  def test_other_games_are_refused(self):
    _, _, everywhere = _compiled("kuhn")
    network = _network(everywhere)
    played = openspiel.to_openspiel(network, "leduc_poker")
    state = pyspiel.load_game("leduc_poker").new_initial_state()
    state.apply_action(0)
    state.apply_action(3)
    with self.assertRaisesRegex(ValueError, "`policy` must be made for"):
      played.action_probabilities(state)
    policies = evaluation.to_policies(network, everywhere)
    own = table.from_policies(policies, everywhere)
    with self.assertRaisesRegex(ValueError, "`index` must be given"):
      openspiel.to_openspiel(own, "kuhn_poker")
    _, other = games.compiled("leduc", histories=True)
    with self.assertRaisesRegex(ValueError, "`policy` must be a table of"):
      openspiel.to_openspiel(own, "kuhn_poker", index=other)
    with self.assertRaisesRegex(ValueError, "must give its information"):
      policy_bridge.play(
        pyspiel.load_game("chess"),
        lambda *_: (np.ones(1), None),
        by="information_state_tensor",
      )


if __name__ == "__main__":
  absltest.main()
