"""Runs of a method that keep every iterate."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl.operators import base


class Trace(NamedTuple):
  """Iterates and squared norms of the operator there, the start included."""

  points: Float[Array, "K *d"]
  residuals: Float[Array, " K"]


def trace(
  method: base.Method,
  operator: base.Operator,
  point: Float[Array, "*d"],
  num_updates: int,
) -> Trace:
  """Returns `num_updates + 1` iterates and their squared residuals."""

  def step(state, _):
    return method.update(operator, state), measure(state)

  def measure(state):
    iterate = method.point(state)
    return Trace(iterate, jnp.sum(operator(iterate) ** 2))

  state = method.init(operator, point)
  return jax.lax.scan(step, state, length=num_updates + 1)[1]
