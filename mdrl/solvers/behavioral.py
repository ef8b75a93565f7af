"""Any solver, run separately at every infostate of a tree.

Zinkevich, Johanson, Bowling & Piccione, "Regret minimization in games with
incomplete information" (2007), for the decomposition; Sokota et al. (2023),
https://arxiv.org/abs/2206.05825, for Q-values.
"""

from typing import Any, NamedTuple

from jaxtyping import Array, Int

from mdrl import struct
from mdrl.games import behavioral_game, tree_game
from mdrl.solvers import base as solver_lib
from mdrl.trees import quantities


class BehavioralState(NamedTuple):
  """The number of updates, and the inner solver's state."""

  step: Int[Array, ""]
  inner: Any


@struct.dataclass
class Behavioral(solver_lib.Solver[tree_game.TreeGame]):
  """Runs a solver on the behavioural view of a tree.

  Each infostate is a separate decision, with counterfactual values or Q-values
  as its gain. Policies and plans are those of the tree, and averages and
  evaluations of plans have their usual meaning: average by
  `Averaged(solver=Behavioral(...))`, not inside.

  With counterfactual values, regret matching is CFR and mirror descent with
  negative entropy is CFR with multiplicative weights (Hedge). With Q-values,
  magnetic mirror descent approaches the agent quantal-response equilibrium of
  its temperature, in practice.

  Attributes:
    solver: The solver that runs at each infostate; one that averages is
      refused, as it would average behavioural policies.
    feedback: `counterfactual` values, in utility times reach, or `q` values, in
      utility; the latter need a game compiled with `reaches`.
  """

  solver: solver_lib.Solver
  feedback: str = struct.static(default="counterfactual")

  def __post_init__(self):
    if self.feedback not in behavioral_game.FEEDBACKS:
      raise ValueError(
        "`feedback` must be one of "
        f"{', '.join(behavioral_game.FEEDBACKS)}, got {self.feedback!r}"
      )
    for part in solver_lib.with_inner_solvers(self.solver):
      if part.averages:
        name = type(part).__name__
        raise ValueError(
          "`solver` must not average, got one that holds a "
          f"{name}, which would average behavioural policies and not plans; "
          f"use {name}(solver=Behavioral(solver=...))"
        )

  def init(
    self,
    game: tree_game.TreeGame,
    policies: quantities.Policies | None = None,
  ) -> BehavioralState:
    """Starts the solver on the view."""
    inner = self.solver.init(self._view(game), policies)
    return BehavioralState(inner.step, inner)

  def _view(self, game):
    return behavioral_game.view(game, self.feedback)

  def update(
    self, game: tree_game.TreeGame, state: BehavioralState
  ) -> BehavioralState:
    """Makes one update at every infostate."""
    inner = self.solver.update(self._view(game), state.inner)
    return BehavioralState(inner.step, inner)

  def policies(
    self, game: tree_game.TreeGame, state: BehavioralState
  ) -> quantities.Policies:
    """Returns the solver's policies."""
    return self.solver.policies(self._view(game), state.inner)
