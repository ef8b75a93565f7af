"""Intervals of confidence of means, from samples of independent numbers."""

import math
from typing import NamedTuple

# Below so many numbers a distribution that is far from normal, such as that of
# rare losses, can leave Student's interval much too narrow.
_FEW = 100


class Interval(NamedTuple):
  """Where a mean lies, with the confidence that was asked for.

  Attributes:
    mean: Of the sample.
    low: Lower end; minus infinity where the sample says nothing of it.
    high: Upper end.
    method: `student`, `hoeffding`, or `none` where nothing is known.
  """

  mean: float
  low: float
  high: float
  method: str


def of_moments(
  count: int,
  mean: float,
  squares: float,
  *,
  confidence: float = 0.95,
  limits: tuple[float, float] | None = None,
) -> Interval:
  """Returns the interval of the mean of a distribution.

  From 100 numbers on it is Student's, which takes the mean of the sample for
  normally distributed, cut off at the limits. Of fewer numbers, and of numbers
  that are all equal, it is Hoeffding's where there are limits, which holds for
  any distribution within them (J. Am. Stat. Assoc. 58, 1963, theorem 2).
  Without limits, fewer numbers have Student's, which is exact for normally
  distributed ones alone, and equal numbers none.

  Args:
    count: How many numbers the sample has.
    mean: Their mean.
    squares: The sum of their squared distances from it.
    confidence: Probability with which the interval is to hold the mean.
    limits: The least and the greatest number that there can be, if known.

  Raises:
    ValueError: If the sample is empty, the confidence is no probability, or the
      limits do not rise.
  """
  _check(count, confidence, limits)
  spread = count > 1 and squares > 0
  if limits is not None and limits[0] == limits[1]:
    return Interval(mean, mean, mean, "hoeffding")
  if limits is not None and (count < _FEW or not spread):
    size = (limits[1] - limits[0]) * math.sqrt(
      math.log(2 / (1 - confidence)) / (2 * count)
    )
    return _around(mean, size, "hoeffding", limits)
  if not spread:
    return Interval(mean, -math.inf, math.inf, "none")
  # SciPy takes a while to import, and not who imports this needs it.
  from scipy import special

  quantile = float(special.stdtrit(count - 1, (1 + confidence) / 2))
  size = quantile * math.sqrt(squares / (count - 1) / count)
  return _around(mean, size, "student", limits)


def _around(mean, size, method, limits):
  low, high = limits or (-math.inf, math.inf)
  return Interval(mean, max(mean - size, low), min(mean + size, high), method)


def _check(count, confidence, limits):
  if count < 1:
    raise ValueError(f"`count` must be positive, got {count}; play more games")
  if not 0 < confidence < 1:
    raise ValueError(
      f"`confidence` must lie between 0 and 1, got {confidence}; 0.95 is usual"
    )
  if limits is not None and not limits[0] <= limits[1]:
    raise ValueError(
      f"`limits` must be the least and the greatest number, got {limits}"
    )
