"""Tests that geometry for all players is that of each."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.games import base as game_lib
from mdrl.geometry import dilated, mirror_maps, profiles
from mdrl.testing import games


class ProfilesTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.game, _ = games.compiled("kuhn_three_players")
    self.policies = game_lib.random_policies(self.game, jax.random.key(0))
    self.others = game_lib.random_policies(self.game, jax.random.key(1))

  @parameterized.parameters(mirror_maps.NegativeEntropy, mirror_maps.Euclidean)
  def test_is_that_of_every_player(self, make_map):
    geometry, treeplexes = make_map(), self.game.treeplexes
    duals = profiles.to_duals(treeplexes, geometry, self.policies)
    others = profiles.to_duals(treeplexes, geometry, self.others)
    gains = self.game.gains(self.game.plans(self.policies))
    weights = jnp.asarray([0.5, 2.0])
    anchors = [(weights[0], duals), (weights[1], others)]
    moved, values = profiles.prox_values(treeplexes, geometry, gains, anchors)
    mixed = profiles.mix(treeplexes, geometry, anchors)
    back = profiles.to_policies(treeplexes, geometry, duals)
    apart = profiles.divergences(treeplexes, geometry, self.policies, others)
    for i, t in enumerate(treeplexes):
      own = [(weight, dual[i]) for weight, dual in anchors]
      dual, value = dilated.prox(t, geometry, gains[i], own)
      np.testing.assert_array_equal(moved[i], dual)
      np.testing.assert_array_equal(values[i], value)
      np.testing.assert_array_equal(mixed[i], dilated.mix(t, geometry, own))
      np.testing.assert_allclose(
        t.to_table(back[i]), t.to_table(self.policies[i]), atol=1e-14
      )
      np.testing.assert_array_equal(
        apart[i],
        dilated.divergence(t, geometry, self.policies[i], others[i]),
      )

  def test_without_policies_it_is_the_potential(self):
    geometry = mirror_maps.NegativeEntropy()
    zeros = profiles.to_duals(self.game.treeplexes, geometry, None)
    for t, dual in zip(self.game.treeplexes, zeros):
      np.testing.assert_array_equal(dual, np.zeros(t.num_slots))
      self.assertEqual(dual.dtype, self.game.dtype)


if __name__ == "__main__":
  absltest.main()
