"""Magnetic mirror descent whose magnet is refreshed periodically.

Wang et al., "Magnetic preference optimization: achieving last-iterate
convergence for language model alignment" (2025),
https://arxiv.org/abs/2410.16714, for preference games. The abbreviation of the
paper, MPO, is also that of maximum a posteriori policy optimisation, and is not
used here.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps
from mdrl.solvers import magnet, schedules
from mdrl.trees import quantities


@struct.dataclass
class RefreshedMagnet(magnet.Magnetic):
  """Magnetic mirror descent whose magnet is replaced by the iterate.

  All players move at once. Each maximises, over its own plans x,

    <gain, x> - D(x, iterate) / step_size - temperature * D(x, magnet),

  and every `period` updates the magnet becomes the iterate. Between refreshes
  the iterate approaches the equilibrium that the magnet regularises; over
  refreshes it approaches one of the game itself. A period too short for the
  first is slow in the second. The steps must keep the bound of
  `magnetic.MagneticMirrorDescent`: with longer ones the iterates spiral
  outwards between refreshes.

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
    super().__post_init__()
    checks.positive("temperature", self.temperature)
    checks.whole("period", self.period, 1)

  def next_magnets(
    self,
    game: game_lib.GameView,
    state: magnet.MagneticState,
    duals: quantities.Duals,
  ) -> quantities.Duals:
    """Replaces the magnets by the iterates at the end of a period."""
    del game
    step = state.step + 1
    due = step % jnp.asarray(self.period, step.dtype) == 0
    return jax.tree.map(
      lambda new, old: jnp.where(due, new, old), duals, state.magnet
    )
