"""Tests of SPO with a queue of recent samples."""

from absl.testing import absltest, parameterized
import jax
import numpy as np

from mdrl import run
from mdrl.games import preference_game
from mdrl.solvers import preference_variants, spo_queue
from tests.solvers import preferences as oracle


def _solver(**changes):
  return spo_queue.QueueSPO(**{"step_size": 0.1, "length": 16} | changes)


class QueueSPOTest(parameterized.TestCase):
  def test_new_samples_push_out_the_oldest(self):
    game, solver = oracle.game(oracle.HARD), _solver(num_samples=3)
    state = run.init(solver, game)
    after = run.advance(solver, game, state, 1)
    self.assertEqual(state.queue.shape, (1, 16))
    np.testing.assert_array_equal(after.queue[:, :13], state.queue[:, 3:])

  def test_the_reward_is_the_share_of_the_queue_that_is_beaten(self):
    game, solver = oracle.game(oracle.HARD), _solver()
    after = run.advance(solver, game, run.init(solver, game), 1)
    beaten = oracle.HARD[:, np.asarray(after.queue[0])].mean(axis=1)
    expected = oracle.softmax(np.log(oracle.REFERENCE) + 0.1 * beaten)
    (policy,) = solver.last_policies(game, after)
    np.testing.assert_allclose(policy[1:], expected, atol=1e-14)

  def test_samples_follow_the_policy(self):
    game = oracle.game(oracle.HARD)
    state = run.init(_solver(length=20_000), game)
    counts = np.bincount(np.asarray(state.queue[0]), minlength=3)
    np.testing.assert_allclose(counts / 20_000, oracle.REFERENCE, atol=0.015)

  def test_every_context_has_samples_of_its_own(self):
    game = preference_game.preference_game(
      np.stack([oracle.HARD, oracle.DICE]),
      np.array([[0.98, 0.01, 0.01], [0.01, 0.01, 0.98]]),
    )
    solver = _solver(length=1000, num_samples=1000)
    first = run.init(solver, game)
    # All that the second state holds was drawn by the update.
    for state in (first, run.advance(solver, game, first, 1)):
      queue = np.asarray(state.queue)
      self.assertEqual(queue.shape, (2, 1000))
      self.assertGreater(np.mean(queue[0] == 0), 0.9)
      self.assertGreater(np.mean(queue[1] == 2), 0.9)

  def test_seeds_decide_the_samples(self):
    game = oracle.game(oracle.HARD)
    queues = [
      np.asarray(run.init(_solver(seed=seed), game).queue) for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(queues[0], queues[1])
    self.assertTrue((queues[0] != queues[2]).any())

  def test_fresh_samples_reward_win_rates_on_average(self):
    game, count = oracle.game(oracle.HARD), 4000

    @jax.jit
    def log_ratio(seed):
      solver = _solver(seed=seed, length=2, num_samples=2)
      state = solver.init(game)
      after = solver.update(game, state)
      return (after.dual[0] - state.dual[0])[1:]

    ratios = np.asarray(jax.vmap(log_ratio)(np.arange(count)))
    rewards = (ratios - ratios[:, -1:]) / 0.1
    wins = oracle.HARD @ oracle.REFERENCE
    np.testing.assert_allclose(
      rewards.mean(axis=0), wins - wins[-1], atol=4 / np.sqrt(2 * count)
    )

  def test_large_samples_give_spo(self):
    game = oracle.game(oracle.HARD)
    solver = _solver(length=20_000, num_samples=20_000)
    np.testing.assert_allclose(
      oracle.policy_after(solver, game, 30),
      oracle.policy_after(preference_variants.spo(0.1), game, 30),
      atol=5e-3,
    )

  def test_the_average_nears_the_minimax_winner_for_all_seeds(self):
    game = oracle.game(oracle.HARD)

    @jax.jit
    def final(seed):
      solver = spo_queue.QueueSPO(step_size=0.03, seed=seed)
      state = solver.init(game)
      state = jax.lax.fori_loop(
        0, 5000, lambda _, s: solver.update(game, s), state
      )
      return solver.policies(game, state)[0]

    for policy in np.asarray(jax.vmap(final)(np.arange(5)))[:, 1:]:
      self.assertLess(oracle.gap(oracle.HARD, policy), 0.06)

  def test_refuses_more_samples_than_the_queue_holds(self):
    with self.assertRaisesRegex(ValueError, "num_samples"):
      _solver(num_samples=17)


if __name__ == "__main__":
  absltest.main()
