"""Evaluates policies of other programs, which have layouts of their own.

It reads the tables of a two-player game in NumPy, in double precision,
and shares no code with the solvers that it evaluates.
"""

from collections.abc import Callable, Sequence
import functools
from typing import Any

from jaxtyping import Float, Int
import numpy as np
import scipy.sparse

# From an information-state string to pairs of an action and its probability.
Lookup = Callable[[str], Sequence[tuple[int, float]]]


class Judge:
  """Exploitabilities in one game.

  Attributes:
    tables: The tables of the game.
  """

  def __init__(self, tables: Any):
    """Lays out the payoffs.

    Raises:
      ValueError: If the game is not one of two players.
    """
    num_players = len(tables.width)
    if num_players != 2:
      raise ValueError(f"`tables` must have two players, got {num_players}")
    self.tables = tables
    shape = tuple(1 + int(np.sum(width)) for width in tables.width)
    rows, columns = np.asarray(tables.sequence).T
    weighted = np.asarray(tables.chance)[:, None] * np.asarray(tables.utility)
    self._payoffs = [
      scipy.sparse.coo_array((data, (rows, columns)), shape=shape).tocsr()
      for data in weighted.T
    ]

  @functools.cached_property
  def _first(self) -> tuple[Int[np.ndarray, " I"], ...]:
    return tuple(1 + np.cumsum(w) - w for w in self.tables.width)

  def exploitability(self, plans: Sequence[Float[np.ndarray, " S"]]) -> float:
    """Returns NashConv / 2 of plans by sequence, the empty one included."""
    plans = [np.asarray(plan, float) for plan in plans]
    gains = self._payoffs[0] @ plans[1], self._payoffs[1].T @ plans[0]
    improvements = [
      self._best(i, gain) - gain @ plan
      for i, (gain, plan) in enumerate(zip(gains, plans, strict=True))
    ]
    return float(improvements[0] + improvements[1]) / 2

  def exploitability_of(self, *lookups: Lookup) -> float:
    """Returns NashConv / 2 of policies, one for each player."""
    return self.exploitability(
      [self._plan(i, lookup) for i, lookup in enumerate(lookups)]
    )

  def _best(self, player: int, gain: Any) -> float:
    """Returns the value of a best response to a gain."""
    gain = gain.tolist()
    parent = np.asarray(self.tables.parent[player]).tolist()
    width = np.asarray(self.tables.width[player]).tolist()
    first = self._first[player].tolist()
    for k in range(len(parent) - 1, -1, -1):
      gain[parent[k]] += max(gain[first[k] : first[k] + width[k]])
    return gain[0]

  def _plan(self, player, lookup):
    """Returns the plan of a policy; where there is none, it is uniform."""
    plan = [1.0]
    action = np.asarray(self.tables.action[player]).tolist()
    for name, parent, width, first in zip(
      self.tables.infostates[player],
      np.asarray(self.tables.parent[player]).tolist(),
      np.asarray(self.tables.width[player]).tolist(),
      self._first[player].tolist(),
      strict=True,
    ):
      given = dict(lookup(name))
      row = [given.get(a, 0.0) for a in action[first - 1 : first - 1 + width]]
      total = sum(row)
      plan += [
        plan[parent] * (p / total if total > 0 else 1 / width) for p in row
      ]
    return np.array(plan)
