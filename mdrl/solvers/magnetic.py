"""Magnetic mirror descent.

Sokota, D'Orazio, Kolter, Loizou, Lanctot, Mitliagkas, Brown & Kroer, "A unified
approach to reinforcement learning, quantal response equilibria, and two-player
zero-sum games" (2023), https://arxiv.org/abs/2206.05825. Algorithm 3.6, in the
sequence form with dilated potentials; section 5 for moving magnets and annealed
temperatures.
"""

import jax
import jax.numpy as jnp

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps
from mdrl.solvers import magnet, schedules
from mdrl.trees import quantities


@struct.dataclass
class MagneticMirrorDescent(magnet.Magnetic):
  """Mirror descent drawn to a magnet, which may follow the play.

  All players move at once. Each maximises, over its own plans x,

    <gain, x> - D(x, iterate) / step_size - temperature * D(x, magnet).

  With a fixed magnet, the iterates approach the regularised equilibrium at a
  linear rate: its divergence from them falls by 1 / (1 + step_size *
  temperature) per update where step_size <= temperature / L^2 and utilities are
  L-smooth in norms in which the potentials are 1-strongly convex. On simplices
  with negative entropy L is the largest payoff. Dilated entropy is less
  strongly convex: with the largest payoff for L, single updates on four-sided
  liar's dice contract up to 9 % less than that, though many together keep the
  rate; with half the step every update does.

  With a moving magnet, the iterates approach a Nash equilibrium in practice, if
  steps keep a bound. With the Euclidean potential and a fixed magnet, play that
  turns at rate x settles if step_size * (x^2 - temperature^2) < 2 temperature,
  and cycles otherwise; a moving magnet needs shorter steps or a higher
  temperature. The largest x of a game is `evaluation.payoff_norm`;
  `docs/steps.md` has the rule.

  Attributes:
    step_size: eta > 0, in units of 1 / utility; a number or a schedule.
    temperature: alpha >= 0, in units of utility; a number or a schedule; 0 is
      mirror descent.
    magnet_rate: Rate in [0, 1] at which the magnet follows the policy that was
      played, by interpolation of their duals at each infostate. With 0 it stays
      the first magnet: the game's reference, or the potential itself.
    mirror_map: The potential at each infostate.
  """

  step_size: schedules.Schedule
  temperature: schedules.Schedule
  magnet_rate: schedules.Schedule = 0.0
  mirror_map: mirror_maps.MirrorMap = mirror_maps.NegativeEntropy()

  def __post_init__(self):
    super().__post_init__()
    checks.between("temperature", self.temperature, 0)
    checks.between("magnet_rate", self.magnet_rate, 0, 1)

  def next_magnets(
    self,
    game: game_lib.GameView,
    state: magnet.MagneticState,
    duals: quantities.Duals,
  ) -> quantities.Duals:
    """Moves the magnets towards the policies that were played."""
    del duals
    rate = schedules.at(self.magnet_rate, state.step, game.dtype)
    toward = [(1 - rate, state.magnet), (rate, state.dual)]
    moved = self.mix(game, toward)
    # A magnet of zeros is no policy, and mixing would make it one.
    return jax.tree.map(
      lambda new, old: jnp.where(rate > 0, new, old), moved, state.magnet
    )
