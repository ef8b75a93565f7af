"""Pins the parts of traced programs that the library reads.

If one of these fails on another version of JAX, mend `mdrl/jax_internals.py`
alone: what reads traced programs goes through it.
"""

from absl.testing import absltest, parameterized
import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp
import numpy as np

from mdrl import jax_internals
from mdrl.trees import sums

_X = jnp.arange(9.0).reshape(3, 3)


@jax.custom_jvp
def _with_jvp(x):
  return 2 * x


_with_jvp.defjvp(lambda primals, tangents: (2 * primals[0], 2 * tangents[0]))


@jax.custom_vjp
def _with_vjp(x):
  return 2 * x


_with_vjp.defvjp(lambda x: (2 * x, None), lambda _, bar: (2 * bar,))

_CALLS = {
  "jit": jax.jit(_with_jvp),
  "custom_jvp_call": _with_jvp,
  "custom_vjp_call": _with_vjp,
}
# A use of each operation whose parameters are read, and what they are.
_PARAMETERS = {
  "broadcast_in_dim": (
    lambda x: lax.broadcast_in_dim(x, (2, 3, 3), (1, 2)),
    [(2, 3, 3), (1, 2)],
  ),
  "concatenate": (lambda x: lax.concatenate([x, x], 0), []),
  "dynamic_slice": (lambda x: lax.dynamic_slice(x, (1, 0), (2, 1)), [(2, 1)]),
  "dynamic_update_slice": (
    lambda x: lax.dynamic_update_slice(x, x[:2], (1, 0)),
    [],
  ),
  "gather": (
    lambda x: x.at[jnp.array([2, 0])].get(mode="promise_in_bounds"),
    [
      lax.GatherDimensionNumbers(
        offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,)
      ),
      (1, 3),
    ],
  ),
  "pad": (
    lambda x: lax.pad(x, x[0, 0], ((1, 0, 0), (0, 2, 1))),
    [((1, 0, 0), (0, 2, 1))],
  ),
  "reduce": (lambda x: lax.reduce(x, 0.0, lax.sub, (1,)), [(1,)]),
  "reduce_and": (lambda x: jnp.all(x > 0, axis=1), [(1,)]),
  "reduce_max": (lambda x: jnp.max(x, axis=1), [(1,)]),
  "reduce_min": (lambda x: jnp.min(x, axis=1), [(1,)]),
  "reduce_or": (lambda x: jnp.any(x > 0, axis=1), [(1,)]),
  "reduce_sum": (lambda x: jnp.sum(x, axis=1), [(1,)]),
  "reshape": (lambda x: lax.reshape(x, (9,)), [(9,), None]),
  "slice": (
    lambda x: lax.slice(x, (1, 0), (3, 3), (1, 2)),
    [(1, 0), (3, 3), (1, 2)],
  ),
  "transpose": (lambda x: lax.transpose(x, (1, 0)), [(1, 0)]),
}


def _traced(name, fn, *args):
  """Returns the operation of this name in a function's program."""
  eqns = jax.make_jaxpr(fn)(*args).jaxpr.eqns
  found = [eqn for eqn in eqns if eqn.primitive.name == name]
  if len(found) != 1:
    names = [eqn.primitive.name for eqn in eqns]
    raise AssertionError(
      f"jax {jax.__version__} has another name for `{name}`, or another "
      f"program: {names}; mend `mdrl/jax_internals.py`"
    )
  return found[0]


def _shapes(variables):
  return [variable.aval.shape for variable in variables]


