"""Checks of hyper-parameters, on the host.

Traced values are unknown on the host and pass: values should be checked before
a solver is built from them inside a transformation. A schedule is checked by
its value at step 0.
"""

from typing import Any

import jax
from jax.core import Tracer
import jax.numpy as jnp
import numpy as np


def between(
  name: str,
  value: Any,
  low: float,
  high: float = np.inf,
  *,
  open_low: bool = False,
  infinite: bool = False,
) -> None:
  """Raises ValueError unless every element lies in the interval.

  Infinity is allowed only with `infinite`.
  """
  numbers = _checked(name, value)
  if numbers is None:
    return
  fits = (numbers > low if open_low else numbers >= low) & (numbers <= high)
  if not np.all(fits & (infinite | np.isfinite(numbers))):
    raise ValueError(
      f"`{name}` must lie in {_interval(low, high, open_low, infinite)}, "
      f"got {_shown(value, numbers)}"
    )


def positive(name: str, value: Any) -> None:
  """Raises ValueError unless every element is positive, and finite."""
  between(name, value, 0, open_low=True)


def held(name: str, value: Any, dtype: Any) -> None:
  """Raises ValueError unless the value is one positive number of a dtype.

  Out of the dtype's range it would be zero or infinite, and an array would be
  broadcast over actions.
  """
  positive(name, value)
  if np.ndim(value):
    raise ValueError(
      f"`{name}` must be a single number, got {value}; use jax.vmap for many"
    )
  number, limits = known(value), jnp.finfo(dtype)
  if number is not None and not limits.tiny <= number <= limits.max:
    raise ValueError(
      f"`{name}` must fit {dtype}, from {limits.tiny:.0e} to "
      f"{limits.max:.0e}, got {value}; choose another unit"
    )


def whole(name: str, value: Any, low: int, high: float = np.inf) -> None:
  """Raises ValueError unless every element is a whole number of the range."""
  between(name, value, low, high)
  if not is_traced(value) and np.asarray(value).dtype.kind not in "iu":
    raise ValueError(
      f"`{name}` must be of whole numbers, got {value}, which is no integer"
    )


def differs(name: str, value: Any, other: float, remedy: str) -> None:
  """Raises ValueError if an element equals `other`."""
  numbers = known(value)
  if numbers is not None and np.any(numbers == other):
    raise ValueError(f"`{name}` must not be {other}, got {value}; {remedy}")


def known(value: Any) -> np.ndarray | None:
  """Returns the value as an array; None for schedules and traced values.

  Also None for anything that is not a real number.
  """
  if callable(value) or is_traced(value):
    return None
  try:
    array = np.asarray(value)
  except (TypeError, ValueError):
    return None
  kinds = (np.floating, np.integer)
  if not any(jnp.issubdtype(array.dtype, kind) for kind in kinds):
    return None
  return array.astype(float)


def floating_type(dtype: Any) -> np.dtype:
  """Returns the floating type that JAX uses for a type; for None, its default.

  Raises:
    ValueError: If it is not a floating type.
  """
  try:
    found = jnp.zeros(0, dtype).dtype
  except TypeError:
    found = None
  if found is None or not jnp.issubdtype(found, jnp.floating):
    raise ValueError(f"`dtype` must be a floating type, got {dtype}")
  return found


def _checked(name, value):
  """Returns the numbers to be checked, or None where they are not known."""
  if is_traced(value):
    return None
  if callable(value):
    value = value(jnp.zeros((), jnp.result_type(int)))
    return None if is_traced(value) else _checked(name, value)
  numbers = known(value)
  if numbers is None or not numbers.size:
    raise ValueError(f"`{name}` must be a real number, got {value!r}")
  return numbers


def is_traced(value: Any) -> bool:
  """Returns whether a leaf is known only to a transformation of JAX."""
  return any(isinstance(x, Tracer) for x in jax.tree.leaves(value))


def _shown(value, numbers):
  return f"a schedule that starts at {numbers}" if callable(value) else value


def _interval(low, high, open_low, infinite):
  start = "-infinity" if low == -np.inf else low
  end = "infinity" if high == np.inf else high
  left = "(" if open_low or (low == -np.inf and not infinite) else "["
  right = ")" if high == np.inf and not infinite else "]"
  return f"{left}{start}, {end}{right}"
