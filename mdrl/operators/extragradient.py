"""The extragradient method with two step sizes.

Korpelevich (1976); the guarantees are of Gorbunov, Taylor, Horváth and Gidel,
"Convergence of Proximal Point and Extragradient-Based Methods Beyond
Monotonicity: the Case of Negative Comonotonicity" (2023),
https://arxiv.org/abs/2210.13831, as the authors' notebooks
`Extragradient/*.ipynb` state them.
"""

from typing import NamedTuple

from jaxtyping import Array, Float, Int

from mdrl import checks, methods, struct
from mdrl.operators import base as operator_lib


class ExtragradientState(NamedTuple):
  """The number of updates, and the iterate."""

  step: Int[Array, ""]
  point: Float[Array, "*d"]


@struct.dataclass
class Extragradient:
  """Steps along the operator at a point ahead; two evaluations per update.

  With g1 the look-ahead and g2 the step size,

    next x = x - g2 F(x - g1 F(x)).

  Let F be L-Lipschitz and D the distance of the start to a zero. If F is
  rho-star-negatively comonotone, 2 rho < g1 < 1 / L and g2 <= g1 - 2 rho, then

    mean over k = 0..N of ||F(x_k)||^2
        <= D^2 / (g1 g2 (1 - L^2 g1^2) (N + 1)),

  and if it is rho-negatively comonotone and 4 rho <= g1 = g2 = g <= 1 / (2 L),

    ||F(x_N)||^2 <= 28 D^2 / (N g^2 + 320 g rho),     N >= 1.

  Attributes:
    look_ahead: g1 > 0, in units of 1 / L.
    step_size: g2 > 0, in units of 1 / L.
  """

  look_ahead: operator_lib.Number
  step_size: operator_lib.Number

  def __post_init__(self):
    checks.positive("look_ahead", self.look_ahead)
    checks.positive("step_size", self.step_size)

  def init(
    self, operator: operator_lib.Operator, point: Float[Array, "*d"]
  ) -> ExtragradientState:
    """Starts at the point."""
    del operator
    point = operator_lib.first_point(point)
    return ExtragradientState(methods.zero_step(), point)

  def update(
    self, operator: operator_lib.Operator, state: ExtragradientState
  ) -> ExtragradientState:
    """Looks ahead, and steps from where it was."""
    point = state.point
    ahead = point - operator_lib.cast(self.look_ahead, point) * operator(point)
    point = point - operator_lib.cast(self.step_size, point) * operator(ahead)
    return ExtragradientState(state.step + 1, point)
