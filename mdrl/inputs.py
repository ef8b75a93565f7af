"""Numbers that users give as arrays, checked on the host, without JAX."""

from typing import Any

from jaxtyping import Float
import numpy as np


def real_array(name: str, value: Any) -> Float[np.ndarray, "..."]:
  """Returns the value as an array of doubles.

  Raises:
    ValueError: If it is not of real numbers: of text, of truth values, complex,
      or of rows that differ in length.
  """
  try:
    array = np.asarray(value)
  except ValueError as error:
    raise ValueError(
        f"`{name}` must be an array of real numbers, got {_shown(value)}: "
        f"{error}"
    ) from error
  kind = array.dtype.kind
  # Floating types of JAX are no types of NumPy.
  own = kind == "V" and "float" in array.dtype.name
  if array.size and kind not in "iuf" and not own:
    raise ValueError(
        f"`{name}` must be an array of real numbers, got one of "
        f"{array.dtype.name}; convert it to floats"
    )
  return array.astype(float)


def check_count(name: str, value: Any, low: int = 1) -> None:
  """Raises ValueError unless the value is a whole number from `low` on."""
  if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
    raise ValueError(f"`{name}` must be a whole number, got {_shown(value)}")
  if value < low:
    least = "positive" if low == 1 else f"at least {low}"
    raise ValueError(f"`{name}` must be {least}, got {value}")


def _shown(value):
  text = repr(value)
  return text if len(text) <= 60 else f"{text[:57]}..."
