"""Tests of policies at every infostate against histories and NumPy."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.evaluation import gaps
from mdrl.policies import evaluation, infostates, masks, networks, table
from mdrl.testing import games
from mdrl.trees import quantities

_GAMES = ("kuhn", "kuhn_three_players", "leduc", "general_sum")


def _compiled(name):
  game, index = games.compiled(name, histories=True)
  return game, index, infostates.of_game(game, index)


def _random_policies(index, seed):
  """Returns random policies, some of whose probabilities are zero."""
  rng = np.random.default_rng(seed)
  policies = []
  for own in index.players:
    policy = np.zeros(len(own.action))
    for row in range(len(own.start)):
      weights = rng.random(own.width[row]) * (rng.random(own.width[row]) < 0.8)
      weights[rng.integers(len(weights))] += 0.1
      policy[own.slots(row)] = weights / weights.sum()
    policies.append(jnp.asarray(policy))
  return quantities.Policies(policies)


def _network(everywhere, seed=0, **options):
  """Returns a network with random parameters, made without compiling."""
  rng = np.random.default_rng(seed)
  architecture = networks.architecture_lib.Architecture(
    num_players=len(everywhere.players),
    num_actions=everywhere.num_actions,
    observation_size=everywhere.observation_size,
    width=6,
    **options,
  )
  shapes = jax.eval_shape(
    lambda key: networks.init(architecture, key).parameters, jax.random.key(0)
  )
  return networks.NetworkPolicy(
    parameters=jax.tree.map(
      lambda leaf: jnp.asarray(rng.normal(size=leaf.shape)), shapes
    ),
    architecture=architecture,
  )


_apply = jax.jit(lambda policy, view, carry: policy(view, carry))


def _path(tables, history):
  """Returns the histories from the root to one."""
  path = [history]
  while (history := int(tables.parent[history])) >= 0:
    path.append(history)
  return path[::-1]


class TableTest(parameterized.TestCase):
  @parameterized.parameters(*_GAMES)
  def test_policies_come_back(self, name):
    _, index, everywhere = _compiled(name)
    policies = _random_policies(index, 0)
    own = table.from_policies(policies, everywhere)
    back = evaluation.to_policies(own, everywhere)
    self.assertIsInstance(back, quantities.Policies)
    for ours, theirs in zip(back, policies, strict=True):
      np.testing.assert_allclose(ours[1:], theirs[1:], atol=1e-15)
      self.assertGreater(np.ptp(theirs[1:]), 0.1)

  @parameterized.parameters("kuhn_three_players", "leduc")
  def test_a_row_says_what_the_index_says(self, name):
    _, index, everywhere = _compiled(name)
    policies = _random_policies(index, 1)
    own = table.from_policies(policies, everywhere)
    for player, (names, policy) in enumerate(
      zip(index.players, policies, strict=True)
    ):
      rows = jnp.arange(len(names.start), dtype=jnp.int32)
      views = everywhere.views(player, rows)
      outputs, _ = jax.vmap(own, in_axes=(0, None))(views, ())
      found = np.asarray(masks.probabilities(outputs.logits, views.legal))
      np.testing.assert_array_equal(outputs.value, 0)
      for row, of in enumerate(
        names.probabilities(np.asarray(policy)).values()
      ):
        expected = np.zeros(everywhere.num_actions)
        expected[list(of)] = list(of.values())
        np.testing.assert_allclose(found[row], expected, atol=1e-15)

  @parameterized.parameters(*_GAMES)
  def test_uniform_is_that_of_the_treeplexes(self, name):
    game, _, everywhere = _compiled(name)
    found = evaluation.to_policies(table.UniformPolicy(), everywhere)
    for ours, treeplex in zip(found, game.treeplexes, strict=True):
      np.testing.assert_allclose(ours[1:], treeplex.uniform[1:], atol=1e-15)

  def test_of_another_game_is_refused(self):
    _, index, _ = _compiled("kuhn")
    _, _, other = _compiled("general_sum")
    with self.assertRaisesRegex(ValueError, "`policies` must be of the game"):
      table.from_policies(_random_policies(index, 0), other)


class NetworkTest(parameterized.TestCase):
  @parameterized.product(name=_GAMES, torso=("mlp", "gru"))
  def test_equals_play_along_histories(self, name, torso):
    game, index, everywhere = _compiled(name)
    policy = _network(everywhere, torso=torso)
    found = evaluation.to_policies(policy, everywhere)
    tables = jax.tree.map(np.asarray, game.histories)
    rng = np.random.default_rng(0)
    decisions = np.flatnonzero(tables.player >= 0)
    deepest = decisions[-1]
    for history in (deepest, *rng.choice(decisions, 6)):
      player, carry = int(tables.player[history]), policy.init_carry()
      for node in _path(tables, history):
        if tables.player[node] == player:
          row = int(tables.row[node])
          seen = np.zeros(everywhere.observation_size)
          own = tables.infostates[player].features[row]
          seen[: len(own)] = own
          names = index.players[player]
          actions = names.action[names.slots(row)]
          legal = np.isin(np.arange(everywhere.num_actions), actions)
          view = everywhere.views(player, jnp.array([row], jnp.int32))
          np.testing.assert_array_equal(view.observation[0], seen)
          np.testing.assert_array_equal(view.legal[0], legal)
          outputs, carry = _apply(
            policy, jax.tree.map(lambda x: x[0], view), carry
          )
      logits = np.asarray(outputs.logits)[actions]
      expected = np.exp(logits - logits.max())
      np.testing.assert_allclose(
        found[player][names.slots(row)],
        expected / expected.sum(),
        atol=1e-12,
        err_msg=f"history {history}",
      )

  @parameterized.parameters("mlp", "gru")
  def test_batches_do_not_matter(self, torso):
    _, _, everywhere = _compiled("leduc")
    policy = _network(everywhere, torso=torso)
    whole = evaluation.outputs_everywhere(policy, everywhere)
    parts = evaluation.outputs_everywhere(policy, everywhere, batch_size=100)
    for ours, theirs in zip(
      jax.tree.leaves(parts), jax.tree.leaves(whole), strict=True
    ):
      np.testing.assert_allclose(ours, theirs, atol=1e-12)
      self.assertGreater(np.ptp(theirs), 0.1)

  def test_exploitability_of_a_network_is_one_call(self):
    game, _, everywhere = _compiled("kuhn")
    policy = _network(everywhere, separate_critic=True)

    @jax.jit
    def exploitability(scale):
      scaled = jax.tree.map(lambda x: scale * x, policy)
      plans = game.plans(evaluation.to_policies(scaled, everywhere))
      return gaps.exploitability(game, plans)

    # Without parameters play is uniform, which misses 11 / 24 on Kuhn poker.
    self.assertAlmostEqual(float(exploitability(0.0)), 11 / 24)
    self.assertNotAlmostEqual(float(exploitability(1.0)), 11 / 24)

  def test_dtype_is_that_of_the_game(self):
    for dtype in (jnp.float32, jnp.float64):
      game, index = games.compiled("kuhn", dtype, histories=True)
      everywhere = infostates.of_game(game, index)
      policies = evaluation.to_policies(table.UniformPolicy(), everywhere)
      self.assertEqual({x.dtype for x in policies}, {jnp.dtype(dtype)})

  def test_no_batch_is_refused(self):
    _, _, everywhere = _compiled("kuhn")
    with self.assertRaisesRegex(ValueError, "`batch_size` must be at least 1"):
      evaluation.to_policies(table.UniformPolicy(), everywhere, batch_size=0)


class InfostatesTest(absltest.TestCase):
  def test_histories_are_needed(self):
    game, index = games.compiled("kuhn")
    with self.assertRaisesRegex(ValueError, "compile it with histories=True"):
      infostates.of_game(game, index)

  def test_other_indices_are_refused(self):
    game, _, _ = _compiled("kuhn")
    _, index, _ = _compiled("leduc")
    with self.assertRaisesRegex(ValueError, "`index` must be the index"):
      infostates.of_game(game, index)


if __name__ == "__main__":
  absltest.main()
