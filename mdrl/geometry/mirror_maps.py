"""Mirror maps on the simplex, row by row, in dual coordinates.

A mirror map is a strictly convex potential psi on the simplex. An iterate is
stored as the gradient of psi there (its `dual`), which is defined up to a
constant per row. An anchor is a dual too, and defines the function

  D(x, anchor) = psi(x) - <anchor, x> + offset(anchor),

the Bregman divergence where the anchor is the gradient of a policy. A dual of
zeros is the potential itself: D(x, 0) = psi(x). All that solvers need is

  prox(gain, anchors) = argmax_x <gain, x> - sum_k weight_k D(x, anchor_k).

(Nemirovski & Yudin, 1983; Beck & Teboulle, 2003,
https://doi.org/10.1016/S0167-6377(02)00231-6.)
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mdrl import checks, struct
from mdrl.trees import simplex, sums

Rows = Float[Array, "R W"]
Legal = Bool[Array, "R W"] | None
# Pairs of a weight, in units of utility, and a dual.
Anchors = Sequence[tuple[Float[Array, ""], Rows]]


@runtime_checkable
class MirrorMap(Protocol):
  """A potential psi on the rows of a group."""

  def maximize(
    self, dual: Rows, legal: Legal
  ) -> tuple[Rows, Float[Array, " R"]]:
    """Returns the dual of argmax <dual, x> - psi(x), and the maximum."""
    ...

  def potential(self, policy: Rows, legal: Legal) -> Float[Array, " R"]:
    """Returns psi of each row."""
    ...

  def offset(self, dual: Rows, legal: Legal) -> Float[Array, " R"]:
    """Returns the constant of the divergence from an anchor."""
    ...

  def to_policy(self, dual: Rows, legal: Legal) -> Rows:
    """Returns the probabilities of an iterate."""
    ...

  def to_dual(self, policy: Rows, legal: Legal) -> Rows:
    """Returns the dual of probabilities."""
    ...


def prox(
  mirror_map: MirrorMap, gain: Rows, anchors: Anchors, legal: Legal
) -> tuple[Rows, Float[Array, " R"]]:
  """Maximises `<gain, x> - sum_k weight_k D(x, anchor_k)` over each row.

  Args:
    mirror_map: The potential.
    gain: What each action earns.
    anchors: Weights and duals; the weights add up to a positive number.
    legal: Legal slots, or None where all are.

  Returns:
    The dual of the maximiser, and the maximum.
  """
  total = sum(weight for weight, _ in anchors)
  tilt = (gain + _sum(_weighted(*anchor) for anchor in anchors)) / total
  iterate, value = mirror_map.maximize(tilt, legal)
  offset = _sum(weight * mirror_map.offset(y, legal) for weight, y in anchors)
  return iterate, _rounded(total * value) - offset


def mix(mirror_map: MirrorMap, anchors: Anchors, legal: Legal) -> Rows:
  """Returns the dual of the row nearest to weighted anchors.

  Args:
    mirror_map: The potential.
    anchors: Weights and duals; the weights add up to a positive number.
    legal: Legal slots, or None where all are.
  """
  total = sum(weight for weight, _ in anchors)
  tilt = _sum(_weighted(*anchor) for anchor in anchors) / total
  return mirror_map.maximize(tilt, legal)[0]


def _sum(products: Iterable[Array]) -> Array:
  """Returns the sum of products, of which all but the last are rounded first.

  Compilers may round a product and the sum around it at once and, of two
  products, choose either: results would depend on how well a program is
  compiled.
  """
  *others, last = products
  return sum(map(_rounded, others)) + last


def _rounded(product: Array) -> Array:
  """Returns a product that is not rounded together with a sum around it."""
  # It does nothing, as nothing is that large, but no compiler knows.
  return jnp.minimum(product, jnp.finfo(product.dtype).max)


def _weighted(weight: Float[Array, ""], dual: Rows) -> Rows:
  """Returns a product that is zero where the weight is, even of infinity."""
  # The factor is selected, and not the product, which some compilers would no
  # longer round together with the sum around it.
  return weight * jnp.where(weight == 0, jnp.zeros_like(dual), dual)


def divergence(
  mirror_map: MirrorMap, policy: Rows, anchor: Rows, legal: Legal
) -> Float[Array, " R"]:
  """Returns D(policy, anchor) of each row."""
  return (
    mirror_map.potential(policy, legal)
    - _inner(policy, anchor)
    + mirror_map.offset(anchor, legal)
  )


def _inner(policy: Rows, dual: Rows) -> Float[Array, " R"]:
  """Returns inner products, in which zero times infinity counts as zero."""
  played = policy > 0
  # The inner where keeps the derivative finite.
  safe = jnp.where(played, dual, jnp.zeros_like(dual))
  return sums.total(policy * safe, 1)


@struct.dataclass
class NegativeEntropy:
  """psi(x) = sum_a x_a log x_a; duals are log-probabilities, D is KL."""

  def maximize(
    self, dual: Rows, legal: Legal
  ) -> tuple[Rows, Float[Array, " R"]]:
    """Returns normalised log-probabilities and the log-partition."""
    log_partition = simplex.log_partition(dual, legal)
    iterate = simplex.mask(dual - log_partition[:, None], legal)
    return iterate, log_partition

  def potential(self, policy: Rows, legal: Legal) -> Float[Array, " R"]:
    """Returns the negative entropy, with 0 log 0 = 0."""
    del legal
    # The inner where keeps the derivative finite at zero.
    safe = jnp.where(policy > 0, policy, jnp.ones_like(policy))
    return sums.total(policy * jnp.log(safe), 1)

  def offset(self, dual: Rows, legal: Legal) -> Float[Array, " R"]:
    """Returns zero, as log-probabilities are normalised."""
    del legal
    return jnp.zeros(dual.shape[0], dual.dtype)

  def to_policy(self, dual: Rows, legal: Legal) -> Rows:
    """Returns the exponentials."""
    return simplex.mask(jnp.exp(dual), legal)

  def to_dual(self, policy: Rows, legal: Legal) -> Rows:
    """Returns the logarithms; minus infinity at a probability of zero."""
    return simplex.mask(jnp.log(policy), legal)


@struct.dataclass
class Euclidean:
  """psi(x) = 1/2 sum_a x_a^2; duals are probabilities."""

  def maximize(
    self, dual: Rows, legal: Legal
  ) -> tuple[Rows, Float[Array, " R"]]:
    """Returns the projection on the simplex and the maximum."""
    policy = simplex.project(dual, legal)
    value = _inner(policy, dual) - self.potential(policy, legal)
    return policy, value

  def potential(self, policy: Rows, legal: Legal) -> Float[Array, " R"]:
    """Returns half the squared norm."""
    return sums.total(simplex.mask(policy, legal) ** 2, 1) / 2

  def offset(self, dual: Rows, legal: Legal) -> Float[Array, " R"]:
    """Returns half the squared norm of the anchor."""
    return self.potential(dual, legal)

  def to_policy(self, dual: Rows, legal: Legal) -> Rows:
    """Returns the rows themselves."""
    return simplex.mask(dual, legal)

  def to_dual(self, policy: Rows, legal: Legal) -> Rows:
    """Returns the rows themselves."""
    return simplex.mask(policy, legal)


@struct.dataclass
class Tsallis:
  """psi(x) = (sum_a x_a^q - 1) / (q - 1): the negative Tsallis entropy.

  Duals are q / (q - 1) x^(q - 1). Order 1/2 is that of Tsallis-INF (Zimmert &
  Seldin, 2021, https://arxiv.org/abs/1807.07623); as the order approaches 1
  the potential approaches the negative entropy, and at 2 it is the squared
  norm minus one.

  Attributes:
    order: q in (0, 2] other than 1, dimensionless.
  """

  order: float | Float[Array, "..."] = 0.5

  def __post_init__(self):
    checks.between("order", self.order, 0, 2, open_low=True)
    checks.differs("order", self.order, 1, "use NegativeEntropy for order 1")

  def _power(self, base: Rows, exponent) -> Rows:
    positive = base > 0
    safe = jnp.where(positive, base, jnp.ones_like(base))
    return jnp.where(positive, safe**exponent, jnp.zeros_like(base))

  def _order(self, like: Rows):
    return jnp.asarray(self.order, like.dtype)

  def maximize(
    self, dual: Rows, legal: Legal
  ) -> tuple[Rows, Float[Array, " R"]]:
    """Returns the maximiser, found by Newton's method on the multiplier.

    The sum of x(multiplier) is convex and decreasing for orders up to 2, so
    that Newton's method rises monotonically from the left to the root.
    """
    q = self._order(dual)
    scale = (q - 1) / q
    masked = dual if legal is None else jnp.where(legal, dual, -jnp.inf)
    peak = jnp.max(masked, axis=1, keepdims=True)
    legal_dual = dual if legal is None else jnp.where(legal, dual, peak)
    shifted = legal_dual - peak

    def total(multiplier):
      base = scale * (shifted - multiplier)
      x = simplex.mask(self._power(base, 1 / (q - 1)), legal)
      slope = simplex.mask(self._power(base, 1 / (q - 1) - 1), legal) / q
      return (
        sums.total(x, 1, keepdims=True) - 1,
        sums.total(slope, 1, keepdims=True),
      )

    def rise(carry):
      multiplier, _, count = carry
      excess, slope = total(multiplier)
      higher = multiplier + jnp.maximum(excess, 0) / slope
      return higher, jnp.any(higher > multiplier), count + 1

    # At the start the most likely action has probability one.
    start = jnp.full_like(peak, 1) / -scale
    multiplier, _, _ = jax.lax.while_loop(
      lambda carry: carry[1] & (carry[2] < 100), rise, (start, True, 0)
    )
    base = jnp.maximum(scale * (shifted - multiplier), 0)
    iterate = simplex.mask(base / scale, legal)
    policy = self.to_policy(iterate, legal)
    value = _inner(policy, dual) - self.potential(policy, legal)
    return iterate, value

  def potential(self, policy: Rows, legal: Legal) -> Float[Array, " R"]:
    """Returns the negative Tsallis entropy."""
    q = self._order(policy)
    powers = simplex.mask(self._power(policy, q), legal)
    return (sums.total(powers, 1) - 1) / (q - 1)

  def offset(self, dual: Rows, legal: Legal) -> Float[Array, " R"]:
    """Returns sum_a y_a^q + 1 / (q - 1), or zero for a dual of zeros."""
    q = self._order(dual)
    powers = self._power(self.to_policy(dual, legal), q)
    value = sums.total(powers, 1) + 1 / (q - 1)
    return jnp.where(jnp.any(dual != 0, axis=1), value, jnp.zeros_like(value))

  def to_policy(self, dual: Rows, legal: Legal) -> Rows:
    """Returns the probabilities."""
    q = self._order(dual)
    return simplex.mask(self._power((q - 1) / q * dual, 1 / (q - 1)), legal)

  def to_dual(self, policy: Rows, legal: Legal) -> Rows:
    """Returns the gradients; minus infinity at zero for orders below one."""
    q = self._order(policy)
    return simplex.mask(q / (q - 1) * policy ** (q - 1), legal)
