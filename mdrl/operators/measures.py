"""What `run.run` may measure of a method for operators."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl.operators import base as operator_lib


def iterate(
  operator: operator_lib.Operator, method: Any, state: Any
) -> Float[Array, "*d"]:
  """Returns the point that the method is at."""
  del operator, method
  return state.point


def squared_residual(
  operator: operator_lib.Operator, method: Any, state: Any
) -> Float[Array, ""]:
  """Returns the squared norm of the operator's value there."""
  del method
  return jnp.sum(operator(state.point) ** 2)
