"""Halpern's iteration on a finite sum, with a recursive estimator.

Cai, Alacaoglu and Diakonikolas, "Variance reduced Halpern iteration for
finite-sum monotone inclusions" (2024), https://arxiv.org/abs/2310.02987.

This is the first of the paper's two algorithms, for components that are
cocoercive on average. Its abstract and its published reviews say that it is a
single loop of Halpern steps with the recursive estimator of PAGE, and that a
residual of epsilon costs O~(n + sqrt(n) L / epsilon) evaluations of components.
The second, for components that are monotone and Lipschitz, solves resolvents by
an inner loop and is not implemented: on bilinear sums there is no guarantee.

Weights, probabilities, batch and step size were not found, and are derived:

* With a batch of about sqrt(n), and a probability of a full evaluation of at
  least about 1 / sqrt(n), an update costs O(sqrt(n)), as that total requires.
* A Halpern proof weighs squared errors by (k + a)^2, which grows at a rate of
  2 / k. An estimator that is renewed with probability 4 / (k + 5) forgets
  faster than that, so that weighted errors stay in proportion to new ones.
* A new error is at most ||F_i(u_k) - F_i(u_{k-1})||^2 / batch, which
  cocoercivity absorbs where the step size is a fraction of 1 / L, such as
  1 / (4 L).

That the constants keep the rate of Halpern's iteration was checked by
experiment, in the tests. The paper may also leave the step unscaled, without
the factor 1 - w_k; the rate was the same in experiments.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt32

from mdrl import checks, methods, struct
from mdrl.operators import base as operator_lib


class VarianceReducedHalpernState(NamedTuple):
  """The number of updates, the iterate, the start, the estimate and a key.

  `estimate` is of F at the iterate. Every update folds its own key from `key`.
  """

  step: Int[Array, ""]
  point: Float[Array, "*d"]
  anchor: Float[Array, "*d"]
  estimate: Float[Array, "*d"]
  key: UInt32[Array, "_"]


@struct.dataclass
class VarianceReducedHalpern:
  """Halpern's iteration with randomly drawn components of the operator.

  With u_0 the start, eta the step size, and w_k = 2 / (k + 4),

    u_{k+1} = w_k u_0 + (1 - w_k) (u_k - eta G_k),

  where G_0 = F(u_0) and G_{k+1} is F(u_{k+1}) with probability

    min(1, renewal * max(1 / (k + 5), 1 / (sqrt(n) + 5))),

  and otherwise G_k plus the mean over a batch, drawn with replacement, of
  F_i(u_{k+1}) - F_i(u_k). Where it is not renewed, the expected error of
  G_{k+1}, given the past, is the error of G_k; over all draws it is zero. Under
  `vmap` both branches are evaluated, so that nothing is saved.

  Attributes:
    step_size: eta > 0, in units of 1 / L; 1 / (4 L) for components that are
      (1 / L)-cocoercive on average.
    batch_size: Components drawn per update; about sqrt(n).
    renewal: Expected number of full evaluations in 5 updates at the start,
      positive; from 5 + sqrt(n) on, every evaluation is full.
    seed: Seed of the draws.
  """

  step_size: operator_lib.Number
  batch_size: int = struct.static()
  renewal: operator_lib.Number = 4.0
  seed: int | Int[Array, "..."] = 0

  def __post_init__(self):
    checks.positive("step_size", self.step_size)
    checks.whole("batch_size", self.batch_size, 1)
    checks.positive("renewal", self.renewal)
    checks.whole("seed", self.seed, 0)

  def init(
    self, operator: operator_lib.SumOperator, point: Float[Array, "*d"]
  ) -> VarianceReducedHalpernState:
    """Starts at the point, with the full operator there."""
    point = operator_lib.first_point(point)
    return VarianceReducedHalpernState(
      methods.zero_step(),
      point,
      point,
      operator(point),
      jax.random.key_data(jax.random.key(self.seed)),
    )

  def probability(
    self, operator: operator_lib.SumOperator, state: VarianceReducedHalpernState
  ) -> Float[Array, ""]:
    """Returns how likely the next estimate is renewed in full."""
    step = state.step.astype(state.point.dtype)
    root = jnp.sqrt(operator_lib.cast(operator.num_components, state.point))
    rate = 1 / (jnp.minimum(step, root) + 5)
    return jnp.minimum(1, operator_lib.cast(self.renewal, state.point) * rate)

  def update(
    self, operator: operator_lib.SumOperator, state: VarianceReducedHalpernState
  ) -> VarianceReducedHalpernState:
    """Steps along the estimate, and estimates the operator there."""
    dtype = state.point.dtype
    weight = 2 / (state.step + 4).astype(dtype)
    step_size = operator_lib.cast(self.step_size, state.point)
    moved = state.point - step_size * state.estimate
    point = weight * state.anchor + (1 - weight) * moved
    key = jax.random.wrap_key_data(state.key)
    coin, draw = jax.random.split(jax.random.fold_in(key, state.step))
    shape = (self.batch_size,)
    batch = jax.random.randint(draw, shape, 0, operator.num_components)

    def difference(index):
      before = operator.component(index, state.point)
      return operator.component(index, point) - before

    estimate = jax.lax.cond(
      jax.random.uniform(coin, dtype=dtype) < self.probability(operator, state),
      lambda: operator(point),
      lambda: state.estimate + jnp.mean(jax.vmap(difference)(batch), axis=0),
    )
    return VarianceReducedHalpernState(
      state.step + 1, point, state.anchor, estimate, state.key
    )
