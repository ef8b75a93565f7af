"""What solvers that make proximal steps share."""

from jaxtyping import Array, Float, Int

from mdrl import checks
from mdrl.geometry import mirror_maps, profiles
from mdrl.solvers import base as solver_lib
from mdrl.solvers import schedules
from mdrl.trees import quantities


class Descent(solver_lib.Solver[solver_lib.GameT]):
  """A solver whose state holds the iterate that it plays as `dual`.

  Subclasses declare `step_size` as a hyper-parameter, and may declare
  `mirror_map`, which is negative entropy otherwise.
  """

  step_size: schedules.Schedule
  mirror_map: mirror_maps.MirrorMap = mirror_maps.NegativeEntropy()

  def __post_init__(self):
    checks.positive("step_size", self.step_size)

  def first_duals(
    self, game: solver_lib.GameT, policies: quantities.Policies | None
  ) -> quantities.Duals:
    """Returns the start in dual coordinates, by default the reference."""
    return solver_lib.first_duals(game, self.mirror_map, policies)

  def reference_duals(self, game: solver_lib.GameT) -> quantities.Duals:
    """Returns the game's reference, or zeros, which are the potential."""
    return profiles.to_duals(game.treeplexes, self.mirror_map, game.reference)

  def gains_at(
    self, game: solver_lib.GameT, duals: quantities.Duals
  ) -> quantities.Gains:
    """Returns everybody's gains where all play these iterates."""
    return solver_lib.gains_at(game, self.mirror_map, duals)

  def inverse_step(
    self, game: solver_lib.GameT, step: Int[Array, ""]
  ) -> Float[Array, ""]:
    """Returns 1 / step_size, the weight of the divergence in a step."""
    return 1 / schedules.at(self.step_size, step, game.dtype)

  def prox(
    self,
    game: solver_lib.GameT,
    gains: quantities.Gains,
    anchors: profiles.Anchors,
  ) -> quantities.Duals:
    """Returns everybody's proximal step from the anchors along the gains."""
    return profiles.prox(game.treeplexes, self.mirror_map, gains, anchors)

  def mix(
    self, game: solver_lib.GameT, anchors: profiles.Anchors
  ) -> quantities.Duals:
    """Returns the policies nearest to weighted duals at each infostate."""
    return profiles.mix(game.treeplexes, self.mirror_map, anchors)

  def policies(self, game: solver_lib.GameT, state) -> quantities.Policies:
    """Returns the policies of the iterate `dual`."""
    return profiles.to_policies(game.treeplexes, self.mirror_map, state.dual)
