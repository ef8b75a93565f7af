"""Self-improving robust preference optimisation (SRPO).

Choi et al., "Self-improving robust preference optimization" (2025),
https://arxiv.org/abs/2406.01660.
"""

from typing import ClassVar, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mdrl import methods, struct
from mdrl.games import preference_game
from mdrl.geometry import mirror_maps
from mdrl.solvers import descent, one_iterate, schedules
from mdrl.trees import quantities, sums

_ENTROPY = mirror_maps.NegativeEntropy()


class SRPOState(NamedTuple):
  """The generator, and the improver's log-policy at each of its responses."""

  step: Int[Array, ""]
  dual: quantities.Duals
  improver: Float[Array, "X A A"]
  reference: quantities.Duals


@struct.dataclass
class SRPO(descent.Descent[preference_game.PreferenceGame]):
  """A generator of responses against an improver that sees them.

  The generator x answers with a, and the improver y, which sees a, with b:

    min over x, max over y of E[P(b preferred to a)]
        - temperature * E_a KL(y(. | a), reference)
        + temperature * KL(x, reference).

  Both move at once by a mirror step with the regulariser linearised. As the
  improver sees the response, the saddle point has a closed form,

    log y(b | a) = log ref_b + P[b, a] / temperature        up to a constant
    log x_a = log ref_a - log sum_b ref_b exp(P[b, a] / temperature)  likewise,

  and is reached in two updates with the largest step, 1 / temperature. It is
  robust rather than an equilibrium of the preference game. All pairs of
  responses are compared at every update.

  Attributes:
    step_size: In units of 1 / utility, at most 1 / temperature.
    temperature: beta >= 0, in units of utility.
  """

  pairwise: ClassVar[bool] = True

  step_size: schedules.Schedule
  temperature: schedules.Schedule

  def __post_init__(self):
    one_iterate.check_explicit(self.step_size, self.temperature)

  def init(
    self,
    game: preference_game.PreferenceGame,
    policies: quantities.Policies | None = None,
  ) -> SRPOState:
    """Starts with an improver that ignores the response and plays the same.

    The policy must be positive.
    """
    duals = self.first_duals(game, policies)
    reference = self.reference_duals(game)
    rows = game.by_context(duals[0])
    improver = jnp.broadcast_to(rows[:, None], game.advantage.shape)
    return SRPOState(methods.zero_step(), duals, improver, reference)

  def update(
    self, game: preference_game.PreferenceGame, state: SRPOState
  ) -> SRPOState:
    """Moves both by a mirror step."""
    step_size, temperature = (
      schedules.at(s, state.step, game.dtype)
      for s in (self.step_size, self.temperature)
    )
    reference = _log_reference(game, state.reference)
    # One row per response that the improver sees: wins[x, a, b] = P[b, a].
    wins = jnp.swapaxes(game.preferences, 1, 2)
    ratio = state.improver - reference[:, None]
    value = wins - temperature * ratio
    loss = sums.total(jnp.exp(state.improver) * value, 2)
    anchors = one_iterate.explicit_anchors(
      step_size, temperature, state.dual, state.reference
    )
    gains = quantities.Gains((game.slots(-loss),))
    duals = self.prox(game, gains, anchors)
    shape = wins.shape
    around = jnp.broadcast_to(reference[:, None], shape)
    toward = [
      (1 / step_size - temperature, _flat(state.improver)),
      (temperature, _flat(around)),
    ]
    improver, _ = mirror_maps.prox(_ENTROPY, _flat(wins), toward, None)
    return SRPOState(
      state.step + 1, duals, improver.reshape(shape), state.reference
    )


def _log_reference(game, reference):
  """Log-probabilities of the reference, which duals are up to a constant."""
  zeros = jnp.zeros_like(game.by_context(reference[0]))
  one = jnp.ones((), game.dtype)
  return mirror_maps.prox(
    _ENTROPY, zeros, [(one, game.by_context(reference[0]))], None
  )[0]


def _flat(rows: Float[Array, "X A A"]) -> Float[Array, "R A"]:
  return rows.reshape(-1, rows.shape[-1])
