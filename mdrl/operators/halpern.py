"""Halpern's iteration, which averages with its start.

Halpern (1967), with the weights and the rate of Lieder, "On the convergence
rate of the Halpern-iteration" (2021),
https://doi.org/10.1007/s11590-020-01617-9: Theorem 2.1, for the nonexpansive
map T(u) = u - step_size * F(u).
"""

from typing import NamedTuple

from jaxtyping import Array, Float, Int

from mdrl import checks, methods, struct
from mdrl.operators import base as operator_lib


class HalpernState(NamedTuple):
  """The number of updates, the iterate, and the start."""

  step: Int[Array, ""]
  point: Float[Array, "*d"]
  anchor: Float[Array, "*d"]


@struct.dataclass
class Halpern:
  """Steps along the operator, then averages with the start, ever less.

  With u_0 the start, eta the step size, and w_k = 1 / (k + 2),

    u_{k+1} = w_k u_0 + (1 - w_k) (u_k - eta F(u_k)).

  If F is beta-cocoercive and eta <= 2 beta, and D is the distance of the start
  to a zero, then for all k

    ||F(u_k)||^2 <= 4 D^2 / (eta^2 (k + 1)^2),

  and a rotation attains it. Operators that are monotone and Lipschitz but not
  cocoercive, such as those of bilinear games, need the anchored extragradient.

  Attributes:
    step_size: eta > 0, in units of 1 / L, of which beta is at most one.
  """

  step_size: operator_lib.Number

  def __post_init__(self):
    checks.positive("step_size", self.step_size)

  def init(
    self, operator: operator_lib.Operator, point: Float[Array, "*d"]
  ) -> HalpernState:
    """Starts at the point, which is also the anchor."""
    del operator
    point = operator_lib.first_point(point)
    return HalpernState(methods.zero_step(), point, point)

  def update(
    self, operator: operator_lib.Operator, state: HalpernState
  ) -> HalpernState:
    """Steps, and averages with the anchor."""
    point = state.point
    weight = 1 / (state.step + 2).astype(point.dtype)
    moved = point - operator_lib.cast(self.step_size, point) * operator(point)
    point = weight * state.anchor + (1 - weight) * moved
    return HalpernState(state.step + 1, point, state.anchor)
