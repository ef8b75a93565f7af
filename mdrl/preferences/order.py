"""Transitivity and Condorcet winners of preference matrices."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from mdrl import inputs


class Order(NamedTuple):
  """The order of a preference matrix.

  A response is at least as good as another where it is preferred to it with
  probability at least 1/2.

  Attributes:
    transitive: Whether "at least as good" is: weak stochastic transitivity.
    strongly_transitive: Whether a over b and b over c also make a over c at
      least as likely as the likelier of the two: strong stochastic
      transitivity.
    bradley_terry: Whether scores explain all preferences, by
      `sigmoid(score_a - score_b)`.
    condorcet_winner: The response that beats every other with probability above
      1/2; None if no response does.
  """

  transitive: bool
  strongly_transitive: bool
  bradley_terry: bool
  condorcet_winner: int | None


def decide(preferences: ArrayLike, tolerance: float = 1e-9) -> Order:
  """Decides which kinds of order a preference matrix has, in O(n^3).

  Args:
    preferences: P[a, b], of one context.
    tolerance: Probabilities this near to 1/2, or to one another, are equal.

  Raises:
    ValueError: If the matrix is not square, or holds NaN or nothing, or the
      tolerance is not in [0, 1/2].
  """
  inputs.check_number("tolerance", tolerance, 0, 0.5)
  matrix = inputs.real_array("preferences", preferences)
  if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
    raise ValueError(
      "`preferences` must be a square matrix, got shape "
      f"{matrix.shape}; decide context by context"
    )
  if not matrix.size or np.isnan(matrix).any():
    raise ValueError(
      "`preferences` must hold numbers alone, at least one of them, got "
      f"{matrix.tolist()}"
    )
  at_least = matrix >= 0.5 - tolerance
  steps = at_least.astype(float) @ at_least.astype(float)
  transitive = bool((at_least | (steps == 0)).all())
  wins = (matrix > 0.5 + tolerance) | np.eye(len(matrix), dtype=bool)
  winners = np.flatnonzero(wins.all(axis=1))
  return Order(
    transitive=transitive,
    strongly_transitive=transitive and _is_strong(matrix, tolerance),
    bradley_terry=_is_bradley_terry(matrix, tolerance),
    condorcet_winner=int(winners[0]) if len(winners) else None,
  )


def _is_strong(matrix, tolerance):
  """Whether P[a, c] >= max(P[a, b], P[b, c]) where both are at least 1/2."""
  for middle in range(len(matrix)):
    before, after = matrix[:, middle, None], matrix[None, middle]
    both = (before >= 0.5 - tolerance) & (after >= 0.5 - tolerance)
    if (both & (matrix < np.maximum(before, after) - tolerance)).any():
      return False
  return True


def _is_bradley_terry(matrix, tolerance):
  """Whether logits are differences of scores, those of neighbours added up."""
  if (matrix <= 0).any():
    return False
  # Near 0 and 1, probabilities are flat in scores and say little about them.
  order = np.argsort(matrix.sum(axis=1))
  ranked = matrix[np.ix_(order, order)]
  steps = -special.logit(np.diagonal(ranked, 1))
  scores = np.concatenate([np.zeros(1), np.cumsum(steps)])
  fitted = special.expit(np.subtract.outer(scores, scores))
  return bool((np.abs(fitted - ranked) <= tolerance).all())
