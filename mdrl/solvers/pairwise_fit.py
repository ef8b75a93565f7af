"""Maximum-likelihood Bradley-Terry scores of responses.

With labels P[a, b] and both responses of a pair drawn from a distribution mu,
the scores s minimise the expected cross-entropy

  - sum_ab mu_a mu_b P[a, b] log sigmoid(s_a - s_b).

At the minimum, the model has the right win rate of every response against mu:
sum_b mu_b (P[a, b] - sigmoid(s_a - s_b)) = 0 for each a. (Zermelo,
1929; Bradley & Terry, 1952; Hunter, 2004,
https://doi.org/10.1214/aos/1079120141.)
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl import checks

_MAX_UPDATES = 100
# The largest move of a score in one update, in logits: with it Newton's method
# always descends, and scores without a finite optimum stay finite.
_MAX_MOVE = 0.8


def fit(
  labels: Float[Array, "A A"], sampling: Float[Array, " A"]
) -> Float[Array, " A"]:
  """Returns the scores, in logits; their mean under `sampling` is zero.

  Newton's method runs until the largest error of a win rate is rounding. Where
  a response always wins, the optimum is infinite, and the returned scores are
  large.

  Args:
    labels: P[a, b] with P + P.T = 1.
    sampling: Probability of each response in a pair; may be zero.
  """
  ones = jnp.ones_like(sampling)
  tiny = 4 * jnp.finfo(labels.dtype).eps

  def error(scores):
    modelled = jax.nn.sigmoid(scores[:, None] - scores[None])
    return modelled, (labels - modelled) @ sampling

  def improve(carry):
    scores, _, count = carry
    modelled, wrong = error(scores)
    slope = modelled * (1 - modelled) * sampling[None]
    # Scores are defined up to a constant, which the last term fixes.
    hessian = jnp.diag(slope @ ones) - slope + ones[:, None] * sampling[None]
    move = jnp.linalg.solve(hessian, wrong)
    move = move * jnp.minimum(1, _MAX_MOVE / jnp.max(jnp.abs(move) + tiny))
    scores = scores + move
    scores = scores - jnp.vdot(scores, sampling)
    return scores, jnp.max(jnp.abs(error(scores)[1])), count + 1

  start = jnp.zeros_like(sampling)
  scores, _, _ = jax.lax.while_loop(
    lambda carry: (carry[1] > tiny) & (carry[2] < _MAX_UPDATES),
    improve,
    (start, jnp.max(jnp.abs(error(start)[1])), 0),
  )
  return scores


def smooth(
  labels: Float[Array, "X A A"], label_smoothing: Any
) -> Float[Array, "X A A"]:
  """Returns the labels of a rater that errs with a probability."""
  flip = jnp.asarray(label_smoothing).astype(labels.dtype)
  return labels * (1 - flip) + (1 - labels) * flip


def check_label_smoothing(value: Any) -> None:
  """Raises ValueError unless the probability is in [0, 1/2)."""
  checks.between("label_smoothing", value, 0, 0.5)
  checks.differs(
    "label_smoothing", value, 0.5, "labels would say nothing at 1/2"
  )
