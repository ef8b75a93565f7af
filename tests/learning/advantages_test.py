"""Tests of estimates of advantages."""

import collections

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.envs import base as env_lib
from mdrl.learning import advantages
from mdrl.testing import games

_along_decisions = jax.jit(advantages.along_decisions)


def _by_definition(reward, done, value, last_value, decay):
  """Returns the sums of equation 16, one by one."""
  following = np.where(done, 0, np.append(value[1:], last_value))
  error = reward + following - value
  result = np.zeros_like(error)
  for t in range(len(error)):
    weight = 1.0
    for k in range(t, len(error)):
      result[t] += weight * error[k]
      if done[k]:
        break
      weight *= decay
  return result


class AdvantagesTest(parameterized.TestCase):
  @parameterized.product(decay=[0.0, 0.6, 1.0], seed=[0, 1])
  def test_equals_the_definition(self, decay, seed):
    rng = np.random.default_rng(seed)
    reward, value = rng.normal(size=(2, 20))
    done, last = rng.random(20) < 0.3, rng.normal()
    found = _along_decisions(
      jnp.asarray(reward),
      jnp.asarray(done),
      jnp.asarray(value),
      jnp.asarray(last),
      jnp.asarray(decay),
    )
    wanted = _by_definition(reward, done, value, last, decay)
    np.testing.assert_allclose(found, wanted, atol=1e-12)

  @parameterized.product(decay=[0.0, 0.5, 1.0], player=[0, 1])
  def test_the_mean_is_the_exact_advantage(self, decay, player):
    # Over all games of Kuhn poker under uniform play.
    game, _ = games.compiled("kuhn", histories=True)
    tree = _Tree(game.histories, player)
    total = collections.defaultdict(float)
    weight = collections.defaultdict(float)
    for end in np.flatnonzero(tree.player == env_lib.TERMINAL):
      decisions = tree.decisions(end)
      value = jnp.array([tree.value[row] for row, _ in decisions])
      last = np.arange(len(decisions)) == len(decisions) - 1
      found = _along_decisions(
        jnp.asarray(last * tree.worth[end]),
        jnp.asarray(last),
        value,
        jnp.asarray(99.0),
        jnp.asarray(decay),
      )
      for decision, advantage in zip(decisions, found):
        total[decision] += tree.reach[end] * float(advantage)
        weight[decision] += tree.reach[end]
    self.assertLen(total, 12)
    for (row, slot), weighted in total.items():
      exact = tree.q[row, slot] - tree.value[row]
      self.assertAlmostEqual(
        weighted / weight[row, slot], exact, places=12, msg=f"{row}, {slot}"
      )


class _Tree:
  """A game under uniform play, as one player sees it."""

  def __init__(self, tables, player):
    self.player = np.asarray(tables.player)
    self._parent = np.asarray(tables.parent)
    self._row, self._own = np.asarray(tables.row), player
    self._slot = np.asarray(tables.sequence)[:, player]
    first, count = np.asarray(tables.first_child), len(self._parent)
    chance = np.asarray(tables.probability)
    moves = np.array([first[h + 1] - first[h] for h in range(count)])
    share = np.ones(count)
    for h in range(1, count):
      above = self._parent[h]
      drawn = self.player[above] == env_lib.CHANCE
      share[h] = chance[h] if drawn else 1 / moves[above]
    self.reach, self.worth = np.ones(count), np.zeros(count)
    for h in range(1, count):
      self.reach[h] = self.reach[self._parent[h]] * share[h]
    for h in reversed(range(count)):
      if self.player[h] == env_lib.TERMINAL:
        self.worth[h] = np.asarray(tables.returns)[self._row[h], player]
      if h:
        self.worth[self._parent[h]] += share[h] * self.worth[h]
    self.value = self._means(
      [(self._row[h], h) for h in range(count) if self.player[h] == player]
    )
    self.q = self._means(
      [
        ((self._row[above], self._slot[h]), h)
        for h, above in enumerate(self._parent)
        if h and self.player[above] == player
      ]
    )

  def _means(self, members):
    total = collections.defaultdict(float)
    reach = collections.defaultdict(float)
    for name, h in members:
      total[name] += self.reach[h] * self.worth[h]
      reach[name] += self.reach[h]
    return {name: total[name] / reach[name] for name in total}

  def decisions(self, end):
    """Returns the rows and slots of the player's decisions up to an end."""
    found, h = [], end
    while h:
      above = self._parent[h]
      if self.player[above] == self._own:
        found.append((self._row[above], self._slot[h]))
      h = above
    return found[::-1]


if __name__ == "__main__":
  absltest.main()
