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
  known = _known(value)
  if known is None:
    return
  above = known > low if open_low else known >= low
  if not np.all(above & (known <= high)):
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
  known = _known(value)
  if known is not None and np.any(known == other):
    raise ValueError(f"`{name}` must not be {other}, got {value}; {remedy}")


def _known(value):
  """The value as an array, or None for schedules and traced values."""
  if callable(value) or isinstance(value, Tracer):
    return None
  try:
    return np.asarray(value, float)
  except (TypeError, ValueError):
    return None
