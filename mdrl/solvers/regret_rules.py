"""How counterfactual regrets accumulate: CFR, CFR+, linear, discounted, PCFR+.

The members of the family differ in the rule alone; the sweep over the tree, in
`regret_matching`, is the same for all. `step` counts updates from one.
"""

from typing import Protocol, runtime_checkable

import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl import checks, struct

Regret = Float[Array, " S"]
Step = Float[Array, ""]


@runtime_checkable
class RegretRule(Protocol):
  """Turns the advantages of one update into regrets and a policy."""

  def accumulate(self, step: Step, regret: Regret, advantage: Regret) -> Regret:
    """Returns the regrets after adding the advantages of an update."""
    ...

  def weights(self, regret: Regret, advantage: Regret) -> Regret:
    """Returns weights; the next policy is proportional to those above 0."""
    ...


@struct.dataclass
class Vanilla:
  """Sums of advantages (CFR).

  Zinkevich, Johanson, Bowling & Piccione, "Regret minimization in games with
  incomplete information" (2007), equations 7 and 8.
  """

  def accumulate(self, step: Step, regret: Regret, advantage: Regret) -> Regret:
    """Adds the advantages."""
    del step
    return regret + advantage

  def weights(self, regret: Regret, advantage: Regret) -> Regret:
    """Returns the regrets."""
    del advantage
    return regret


@struct.dataclass
class Plus:
  """Sums of advantages that never fall below zero (CFR+).

  Tammelin, "Solving large imperfect information games using CFR+" (2014),
  https://arxiv.org/abs/1407.5042.
  """

  def accumulate(self, step: Step, regret: Regret, advantage: Regret) -> Regret:
    """Adds the advantages and cuts off at zero."""
    del step
    return jnp.maximum(regret + advantage, 0)

  def weights(self, regret: Regret, advantage: Regret) -> Regret:
    """Returns the regrets."""
    del advantage
    return regret


@struct.dataclass
class Discounted:
  """Sums of advantages whose past is discounted (DCFR).

  After update t, positive regrets are multiplied by `t^a / (t^a + 1)` with a
  the positive power, and negative ones with the negative power. Powers of one
  and one are linear CFR. Brown & Sandholm, "Solving imperfect-information games
  via discounted regret minimization" (2019), https://arxiv.org/abs/1809.04040,
  section 3.

  Attributes:
    positive_power: alpha; no unit; 3/2 is recommended.
    negative_power: beta; no unit; 0 is recommended, which halves negative
      regrets at every update.
  """

  positive_power: float | Float[Array, "..."] = 1.5
  negative_power: float | Float[Array, "..."] = 0.0

  def __post_init__(self):
    for name in ("positive_power", "negative_power"):
      checks.between(name, getattr(self, name), -jnp.inf, infinite=True)

  def accumulate(self, step: Step, regret: Regret, advantage: Regret) -> Regret:
    """Adds the advantages and discounts by sign."""
    total = regret + advantage
    # t^a / (t^a + 1), written so that a large power cannot overflow.
    powers = (self.positive_power, self.negative_power)
    up, down = (
      1 / (1 + step ** -jnp.asarray(p).astype(step.dtype)) for p in powers
    )
    return total * jnp.where(total >= 0, up, down)

  def weights(self, regret: Regret, advantage: Regret) -> Regret:
    """Returns the regrets."""
    del advantage
    return regret


@struct.dataclass
class Predictive:
  """CFR+ that uses the last advantages to predict the next (PCFR+).

  Farina, Kroer & Sandholm, "Faster game solving via predictive Blackwell
  approachability" (2021), https://arxiv.org/abs/2007.14358, algorithm 3; the
  paper averages with quadratic weights.
  """

  def accumulate(self, step: Step, regret: Regret, advantage: Regret) -> Regret:
    """Adds the advantages and cuts off at zero."""
    del step
    return jnp.maximum(regret + advantage, 0)

  def weights(self, regret: Regret, advantage: Regret) -> Regret:
    """Returns the regrets plus the predicted advantages."""
    return regret + advantage
