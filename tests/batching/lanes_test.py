"""Tests of `mdrl.batching.lanes`, against `jax.vmap`."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.batching import lanes
from mdrl.compile import openspiel
from mdrl.evaluation import gaps
from mdrl.geometry import mirror_maps
from mdrl.solvers import (
  averaged,
  magnetic,
  regret_matching,
  regret_rules,
)

_SIZE = 5


def _steps_apart(x, y):
  """Halves until small: lanes make different numbers of rounds."""
  count = jnp.zeros((), jnp.int32)

  def body(carry):
    z, rounds, shared = carry
    return z / 2, rounds + 1, shared

  z, rounds, _ = jax.lax.while_loop(
    lambda carry: jnp.max(jnp.abs(carry[0])) > 0.1,
    body,
    (x * 4, count, jnp.sum(y)),
  )
  return z, rounds


def _closed_over(x, y):
  """Lanes end apart by what the condition reads, and does not change."""
  return jax.lax.while_loop(
    lambda z: z < jnp.abs(x[0]),
    lambda z: z + jnp.abs(y[0, 0]),
    jnp.zeros((), x.dtype),
  )


def _scanned(x, y):
  def step(carry, row):
    total, fixed = carry
    return (total + row @ x, fixed), (jnp.exp(total), fixed)

  def delay(carry, pair):
    return (carry[1], carry[2], pair[0]), carry[0] + pair[1]

  zero = jnp.zeros((), x.dtype)
  return (
    jax.lax.scan(step, (zero, zero), y, reverse=True),
    # What differs among lanes is carried on by one place in each round.
    jax.lax.scan(delay, (zero, zero, zero), (jnp.tile(x, 2), y.reshape(-1))),
  )


def _branches(x, y):
  apart = jax.lax.switch(
    jnp.sum((x > 0).astype(jnp.int32)), [jnp.negative, jnp.sin, jnp.exp], x
  )
  alike = jax.lax.cond(y[0, 0] > 0, lambda z: z * 2, lambda z: -z, x)
  either = jax.lax.cond(x[0] > 0, lambda z: z * 2, lambda z: -z, x)
  shared = jax.lax.cond(x[0] > 0, lambda z: z * 2, lambda z: -z, y)
  return apart, alike, either, shared


def _sampled(x, y):
  key = jax.random.key(jnp.asarray(jnp.abs(x[0]) * 100, jnp.int32))
  return jax.random.categorical(key, y), jax.random.normal(key, (3,))


_FUNCTIONS = {
  "elementwise": lambda x, y: (
    jnp.where(x > 0, x**2, jnp.exp(-x)) + jnp.clip(x, -0.5, 0.5),
    jnp.tanh(y),
    jnp.where(x[0] > 0, y, -y),
  ),
  "reductions": lambda x, y: (
    jnp.sum(x),
    jnp.max(x[None] + y, axis=1),
    jnp.sum(jnp.exp(x[None] + y), axis=0),
    jnp.argmax(x),
    jnp.min(x[None] + y, axis=0),
    jnp.any(x[None] > y, axis=1),
    jnp.all(x[None] > y, axis=0),
    jnp.cumsum(x[None] * y, axis=1),
    jnp.sum(x[None] * y),
    jnp.sum(jnp.tile(x, 9)),
  ),
  "shapes": lambda x, y: (
    jnp.concatenate([x, y[0]])[1:-1:2],
    (x[:, None] + y.T).reshape(-1).T,
    jnp.transpose((x[None] * y)[None], (1, 2, 0)),
    jnp.pad(x, 1),
    jnp.flip(x),
    jax.lax.dynamic_slice(x, (1,), (2,)),
    x[::-2],
  ),
  "gathers": lambda x, y: (
    x[jnp.array([[2, 0], [1, 1]])],
    (x[None] * y)[jnp.array([1, 0]), jnp.array([2, 0])],
    x[jnp.argmax(x)],
    x.at[1].add(y[0, 0]),
    jnp.sort(x),
  ),
  "products": lambda x, y: (y @ x, jnp.vdot(x, x), x[:, None] @ x[None]),
  "while": _steps_apart,
  "while_closed_over": _closed_over,
  "scan": _scanned,
  "cond": _branches,
  "random": _sampled,
  "gradient": lambda x, y: jax.grad(lambda z: jnp.sum(jax.nn.softplus(y @ z)))(
    x
  ),
}

_SOLVERS = {
  "magnetic": lambda a, b: magnetic.MagneticMirrorDescent(
    step_size=a, temperature=b, magnet_rate=0.1
  ),
  "euclidean": lambda a, b: magnetic.MagneticMirrorDescent(
    step_size=a, temperature=b, mirror_map=mirror_maps.Euclidean()
  ),
  "dcfr": lambda a, b: averaged.Averaged(
    solver=regret_matching.AlternatingRegretMatching(
      rule=regret_rules.Discounted(positive_power=a, negative_power=b)
    ),
    power=a,
  ),
}


class LanesTest(parameterized.TestCase):
  @parameterized.parameters(*_FUNCTIONS)
  def test_is_vmap(self, name):
    fn = _FUNCTIONS[name]
    x = jnp.asarray(np.random.default_rng(0).normal(size=(3, _SIZE)))
    y = jnp.asarray(np.random.default_rng(1).normal(size=(2, 3)))
    wanted = jax.jit(jax.vmap(fn, in_axes=(-1, None), out_axes=-1))(x, y)
    found = jax.jit(lanes.vmap_last(fn, (True, False)))(x, y)
    self.assertEqual(jax.tree.structure(found), jax.tree.structure(wanted))
    for a, b in zip(
      jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True
    ):
      self.assertEqual(a.dtype, b.dtype)
      np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-14)

  @parameterized.parameters(*_SOLVERS)
  def test_runs_of_a_solver(self, name):
    game, _ = openspiel.compile_game("kuhn_poker")

    def one(step_size, temperature, game):
      solver = _SOLVERS[name](step_size, temperature)
      state = solver.init(game)
      return run.run(
        solver, game, run.of_plans(gaps.nash_conv), [0, 3, 20], state
      )

    a, b = jnp.linspace(0.1, 0.5, _SIZE), jnp.linspace(0.05, 0.9, _SIZE)
    mapped = jax.jit(lanes.vmap_last(one, (True, True, False)))
    state, trace = mapped(a, b, game)
    wanted = jax.vmap(one, in_axes=(0, 0, None), out_axes=-1)(a, b, game)
    for x, y in zip(
      jax.tree.leaves((state, trace)), jax.tree.leaves(wanted), strict=True
    ):
      np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)
    self.assertEqual(trace.metrics.shape, (3, _SIZE))
    # Settings differ, and so must what they lead to.
    self.assertGreater(np.ptp(trace.metrics[-1]), 1e-6)

  def test_lanes_that_end_apart_stay_where_they_end(self):
    x = jnp.array([[0.01, 1.0, 30.0]])
    _, rounds = lanes.vmap_last(_steps_apart, (True, False))(x, jnp.ones(2))
    np.testing.assert_array_equal(rounds, [0, 6, 11])

  @parameterized.parameters((6, False, 0), (500, False, 1), (6, True, 1))
  def test_short_loops_without_others_are_written_out(
    self, length, nested, loops
  ):
    def fn(x):
      def step(k, total):
        if nested:
          k = jax.lax.while_loop(lambda k: k < 4, lambda k: k + 1, k)
        return total + jnp.sin(k * x)

      return jax.lax.fori_loop(0, length, step, x)

    x = jnp.linspace(0, 1, 3 * _SIZE).reshape(3, _SIZE)
    mapped = lanes.vmap_last(fn, [True])
    compiled = jax.jit(mapped).lower(x).compile().as_text()
    self.assertEqual(compiled.count("trip_count") > 0, loops > 0)
    np.testing.assert_allclose(mapped(x), jax.vmap(fn, -1, -1)(x), rtol=1e-12)

  def test_gathers_stay_gathers_of_rows(self):
    index = jnp.array([2, 0, 1, 1])
    mapped = lanes.vmap_last(
      lambda x, i: jnp.sum(x[i].reshape(2, 2), axis=1), (True, False)
    )
    text = jax.jit(mapped).lower(jnp.ones((3, _SIZE)), index).as_text()
    self.assertNotIn("transpose", text)
    self.assertIn(f"tensor<4x{_SIZE}x", text)

  @parameterized.parameters(
    ([(3, 5), (3, 4)], (True, True), r"sizes \[4, 5\]"),
    ([(3, 5), (3, 4)], (False, False), r"sizes \[\]"),
    ([(3, 5), ()], (True, True), r"sizes \[0, 5\]"),
    ([(3, 5)], (True, True), "every argument, got 2 for 1"),
  )
  def test_bad_batches(self, shapes, batched, message):
    args = [jnp.ones(shape) for shape in shapes]
    with self.assertRaisesRegex(ValueError, message):
      lanes.vmap_last(lambda *x: x, batched)(*args)


if __name__ == "__main__":
  absltest.main()
