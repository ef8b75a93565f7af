"""The extra anchored gradient method with a constant step size, EAG-C.

Yoon and Ryu, "Accelerated algorithms for smooth convex-concave minimax problems
with O(1/k^2) rate on squared gradient norm" (2021),
https://arxiv.org/abs/2102.07922. Weights, the condition on the step and the
bound, with its constant of 260, were compared with two published summaries of
the paper, not with its text.
"""

from typing import NamedTuple

from jaxtyping import Array, Float, Int

from mdrl import checks, methods, struct
from mdrl.operators import base as operator_lib


class AnchoredExtragradientState(NamedTuple):
  """The number of updates, the iterate, and the start."""

  step: Int[Array, ""]
  point: Float[Array, "*d"]
  anchor: Float[Array, "*d"]


@struct.dataclass
class AnchoredExtragradient:
  """Extragradient whose two steps are both drawn to the start, ever less.

  With z_0 the start, eta the step size, and w_k = 1 / (k + 2),

    half    = z_k + w_k (z_0 - z_k) - eta F(z_k),
    z_{k+1} = z_k + w_k (z_0 - z_k) - eta F(half).

  If F is monotone and L-Lipschitz and eta <= 1 / (8 L), and D is the distance
  of the start to a zero, then with c = eta L

    ||F(z_k)||^2 <= 4 D^2 (1 + c + c^2) / (eta^2 (1 + c) (k + 1)^2),

  which is at most 260 L^2 D^2 / (k + 1)^2 at eta = 1 / (8 L).

  Attributes:
    step_size: eta > 0, in units of 1 / L.
  """

  step_size: operator_lib.Number

  def __post_init__(self):
    checks.positive("step_size", self.step_size)

  def init(
    self, operator: operator_lib.Operator, point: Float[Array, "*d"]
  ) -> AnchoredExtragradientState:
    """Starts at the point, which is also the anchor."""
    del operator
    point = operator_lib.first_point(point)
    return AnchoredExtragradientState(methods.zero_step(), point, point)

  def update(
    self, operator: operator_lib.Operator, state: AnchoredExtragradientState
  ) -> AnchoredExtragradientState:
    """Looks ahead and steps, both from the average with the anchor."""
    step_size = operator_lib.cast(self.step_size, state.point)
    weight = 1 / (state.step + 2).astype(state.point.dtype)
    center = state.point + weight * (state.anchor - state.point)
    half = center - step_size * operator(state.point)
    point = center - step_size * operator(half)
    return AnchoredExtragradientState(state.step + 1, point, state.anchor)
