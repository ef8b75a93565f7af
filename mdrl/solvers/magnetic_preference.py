"""Magnetic preference optimisation.

Wang et al., "Magnetic preference optimization: achieving last-iterate
convergence for language model alignment" (2025),
https://arxiv.org/abs/2410.16714. The abbreviation of the paper, MPO, is also
that of maximum a posteriori policy optimisation, and is not used here.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps, profiles
from mdrl.solvers import base, schedules
from mdrl.trees import quantities


class MagneticPreferenceState(NamedTuple):
  """The number of updates, the iterate and the magnet, in dual coordinates."""

  step: Int[Array, ""]
  dual: quantities.Duals
  magnet: quantities.Duals


@struct.dataclass
class MagneticPreferenceOptimization(base.Solver):
  """Magnetic mirror descent whose magnet is refreshed once in a while.

  All players move at once. Each maximises, over its own plans x,

    <gain, x> - D(x, iterate) / step_size - temperature * D(x, magnet),

  and every `period` updates the magnet becomes the iterate. Between refreshes
  the iterate approaches the equilibrium that the magnet regularises; over
  refreshes it approaches one of the game itself. A period too short for the
  first is slow in the second. Steps keep to the bound of `magnetic`: beyond it
  iterates turn outwards between refreshes.

  Attributes:
    step_size: eta > 0, in units of 1 / utility; a number or a schedule.
    temperature: alpha > 0, in units of utility; a number or a schedule.
    period: Updates between refreshes, at least 1.
    mirror_map: The potential at each infostate.
  """

  step_size: schedules.Schedule
  temperature: schedules.Schedule
  period: int | Int[Array, "..."]
  mirror_map: mirror_maps.MirrorMap = mirror_maps.NegativeEntropy()

  def __post_init__(self):
    checks.positive("step_size", self.step_size)
    checks.positive("temperature", self.temperature)
    checks.whole("period", self.period, 1)

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> MagneticPreferenceState:
    """Starts from the policies, with the game's reference as the magnet."""
    return MagneticPreferenceState(
      base.zero_step(),
      base.first_duals(game, self.mirror_map, policies),
      profiles.to_duals(game.treeplexes, self.mirror_map, game.reference),
    )

  def update(
    self, game: game_lib.GameView, state: MagneticPreferenceState
  ) -> MagneticPreferenceState:
    """Makes one step, and refreshes the magnet when it is time."""
    step_size, temperature = (
      schedules.at(s, state.step, game.dtype)
      for s in (self.step_size, self.temperature)
    )
    gains = base.gains_at(game, self.mirror_map, state.dual)
    anchors = [(1 / step_size, state.dual), (temperature, state.magnet)]
    duals = profiles.prox(game.treeplexes, self.mirror_map, gains, anchors)
    step = state.step + 1
    due = step % jnp.asarray(self.period, step.dtype) == 0
    magnets = jax.tree.map(
      lambda new, old: jnp.where(due, new, old), duals, state.magnet
    )
    return MagneticPreferenceState(step, duals, magnets)

  def policies(
    self, game: game_lib.GameView, state: MagneticPreferenceState
  ) -> quantities.Policies:
    """Returns the current policies."""
    return profiles.to_policies(game.treeplexes, self.mirror_map, state.dual)
