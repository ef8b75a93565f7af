"""Operators on unconstrained points.

A method seeks a zero of an operator F. With x* a zero, and for all x and y,

  monotone               <F(x) - F(y), x - y> >= 0,
  negatively comonotone  <F(x) - F(y), x - y> >= -rho ||F(x) - F(y)||^2,
  cocoercive             <F(x) - F(y), x - y> >= beta ||F(x) - F(y)||^2,
  Lipschitz              ||F(x) - F(y)|| <= L ||x - y||,

and the star versions say so only for y = x*. L is in units of F per unit of
the point; rho, beta and all step sizes are in units of 1 / L.

A method's first state needs a point, `run.init(method, operator, point)`. Its
states have the iterate that the guarantee is about in `point`; nothing is
projected.

Games on the simplex or on treeplexes are what `mdrl.solvers` are for: Mirror
Prox and optimistic mirror descent there are the constrained counterparts of
the extragradient and optimistic methods here.
"""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from mdrl import struct
from mdrl.games import matrix_game

# Hyper-parameters are leaves: numbers, or arrays with axes to `vmap` over.
Number = float | Float[Array, "..."]


@runtime_checkable
class Operator(Protocol):
  """A function of a point, of its shape and dtype; a pytree or a function."""

  def __call__(self, point: Float[Array, "*d"]) -> Float[Array, "*d"]:
    """Returns the operator's value at a point."""
    ...


@runtime_checkable
class SumOperator(Operator, Protocol):
  """An operator that is the mean of its components."""

  @property
  def num_components(self) -> int:
    """Number of components."""
    ...

  def component(
    self, index: Int[Array, ""], point: Float[Array, "*d"]
  ) -> Float[Array, "*d"]:
    """Returns one component's value at a point."""
    ...


@struct.dataclass
class Linear:
  """`matrix @ point + offset`, over leading axes to `vmap` over.

  It is monotone where the symmetric part of the matrix is positive
  semidefinite, and cocoercive or comonotone by the eigenvalues of that part
  against those of `matrix.T @ matrix`.
  """

  matrix: Float[Array, "*b d d"]
  offset: Float[Array, "*b d"]

  def __post_init__(self):
    _check_shapes(self.matrix, self.offset, "matrix", "offset")

  def __call__(self, point: Float[Array, " d"]) -> Float[Array, " d"]:
    """Returns the operator's value at a point."""
    return self.matrix @ point + self.offset


@struct.dataclass
class FiniteSum:
  """The mean over i of `matrices[i] @ point + offsets[i]`."""

  matrices: Float[Array, "*b n d d"]
  offsets: Float[Array, "*b n d"]

  def __post_init__(self):
    _check_shapes(self.matrices, self.offsets, "matrices", "offsets")

  @property
  def num_components(self) -> int:
    """Number of components."""
    return self.offsets.shape[-2]

  def __call__(self, point: Float[Array, " d"]) -> Float[Array, " d"]:
    """Returns the operator's value at a point."""
    return jnp.mean(self.matrices @ point + self.offsets, axis=0)

  def component(
    self, index: Int[Array, ""], point: Float[Array, " d"]
  ) -> Float[Array, " d"]:
    """Returns one component's value at a point."""
    return self.matrices[index] @ point + self.offsets[index]


def of_game(game: matrix_game.MatrixGame) -> Linear:
  """Returns `F(x, y) = (-A y, A^T x)`, of the saddle max_x min_y x^T A y.

  The point is x, then y. A is the first player's payoff, so a constant sum
  other than zero makes no difference. The operator is skew, hence monotone,
  and the origin is always a zero. Points are not policies: for equilibria on
  the simplex use `mdrl.solvers`.

  Raises:
    ValueError: If the game is not a two-player zero-sum game.
  """
  if game.num_players != 2 or not game.zero_sum:
    raise ValueError(
      "`game` must be a two-player zero-sum game, got one of "
      f"{game.num_players} players with zero_sum={game.zero_sum}"
    )
  payoff = game.payoffs[0]
  first, second = payoff.shape
  matrix = jnp.block(
    [
      [jnp.zeros((first, first), game.dtype), -payoff],
      [payoff.T, jnp.zeros((second, second), game.dtype)],
    ]
  )
  return Linear(matrix=matrix, offset=jnp.zeros(first + second, game.dtype))


def first_point(point: Any) -> Float[Array, "*d"]:
  """Returns the point at which a method starts.

  Raises:
    ValueError: If it is no array of floating-point numbers.
  """
  if not isinstance(point, (jax.Array, np.ndarray)) or not jnp.issubdtype(
    point.dtype, jnp.floating
  ):
    raise ValueError(
      "`point` must be an array of floating-point numbers, got "
      f"{getattr(point, 'dtype', type(point).__name__)}; convert it by "
      "jnp.asarray"
    )
  return jnp.asarray(point)


def cast(number: Number, point: Float[Array, "*d"]) -> Float[Array, ""]:
  """Returns a hyper-parameter in the dtype of a point."""
  return jnp.asarray(number).astype(point.dtype)


def _check_shapes(matrix, offset, matrix_name, offset_name):
  """Raises ValueError unless matrices are square and fit the offsets."""
  shape = matrix.shape
  if shape[-2:] != 2 * shape[-1:] or shape[:-1] != offset.shape:
    raise ValueError(
      f"`{matrix_name}` must be square and fit `{offset_name}`, got shapes "
      f"{shape} and {offset.shape}"
    )
