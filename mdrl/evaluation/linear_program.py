"""Exact equilibria of two-player zero-sum games by linear programming.

The sequence-form program of Koller, Megiddo & von Stengel (1996,
https://doi.org/10.1006/game.1996.0051), solved by HiGHS through scipy, on the
host and in double precision.
"""

from typing import NamedTuple

from jaxtyping import Float
import numpy as np
from scipy import optimize, sparse

from mdrl.games import matrix_game, preference_game, segments, tree_game
from mdrl.games import treeplex as treeplex_lib


class Equilibrium(NamedTuple):
  """A Nash equilibrium of a two-player zero-sum game.

  Attributes:
    value: Expected utility of the first player.
    plans: An optimal plan of each player, over slots.
  """

  value: float
  plans: tuple[np.ndarray, np.ndarray]


def solve(game: tree_game.TreeGame | matrix_game.MatrixGame) -> Equilibrium:
  """Returns an exact equilibrium.

  Raises:
    ValueError: If the game is not two-player zero-sum, or the program fails.
  """
  if game.num_players != 2 or not game.zero_sum:
    raise ValueError(
        "`game` must be two-player zero-sum, got "
        f"{game.num_players} players and zero_sum={game.zero_sum}"
    )
  payoff = [_payoff_matrix(game, i) for i in range(2)]
  constraints = [_constraints(t) for t in game.treeplexes]
  legal = [np.asarray(t.legal) for t in game.treeplexes]
  first = _maximin(payoff[1], legal[0], *constraints)
  second = _maximin(payoff[0], legal[1], *constraints[::-1])
  return Equilibrium(float(first @ (payoff[0] @ second)), (first, second))


def minimax_winner(
    game: preference_game.PreferenceGame,
) -> Float[np.ndarray, "X A"]:
  """Returns a minimax winner of each context: no response beats it.

  Raises:
    ValueError: If a program fails.
  """
  advantages = np.asarray(game.advantage, float)
  winners = [solve(matrix_game.zero_sum_game(a)).plans[0][1:]
             for a in advantages]
  return np.stack(winners)


def _payoff_matrix(game, player):
  """A player's utility by its own slots and the other's."""
  shape = tuple(t.num_slots for t in game.treeplexes)
  shape = shape if player == 0 else shape[::-1]
  if isinstance(game, matrix_game.MatrixGame):
    utility = np.asarray(game.payoffs[player], float)
    utility = utility if player == 0 else utility.T
    return sparse.csr_matrix(np.pad(utility, ((1, 0), (1, 0))))
  rows, sources, weight = segments.entries(game.payoffs[player])
  if not len(rows):
    return sparse.csr_matrix(shape)
  return sparse.csr_matrix(
      (weight.astype(float), (rows, sources[0])), shape=shape
  )


def _constraints(treeplex: treeplex_lib.Treeplex):
  """The matrix E of the equations E x = e of a plan."""
  rows, columns, values = [np.array([0])], [np.array([0])], [np.array([1.0])]
  legal = np.asarray(treeplex.legal)
  for depth, groups in enumerate(treeplex.levels):
    first = groups[0].row
    for g in groups:
      row = 1 + g.row + np.arange(g.rows)
      if depth:
        parents = np.asarray(treeplex.parents[depth - 1])
        above = parents[g.row - first : g.row - first + g.rows]
      else:
        above = np.zeros(g.rows, int)
      slot = g.start + np.arange(g.rows * g.width)
      own = legal[slot]
      rows += [row, np.tile(row, g.width)[own]]
      columns += [above, slot[own]]
      values += [-np.ones(g.rows), np.ones(own.sum())]
  shape = (1 + treeplex.num_infostates, treeplex.num_slots)
  entries = np.concatenate(values)
  at = (np.concatenate(rows), np.concatenate(columns))
  return sparse.csr_matrix((entries, at), shape=shape)


def _maximin(other, legal, own, opponent):
  """Returns the plan that leaves the opponent the least utility.

  By duality, the opponent's best response to a plan x is worth the least first
  component of a vector v with `opponent.T @ v >= other @ x`.
  """
  num_slots, num_values = len(legal), opponent.shape[0]
  objective = np.zeros(num_slots + num_values)
  objective[num_slots] = 1
  free = sparse.csr_matrix((own.shape[0], num_values))
  right = np.zeros(own.shape[0])
  right[0] = 1
  lower = np.concatenate([np.zeros(num_slots), np.full(num_values, -np.inf)])
  upper = np.full(num_slots + num_values, np.inf)
  upper[:num_slots] = np.where(legal, np.inf, 0)
  result = optimize.linprog(
      objective,
      A_ub=sparse.hstack([other, -opponent.T]).tocsr(),
      b_ub=np.zeros(other.shape[0]),
      A_eq=sparse.hstack([own, free]).tocsr(),
      b_eq=right,
      bounds=np.stack([lower, upper], axis=1),
      method="highs",
  )
  if not result.success:
    raise ValueError(
        "`game` gave a linear program that HiGHS did not solve: "
        f"{result.message}"
    )
  return result.x[:num_slots]
