"""Exact equilibria of two-player zero-sum games by linear programming.

The sequence-form program of Koller, Megiddo & von Stengel (1996,
https://doi.org/10.1006/game.1996.0051), solved by HiGHS through scipy, on the
host and in double precision. HiGHS drops coefficients below 1e-9 and meets
equations to 1e-10, in whatever unit: programs are scaled before, and it is
computed after what best responses gain on the answer.
"""

from typing import Any, NamedTuple, cast

from jaxtyping import Float
import numpy as np
from scipy import optimize, sparse

from mdrl.games import matrix_game, preference_game, tree_game
from mdrl.trees import quantities, segment_plans
from mdrl.trees import treeplex as treeplex_lib

# Largest duality gap of an answer, relative to the size of the payoffs.
_TOLERANCE = 1e-9
_FEASIBILITY = 1e-10
# HiGHS fails where payoffs are many orders of magnitude apart. Those below a
# floor, relative to the largest, are then left out, which the gap tells.
_FLOORS = (0.0, 1e-15, 1e-12, 1e-10)
_SCALING_PASSES = 4


class Equilibrium(NamedTuple):
  """A Nash equilibrium of a two-player zero-sum game.

  Attributes:
    value: Expected utility of the first player.
    plans: An optimal plan of each player, over slots.
    gap: Duality gap of the plans, in units of utility: what both players'
      best responses gain together. Rounding leaves it near zero, of any sign.
  """

  value: float
  plans: quantities.Plans
  gap: float


class _NotSolvedError(Exception):
  """HiGHS has given a program up."""


class _Payoff(NamedTuple):
  """A player's utility by its own slots and the other's, less a constant."""

  matrix: sparse.csr_matrix
  constant: float


def solve(game: tree_game.TreeGame | matrix_game.MatrixGame) -> Equilibrium:
  """Returns an exact equilibrium.

  Raises:
    ValueError: If the game is not two-player zero-sum, the program fails, or
      the gap of its answer is above 1e-9 of the payoffs (in single precision,
      a few roundings of them).
  """
  if not isinstance(game, (tree_game.TreeGame, matrix_game.MatrixGame)):
    raise ValueError(
      f"`game` must be a TreeGame or a MatrixGame, got a {type(game).__name__}"
    )
  if game.num_players != 2 or not game.zero_sum:
    raise ValueError(
      "`game` must be two-player zero-sum, got "
      f"{game.num_players} players and zero_sum={game.zero_sum}"
    )
  treeplexes = game.treeplexes
  payoffs, exponent = _scaled([_payoff(game, i) for i in range(2)])
  plans, gap = _solve(treeplexes, payoffs, float(np.finfo(game.dtype).eps))
  value = np.ldexp(plans[0] @ (payoffs[0].matrix @ plans[1]), exponent)
  return Equilibrium(
    float(value + payoffs[0].constant),
    quantities.Plans(cast(Any, plans)),
    float(np.ldexp(gap, exponent)),
  )


def minimax_winner(
  game: preference_game.PreferenceGame,
) -> Float[np.ndarray, "X A"]:
  """Returns a minimax winner of each context: no response beats it.

  Raises:
    ValueError: If the game is not one of preferences, a program fails, or its
      answer is not exact.
  """
  if not isinstance(game, preference_game.PreferenceGame):
    raise ValueError(
      "`game` must be a game of preferences, got a "
      f"{type(game).__name__}; use solve for others"
    )
  advantages = np.asarray(game.advantage, float)
  winners = [
    solve(matrix_game.zero_sum_game(a)).plans[0][1:] for a in advantages
  ]
  return np.stack(winners)


def _payoff(game, player):
  """Returns a player's payoffs; `solve` brings both to one scale."""
  shape = tuple(t.num_slots for t in game.treeplexes)
  shape = shape if player == 0 else shape[::-1]
  if isinstance(game, matrix_game.MatrixGame):
    utility = np.asarray(game.payoffs[player], float)
    utility = utility if player == 0 else utility.T
    constant = _common(utility)
    matrix = np.pad(utility - constant, ((1, 0), (1, 0)))
    return _Payoff(sparse.csr_matrix(matrix), constant)
  rows, sources, weight = segment_plans.entries(game.payoffs[player])
  if not len(rows):
    return _Payoff(sparse.csr_matrix(shape), 0.0)
  matrix = sparse.csr_matrix(
    (weight.astype(float), (rows, sources[0])), shape=shape
  )
  return _Payoff(matrix, 0.0)


