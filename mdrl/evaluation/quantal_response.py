"""Quantal-response equilibria by root finding, apart from any solver.

At a logit quantal-response equilibrium of temperature tau, everybody's policies
maximise, against the others', gain less tau times the divergence from the
reference (McKelvey & Palfrey, 1995, https://doi.org/10.1006/game.1995.1023).
On a tree game that is the equilibrium of its reduced normal form (Ling, Fang &
Kolter, 2018, https://arxiv.org/abs/1805.02777); on its behavioural view with
Q-values, the agent equilibrium, in which every infostate decides for itself
(McKelvey & Palfrey, 1998, https://doi.org/10.1023/A:1009905800005).
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np
from scipy.sparse import linalg

from mdrl import checks, tiers
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps, profiles
from mdrl.trees import quantities

_MAX_NEWTON = 20
# Temperatures fall by this factor, or by less where that is too much.
_COOLING = 0.5
_SLOWEST = 0.98
# The least tolerance, in units of the precision of the game's dtype.
_ROUNDINGS = 4


class NotFoundError(ValueError):
  """No equilibrium was found, for all that the arguments were in order."""


def equilibrium(
  game: game_lib.GameView,
  temperature: float,
  tolerance: float = 1e-12,
  start: quantities.Policies | None = None,
) -> quantities.Policies:
  """Returns a quantal-response equilibrium, by Newton's method on the host.

  The temperature falls from one at which the reference is near the equilibrium,
  and each solution starts the search for the next, so that in games with many
  equilibria this is the one on the branch of the reference. Linear systems are
  solved by GMRES, with derivatives of the game as products.

  Args:
    game: The game, in double precision; a tree or its behavioural view with
      Q-values.
    temperature: tau > 0, in units of utility.
    tolerance: Largest error of a probability in the equations.
    start: Policies near an equilibrium, to start from at this very temperature;
      where the branch of the reference turns back before it, as that of agent
      equilibria of Leduc poker does near 0.2, there is no other way.

  Returns:
    The policies.

  Raises:
    ValueError: If the temperature or the tolerance is no positive number, the
      tolerance is below the precision of the game's dtype, or the start is none
      of the game.
    NotFoundError: If the equations are not met to the tolerance.
  """
  for name, value in (("temperature", temperature), ("tolerance", tolerance)):
    checks.held(name, value, game.dtype)
  _check_precision(tolerance, game.dtype)
  if start is not None:
    game_lib.check_policies(game, start, "start")
    point, off = _newton(game, temperature, _duals(game, start), tolerance)
    if not off <= tolerance:
      raise NotFoundError(
        "`start` must be near an equilibrium, got policies from which the "
        f"equations are met to {off:.1e} only; leave it out, or go nearer"
      )
    return _policies(game, point)
  reference = _reference_duals(game)
  warm = max(temperature, 4 * _largest_gain(game, reference))
  point, off = _newton(game, warm, reference, tolerance)
  cooling = _COOLING
  while warm > temperature and cooling < _SLOWEST:
    cool = max(temperature, cooling * warm)
    guess = _cooled(game, reference, point, warm / cool)
    found, off = _newton(game, cool, guess, tolerance)
    if off <= tolerance:
      point, warm, cooling = found, cool, max(_COOLING, cooling**2)
    else:
      cooling = np.sqrt(cooling)
  if warm > temperature or not off <= tolerance:
    raise NotFoundError(
      f"`temperature` {temperature} is too low to be reached to a tolerance "
      f"of {tolerance} here: from {warm:.3g}, equations are met to {off:.1e} "
      "only; ask for a higher temperature or tolerance, or pass `start`"
    )
  return _policies(game, point)


def _check_precision(tolerance, dtype):
  # Probabilities are rounded by about this much, Newton's steps by more.
  least = _ROUNDINGS * float(jnp.finfo(dtype).eps)
  if tolerance < least:
    raise ValueError(
      f"`tolerance` must be at least {least:.0e} in {dtype}, which rounds "
      f"probabilities, got {tolerance:g}; make the game in float64, with "
      "jax_enable_x64, or ask for a higher tolerance"
    )


@tiers.quick
def residual(
  game: game_lib.GameView,
  policies: quantities.Policies,
  temperature: Float[Array, ""] | float,
) -> Float[Array, ""]:
  """Returns the largest error of a probability in the equations."""
  tau = jnp.asarray(temperature).astype(game.dtype)
  responses = _respond(game, policies, tau)
  errors = [
    jnp.max(t.mask(jnp.abs(response - policy))[1:], initial=0)
    for t, response, policy in zip(
      game.treeplexes, _policies(game, responses), policies, strict=True
    )
  ]
  return jnp.max(jnp.stack(errors))


_ENTROPY = mirror_maps.NegativeEntropy()


@tiers.quick
def _policies(game, duals):
  return profiles.to_policies(game.treeplexes, _ENTROPY, duals)


def _respond(game, policies, temperature):
  """Returns everybody's regularised best response, as log-policies."""
  gains = game.gains(game.plans(policies))
  anchors = profiles.to_duals(game.treeplexes, _ENTROPY, game.reference)
  return profiles.prox(
    game.treeplexes, _ENTROPY, gains, [(temperature, anchors)]
  )


