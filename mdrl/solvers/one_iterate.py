"""Solvers whose state is one iterate, besides the reference.

Most methods of learning from human feedback are of this kind: they differ in
where the gain is taken and in the anchors of the step. All step sizes here are
in units of 1 / utility, also where a paper states the inverse or a multiple;
each class says how to convert.
"""

import abc
from typing import NamedTuple

from jaxtyping import Array, Float, Int
import numpy as np

from mdrl import checks, methods
from mdrl.geometry import profiles
from mdrl.solvers import base as solver_lib
from mdrl.solvers import descent, schedules
from mdrl.trees import quantities


class OneIterateState(NamedTuple):
  """The number of updates, the iterate and the reference, in dual coordinates.

  The reference is that of the game when the solver started.
  """

  step: Int[Array, ""]
  dual: quantities.Duals
  reference: quantities.Duals


class OneIterate(descent.Descent[solver_lib.GameT]):
  """A solver that maps its iterate to the next.

  Subclasses implement `next_duals`.
  """

  def init(
    self, game: solver_lib.GameT, policies: quantities.Policies | None = None
  ) -> OneIterateState:
    """Starts from the policies, by default from the reference."""
    return OneIterateState(
      methods.zero_step(),
      self.first_duals(game, policies),
      self.reference_duals(game),
    )

  @abc.abstractmethod
  def next_duals(
    self, game: solver_lib.GameT, state: OneIterateState
  ) -> quantities.Duals:
    """Returns the iterate after one more update."""

  def update(
    self, game: solver_lib.GameT, state: OneIterateState
  ) -> OneIterateState:
    """Moves the iterate."""
    duals = self.next_duals(game, state)
    return OneIterateState(state.step + 1, duals, state.reference)


def explicit_anchors(
  step_size: Float[Array, ""],
  temperature: Float[Array, ""],
  dual: quantities.Duals,
  reference: quantities.Duals,
) -> profiles.Anchors:
  """Returns the anchors of a step whose regulariser is linearised.

  Of `<gain, x> - temperature * D(x, reference) - D(x, dual) / step_size`, the
  explicit step replaces the regulariser by its slope at the iterate, so that
  with negative entropy

    log x = (1 - step_size * temperature) * dual
            + step_size * temperature * reference + step_size * gain + constant.
  """
  return [(1 / step_size - temperature, dual), (temperature, reference)]


def check_explicit(
  step_size: schedules.Schedule, temperature: schedules.Schedule
) -> None:
  """Raises ValueError unless 0 < step_size * temperature <= 1, where known."""
  checks.positive("step_size", step_size)
  checks.between("temperature", temperature, 0)
  if checks.known(step_size) is None or checks.known(temperature) is None:
    return
  product = np.multiply(np.asarray(step_size), np.asarray(temperature))
  # One in decimals may be above one in binary.
  if np.any(product > 1 + 1e-12):
    raise ValueError(
      "`step_size` times `temperature` must be at most 1, got step_size "
      f"{step_size} and temperature {temperature}; a linearised step would "
      "pass beyond the reference"
    )
