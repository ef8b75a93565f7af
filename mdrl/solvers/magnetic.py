"""Magnetic mirror descent.

Sokota, D'Orazio, Kolter, Loizou, Lanctot, Mitliagkas, Brown & Kroer, "A unified
approach to reinforcement learning, quantal response equilibria, and two-player
zero-sum games" (2023), https://arxiv.org/abs/2206.05825. Algorithm 3.6, in the
sequence form with dilated potentials; section 5 for moving magnets and annealed
temperatures.
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


class MagneticState(NamedTuple):
  """The number of updates, the iterate and the magnet, in dual coordinates."""

  step: Int[Array, ""]
  dual: quantities.Duals
  magnet: quantities.Duals


@struct.dataclass
class MagneticMirrorDescent(base.Solver):
  """Mirror descent on gains, drawn to a magnet.

  All players move at once. Each maximises, over its own plans x,

    <gain, x> - D(x, iterate) / step_size - temperature * D(x, magnet).

  With a magnet that stays, the iterates approach the regularised equilibrium at
  a linear rate: its divergence from them falls by 1 / (1 + step_size *
  temperature) per update where step_size <= temperature / L^2 and utilities are
  L-smooth in norms in which the potentials are 1-strongly convex. On simplices
  with negative entropy L is the largest payoff. Dilated entropy is less convex
  than that: on four-sided liar's dice single updates with the largest payoff
  for L lag behind the rate by up to 9 %, though their product keeps it, as
  those with half the step do.

  With a magnet that moves, iterates approach a Nash equilibrium in practice,
  where steps keep to a bound as well: with the Euclidean potential and a magnet
  that stays, play that turns at rate x settles if step_size * (x^2 -
  temperature^2) < 2 temperature, and cycles otherwise; a magnet that moves
  wants shorter steps, or a higher temperature. The largest x of a game is
  `evaluation.payoff_norm`; `docs/steps.md` has the rule.

  Attributes:
    step_size: eta > 0, in units of 1 / utility; a number or a schedule.
    temperature: alpha >= 0, in units of utility; a number or a schedule; 0 is
      mirror descent.
    magnet_rate: Rate in [0, 1] at which the magnet follows the policy that was
      played, by interpolation of their duals at each infostate; 0 keeps the
      first magnet: the game's reference, or the potential itself.
    mirror_map: The potential at each infostate.
  """

  step_size: schedules.Schedule
  temperature: schedules.Schedule
  magnet_rate: schedules.Schedule = 0.0
  mirror_map: mirror_maps.MirrorMap = mirror_maps.NegativeEntropy()

  def __post_init__(self):
    checks.positive("step_size", self.step_size)
    checks.between("temperature", self.temperature, 0)
    checks.between("magnet_rate", self.magnet_rate, 0, 1)

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> MagneticState:
    """Starts from the policies, with the game's reference as the magnet."""
    duals = base.first_duals(game, self.mirror_map, policies)
    magnets = profiles.to_duals(
      game.treeplexes, self.mirror_map, game.reference
    )
    return MagneticState(base.zero_step(), duals, magnets)

  def update(
    self, game: game_lib.GameView, state: MagneticState
  ) -> MagneticState:
    """Makes one step along the gains, drawn to the magnet."""
    step_size, temperature, rate = (
      schedules.at(s, state.step, game.dtype)
      for s in (self.step_size, self.temperature, self.magnet_rate)
    )
    gains = base.gains_at(game, self.mirror_map, state.dual)
    anchors = [(1 / step_size, state.dual), (temperature, state.magnet)]
    duals = profiles.prox(game.treeplexes, self.mirror_map, gains, anchors)
    toward = [(1 - rate, state.magnet), (rate, state.dual)]
    moved = profiles.mix(game.treeplexes, self.mirror_map, toward)
    # A magnet of zeros is no policy, and mixing would make it one.
    magnets = jax.tree.map(
      lambda new, old: jnp.where(rate > 0, new, old), moved, state.magnet
    )
    return MagneticState(state.step + 1, duals, magnets)

  def policies(
    self, game: game_lib.GameView, state: MagneticState
  ) -> quantities.Policies:
    """Returns the current policies."""
    return profiles.to_policies(game.treeplexes, self.mirror_map, state.dual)