class ProgramsTest(parameterized.TestCase):
  @parameterized.parameters(*_CALLS)
  def test_calls(self, name):
    called = jax_internals.called_program(_traced(name, _CALLS[name], _X))
    self.assertIsNotNone(called)
    self.assertEqual(_shapes(called.jaxpr.invars), [(3, 3)])
    self.assertEqual(_shapes(called.jaxpr.outvars), [(3, 3)])

  def test_calls_are_all_named(self):
    self.assertSameElements(_CALLS, jax_internals._CALLS)

  def test_what_gradients_recompute(self):
    eqn = _traced("remat2", jax.checkpoint(jnp.sin), _X)
    self.assertIsNone(jax_internals.called_program(eqn))
    called = jax_internals.called_program(eqn, recomputed=True)
    self.assertLen(list(jax_internals.inner_programs(eqn.params)), 1)
    self.assertEqual(called.eqns[0].primitive.name, "sin")

  def test_scan(self):
    weights = jnp.ones(3)

    def step(carry, row):
      total, count = carry
      return (total + row @ weights, count + 1), row * total

    def fn(y):
      first = (jnp.zeros(()), jnp.zeros((), int))
      return lax.scan(step, first, y, reverse=True, unroll=2)

    loop = jax_internals.scan(_traced("scan", fn, jnp.ones((5, 3))))
    self.assertEqual((loop.num_consts, loop.num_carry, loop.length), (1, 2, 5))
    self.assertEqual((loop.reverse, loop.unroll), (True, 2))
    # Constants, carries, and a row of the rest.
    self.assertEqual(_shapes(loop.body.jaxpr.invars), [(3,), (), (), (3,)])
    self.assertEqual(_shapes(loop.body.jaxpr.outvars), [(), (), (3,)])

  def test_while(self):
    def fn(limit, factors, more, x):
      return lax.while_loop(
        lambda x: jnp.sum(x) < limit[0] + limit[1],
        lambda x: x * factors + more,
        x,
      )

    arguments = jnp.ones(2), jnp.ones((3, 1)), jnp.ones((1, 3)), _X
    loop = jax_internals.while_loop(_traced("while", fn, *arguments))
    self.assertEqual((loop.num_condition_consts, loop.num_body_consts), (1, 2))
    self.assertEqual(_shapes(loop.condition.jaxpr.invars), [(2,), (3, 3)])
    self.assertEqual(_shapes(loop.condition.jaxpr.outvars), [()])
    self.assertEqual(_shapes(loop.body.jaxpr.invars), [(3, 1), (1, 3), (3, 3)])

  def test_branches(self):
    eqn = _traced(
      "cond", lambda k, x: lax.switch(k, [jnp.sin, jnp.cos, jnp.tan], x), 1, _X
    )
    names = [b.eqns[0].primitive.name for b in jax_internals.branches(eqn)]
    self.assertEqual(names, ["sin", "cos", "tan"])
    # The index comes first.
    self.assertEqual(_shapes(eqn.invars), [(), (3, 3)])

  def test_loops_and_branches_are_all_named(self):
    self.assertSameElements(
      jax_internals.LOOPS_AND_BRANCHES, ("scan", "while", "cond")
    )

  def test_constants_are_literals(self):
    eqn = _traced("mul", lambda x: x * 2.5, _X)
    kinds = [isinstance(a, jax_internals.Literal) for a in eqn.invars]
    self.assertEqual(kinds, [False, True])
    self.assertEqual(eqn.invars[1].val, 2.5)
    self.assertEqual(eqn.invars[1].aval.dtype, _X.dtype)


class OperationsTest(parameterized.TestCase):
  def test_sums_in_one_order(self):
    def eqn(function):
      return _traced("reduce", function, _X)

    summed = eqn(lambda x: sums._in_one_order.fun(x, (1,)))
    self.assertTrue(jax_internals.is_sum_in_one_order(summed))
    for other in (lax.sub, lambda a, b: lax.max(lax.add(a, b), 0.0)):
      reduced = eqn(lambda x, other=other: lax.reduce(x, 0.0, other, (1,)))
      self.assertFalse(jax_internals.is_sum_in_one_order(reduced))

  @parameterized.parameters(*_PARAMETERS)
  def test_parameters(self, name):
    fn, expected = _PARAMETERS[name]
    eqn = _traced(name, fn, _X)
    found = [
      x._replace(mode=None, fill_value=None) if hasattr(x, "mode") else x
      for x in jax_internals.parameters(eqn)
    ]
    self.assertEqual(found, expected)

  def test_parameters_are_all_named(self):
    self.assertSameElements(_PARAMETERS, jax_internals._PARAMETERS)

  @parameterized.parameters(
    *sorted(jax_internals.ELEMENTWISE | jax_internals.BY_AXIS)
  )
  def test_operations_without_parameters_are_known(self, name):
    known = {
      primitive.name
      for primitive in vars(core.primitives).values()
      if isinstance(primitive, core.Primitive)
    }
    self.assertIn(
      name, known, f"jax {jax.__version__} has no `{name}`: mend jax_internals"
    )

  def test_bind_changes_parameters(self):
    eqn = _traced("slice", _PARAMETERS["slice"][0], _X)
    values = [jnp.arange(16.0).reshape(4, 4)]
    [found] = jax_internals.bind(eqn, values, [(0, 1), (4, 3)])
    # The strides stay what they are.
    np.testing.assert_array_equal(found, values[0][0:4, 1:3:2])

  def test_bind_returns_lists(self):
    eqn = _traced("cond", lambda k: lax.cond(k, jnp.cos, jnp.sin, 1.0), True)
    [found] = jax_internals.bind(eqn, [jnp.array(1, jnp.int32), jnp.array(0.0)])
    self.assertEqual(found, 1)
    [found] = jax_internals.bind(_traced("sin", jnp.sin, _X), [_X])
    np.testing.assert_array_equal(found, jnp.sin(_X))

  def test_unknown_parameters_are_named(self):
    class Renamed:
      primitive = _traced("transpose", jnp.transpose, _X).primitive
      params = {"axes": (1, 0)}  # noqa: RUF012

    with self.assertRaisesRegex(
      NotImplementedError,
      r"`transpose` must have the parameter `permutation`, got \['axes'\] in "
      rf"jax {jax.__version__}, .* install jax",
    ):
      jax_internals.parameters(Renamed)


if __name__ == "__main__":
  absltest.main()
