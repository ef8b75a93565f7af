"""One judge for everybody whose policies are not in our own layout.

It reads the tables of a two-player zero-sum game in NumPy, in double precision,
and shares nothing with the solvers that it judges.
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
      ValueError: If the game is not one of two players and zero-sum.
    """
    if len(tables.width) != 2 or not np.allclose(tables.utility.sum(axis=1), 0):
      raise ValueError("`tables` must be those of a two-player zero-sum game")
    self.tables = tables
    shape = tuple(1 + int(np.sum(width)) for width in tables.width)
    rows, columns = np.asarray(tables.sequence).T
    data = np.asarray(tables.chance) * np.asarray(tables.utility)[:, 0]
    self._payoffs = scipy.sparse.coo_array(
        (data, (rows, columns)), shape=shape
    ).tocsr()

  @functools.cached_property
  def _first(self) -> tuple[Int[np.ndarray, " I"], ...]:
    return tuple(1 + np.cumsum(w) - w for w in self.tables.width)

  def exploitability(
      self, plans: Sequence[Float[np.ndarray, " S"]]
  ) -> float:
    """Returns NashConv / 2 of plans by sequence, the empty one included."""
    first, second = (np.asarray(plan, float) for plan in plans)
    gains = self._payoffs @ second, -(self._payoffs.T @ first)
    return (self._best(0, gains[0]) + self._best(1, gains[1])) / 2

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
