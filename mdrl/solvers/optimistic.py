"""Optimistic mirror descent.

Popov (1980), https://doi.org/10.1007/BF01141092; Rakhlin & Sridharan,
"Optimization, learning, and games with predictable sequences" (2013),
https://arxiv.org/abs/1311.1869; on treeplexes, Lee, Kroer & Luo, "Last-iterate
convergence in extensive-form games" (2021), https://arxiv.org/abs/2106.14326.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from mdrl import methods, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps
from mdrl.solvers import descent, schedules
from mdrl.trees import quantities


class OptimisticState(NamedTuple):
  """The number of updates, the iterate, and the gains of the last one."""

  step: Int[Array, ""]
  dual: quantities.Duals
  last_gain: quantities.Gains


@struct.dataclass
class OptimisticMirrorDescent(descent.Descent):
  """Mirror descent that uses the last gain to predict the next.

  All players move at once. Each maximises, over its own plans x,

    <2 gain - last_gain, x> - D(x, iterate) / step_size,

  as if the next gain changed as the last one did. One gain is evaluated per
  update; the gain before the first is zero. This is the form with one
  sequence of iterates: with a potential whose gradient is infinite at the
  boundary (both entropies) it is the form with two sequences of the second
  paper, and with the Euclidean potential it differs where a projection is
  active: it is then the forward-reflected-backward method, whose iterates
  converge for steps below 1 / (2 L) (Malitsky & Tam, 2020,
  https://arxiv.org/abs/1808.04162).

  Attributes:
    step_size: eta > 0, in units of 1 / utility; a number or a schedule.
    mirror_map: The potential at each infostate.
  """

  step_size: schedules.Schedule
  mirror_map: mirror_maps.MirrorMap = mirror_maps.NegativeEntropy()

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> OptimisticState:
    """Starts from the policies and a prediction of zero."""
    return OptimisticState(
      methods.zero_step(),
      self.first_duals(game, policies),
      quantities.Gains(
        jnp.zeros(t.num_slots, game.dtype) for t in game.treeplexes
      ),
    )

  def update(
    self, game: game_lib.GameView, state: OptimisticState
  ) -> OptimisticState:
    """Makes one step along the gains and their predicted change."""
    gains = self.gains_at(game, state.dual)
    predicted = jax.tree.map(
      lambda gain, last: 2 * gain - last, gains, state.last_gain
    )
    anchors = [(self.inverse_step(game, state.step), state.dual)]
    duals = self.prox(game, predicted, anchors)
    return OptimisticState(state.step + 1, duals, gains)
