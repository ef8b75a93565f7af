"""Exact values of policies in two-player zero-sum games on boards."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

# For each player, the probability of each cell at each infostate.
Tables = Sequence[np.ndarray | jax.Array]


class BoardValues(NamedTuple):
  """What policies are worth, exactly up to rounding, in units of utility.

  Attributes:
    values: What each player expects.
    best_responses: What each player can reach against the other's policy.
  """

  values: tuple[float, float]
  best_responses: tuple[float, float]

  @property
  def gains(self) -> tuple[float, float]:
    """What each player gains by its best response."""
    first, second = (
      best - value
      for best, value in zip(self.best_responses, self.values, strict=True)
    )
    return first, second

  @property
  def exploitability(self) -> float:
    """NashConv by the number of players, as OpenSpiel has it."""
    return sum(self.gains) / 2


def of(value: float, best_responses: Any) -> BoardValues:
  """Returns values from that of player 0 and both best responses."""
  first, second = (float(best) for best in best_responses)
  return BoardValues((value, -value), (first, second))


def check_policies(policies: Tables, shapes: Sequence[tuple[int, int]]) -> None:
  """Raises ValueError unless there is a table of numbers for each player."""
  if len(policies) != len(shapes):
    raise ValueError(
      f"`policies` must be {len(shapes)} tables, one for each player, got "
      f"{len(policies)}"
    )
  for i, (policy, shape) in enumerate(zip(policies, shapes, strict=True)):
    if policy.shape != shape or not np.issubdtype(policy.dtype, np.floating):
      raise ValueError(
        f"`policies[{i}]` must be floating-point numbers {list(shape)}, got "
        f"{policy.dtype}{list(policy.shape)}"
      )
