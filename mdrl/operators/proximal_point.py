"""The proximal point method.

Rockafellar (1976); the guarantee is of Gorbunov, Taylor, Horváth and Gidel
(2023), https://arxiv.org/abs/2210.13831, with the constant of the authors'
notebook `Proximal_Point/PP_worst_case_norm_and_angles.ipynb`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mdrl import checks, methods, struct
from mdrl.operators import base as operator_lib


class ProximalPointState(NamedTuple):
  """The number of updates, and the iterate."""

  step: Int[Array, ""]
  point: Float[Array, "*d"]


@struct.dataclass
class ProximalPoint:
  """Steps along the operator at the next point.

  With g the step size,

    next x = x - g F(next x).

  If F is rho-negatively comonotone and g > 2 rho, and D is the distance of the
  start to a zero, then

    ||F(x_N)||^2 <= D^2 / (g (g - 2 rho) N),          N >= 1.

  No Lipschitz constant limits g from above. At g = 2 rho there are operators
  on which the residual never falls, and below it ones on which it rises.

  Attributes:
    step_size: g > 0, in units of 1 / L.
    newton_steps: Number of Newton steps for the resolvent of operators that
      are not `Linear`. They start at the iterate and have no safeguard: on
      an operator that is far from linear over one update they may fail.
  """

  step_size: operator_lib.Number
  newton_steps: int = struct.static(default=8)

  def __post_init__(self):
    checks.positive("step_size", self.step_size)
    checks.whole("newton_steps", self.newton_steps, 1)

  def init(
    self, operator: operator_lib.Operator, point: Float[Array, "*d"]
  ) -> ProximalPointState:
    """Starts at the point."""
    del operator
    point = operator_lib.first_point(point)
    return ProximalPointState(methods.zero_step(), point)

  def update(
    self, operator: operator_lib.Operator, state: ProximalPointState
  ) -> ProximalPointState:
    """Moves to the resolvent."""
    point = resolvent(operator, state.point, self.step_size, self.newton_steps)
    return ProximalPointState(state.step + 1, point)


def resolvent(
  operator: operator_lib.Operator,
  point: Float[Array, "*d"],
  step_size: operator_lib.Number,
  newton_steps: int = 8,
) -> Float[Array, "*d"]:
  """Returns the z with `z + step_size * F(z) = point`.

  Exact, by one solve, where the operator is `Linear`; otherwise after a
  fixed number of Newton steps, each with the dense Jacobian.
  """
  step_size = operator_lib.cast(step_size, point)
  start = point.ravel()
  identity = jnp.eye(start.size, dtype=start.dtype)
  if isinstance(operator, operator_lib.Linear):
    matrix = identity + step_size * operator.matrix
    return jnp.linalg.solve(matrix, point - step_size * operator.offset)

  def equation(z):
    value = operator(z.reshape(point.shape)).ravel()
    return z + step_size * value - start

  def newton(_, z):
    return z - jnp.linalg.solve(jax.jacobian(equation)(z), equation(z))

  z = jax.lax.fori_loop(0, newton_steps, newton, start)
  return z.reshape(point.shape)
