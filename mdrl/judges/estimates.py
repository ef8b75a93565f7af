"""Means of games that were played, and how far they may be off."""

from typing import NamedTuple

import numpy as np

# Of the standard normal distribution, on both sides of 95 %.
_WIDTH = 1.959964


class Estimate(NamedTuple):
  """An estimate of a mean, in units of utility.

  Attributes:
    mean: The mean of a sample.
    error: Its standard error; zero for what is known exactly.
  """

  mean: float
  error: float = 0.0

  @property
  def interval(self) -> tuple[float, float]:
    """The interval of 95 % confidence, by the normal approximation.

    It holds for thousands of games; samples without any spread have intervals
    of no width, whatever their size.
    """
    return self.mean - _WIDTH * self.error, self.mean + _WIDTH * self.error

  def __add__(self, other: "Estimate") -> "Estimate":  # pyright: ignore[reportIncompatibleMethodOverride]
    """Returns the sum with an estimate from other games."""
    return Estimate(
      self.mean + other.mean, float(np.hypot(self.error, other.error))
    )

  def __sub__(self, other: "Estimate") -> "Estimate":
    """Returns the difference to an estimate from other games."""
    return self + other.times(-1)

  def times(self, factor: float) -> "Estimate":
    """Returns the estimate in another unit."""
    return Estimate(factor * self.mean, abs(factor) * self.error)


def of(sample: np.ndarray) -> Estimate:
  """Returns the estimate of a mean from independent numbers.

  Raises:
    ValueError: If there are fewer than two.
  """
  if sample.ndim != 1 or len(sample) < 2:
    raise ValueError(
      "`sample` must be a row of at least two numbers, got shape "
      f"{sample.shape}"
    )
  numbers = sample.astype(float)
  error = numbers.std(ddof=1) / np.sqrt(len(numbers))
  return Estimate(float(numbers.mean()), float(error))
