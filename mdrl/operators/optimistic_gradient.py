"""The optimistic gradient method, or past extragradient, with two step sizes.

Popov (1980); the guarantees are of Gorbunov, Taylor, Horváth and Gidel (2023),
https://arxiv.org/abs/2210.13831, as the authors' notebooks
`Optimistic_Gradient/*.ipynb` state them.

Those of Theorems C.5 and C.9 set the midpoint m_0 to the first point x_0, while
`Direct_full_analysis_Optimistic_Gradient.ipynb`, which gives exact worst cases,
sets m_{-1} to it. Here it is the latter.
"""

from typing import NamedTuple

from jaxtyping import Array, Float, Int

from mdrl import checks, methods, struct
from mdrl.operators import base as operator_lib


class OptimisticGradientState(NamedTuple):
  """The number of updates, the iterate, and F at the previous midpoint."""

  step: Int[Array, ""]
  point: Float[Array, "*d"]
  past: Float[Array, "*d"]


@struct.dataclass
class OptimisticGradient:
  """Extragradient that looks ahead along the last midpoint's operator.

  With g1 the look-ahead, g2 the step size, and the midpoints m_k, of which
  m_{-1} = x_0,

    m_k     = x_k - g1 F(m_{k-1}),
    x_{k+1} = x_k - g2 F(m_k).

  One evaluation per update. Let F be L-Lipschitz and D the distance of the
  start to a zero. If F is rho-star-negatively comonotone, 2 rho < g1, and
  g2 <= min(1 / L - g1, g1 - 2 rho), then

    mean over k = 0..N of ||F(x_k)||^2
        <= D^2 / (g1 g2 (1 - L^2 (g1 + g2)^2) (N + 1)),

  and if it is rho-negatively comonotone and 4 rho <= g1 = g2 = g <=
  10 / (31 L),

    ||F(x_N)||^2 <= 717 D^2 / (N g (g - 3 rho) + 800 g^2).

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
  ) -> OptimisticGradientState:
    """Starts at the point, which is also the midpoint before the first."""
    point = operator_lib.first_point(point)
    return OptimisticGradientState(methods.zero_step(), point, operator(point))

  def update(
    self, operator: operator_lib.Operator, state: OptimisticGradientState
  ) -> OptimisticGradientState:
    """Steps along the operator at the next midpoint, and remembers it."""
    point = state.point
    midpoint = point - operator_lib.cast(self.look_ahead, point) * state.past
    past = operator(midpoint)
    point = point - operator_lib.cast(self.step_size, point) * past
    return OptimisticGradientState(state.step + 1, point, past)
