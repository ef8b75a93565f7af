"""Checks of numbers and functions given by users, on the host, without JAX."""

import inspect
from typing import Any

from jaxtyping import Float
import numpy as np


def real_array(name: str, value: Any) -> Float[np.ndarray, "..."]:
  """Returns the value as an array of doubles.

  Raises:
    ValueError: If it does not hold real numbers: text, booleans, complex
      numbers, rows of different lengths, or masked entries.
  """
  if np.ma.is_masked(value):
    raise ValueError(
      f"`{name}` must give every number, got a masked array; fill it"
    )
  try:
    array = np.asarray(value)
  except ValueError as error:
    raise ValueError(
      f"`{name}` must be an array of real numbers, got {_shown(value)}: {error}"
    ) from error
  kind = array.dtype.kind
  # NumPy does not know JAX's own floating types, such as bfloat16.
  own = kind == "V" and "float" in array.dtype.name
  if array.size and kind not in "iuf" and not own:
    raise ValueError(
      f"`{name}` must be an array of real numbers, got one of "
      f"{array.dtype.name}; convert it to floats"
    )
  return array.astype(float)


def check_count(
  name: str, value: Any, low: int = 1, high: int | None = None
) -> None:
  """Raises ValueError unless the value is a whole number in the range."""
  if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
    raise ValueError(f"`{name}` must be a whole number, got {_shown(value)}")
  if value < low:
    least = "positive" if low == 1 else f"at least {low}"
    raise ValueError(f"`{name}` must be {least}, got {value}")
  if high is not None and value > high:
    raise ValueError(f"`{name}` must be at most {high}, got {value}")


def check_number(
  name: str, value: Any, low: float, high: float = np.inf
) -> None:
  """Raises ValueError unless the value is one number in the interval."""
  array = np.asarray(value)
  if array.ndim or array.dtype.kind not in "iuf":
    raise ValueError(f"`{name}` must be a number, got {_shown(value)}")
  if not low <= value <= high:
    interval = f"[{low}, {high}]" if high < np.inf else f"[{low}, infinity)"
    raise ValueError(f"`{name}` must lie in {interval}, got {value}")


def check_seed(name: str, value: Any) -> None:
  """Raises ValueError unless NumPy's generators take the value as a seed."""
  try:
    np.random.SeedSequence(value)
  except (TypeError, ValueError) as error:
    raise ValueError(
      f"`{name}` must be a whole number from 0 on, or several, got "
      f"{_shown(value)}"
    ) from error


def takes(function: Any, count: int) -> bool:
  """Returns whether a function can be called with that many arguments."""
  if not callable(function):
    return False
  try:
    inspect.signature(function).bind(*[None] * count)
  except TypeError:
    return False
  except ValueError:  # Some C functions have no signature.
    return True
  return True


def _shown(value):
  text = repr(value)
  return text if len(text) <= 60 else f"{text[:57]}..."
