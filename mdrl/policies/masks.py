"""Distributions over the legal actions of decisions.

Logits are read at legal actions only; elsewhere they may be anything, even
infinite or NaN. Where no action is legal, as in finished games, all results are
zeros. Where the logits of all legal actions are minus infinity, the
distribution is uniform. Plus infinity at a legal action is no logit.

Minus infinity at a legal action is a probability of zero. Values and gradients
stay finite beside it, as what would be infinite is replaced before, and not
after, it is computed with.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mdrl.trees import simplex


def log_probabilities(
  logits: Float[Array, "*B A"], legal: Bool[Array, "*B A"]
) -> Float[Array, "*B A"]:
  """Returns the log-probabilities of the actions; zeros at illegal ones.

  They are minus infinity at legal actions whose logit is.
  """
  support = _support(logits, legal)
  rows = support.reshape(-1, logits.shape[-1])
  partition = simplex.log_partition(rows, None)
  shifted = support - partition.reshape(*logits.shape[:-1], 1)
  return jnp.where(legal, shifted, jnp.zeros_like(shifted))


def probabilities(
  logits: Float[Array, "*B A"], legal: Bool[Array, "*B A"]
) -> Float[Array, "*B A"]:
  """Returns the probabilities of the actions; zeros at illegal ones."""
  return _probabilities(log_probabilities(logits, legal), legal)


def entropy(
  logits: Float[Array, "*B A"], legal: Bool[Array, "*B A"]
) -> Float[Array, "*B"]:
  """Returns the entropy of the distribution, in nats."""
  logs = log_probabilities(logits, legal)
  chosen = _probabilities(logs, legal)
  # Zero times minus infinity would be NaN, in the gradient as well.
  finite = jnp.where(chosen > 0, logs, jnp.zeros_like(logs))
  return -jnp.sum(chosen * finite, axis=-1)


def divergence(
  logits: Float[Array, "*B A"],
  others: Float[Array, "*B A"],
  legal: Bool[Array, "*B A"],
) -> Float[Array, "*B"]:
  """Returns the Kullback-Leibler divergence of one distribution from another.

  It is infinite where the other has the probability zero at an action that the
  first may take, and only there is its gradient not finite.

  Args:
    logits: Of the distribution whose expectation it is.
    others: Of the other one.
    legal: Which actions may be taken.
  """
  logs = log_probabilities(logits, legal)
  chosen = _probabilities(logs, legal)
  taken = chosen > 0
  zeros = jnp.zeros_like(logs)
  finite = jnp.where(taken, logs, zeros)
  compared = jnp.where(taken, log_probabilities(others, legal), zeros)
  return jnp.sum(chosen * (finite - compared), axis=-1)


def _support(logits, legal):
  """Returns logits that are minus infinity at all but the actions to choose."""
  least = jnp.full_like(logits, -jnp.inf)
  zeros = jnp.zeros_like(logits)
  masked = jnp.where(legal, logits, least)
  none = jnp.all(masked == least, axis=-1, keepdims=True)
  # Zeros also where nothing is legal: a partition function of zero has a
  # logarithm whose gradient is NaN.
  empty = ~jnp.any(legal, axis=-1, keepdims=True)
  uniform = jnp.where(legal | empty, zeros, least)
  return jnp.where(none, uniform, masked)


def _probabilities(logs, legal):
  chosen = jnp.exp(logs)
  return jnp.where(legal, chosen, jnp.zeros_like(chosen))
