"""Hyper-parameters that depend on the step."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mdrl import checks, struct

# A number, or a function of the number of updates made before this one. A bare
# function, such as a schedule of optax, is part of the compiled program and
# known by its identity: one that is made anew compiles again. `Function` has
# numbers that may change without that.
Schedule = (
  float | Float[Array, "..."] | Callable[[Int[Array, ""]], Float[Array, ""]]
)


@struct.dataclass
class PowerDecay:
  """`initial * (1 + step / delay) ** -power`.

  Attributes:
    initial: Value at step 0.
    power: Exponent; 0 is constant, 1/2 the usual rate of annealing.
    delay: Number of steps before the decay sets in; positive.
  """

  initial: float | Float[Array, "..."]
  power: float | Float[Array, "..."] = 0.5
  delay: float | Float[Array, "..."] = 1.0

  def __post_init__(self):
    checks.between("initial", self.initial, 0)
    checks.between("power", self.power, 0)
    checks.positive("delay", self.delay)

  def __call__(self, step: Int[Array, ""]) -> Float[Array, ""]:
    """Returns the value at a step."""
    initial, power, delay = map(
      jnp.asarray, (self.initial, self.power, self.delay)
    )
    return initial * (1 + step.astype(delay.dtype) / delay) ** -power


@struct.dataclass
class LinearDecay:
  """A straight line from one value to another, which then stays.

  Attributes:
    initial: Value at step 0.
    final: Value from step `steps` on.
    steps: Number of steps between them; positive.
  """

  initial: float | Float[Array, "..."]
  final: float | Float[Array, "..."]
  steps: float | Float[Array, "..."]

  def __post_init__(self):
    checks.between("initial", self.initial, 0)
    checks.between("final", self.final, 0)
    checks.positive("steps", self.steps)

  def __call__(self, step: Int[Array, ""]) -> Float[Array, ""]:
    """Returns the value at a step."""
    initial, final, steps = map(
      jnp.asarray, (self.initial, self.final, self.steps)
    )
    done = jnp.clip(step.astype(steps.dtype) / steps, 0, 1)
    return initial + (final - initial) * done


@struct.dataclass
class Function:
  """Any function of the step, `fn(step, **parameters)`.

  Attributes:
    fn: A function at module level; it is part of the compiled program.
    parameters: What `fn` takes besides the step; leaves.
  """

  fn: Callable[..., Float[Array, ""]] = struct.static()
  parameters: dict[str, Any] = struct.field(default_factory=dict)

  def __call__(self, step: Int[Array, ""]) -> Float[Array, ""]:
    """Returns the value at a step."""
    return self.fn(step, **self.parameters)


def at(schedule: Schedule, step: Int[Array, ""], dtype) -> Float[Array, ""]:
  """Returns the value of a schedule at a step, in a game's dtype.

  Raises:
    ValueError: If that is no single number.
  """
  value = schedule(step) if callable(schedule) else schedule
  return number(value, dtype)


def number(value: float | Array, dtype) -> Float[Array, ""]:
  """Returns a hyper-parameter in a game's dtype.

  Raises:
    ValueError: If it is a schedule, or no single number and would be spread
      over actions.
  """
  if callable(value):
    raise ValueError(
      "hyper-parameters without a schedule must be numbers here, got a "
      f"schedule, {value!r}; give the number of one step"
    )
  value = jnp.asarray(value)
  if value.ndim:
    raise ValueError(
      "hyper-parameters of one run must be single numbers, got an array of "
      f"shape {value.shape}; jax.vmap or parallel.sweep makes many runs"
    )
  return value.astype(dtype)
