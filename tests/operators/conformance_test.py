"""What every method promises: sweeps, dtypes, shapes, and checks."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import struct, testing
from mdrl.operators import (
  anchored_extragradient,
  extragradient,
  halpern,
  optimistic_gradient,
  proximal_point,
  variance_reduced_halpern,
)
from mdrl.operators import base as operator_lib
from tests.operators import linear

METHODS = {
  "extragradient": (
    extragradient.Extragradient,
    {"look_ahead": 0.3, "step_size": 0.2},
  ),
  "optimistic": (
    optimistic_gradient.OptimisticGradient,
    {"look_ahead": 0.3, "step_size": 0.2},
  ),
  "proximal_point": (proximal_point.ProximalPoint, {"step_size": 0.5}),
  "halpern": (halpern.Halpern, {"step_size": 0.2}),
  "anchored": (
    anchored_extragradient.AnchoredExtragradient,
    {"step_size": 0.1},
  ),
  "variance_reduced": (
    variance_reduced_halpern.VarianceReducedHalpern,
    {"step_size": 0.2, "batch_size": 2, "renewal": 1.5, "seed": 3},
  ),
}
_CASES = tuple((name, *case) for name, case in METHODS.items())


@struct.dataclass
class _Cubes:
  """A monotone sum of functions of matrices, which is not linear."""

  shifts: jax.Array

  @property
  def num_components(self):
    return len(self.shifts)

  def component(self, index, point):
    return point + 0.1 * point**3 + self.shifts[index]

  def __call__(self, point):
    parts = [self.component(i, point) for i in range(self.num_components)]
    return jnp.mean(jnp.stack(parts), axis=0)


def _operator(dtype=float):
  shifts = np.random.default_rng(0).normal(size=(5, 2, 3))
  return _Cubes(shifts=jnp.asarray(shifts, dtype))


class ConformanceTest(parameterized.TestCase):
  @parameterized.named_parameters(*_CASES)
  def test_a_sweep_equals_its_members(self, cls, arguments):
    operator, start = _operator(), jnp.ones((2, 3))
    swept = {
      name: value
      for name, value in arguments.items()
      if name not in ("batch_size", "seed")
    }
    factors = np.array([0.5, 1.0, 1.2])
    stacked = {n: jnp.asarray(v * factors) for n, v in swept.items()}
    method = cls(**arguments | stacked)
    axes = jax.tree.unflatten(
      jax.tree.structure(method),
      [None if jnp.ndim(x) == 0 else 0 for x in jax.tree.leaves(method)],
    )
    together = jax.vmap(
      lambda m: linear.trace(m, operator, start, 6), in_axes=(axes,)
    )(method)
    for i, factor in enumerate(factors):
      member = cls(**arguments | {n: v * factor for n, v in swept.items()})
      trace = linear.trace(member, operator, start, 6)
      np.testing.assert_allclose(trace.points, together.points[i], rtol=1e-12)
    self.assertGreater(np.ptp(together.residuals[:, -1]), 1e-6)

  @parameterized.named_parameters(*_CASES)
  def test_keeps_the_contract_of_methods(self, cls, arguments):
    for dtype in (jnp.float32, jnp.float64):
      start = jnp.ones((2, 3), dtype)
      testing.check_method(cls(**arguments), _operator(dtype), start)

  @parameterized.named_parameters(*_CASES)
  def test_finds_the_zero(self, cls, arguments):
    operator = _operator()
    trace = linear.trace(cls(**arguments), operator, jnp.ones((2, 3)), 1000)
    self.assertLess(trace.residuals[-1], 1e-3 * trace.residuals[0])

  @parameterized.named_parameters(*_CASES)
  def test_a_zero_is_kept(self, cls, arguments):
    operator = operator_lib.FiniteSum(
      matrices=jnp.tile(jnp.eye(2), (3, 1, 1)), offsets=-jnp.ones((3, 2))
    )
    trace = linear.trace(cls(**arguments), operator, jnp.ones(2), 5)
    np.testing.assert_allclose(trace.points, 1, rtol=1e-14)

  @parameterized.named_parameters(*_CASES)
  def test_refuses_bad_hyper_parameters(self, cls, arguments):
    for name in arguments:
      bad = [-1] if name == "seed" else [0, -0.5, np.nan]
      bad = [0, -1] if name == "batch_size" else bad
      for value in bad:
        with self.assertRaisesRegex(ValueError, f"`{name}` must lie in"):
          cls(**arguments | {name: value})

  def test_refuses_no_newton_steps(self):
    with self.assertRaisesRegex(ValueError, "`newton_steps` must lie in"):
      proximal_point.ProximalPoint(step_size=1.0, newton_steps=0)


if __name__ == "__main__":
  absltest.main()
