"""Tests of the learners of one player's decisions."""

import functools

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mdrl import judges, policies, run, struct
from mdrl.envs import compiled
from mdrl.judges import responses
from mdrl.learning import seats
from mdrl.learning.learners import dqn, ppo
from mdrl.testing import games, method_checks

_SMALL = {"width": 16, "depth": 1, "num_games": 64}
_LEARNERS = {
  "dqn": dqn.DQN(
    **_SMALL,
    capacity=2048,
    batch_size=256,
    num_fits=4,
    learning_rate=5e-3,
    target_rate=0.1,
  ),
  "ppo": ppo.PPO(**_SMALL, num_steps=4, num_batches=2, learning_rate=5e-3),
}


@functools.cache
def _seat(player):
  game, index = games.compiled("kuhn", histories=True)
  return seats.Seat(
    env=compiled.environment(game, index),
    policy=policies.UniformPolicy(),
    seat=jnp.asarray(player, jnp.int32),
  )


def _best(learner, state, player):
  """Returns the exact gain of what has been learned, and of a best response."""
  game, index = games.compiled("kuhn", histories=True)
  infostates = policies.of_game(game, index)
  uniform = policies.to_policies(policies.UniformPolicy(), infostates)
  learned = responses.Greedy(policy=learner.policy(state))
  mixed = list(uniform)
  mixed[player] = policies.to_policies(learned, infostates)[player]
  plans = game.plans(type(uniform)(mixed))
  exact = judges.judge(game, uniform)
  return game.values(plans)[player] - exact.values[player], exact.gains[player]


class LearnersTest(parameterized.TestCase):
  @parameterized.product(name=list(_LEARNERS), player=[0, 1])
  @pytest.mark.slow
  def test_finds_nearly_a_best_response(self, name, player):
    learner, seat = _LEARNERS[name], _seat(player)
    state = run.advance(learner, seat, run.init(learner, seat), 60)
    gain, most = _best(learner, state, player)
    self.assertGreater(gain, 0.95 * most)
    self.assertLessEqual(gain, most + 1e-12)

  @parameterized.parameters(*_LEARNERS)
  @pytest.mark.slow
  def test_keeps_the_contract_of_methods(self, name):
    method_checks.check_method(
      struct.replace(_LEARNERS[name], seed=3), _seat(1), num_updates=2
    )

  @parameterized.parameters(0, 1)
  def test_memory_holds_decisions_of_the_player_alone(self, player):
    learner, seat = _LEARNERS["dqn"], _seat(player)
    state = run.advance(learner, seat, run.init(learner, seat), 20)
    held = jax.tree.map(lambda x: x[: 64 * 20], state.memory.samples)
    np.testing.assert_array_equal(held.weight, 1)
    np.testing.assert_array_equal(held.view.player, player)
    np.testing.assert_array_equal(held.next_view.player, player)
    goes_on = ~np.asarray(held.done)
    # Only the first player decides twice in a game of Kuhn poker, and then
    # with its own first move behind it.
    self.assertEqual(bool(goes_on.any()), player == 0)
    rows = np.asarray(held.next_view.information_state)[goes_on]
    self.assertTrue(np.all(rows[:, 1] > 0))
    np.testing.assert_array_equal(np.asarray(held.reward)[goes_on], 0)
    self.assertTrue(np.all(np.asarray(held.reward)[~goes_on] != 0))
    legal = np.asarray(held.view.legal)
    self.assertTrue(np.all(legal[np.arange(len(legal)), held.action]))

  @pytest.mark.slow
  def test_the_target_follows_slowly(self):
    learner = struct.replace(_LEARNERS["dqn"], num_fits=1)
    first = run.init(learner, _seat(0))
    second = run.advance(learner, _seat(0), first, 1)
    for old, new, target in zip(
      *map(jax.tree.leaves, (first.target, second.network, second.target))
    ):
      np.testing.assert_allclose(target, old + 0.1 * (new - old), atol=1e-12)

  def test_goes_on_from_a_network(self):
    learner, seat = _LEARNERS["ppo"], _seat(0)
    start = run.advance(learner, seat, run.init(learner, seat), 2).policy
    state = run.init(learner, seat, start)
    for own, given in zip(*map(jax.tree.leaves, (state.policy, start))):
      np.testing.assert_array_equal(own, given)


if __name__ == "__main__":
  absltest.main()
