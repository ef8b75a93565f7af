"""How good policies of preference games are, context by context.

Gaps are in units of preference probability. The regularised game with
temperature tau and reference ref pays x against y

  x^T P y - tau KL(x, ref) + tau KL(y, ref),

whose only equilibrium is the fixed point of
x = softmax(log ref + P x / tau) (Munos et al., 2024,
https://arxiv.org/abs/2312.00886, proposition 1).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl import checks, tiers
from mdrl.evaluation import gaps
from mdrl.games import preference_game
from mdrl.trees import quantities, simplex

_MAX_NEWTON = 50


@tiers.quick
def duality_gap(
  game: preference_game.PreferenceGame, plans: quantities.Plans
) -> Float[Array, " X"]:
  """Returns max_a P(a over x) - min_a P(x over a): zero for minimax winners."""
  quantities.check("plans", plans, quantities.Plans)
  rates = game.by_context(game.gain(plans, 0))
  policy = game.by_context(plans[0])
  return 2 * (jnp.max(rates, axis=1) - jnp.sum(rates * policy, axis=1))


def regularized_gap(
  game: preference_game.PreferenceGame,
  plans: quantities.Plans,
  temperature: Float[Array, ""] | float,
) -> Float[Array, " X"]:
  """Returns `gaps.regularized_gap` of the game of each context.

  Args:
    game: The game.
    plans: The policy's plan.
    temperature: tau > 0, in units of utility.

  Raises:
    ValueError: If the temperature is no positive number of the game's dtype.
  """
  checks.held("temperature", temperature, game.dtype)
  quantities.check("plans", plans, quantities.Plans)
  rows = jnp.pad(game.by_context(plans[0]), ((0, 0), (1, 0)), constant_values=1)
  return jax.vmap(gaps.regularized_gap, (0, 0, None))(
    preference_game.contexts(game), quantities.Plans((rows,)), temperature
  )


@tiers.quick
def divergence(
  game: preference_game.PreferenceGame,
  plans: quantities.Plans,
  others: quantities.Plans,
) -> Float[Array, " X"]:
  """Returns KL(plans, others), such as that of an equilibrium from an iterate.

  Infinite where `others` lack a response of `plans`.
  """
  quantities.check("plans", plans, quantities.Plans)
  quantities.check("others", others, quantities.Plans)
  return _kl(game.by_context(plans[0]), jnp.log(game.by_context(others[0])))


@tiers.quick
def win_rates(
  game: preference_game.PreferenceGame, policies: Float[Array, "M S"]
) -> Float[Array, "M M"]:
  """Returns how often the policy of a row wins against that of a column.

  Args:
    game: The game; contexts count equally.
    policies: Of M contestants, stacked.
  """
  rows = jax.vmap(game.by_context)(policies)
  margins = jnp.einsum("ixa,xab,jxb->ij", rows, game.advantage, rows)
  half = jnp.asarray(0.5, game.dtype)
  return half + margins / game.num_contexts


def residual(
  game: preference_game.PreferenceGame,
  plans: quantities.Plans,
  temperature: Float[Array, ""] | float,
) -> Float[Array, " X"]:
  """Returns the largest error of x = softmax(log ref + P x / tau).

  Raises:
    ValueError: If the temperature is no positive number of the game's dtype.
  """
  checks.held("temperature", temperature, game.dtype)
  return _residual(game, plans, temperature)


@tiers.quick
def _residual(game, plans, temperature):
  tau = jnp.asarray(temperature).astype(game.dtype)
  rates = game.by_context(game.gain(plans, 0))
  logits = simplex.log_softmax(_log_reference(game) + rates / tau, None)
  return jnp.max(jnp.abs(jnp.exp(logits) - game.by_context(plans[0])), axis=1)


def equilibrium(
  game: preference_game.PreferenceGame,
  temperature: Float[Array, ""] | float,
) -> quantities.Policies:
  """Returns the equilibrium of the regularised game, by Newton's method.

  The temperature is halved from one at which the reference is near the
  equilibrium, and each equilibrium starts the search for the next. The linear
  systems are regular at every temperature: their matrices are the identity plus
  the product of an antisymmetric and a positive semidefinite matrix, whose
  eigenvalues are imaginary. In double precision the residual is about 1e-16 at
  temperatures that are not tiny: check it by `residual`.

  Args:
    game: The game.
    temperature: tau > 0, in units of utility.

  Raises:
    ValueError: If the temperature is no positive number of the game's dtype.
  """
  checks.held("temperature", temperature, game.dtype)
  return _equilibrium(game, temperature)


@tiers.quick
def _equilibrium(game, temperature):
  tau = jnp.asarray(temperature).astype(game.dtype)
  solve = jax.vmap(_solve_context, in_axes=(0, 0, None))
  logits = solve(game.advantage, _log_reference(game), tau)
  return quantities.Policies((game.slots(jnp.exp(logits)),))


def _solve_context(advantage, log_reference, temperature):
  """Returns the log-policy of the equilibrium of one context."""
  # At twice the largest advantage, the map to be solved is a contraction.
  highest = jnp.maximum(temperature, jnp.ones_like(temperature))

  def cool(carry):
    logits, tau = carry
    tau = jnp.maximum(tau / 2, temperature)
    return _newton(advantage, log_reference, tau, logits), tau

  first = _newton(advantage, log_reference, highest, log_reference)
  return jax.lax.while_loop(
    lambda carry: carry[1] > temperature, cool, (first, highest)
  )[0]


def _newton(advantage, log_reference, temperature, start):
  """Solves l = log_softmax(log ref + A exp(l) / tau), from a start.

  Whether a loop goes on is decided in its body and carried: computed again in
  its condition it may be rounded otherwise, and under `vmap` the loop would
  then neither move nor end.
  """
  identity = jnp.eye(len(start), dtype=start.dtype)
  tiny = 2 * jnp.finfo(start.dtype).eps

  def log_softmax(logits):
    return simplex.log_softmax(logits[None], None)[0]

  def error(logits):
    policy = jnp.exp(logits)
    target = log_softmax(log_reference + advantage @ policy / temperature)
    return target - logits

  def improve(carry):
    logits, wrong, count, _ = carry
    policy = jnp.exp(logits)
    # Only differences count, so that l may be taken without normalisation.
    spread = jnp.diag(policy) - policy[:, None] * policy[None]
    slope = identity - advantage @ spread / temperature
    move = jnp.linalg.solve(slope, wrong)

    def shorten(carry):
      size = carry[0] / 2
      moved = log_softmax(logits + size * move)
      worse = _norm(error(moved)) > _norm(wrong)
      return size, moved, worse & (size > 1e-3)

    double = jnp.full_like(temperature, 2)
    _, moved, _ = jax.lax.while_loop(
      lambda carry: carry[2], shorten, (double, logits, True)
    )
    wrong = error(moved)
    unsolved = jnp.max(jnp.abs(wrong) * jnp.exp(moved)) > tiny
    return moved, wrong, count + 1, unsolved & (count + 1 < _MAX_NEWTON)

  first = (start, error(start), 0, True)
  return jax.lax.while_loop(lambda carry: carry[3], improve, first)[0]


def _norm(x):
  return jnp.max(jnp.abs(x))


def _log_reference(game):
  """Log-probabilities of the reference, one row per context."""
  if game.reference is None:
    return jnp.log(game.by_context(game.treeplex.uniform))
  return jnp.log(game.by_context(game.reference[0]))


def _kl(policy, log_other):
  """KL of each row, with 0 log 0 = 0."""
  played = policy > 0
  # The inner where keeps the derivative finite at zero.
  log_ratio = jnp.log(jnp.where(played, policy, 1)) - log_other
  terms = policy * jnp.where(played, log_ratio, 0)
  return jnp.sum(terms, axis=1)
