"""Checks of hyper-parameters, on the host.

A value that JAX traces is not known and passes: whoever builds a solver inside
a transformation has the values checked where they were made.
"""

from typing import Any

from jax.core import Tracer
import numpy as np


def between(
    name: str,
    value: Any,
    low: float,
    high: float = np.inf,
    *,
    open_low: bool = False,
) -> None:
  """Raises ValueError unless every element lies in the interval."""
  numbers = known(value)
  if numbers is None:
    return
  above = numbers > low if open_low else numbers >= low
  if not np.all(above & (numbers <= high)):
    bracket = "(" if open_low else "["
    end = "infinity)" if high == np.inf else f"{high}]"
    raise ValueError(
        f"`{name}` must lie in {bracket}{low}, {end}, got {value}"
    )


def positive(name: str, value: Any) -> None:
  """Raises ValueError unless every element is positive."""
  between(name, value, 0, open_low=True)


def differs(name: str, value: Any, other: float, remedy: str) -> None:
  """Raises ValueError if an element equals `other`."""
  numbers = known(value)
  if numbers is not None and np.any(numbers == other):
    raise ValueError(f"`{name}` must not be {other}, got {value}; {remedy}")


def known(value: Any) -> np.ndarray | None:
  """Returns the value as an array; None for schedules and traced values."""
  if callable(value) or isinstance(value, Tracer):
    return None
  try:
    return np.asarray(value, float)
  except (TypeError, ValueError):
    return None
