"""Tests of the run loop."""

import inspect

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mdrl import run, struct
from mdrl.evaluation import gaps
from mdrl.games import matrix_game
from mdrl.solvers import averaged, magnetic, mirror_descent, rlhf
from mdrl.testing import games
from mdrl.trees import quantities


def _solver(step_size=0.3):
  return magnetic.MagneticMirrorDescent(step_size=step_size, temperature=0.1)


def _infinite(game, plans):
  del game
  return {"first": jnp.sum(plans[0]), "second": jnp.log(plans[1][1] - 1.0)}


class RunTest(parameterized.TestCase):
  def test_records_every_checkpoint_and_step_zero(self):
    game, _ = games.compiled("kuhn")
    state, trace = run.run(
      _solver(), game, run.of_plans(gaps.nash_conv), [0, 1, 5, 20]
    )
    np.testing.assert_array_equal(trace.step, [0, 1, 5, 20])
    self.assertEqual(int(state.step), 20)
    # NashConv of uniform play in Kuhn poker.
    self.assertAlmostEqual(float(trace.metrics[0]), 11 / 12, delta=1e-15)
    for count, value in zip((1, 5, 20), trace.metrics[1:]):
      alone = run.advance(_solver(), game, run.init(_solver(), game), count)
      plans = _solver().plans(game, alone)
      self.assertAlmostEqual(
        float(gaps.nash_conv(game, plans)), float(value), delta=1e-15
      )

  @pytest.mark.slow
  def test_resumed_equals_uninterrupted_bit_for_bit(self):
    game, _ = games.compiled("leduc")
    whole, trace = run.run(
      _solver(), game, run.of_plans(gaps.nash_conv), [3, 7, 12]
    )
    half, first = run.run(_solver(), game, run.of_plans(gaps.nash_conv), [3])
    end, second = run.run(
      _solver(), game, run.of_plans(gaps.nash_conv), [7, 12], state=half
    )
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(end)):
      np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(
      trace.metrics, np.concatenate([first.metrics, second.metrics])
    )

  def test_a_second_call_does_not_compile(self):
    game, _ = games.compiled("kuhn")
    run.run(_solver(), game, run.of_plans(gaps.exploitability), [0, 4])
    compiled = run._run._cache_size()
    run.run(_solver(0.7), game, run.of_plans(gaps.exploitability), [2, 9])
    self.assertEqual(run._run._cache_size(), compiled)

  def test_a_sweep_is_a_vmap(self):
    game = games.random_zero_sum_game(3, 4)
    steps = jnp.array([0.1, 0.2, 0.5])

    def measure(step_size):
      solver = mirror_descent.MirrorDescent(step_size=step_size)
      return run.run(solver, game, run.of_plans(gaps.duality_gap), [0, 10, 50])[
        1
      ]

    swept = jax.vmap(measure)(steps)
    for k, step_size in enumerate(steps):
      alone = measure(step_size)
      np.testing.assert_allclose(swept.metrics[k], alone.metrics, atol=1e-14)
      np.testing.assert_array_equal(swept.step[k], alone.step)

  def test_a_sweep_over_games_is_a_vmap(self):
    several = [games.random_zero_sum_game(3, 4, seed) for seed in range(3)]
    stacked = jax.tree.map(lambda *x: jnp.stack(x), *several)
    solver = mirror_descent.MirrorDescent(step_size=0.3)
    swept = jax.vmap(
      lambda game: (
        run.run(solver, game, run.of_plans(gaps.duality_gap), [0, 20])[
          1
        ].metrics
      )
    )(stacked)
    for k, game in enumerate(several):
      _, alone = run.run(solver, game, run.of_plans(gaps.duality_gap), [0, 20])
      np.testing.assert_allclose(swept[k], alone.metrics, atol=1e-14)

  def test_sharded_sweep_equals_the_whole(self):
    game = games.random_zero_sum_game(3, 4)
    mesh = jax.make_mesh(
      (4,), ("sweep",), axis_types=(jax.sharding.AxisType.Auto,)
    )
    sharding = jax.sharding.NamedSharding(mesh, jax.P("sweep"))
    steps = jnp.linspace(0.1, 0.8, 8)

    @jax.jit
    def sweep(steps, game):
      def measure(step_size):
        solver = mirror_descent.MirrorDescent(step_size=step_size)
        return run.run(solver, game, run.of_plans(gaps.duality_gap), [0, 30])[
          1
        ].metrics

      return jax.vmap(measure)(steps)

    np.testing.assert_allclose(
      sweep(jax.device_put(steps, sharding), game),
      sweep(steps, game),
      atol=1e-14,
    )

  def test_values_that_are_not_finite_are_data_and_the_host_raises(self):
    game = games.random_zero_sum_game(2, 2)
    _, trace = run.run(_solver(), game, run.of_plans(_infinite), [0, 3])
    self.assertFalse(np.isfinite(trace.metrics["second"]).any())
    with self.assertRaisesRegex(
      ValueError, "`trace` must be finite, got nan for second after 0 updates"
    ):
      run.raise_if_not_finite(trace)

  def test_a_diverging_run_is_reported_with_its_step(self):
    game = matrix_game.zero_sum_game([[0.0, 1e200], [1e200, 0.0]])
    solver = mirror_descent.MirrorDescent(step_size=1e200)
    _, trace = run.run(solver, game, run.of_plans(gaps.nash_conv), [0, 1, 8])
    with self.assertRaisesRegex(ValueError, "step size nearer to 1 /"):
      run.raise_if_not_finite(trace)

  def test_finite_traces_pass(self):
    game = games.random_zero_sum_game(2, 2)
    _, trace = run.run(_solver(), game, run.of_plans(gaps.nash_conv), [0, 3])
    run.raise_if_not_finite(trace)

  @parameterized.parameters(
    ([], "`checkpoints` must be a sequence of whole numbers"),
    (np.array([1.5]), "`checkpoints` must be a sequence of whole numbers"),
    ([3, 3], "`checkpoints` must increase, got \\[3, 3\\]"),
    ([5, 2], "`checkpoints` must increase"),
    ([[1], [2, 3]], "`checkpoints` must be a sequence of whole numbers"),
    (["1"], "`checkpoints` must be a sequence of whole numbers"),
    ([True], "`checkpoints` must be a sequence of whole numbers"),
    ([-1, 2], "`checkpoints` must not lie before `state`"),
  )
  def test_refuses_checkpoints(self, checkpoints, message):
    game = games.random_zero_sum_game(2, 2)
    with self.assertRaisesRegex(ValueError, message):
      inspect.unwrap(run.run)(
        _solver(), game, run.of_plans(gaps.nash_conv), checkpoints
      )

  def test_refuses_checkpoints_before_the_state(self):
    game = games.random_zero_sum_game(2, 2)
    state, _ = run.run(_solver(), game, run.of_plans(gaps.nash_conv), [5])
    with self.assertRaisesRegex(ValueError, "has made 5 updates, got \\[4\\]"):
      run.run(_solver(), game, run.of_plans(gaps.nash_conv), [4], state=state)

  @parameterized.parameters(-5, 2.0, "3", True, None, ([3],), 2**70)
  def test_refuses_numbers_of_updates(self, count):
    game = games.random_zero_sum_game(2, 2)
    state = run.init(_solver(), game)
    with self.assertRaisesRegex(
      ValueError, "`num_updates` must be a whole number from 0 to .*, got"
    ):
      inspect.unwrap(run.advance)(_solver(), game, state, count)

  def test_numbers_of_updates_of_any_integer_type(self):
    game = games.random_zero_sum_game(2, 2)
    state = run.init(_solver(), game)
    advance = inspect.unwrap(run.advance)
    for count in (2, np.int64(2), np.int32(2), jnp.asarray(2)):
      self.assertEqual(advance(_solver(), game, state, count).step, 2)

  def test_refuses_arguments_that_changed_places(self):
    game = games.random_zero_sum_game(2, 2)
    state = run.init(_solver(), game)
    for call in (
      lambda: inspect.unwrap(run.init)(game, _solver()),
      lambda: inspect.unwrap(run.advance)(game, _solver(), state, 1),
      lambda: inspect.unwrap(run.run)(
        game, _solver(), run.of_plans(gaps.nash_conv), [1]
      ),
    ):
      with self.assertRaisesRegex(
        ValueError, "`method` must have `init` and .* got a MatrixGame; the m"
      ):
        call()
    with self.assertRaisesRegex(ValueError, "`game` must be a Game, got a No"):
      inspect.unwrap(run.init)(_solver(), None)

  def test_refuses_games_without_pairs_of_responses(self):
    game = games.random_zero_sum_game(2, 2)
    fitted = rlhf.RLHF(step_size=0.1, temperature=1.0)
    for solver in (fitted, averaged.Averaged(solver=fitted)):
      with self.assertRaisesRegex(
        ValueError, "`game` must be a PreferenceGame, as .* got a MatrixGame"
      ):
        inspect.unwrap(run.init)(solver, game)

  def test_refuses_the_state_of_another_solver(self):
    game = games.random_zero_sum_game(2, 2)
    descent = mirror_descent.MirrorDescent(step_size=0.1)
    state = run.init(descent, game)
    message = (
      "`state` must be a MagneticState of MagneticMirrorDescent on this "
      "problem, got another MirrorDescentState; make the first one by run.init"
    )
    with self.assertRaisesRegex(ValueError, message):
      run.advance(_solver(), game, state, 1)
    with self.assertRaisesRegex(ValueError, message):
      run.run(_solver(), game, run.of_plans(gaps.nash_conv), [1], state=state)
    for other in (None, 3, state.dual):
      with self.assertRaisesRegex(ValueError, "`state` must be a MagneticStat"):
        run.advance(_solver(), game, other, 1)

  def test_refuses_metrics_that_are_no_function(self):
    game = games.random_zero_sum_game(2, 2)
    with self.assertRaisesRegex(ValueError, "`measure` must be a function"):
      inspect.unwrap(run.run)(_solver(), game, None, [1])

  def test_refuses_bare_metrics(self):
    game = games.random_zero_sum_game(2, 2)
    with self.assertRaisesRegex(
      ValueError, r"got nash_conv\(game, plans\); run.of_plans makes one"
    ):
      run.run(_solver(), game, gaps.nash_conv, [1])
    with self.assertRaisesRegex(ValueError, "`metric` must be a function of g"):
      run.of_plans(lambda plans: plans)

  def test_refuses_the_state_of_another_game(self):
    state = run.init(_solver(), games.random_zero_sum_game(2, 2))
    game = games.random_zero_sum_game(3, 2)
    with self.assertRaisesRegex(
      ValueError,
      r"`state` must .* got float64\[3\] and not float64\[4\] at .dual\[0\]",
    ):
      run.advance(_solver(), game, state, 1)

  @parameterized.parameters(np.nan, -0.1, 0.8)
  def test_refuses_first_policies(self, value):
    game = games.random_zero_sum_game(2, 2)
    first, second = (t.uniform for t in game.treeplexes)
    wrong = quantities.Policies((first, second.at[2].set(value)))
    with self.assertRaisesRegex(ValueError, "`policies` must be distributions"):
      run.init(_solver(), game, wrong)
    with self.assertRaisesRegex(ValueError, "`policies` must be distributions"):
      _solver().init(game, wrong)
    with self.assertRaisesRegex(ValueError, "`game.reference` must be distrib"):
      run.init(_solver(), struct.replace(game, reference=wrong))

  @parameterized.parameters((1, 1), (1, 5), (10, 1), (1000, 10), (7, 100))
  def test_log_checkpoints(self, num_updates, num_checkpoints):
    steps = run.log_checkpoints(num_updates, num_checkpoints)
    self.assertEqual(steps[0], 0)
    self.assertEqual(steps[-1], num_updates)
    self.assertTrue((np.diff(steps) > 0).all())
    self.assertLessEqual(len(steps), num_checkpoints + 1)

  def test_log_checkpoints_refuses_zero(self):
    for name, numbers in (
      ("num_updates", (2**70, 3)),
      ("num_checkpoints", (3, 10**10)),
    ):
      with self.assertRaisesRegex(ValueError, f"`{name}` must be at most"):
        run.log_checkpoints(*numbers)
    with self.assertRaisesRegex(ValueError, "`num_updates` must be positive"):
      run.log_checkpoints(0, 3)
    for value in (2.5, np.nan, "3"):
      with self.assertRaisesRegex(ValueError, "must be a whole number, got"):
        inspect.unwrap(run.log_checkpoints)(3, value)


class LargeCheckpointsTest(parameterized.TestCase):
  @parameterized.product(last=(2**53 + 1, 2**63 - 1), count=(1, 4))
  def test_end_at_the_last_update(self, last, count):
    steps = run.log_checkpoints(last, count).tolist()
    self.assertEqual((steps[0], steps[-1]), (0, last))
    self.assertEqual(steps, sorted(set(steps)))


if __name__ == "__main__":
  absltest.main()
