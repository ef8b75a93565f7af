"""Neural replicator dynamics (NeuRD), in tables.

Hennes et al., "Neural replicator dynamics: multiagent learning via hedging
policy gradients" (2020), https://arxiv.org/abs/1906.00190. The update without a
threshold is that of Hedge, whose gradient form is the subject of the paper. The
threshold was compared with the code of OpenSpiel's `neurd`, not with the paper.
Two things differ there: a change is allowed by the logit before it, so that
logits may pass the threshold by one step; and the logits of a batch are
centred at every update, here those of an infostate, once, at the start.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mdrl import checks, methods, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps, profiles
from mdrl.solvers import base as solver_lib
from mdrl.solvers import schedules
from mdrl.trees import quantities, sums

_ENTROPY = mirror_maps.NegativeEntropy()


class NeuRDState(NamedTuple):
  """The number of updates, and logits, which need not be normalised."""

  step: Int[Array, ""]
  logits: quantities.Duals


@struct.dataclass
class NeuRD(solver_lib.Solver):
  """Adds advantages to logits.

  With advantage(I, a) = value of a - value of the policy at infostate I,

    logits(I, a) += step_size * advantage(I, a),

  unless that would raise the logit above the threshold, or lower it below minus
  the threshold; then the logit stays as it is. Without a threshold this is
  Hedge at every infostate, and the average approaches equilibrium in two-player
  zero-sum games. A policy gradient would multiply each advantage by the
  probability of its action.

  Attributes:
    step_size: In units of 1 / utility; a number or a schedule.
    threshold: In logits; none is raised above it, or lowered below its
      negative. Infinite for no threshold.
  """

  step_size: schedules.Schedule
  threshold: float | Float[Array, "..."] = float("inf")

  def __post_init__(self):
    checks.positive("step_size", self.step_size)
    checks.between("threshold", self.threshold, 0, open_low=True, infinite=True)

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> NeuRDState:
    """Starts from the log-policies, shifted so that they average to zero."""
    duals = solver_lib.first_duals(game, _ENTROPY, policies)
    centered = quantities.Duals(
      t.map_groups(
        lambda group, t=t, d=d: _centered(group.view(d), t.legal_rows(group))
      )
      for t, d in zip(game.treeplexes, duals, strict=True)
    )
    return NeuRDState(methods.zero_step(), centered)

  def update(self, game: game_lib.GameView, state: NeuRDState) -> NeuRDState:
    """Adds the advantages of the current policies."""
    step_size = schedules.at(self.step_size, state.step, game.dtype)
    threshold = schedules.number(self.threshold, game.dtype)
    policies = self.policies(game, state)
    gains = game.gains(game.plans(policies))
    moved = []
    for t, policy, gain, logits in zip(
      game.treeplexes, policies, gains, state.logits, strict=True
    ):
      change = step_size * solver_lib.advantages(t, policy, gain)
      raised, lowered = jnp.maximum(change, 0), jnp.minimum(change, 0)
      moved.append(
        logits
        + jnp.where(logits + raised <= threshold, raised, 0)
        + jnp.where(logits + lowered >= -threshold, lowered, 0)
      )
    return NeuRDState(state.step + 1, quantities.Duals(moved))

  def policies(
    self, game: game_lib.GameView, state: NeuRDState
  ) -> quantities.Policies:
    """Returns the softmax of the logits."""
    one = jnp.ones((), game.dtype)
    duals = profiles.mix(game.treeplexes, _ENTROPY, [(one, state.logits)])
    return profiles.to_policies(game.treeplexes, _ENTROPY, duals)


def _centered(rows, legal):
  if legal is None:
    return rows - jnp.mean(rows, axis=1, keepdims=True)
  count = jnp.sum(legal, axis=1, keepdims=True).astype(rows.dtype)
  mean = sums.total(rows, 1, keepdims=True) / count
  return jnp.where(legal, rows - mean, jnp.zeros_like(rows))