def _common(utility):
  """Returns what all payoffs have in common, if that is most of each of them.

  Within a factor of two, differences are exact.
  """
  low, high = float(utility.min()), float(utility.max())
  if 0 < low and high / 2 <= low:
    return low
  if high < 0 and low / 2 >= high:
    return high
  return 0.0


def _scaled(payoffs):
  """Returns payoffs of at most one, and the power of two that they lack."""
  largest = max(abs(p.matrix).max() for p in payoffs)
  exponent = int(np.frexp(largest)[1])
  scaled = []
  for matrix, constant in payoffs:
    matrix = matrix.copy()
    matrix.data = np.ldexp(matrix.data, -exponent)
    scaled.append(_Payoff(matrix, constant))
  return scaled, exponent


def _constraints(treeplex: treeplex_lib.Treeplex):
  """The matrix E of the equations E x = e of a plan."""
  rows, columns, values = [np.array([0])], [np.array([0])], [np.array([1.0])]
  legal = np.asarray(treeplex.legal)
  first = 1
  for slots, above in _infostates(treeplex):
    row = first + np.arange(len(slots))
    first += len(slots)
    own = legal[slots]
    rows += [row, np.broadcast_to(row[:, None], slots.shape)[own]]
    columns += [above, slots[own]]
    values += [-np.ones(len(slots)), np.ones(own.sum())]
  shape = (1 + treeplex.num_infostates, treeplex.num_slots)
  entries = np.concatenate(values)
  at = (np.concatenate(rows), np.concatenate(columns))
  return sparse.csr_matrix((entries, at), shape=shape)


def _solve(treeplexes, payoffs, rounding):
  """Returns plans and their gap, by the first program that is exact enough."""
  size = _size(treeplexes, payoffs)
  # Payoffs of both players are rounded apart in single precision.
  limit = max(_TOLERANCE, 100 * rounding)
  constraints = [_constraints(t) for t in treeplexes]
  failure = ""
  for floor in _FLOORS:
    kept = [_above(p.matrix, floor) for p in payoffs]
    try:
      first, second = (
        _as_plan(t, _maximin(kept[1 - i], t, *constraints[:: 1 - 2 * i]))
        for i, t in enumerate(treeplexes)
      )
    except _NotSolvedError as error:
      failure = str(error)
      continue
    gap = _gap(treeplexes, payoffs, (first, second))
    if gap <= limit * size:
      return (first, second), gap
    failure = f"its answer has a duality gap of {gap / size:.1e} of the payoffs"
  raise ValueError(
    "`game` gave linear programs that HiGHS did not solve to a gap of "
    f"{limit:.0e} of the payoffs: {failure}; make payoffs less different in "
    "size, or use a solver such as predictive CFR+"
  )


def _above(matrix, floor):
  """Returns the entries that are at least a floor."""
  kept = matrix.copy()
  kept.data[np.abs(kept.data) < floor] = 0
  kept.eliminate_zeros()
  return kept


