"""Normalises and projects rows of probabilities; nothing else does.

Every function works on rows, `[R, W]`: one row per infostate, one column per
action slot. `legal` is None where all slots of a group are actions; otherwise
the results are exactly zero at illegal slots.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mdrl.trees import sums

Legal = Bool[Array, "R W"] | None
# Projections of rows up to this width are unrolled.
_SHORT = 4


def log_partition(
  logits: Float[Array, "R W"], legal: Legal
) -> Float[Array, " R"]:
  """Returns the logarithm of the sum of exponentials over legal slots."""
  if legal is not None:
    logits = jnp.where(legal, logits, -jnp.inf)
  peak = jax.lax.stop_gradient(jnp.max(logits, axis=1))
  # A row of minus infinities would give inf - inf: shift it by zero instead.
  peak = jnp.where(jnp.isfinite(peak), peak, jnp.zeros_like(peak))
  total = sums.total(jnp.exp(logits - peak[:, None]), 1)
  return peak + jnp.log(total)


def log_softmax(
  logits: Float[Array, "R W"], legal: Legal
) -> Float[Array, "R W"]:
  """Returns normalised log-probabilities."""
  return mask(logits - log_partition(logits, legal)[:, None], legal)


def mask(rows: Float[Array, "R W"], legal: Legal) -> Float[Array, "R W"]:
  """Returns the rows with zeros at illegal slots."""
  return rows if legal is None else jnp.where(legal, rows, jnp.zeros_like(rows))


def normalize(
  weights: Float[Array, "R W"], otherwise: Float[Array, "R W"] | float
) -> Float[Array, "R W"]:
  """Divides nonnegative rows by their sums; rows of zeros become `otherwise`.

  Weights are zero at illegal slots.
  """
  total = sums.total(weights, 1, keepdims=True)
  some = total > 0
  # Selected before the division, so that its value and gradient stay finite.
  return jnp.where(some, weights, otherwise) / jnp.where(
    some, total, jnp.ones_like(total)
  )


def project(point: Float[Array, "R W"], legal: Legal) -> Float[Array, "R W"]:
  """Returns the Euclidean projection of each row on the simplex.

  The projection subtracts a threshold and clips at zero; the threshold follows
  from the support. The support is found by starting with all entries and
  dropping those below the threshold of the rest, until none is (Michelot, 1986,
  https://doi.org/10.1007/BF00938486). This needs no sorting, which is slow on
  rows.
  """
  masked = point if legal is None else jnp.where(legal, point, -jnp.inf)
  # Relative to the largest entry, or rounding might lose the unit of the sum.
  masked = masked - jnp.max(masked, axis=1, keepdims=True)
  # The threshold is at least -1, or the largest would project to more than 1.
  near = masked > -1
  head = jnp.where(near, masked, jnp.zeros_like(masked))
  inside = _support(jax.lax.stop_gradient(head), near)
  return mask(jnp.maximum(masked - _threshold(head, inside), 0), legal)


def _threshold(head, inside):
  count = jnp.sum(inside, axis=1, keepdims=True).astype(head.dtype)
  total = sums.total(
    jnp.where(inside, head, jnp.zeros_like(head)), 1, keepdims=True
  )
  return (total - 1) / count


def _support(head, inside):
  """Returns which entries stay positive; each round drops some, or is the last.

  Short rows make as many rounds as they can need, which costs less than a test.
  The last two entries are less than one apart, so that both stay.
  """

  def shrink(inside):
    return inside & (head > _threshold(head, inside))

  if head.shape[1] <= _SHORT:
    for _ in range(head.shape[1] - 2):
      inside = shrink(inside)
    return inside

  def step(carry):
    inside, _ = carry
    fewer = shrink(inside)
    return fewer, jnp.any(fewer != inside)

  more = jnp.any(inside)
  return jax.lax.while_loop(lambda carry: carry[1], step, (inside, more))[0]
