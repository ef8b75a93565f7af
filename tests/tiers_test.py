"""Tests of programs that are compiled in tiers."""

import inspect
import threading
from unittest import mock

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run, tiers
from mdrl.evaluation import gaps
from mdrl.solvers import magnetic
from mdrl.testing import games


def _solver():
  return magnetic.MagneticMirrorDescent(
    step_size=0.3, temperature=0.1, magnet_rate=0.05
  )


def _squared(x):
  return x * x


def _doubled(x, count):
  """Doubles a number as often as asked."""
  return jax.lax.fori_loop(0, count, lambda _, y: 2 * y, x)


def _begun():
  """Returns a program in two tiers that has made all updates it planned."""
  two = tiers.TwoTiers(jax.jit(_doubled), planned=1)
  assert two(jnp.ones(()), 1) == 2
  return two


def _needs_two_tiers(test):
  def run_if_there_are(self, *args):
    if not tiers.quick_options():
      self.skipTest("this version of XLA has one tier")
    test(self, *args)

  return run_if_there_are


class EarlyTest(parameterized.TestCase):
  @parameterized.parameters(tiers.once, tiers.quick)
  def test_is_a_function_like_any_other(self, compiled):
    f = compiled(_squared)
    x = jnp.arange(3.0)
    np.testing.assert_array_equal(f(x), x * x)
    np.testing.assert_array_equal(jax.jit(f)(x), x * x)
    np.testing.assert_array_equal(jax.jit(lambda: f(x))(), x * x)
    np.testing.assert_array_equal(jax.vmap(f)(x[None]), (x * x)[None])
    np.testing.assert_array_equal(jax.grad(lambda y: f(y).sum())(x), 2 * x)
    np.testing.assert_array_equal(jax.jvp(f, (x,), (x,))[1], 2 * x * x)
    self.assertEqual(jax.eval_shape(f, x).shape, (3,))
    looped = jax.lax.fori_loop(0, 2, lambda _, y: f(x) + y, x)
    np.testing.assert_array_equal(looped, 2 * x * x + x)

  @parameterized.parameters(tiers.once, tiers.quick)
  def test_takes_static_arguments(self, compiled):
    f = compiled(lambda x, *, sign: x if sign else -x, static_argnames="sign")
    self.assertEqual(f(jnp.ones(()), sign=False), -1)
    self.assertEqual(f(jnp.ones(()), sign=True), 1)

  def test_compiles_once_for_each_shape(self):
    traces = []
    f = tiers.quick(lambda x: traces.append(0) or x + 1)
    f(jnp.ones(2)), f(jnp.zeros(2))
    self.assertLen(traces, 1)
    f(jnp.ones(3))
    self.assertLen(traces, 2)

  def test_options_are_those_that_xla_knows(self):
    self.assertTrue(tiers._accepted("xla_backend_optimization_level", 1))
    self.assertFalse(tiers._accepted("xla_no_such_option", 1))
    # Programs that run once are compiled early on all versions of XLA.
    self.assertEqual(tiers._once_options()["xla_backend_optimization_level"], 0)

  def test_accelerators_have_one_tier(self):
    with mock.patch.object(jax, "default_backend", return_value="gpu"):
      self.assertEqual(dict(tiers._once_options()), {})
      self.assertEqual(dict(tiers.quick_options()), {})
      two = tiers.TwoTiers(jax.jit(_doubled))
      self.assertEqual(two(jnp.ones(()), 3), 8)
      two.settle()
    self.assertIsNone(two._thread)