def _maximin(other, treeplex, own, opponent):
  """Returns the plan that leaves the opponent the least utility, roughly.

  By duality, the opponent's best response to a plan x is worth the least first
  component of a vector v with `opponent.T @ v >= other @ x`.
  """
  num_slots, num_values = treeplex.num_slots, opponent.shape[0]
  free = sparse.csr_matrix((own.shape[0], num_values))
  program = sparse.vstack(
    [sparse.hstack([other, -opponent.T]), sparse.hstack([own, free])]
  ).tocsr()
  rows, columns = _scales(program)
  program = sparse.diags(rows) @ program @ sparse.diags(columns)
  objective = np.zeros(num_slots + num_values)
  objective[num_slots] = 1
  equal = np.zeros(own.shape[0])
  equal[0] = rows[other.shape[0]]
  lower = np.concatenate([np.zeros(num_slots), np.full(num_values, -np.inf)])
  upper = np.full(num_slots + num_values, np.inf)
  upper[:num_slots] = np.where(np.asarray(treeplex.legal), np.inf, 0)
  result = optimize.linprog(
    objective,
    A_ub=program[: other.shape[0]],
    b_ub=np.zeros(other.shape[0]),
    A_eq=program[other.shape[0] :],
    b_eq=equal,
    bounds=np.stack([lower, upper], axis=1),
    method="highs",
    options={
      "primal_feasibility_tolerance": _FEASIBILITY,
      "dual_feasibility_tolerance": _FEASIBILITY,
    },
  )
  if not result.success:
    raise _NotSolvedError(result.message)
  return (columns * result.x)[:num_slots]


def _scales(program):
  """Returns powers of two for rows and columns that bring entries near one.

  In turns, rows and columns are divided by the geometric mean of their smallest
  and their largest entry.
  """
  entries = program.tocoo()
  kept = entries.data != 0
  size = np.log2(np.abs(entries.data[kept]))
  places = (entries.row[kept], entries.col[kept])
  logs = [np.zeros(n) for n in program.shape]
  for _ in range(_SCALING_PASSES):
    for own, other in ((0, 1), (1, 0)):
      left = size + logs[other][places[other]]
      low = np.full(len(logs[own]), np.inf)
      high = np.full(len(logs[own]), -np.inf)
      np.minimum.at(low, places[own], left)
      np.maximum.at(high, places[own], left)
      some = low <= high
      logs[own][some] = -np.rint((low[some] + high[some]) / 2)
  return [np.exp2(x) for x in logs]


def _as_plan(treeplex, weights):
  """Returns the plan in proportion to weights that are one but for rounding."""
  legal = np.asarray(treeplex.legal)
  weights = np.where(legal, np.maximum(weights, 0), 0)
  plan = np.zeros(treeplex.num_slots)
  plan[0] = 1
  for slots, above in _infostates(treeplex):
    rows = weights[slots]
    total = rows.sum(axis=1, keepdims=True)
    even = legal[slots] / legal[slots].sum(axis=1, keepdims=True)
    share = np.where(total > 0, rows / np.where(total > 0, total, 1), even)
    plan[slots] = plan[above][:, None] * share
  return plan


def _best(treeplex, gain):
  """Returns what a best response earns from a gain."""
  q = np.where(np.asarray(treeplex.legal), gain, -np.inf)
  q[0] = gain[0]
  for slots, above in reversed(list(_infostates(treeplex))):
    np.add.at(q, above, q[slots].max(axis=1))
  return q[0]


def _infostates(treeplex):
  """Yields the slots of each group, `[R, W]`, and those above, `[R]`."""
  for depth, groups in enumerate(treeplex.levels):
    first = groups[0].first_row
    for g in groups:
      above = np.zeros(g.num_rows, int)
      if depth:
        parents = np.asarray(treeplex.parents[depth - 1])
        above = parents[g.first_row - first : g.first_row - first + g.num_rows]
      slots = g.start + np.arange(g.num_rows * g.width)
      yield slots.reshape(g.width, g.num_rows).T, above


def _gap(treeplexes, payoffs, plans):
  gains = [payoffs[i].matrix @ plans[1 - i] for i in range(2)]
  return sum(
    _best(t, gain) - plan @ gain
    for t, gain, plan in zip(treeplexes, gains, plans, strict=True)
  )


def _size(treeplexes, payoffs):
  """Returns what a player could earn at most, were all payoffs positive.

  Against uniform play of the other; or the largest entry, if that is more.
  """
  sizes = []
  for i, t in enumerate(treeplexes):
    absolute = abs(payoffs[i].matrix)
    other = treeplexes[1 - i]
    even = _as_plan(other, np.zeros(other.num_slots))
    sizes += [_best(t, absolute @ even), absolute.max()]
  return max(sizes)
