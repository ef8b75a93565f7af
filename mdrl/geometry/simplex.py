"""Rows of probabilities: the one place that normalises and projects.

Every function works on rows, `[R, W]`: one infostate a row, one action slot a
column. `legal` is `None` where all slots of a group are actions; otherwise
illegal slots come out as exact zeros.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

Legal = Bool[Array, "R W"] | None


def log_partition(
    logits: Float[Array, "R W"], legal: Legal
) -> Float[Array, " R"]:
  """Returns the logarithm of the sum of exponentials over legal slots."""
  if legal is not None:
    logits = jnp.where(legal, logits, -jnp.inf)
  peak = jax.lax.stop_gradient(jnp.max(logits, axis=1))
  # A row of minus infinities would give inf - inf: shift it by zero instead.
  peak = jnp.where(jnp.isfinite(peak), peak, jnp.zeros_like(peak))
  total = jnp.sum(jnp.exp(logits - peak[:, None]), axis=1)
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
    weights: Float[Array, "R W"], otherwise: Float[Array, "R W"]
) -> Float[Array, "R W"]:
  """Divides nonnegative rows by their sums; rows of zeros become `otherwise`.

  Weights are zero at illegal slots.
  """
  total = jnp.sum(weights, axis=1, keepdims=True)
  some = total > 0
  # Chosen before the division, which is then finite, and so is its gradient.
  return jnp.where(some, weights, otherwise) / jnp.where(
      some, total, jnp.ones_like(total)
  )


def project(point: Float[Array, "R W"], legal: Legal) -> Float[Array, "R W"]:
  """Returns the Euclidean projection of each row on the simplex.

  The threshold is found by sorting (Held, Wolfe & Crowder, 1974; Duchi et al.,
  2008, https://doi.org/10.1145/1390156.1390191, figure 1).
  """
  masked = point if legal is None else jnp.where(legal, point, -jnp.inf)
  # Relative to the largest, beside which a unit may be lost in rounding.
  masked = masked - jnp.max(masked, axis=1, keepdims=True)
  descending = -jnp.sort(-masked, axis=1)
  finite = jnp.isfinite(descending)
  head = jnp.where(finite, descending, jnp.zeros_like(descending))
  rank = jnp.arange(1, point.shape[1] + 1, dtype=point.dtype)[None]
  threshold = (jnp.cumsum(head, axis=1) - 1) / rank
  # The support is a prefix of the sorted row; the last threshold in it counts.
  inside = finite & (head > threshold)
  support = jnp.sum(inside, axis=1, keepdims=True)
  chosen = jnp.take_along_axis(threshold, support - 1, axis=1)
  return mask(jnp.maximum(masked - chosen, 0), legal)