def _reference_duals(game):
  return _duals(game, game.reference or game_lib.uniform_policies(game))


@tiers.quick
def _duals(game, policies):
  duals = profiles.to_duals(game.treeplexes, _ENTROPY, policies)
  return _masked(game, duals)


def _masked(game, duals):
  """Returns duals with zeros where there is no sequence."""
  return quantities.Duals(
    t.mask(dual).at[0].set(0)
    for t, dual in zip(game.treeplexes, duals, strict=True)
  )


def _largest_gain(game, duals):
  gains = game.gains(game.plans(_policies(game, duals)))
  largest = max(float(jnp.max(jnp.abs(gain))) for gain in gains)
  return largest if largest > 0 else 1.0


@tiers.quick
def _error(game, temperature, duals):
  """What log-policies of responses differ by from log-policies."""
  responses = _respond(game, _policies(game, duals), temperature)
  return _masked(game, jax.tree.map(jnp.subtract, responses, duals))


@tiers.quick
def _slope(game, temperature, duals, move):
  """Returns the derivative of the error along a move."""
  return jax.jvp(lambda d: _error(game, temperature, d), (duals,), (move,))[1]


@tiers.quick
def _cooled(game, reference, duals, ratio):
  """Returns log-policies at a lower temperature, were gains to stay."""
  ratio = jnp.asarray(ratio).astype(game.dtype)
  return _normalized(
    game,
    jax.tree.map(lambda r, x: r + ratio * (x - r), reference, duals),
  )


@tiers.quick
def _normalized(game, duals):
  one = jnp.ones((), game.dtype)
  return profiles.mix(game.treeplexes, _ENTROPY, [(one, duals)])


def _newton(game, temperature, point, tolerance):
  """Returns log-policies and the largest error of a probability."""
  tau = jnp.asarray(temperature, game.dtype)
  off = np.inf
  for _ in range(_MAX_NEWTON):
    error = _error(game, tau, point)
    off = float(residual(game, _policies(game, point), tau))
    if off <= min(tolerance, 1e-12) / 10:
      break
    move = _solve(functools.partial(_slope, game, tau, point), error)
    moved, better = _shortened(game, tau, point, move, _size(error))
    if not better:
      break
    point = moved
  return point, off


def _solve(product, error):
  """Solves `-slope move = error` by GMRES."""
  flat, unravel = _flatten(error)
  operator: Any = linalg.LinearOperator(
    (len(flat), len(flat)),
    lambda x: -_flatten(product(unravel(x)))[0],
  )
  move, _ = linalg.gmres(operator, flat, rtol=1e-10, restart=200, maxiter=10)
  return unravel(move)


def _flatten(tree):
  """Returns a vector on the host, and the way back."""
  lengths = [len(x) for x in tree]
  flat = np.concatenate([np.asarray(x) for x in tree])

  def unravel(vector):
    parts = np.split(vector, np.cumsum(lengths)[:-1])
    return quantities.Duals(jnp.asarray(part, flat.dtype) for part in parts)

  return flat, unravel


def _size(error):
  return max(float(jnp.max(jnp.abs(x))) for x in error)


def _shortened(game, tau, point, move, before):
  """Returns the point after the longest of halved moves that helps."""
  size = 1.0
  while size > 1e-4:
    moved = _normalized(
      game,
      jax.tree.map(
        lambda x, m, size=size: x + jnp.asarray(size, x.dtype) * m,
        point,
        move,
      ),
    )
    if _size(_error(game, tau, moved)) < before:
      return moved, True
    size /= 2
  return point, False
