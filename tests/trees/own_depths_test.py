"""Tests of own depths against their definition."""

from absl.testing import absltest
import numpy as np

from mdrl.trees import own_depths


def _slowly(parent, owner):
  depths = []
  for above in parent:
    depths.append(0 if above == 0 else depths[owner[above - 1]] + 1)
  return depths


class OwnDepthsTest(absltest.TestCase):
  def test_depths_are_those_of_the_definition(self):
    for seed in range(20):
      rng = np.random.default_rng(seed)
      width = rng.integers(1, 3, 40)
      parent = rng.integers(0, 1 + np.cumsum(width) - width)
      owner = np.repeat(np.arange(40), width)
      self.assertEqual(
        own_depths.own_depths(parent, owner).tolist(), _slowly(parent, owner)
      )

  def test_a_player_may_have_no_infostate(self):
    none = np.zeros(0, int)
    self.assertEqual(own_depths.own_depths(none, none).shape, (0,))

  def test_as_many_levels_as_allowed(self):
    chain = np.arange(own_depths.MAX_LEVELS)
    depths = own_depths.own_depths(chain, chain)
    self.assertEqual(depths.tolist(), chain.tolist())

  def test_too_many_levels_are_refused(self):
    chain = np.arange(own_depths.MAX_LEVELS + 1)
    with self.assertRaisesRegex(
      ValueError, "at most 250 decisions of one player, got 251"
    ):
      own_depths.own_depths(chain, chain)

  def test_circles_are_refused(self):
    for parent in ([1], [0, 3, 2], [2, 1]):
      with self.assertRaisesRegex(ValueError, "`parent` must lead up to the "):
        own_depths.own_depths(np.array(parent), np.arange(len(parent)))


if __name__ == "__main__":
  absltest.main()