class TwoTiersTest(parameterized.TestCase):
  @_needs_two_tiers
  def test_the_fast_program_takes_over_and_changes_nothing(self):
    two = _begun()
    quick = two._program
    two.settle()
    # Zero updates would compare nothing.
    self.assertEqual(two(jnp.ones(()), 0), 1)
    self.assertIs(two._program, quick)
    self.assertEqual(two(jnp.ones(()), 2), 4)
    self.assertIsNot(two._program, quick)
    self.assertIsNone(two._lowered)
    self.assertEqual(two(jnp.ones(()), 5), 32)
    two.settle()
    self.assertEqual(two(jnp.ones(()), 5), 32)

  @_needs_two_tiers
  def test_a_program_with_other_bits_never_takes_over(self):
    two = _begun()
    quick = two._program
    two.settle()
    two._found = lambda x, count: -_doubled(x, count)
    # Negative zero is another zero.
    self.assertEqual(two(jnp.zeros(()), 1), 0)
    self.assertIs(two._program, quick)
    two.settle()
    self.assertEqual(two(jnp.ones(()), 4), 16)
    self.assertIs(two._program, quick)

  @_needs_two_tiers
  def test_errors_in_the_background_leave_the_quick_program(self):
    two = _begun()
    two._lowered = mock.Mock()
    two._lowered.compile.side_effect = RuntimeError("out of memory")
    two.settle()
    with self.assertWarnsRegex(UserWarning, "could not be.*out of memory"):
      self.assertEqual(two(jnp.ones(()), 3), 8)
    self.assertEqual(two(jnp.ones(()), 3), 8)

  @_needs_two_tiers
  def test_a_thread_is_known_while_it_compiles(self):
    two = _begun()
    go, begun = threading.Event(), threading.Event()

    def compile():
      begun.set()
      go.wait(60)
      return two._program

    two._lowered = mock.Mock(compile=compile)
    self.assertFalse(tiers.is_compiling())
    with mock.patch.object(tiers.TwoTiers, "_pays", return_value=True):
      self.assertEqual(two(jnp.ones(()), 2), 4)
    begun.wait(60)
    self.assertTrue(tiers.is_compiling())
    # Work goes on meanwhile.
    self.assertEqual(two(jnp.ones(()), 3), 8)
    go.set()
    two.settle()
    self.assertFalse(tiers.is_compiling())

  @_needs_two_tiers
  def test_compiles_the_fast_program_only_if_it_pays(self):
    # Seconds spent, updates made and planned, cores, and whether it pays where
    # the quick program took a second to compile.
    for spent, made, planned, cores, pays in (
      (0.5, 10, None, 2, False),
      (2.0, 10, None, 2, True),
      (2.0, 10, 10, 2, False),
      (2.0, 10, 12, 2, False),
      (0.5, 10, 100, 2, True),
      (0.5, 10, 100, 1, False),
      (1.0, 10, 100, 1, True),
    ):
      two = tiers.TwoTiers(jax.jit(_doubled), planned)
      two._compile_seconds, two._seconds, two._made = 1.0, spent, made
      with mock.patch.object(tiers, "_num_cores", return_value=cores):
        self.assertEqual(bool(two._pays()), pays, (spent, made, planned, cores))

  def test_same_bits_tells_zeros_and_nans_apart(self):
    nan = jnp.array([jnp.nan, 1.0])
    self.assertTrue(tiers.same_bits((nan,), (nan,)))
    self.assertFalse(tiers.same_bits((nan,), (nan + 1,)))
    self.assertFalse(tiers.same_bits(jnp.zeros(1), -jnp.zeros(1)))
    keys = jax.random.key(0), jax.random.key(1)
    self.assertTrue(tiers.same_bits(keys, keys))
    self.assertFalse(tiers.same_bits(keys[0], keys[1]))


class RunTest(parameterized.TestCase):
  def test_a_run_in_two_tiers_ends_in_the_same_state(self):
    game, _ = games.compiled("kuhn")
    metric, points = run.of_plans(gaps.exploitability), [0, 3, 40, 1000]
    whole, expected = run.run(_solver(), game, metric, points)
    with mock.patch.object(tiers.TwoTiers, "_pays", return_value=True):
      state, trace = run.run(_solver(), game, metric, points, two_tiers=True)
    self.assertTrue(tiers.same_bits(state, whole))
    np.testing.assert_array_equal(trace.step, expected.step)
    np.testing.assert_allclose(trace.metrics, expected.metrics, rtol=1e-12)

  def test_goes_on_from_a_state(self):
    game, _ = games.compiled("kuhn")
    metric = run.of_plans(gaps.exploitability)
    whole, _ = run.run(_solver(), game, metric, [60], two_tiers=True)
    half, _ = run.run(_solver(), game, metric, [25], two_tiers=True)
    end, trace = run.run(
      _solver(), game, metric, [25, 60], half, two_tiers=True
    )
    self.assertTrue(tiers.same_bits(end, whole))
    self.assertEqual(trace.step.tolist(), [25, 60])

  def test_refuses_two_tiers_within_a_transformation(self):
    game, _ = games.compiled("kuhn")
    metric = run.of_plans(gaps.exploitability)

    def swept(step_size):
      solver = magnetic.MagneticMirrorDescent(
        step_size=step_size, temperature=0.1
      )
      return run.run(solver, game, metric, [1], two_tiers=True)[1].metrics

    with self.assertRaisesRegex(ValueError, "`two_tiers` must be False inside"):
      jax.vmap(swept)(jnp.array([0.1, 0.2]))

  def test_advance_refuses_what_run_advance_refuses(self):
    game, _ = games.compiled("kuhn")
    with self.assertRaisesRegex(ValueError, "`method` must have `init`"):
      inspect.unwrap(run.Advance.__init__)(
        mock.Mock(spec=run.Advance), game, _solver()
      )
    advance = run.Advance(_solver(), game)
    state = run.init(_solver(), game)
    with self.assertRaisesRegex(ValueError, "`num_updates` must be a whole"):
      advance(state, -1)
    with self.assertRaisesRegex(ValueError, "`state` must be"):
      advance((state,), 1)


if __name__ == "__main__":
  absltest.main()
