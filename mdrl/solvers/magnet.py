"""Magnetic mirror descent, whatever its magnet does between updates."""

import abc
from typing import NamedTuple

from jaxtyping import Array, Int

from mdrl import methods
from mdrl.games import base as game_lib
from mdrl.solvers import descent, schedules
from mdrl.trees import quantities


class MagneticState(NamedTuple):
  """The number of updates, the iterate and the magnet, in dual coordinates."""

  step: Int[Array, ""]
  dual: quantities.Duals
  magnet: quantities.Duals


class Magnetic(descent.Descent):
  """Mirror descent drawn to a magnet; subclasses implement `next_magnets`."""

  temperature: schedules.Schedule

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> MagneticState:
    """Starts from the policies, with the game's reference as the magnet."""
    duals = self.first_duals(game, policies)
    return MagneticState(methods.zero_step(), duals, self.reference_duals(game))

  def update(
    self, game: game_lib.GameView, state: MagneticState
  ) -> MagneticState:
    """Makes one step along the gains, drawn to the magnet."""
    temperature = schedules.at(self.temperature, state.step, game.dtype)
    gains = self.gains_at(game, state.dual)
    weight = self.inverse_step(game, state.step)
    anchors = [(weight, state.dual), (temperature, state.magnet)]
    duals = self.prox(game, gains, anchors)
    magnets = self.next_magnets(game, state, duals)
    return MagneticState(state.step + 1, duals, magnets)

  @abc.abstractmethod
  def next_magnets(
    self,
    game: game_lib.GameView,
    state: MagneticState,
    duals: quantities.Duals,
  ) -> quantities.Duals:
    """Returns the magnets of the next update, given its iterates."""
