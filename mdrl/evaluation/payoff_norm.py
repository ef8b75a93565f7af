"""The natural unit of a game's utilities: how fast play turns.

Whether steps along the gains settle or cycle is decided by the eigenvalues of
K = H^-1 dF, with dF the derivative of the gains and H that of the potential's
gradient. On simplices with the Euclidean potential these are, in two-player
zero-sum games, the singular values of the payoffs without their row and column
means, which no projection sees. On a tree the dilated potential weighs an
infostate by its reach (Hoda et al., 2010,
https://doi.org/10.1287/moor.1100.0452, section 3), so that K depends on the
policies. The norm of the sequence-form payoffs is another number: 2.3 times as
large in goofspiel of four cards in descending order, and 0.59 of it in liar's
dice of four sides.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Float
import numpy as np

from mdrl import tiers
from mdrl.games import base as game_lib
from mdrl.trees import quantities
from mdrl.trees import treeplex as treeplex_lib

# Policies at which K is taken, and applications of K at each.
_POLICIES = 8
_ITERATIONS = 30
# Changes that span the fastest of them; two rates of either sign are four.
_KRYLOV = 8
_INDEPENDENT = 1e-6
# Of the Dirichlet distribution that policies are drawn from.
_SHAPE = 0.5
# In units of the last place.
_ROUNDING = 64

_Rows = tuple[Float[np.ndarray, " _"], ...]


def payoff_norm(game: game_lib.Game) -> float:
  """Returns the largest rate at which play turns, in utility.

  It is the spectral radius of K for the Euclidean potential: the largest of
  those at uniform policies and at a few random ones, of which most are near
  corners. In a matrix game it is the same everywhere, and in any two-player
  zero-sum game it is the Lipschitz constant of the gains in the potential's
  metric. Found by power iteration, on the host, or, as rates of other games may
  be complex, from the eigenvalues on the span of its last steps; rounded to
  four digits so that machines agree. Where nobody's gain depends on what others
  choose it is the size of the gains instead, and one where these are all alike.
  """
  game_lib.check_is_game(game)
  sides = [_Side(t) for t in game.treeplexes]
  rng = np.random.default_rng(0)
  uniform = tuple(side.uniform for side in sides)
  gains = game.gains(game.plans(game_lib.uniform_policies(game)))
  # Where one policy leaves off, the next begins.
  changes = _directions(sides, rng)
  radius = size = 0.0
  for k in range(_POLICIES):
    policies = uniform
    if k:
      policies = tuple(
        side.normalized(rng.gamma(_SHAPE, size=side.size)) for side in sides
      )
    plans = tuple(map(_Side.plan, sides, policies))
    if not k:
      size = _size(sides, plans, _preferred(sides, policies, gains))
    found, changes = _radius_at(game, sides, policies, plans, changes)
    radius = max(radius, found)
  # Smaller ones are what rounding leaves.
  if not radius > _ROUNDING * float(jnp.finfo(game.dtype).eps) * size:
    radius = size
  return float(f"{radius:.4g}") if np.isfinite(radius) and radius > 0 else 1.0


def radius_at(game: game_lib.Game, policies: quantities.Policies) -> float:
  """Returns the spectral radius of K at policies, as `payoff_norm` finds it."""
  game_lib.check_is_game(game)
  quantities.check("policies", policies, quantities.Policies)
  sides = [_Side(t) for t in game.treeplexes]
  own = tuple(np.asarray(policy, float) for policy in policies)
  plans = tuple(map(_Side.plan, sides, own))
  changes = _directions(sides, np.random.default_rng(0))
  radius = 0.0
  for _ in range(_POLICIES):
    radius, changes = _radius_at(game, sides, own, plans, changes)
  return radius


def _directions(sides, rng):
  return [rng.normal(size=side.size) * (side.uniform > 0) for side in sides]


class _Side:
  """A treeplex on the host, where sweeps over it need no compilation."""

  def __init__(self, t: treeplex_lib.Treeplex):
    self.size = t.num_slots
    self.uniform = np.asarray(t.uniform, float)
    self._num_rows = t.num_infostates
    # Of each slot its infostate, of which slot 0 and padding count for none,
    # and the slot above.
    self._row = np.zeros(self.size, int)
    self._above = np.zeros(self.size, int)
    self._depths = []
    above = np.zeros(self._num_rows, int)
    for depth, groups in enumerate(t.levels):
      for g in groups:
        slots = np.arange(g.start, g.start + g.num_rows * g.width)
        self._row[slots] = g.first_row + (slots - g.start) % g.num_rows
      first, last = groups[0], groups[-1]
      if depth:
        above[first.first_row : last.first_row + last.num_rows] = t.parents[
          depth - 1
        ]
      stop = last.start + last.num_rows * last.width
      self._depths.append(slice(first.start, stop))
    if self._num_rows:
      self._above = above[self._row]

  def _sums(self, x, slots=slice(None)):
    return np.bincount(self._row[slots], x[slots], self._num_rows)

  def normalized(self, weights):
    """Returns a policy in proportion to positive weights."""
    weights = np.where(self.uniform > 0, weights, 0)
    total = self._sums(weights)[self._row] if self._num_rows else 1
    return weights / np.where(self.uniform > 0, total, 1)

  def plan(self, policy):
    """Returns the plan of a policy."""
    plan = np.ones(self.size)
    for slots in self._depths:
      plan[slots] = policy[slots] * plan[self._above[slots]]
    return plan

  def moved(self, policy, plan, change):
    """Returns how the plan changes with the policy."""
    moved = np.zeros(self.size)
    for slots in self._depths:
      above = self._above[slots]
      moved[slots] = change[slots] * plan[above] + policy[slots] * moved[above]
    return moved

  def preferred(self, policy, gain):
    """Returns what actions earn more than the mean, and where they lead."""
    value = np.array(gain, float)
    for slots in reversed(self._depths):
      earned = policy[slots] * value[slots]
      value += np.bincount(self._above[slots], earned, self.size)
    if not self._num_rows:
      return np.zeros(self.size)
    mean = self._sums(self.uniform * value)[self._row]
    return np.where(self.uniform > 0, value - mean, 0)

  def square(self, plan, change):
    """Returns the squared size of a change, infostates weighed by reach."""
    return float(np.sum(plan[self._above] * change**2))


@tiers.quick
def _changed(game, plans, moved):
  return jax.jvp(game.gains, (plans,), (moved,))[1]


def _radius_at(game, sides, policies, plans, changes):
  """Returns the largest rate at these policies, and where changes end."""
  at = _arrays(game, plans)
  growths, seen = [], []
  for _ in range(_ITERATIONS):
    moved = map(_Side.moved, sides, policies, plans, changes)
    gains = _changed(game, at, _arrays(game, moved))
    turned = _preferred(sides, policies, gains)
    growths.append(_size(sides, plans, turned))
    if not growths[-1] > 0:
      return 0.0, changes
    seen.append((np.concatenate(changes), np.concatenate(turned)))
    changes = [change / growths[-1] for change in turned]
  if not (game.zero_sum and len(sides) == 2):
    return _largest_rate(seen[-_KRYLOV:]), changes
  # Two, as a rotation that stretches one player's changes shrinks the other's.
  # In a unit in which their product neither overflows nor vanishes.
  exponent = np.frexp(growths[-1])[1]
  last = np.ldexp(growths[-2:], -exponent)
  return float(np.ldexp((last[0] * last[1]) ** 0.5, exponent)), changes


def _largest_rate(seen):
  """Returns the largest eigenvalue's size on the span of the last changes.

  Rates may be complex, and changes then grow by turns.
  """
  before, after = (np.stack(xs, axis=1) for xs in zip(*seen, strict=True))
  exponent = np.frexp(np.abs(after).max())[1]
  mapped = np.linalg.lstsq(before, np.ldexp(after, -exponent), _INDEPENDENT)[0]
  largest = np.abs(np.linalg.eigvals(mapped)).max()
  return float(np.ldexp(largest, exponent))


def _preferred(sides, policies, gains):
  return list(map(_Side.preferred, sides, policies, gains))


def _size(sides, plans, changes):
  # In a unit in which no square overflows or vanishes.
  largest = max(np.abs(change).max(initial=0) for change in changes)
  exponent = np.frexp(largest)[1]
  scaled = [np.ldexp(change, -exponent) for change in changes]
  squares = sum(map(_Side.square, sides, plans, scaled))
  return float(np.ldexp(squares**0.5, exponent))


def _arrays(game, xs):
  return quantities.Plans(jnp.asarray(x, game.dtype) for x in xs)
