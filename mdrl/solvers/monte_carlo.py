"""Any solver, with gains estimated from samples.

Lanctot, Waugh, Zinkevich & Bowling, "Monte Carlo sampling for regret
minimization in extensive games" (2009), with external and outcome sampling. Two
departures: all players move at once, each on a sample of its own; and averages,
by `averaged.Averaged`, are of whole plans, where theirs are of sampled parts.
An update costs about as much as one without sampling, or more: see
`mdrl.games.sampled_game`.
"""

from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt

from mdrl import checks, struct
from mdrl.games import sampled_game, tree_game
from mdrl.solvers import base as solver_lib
from mdrl.trees import quantities


class MonteCarloState(NamedTuple):
  """The number of updates, the inner solver's state, and the random key."""

  step: Int[Array, ""]
  inner: Any
  key: UInt[Array, " 2"]


@struct.dataclass
class MonteCarlo(solver_lib.Solver[tree_game.TreeGame]):
  """Runs a solver on sampled gains of a tree.

  Every update draws new samples, one for each player's gain. A solver that
  evaluates gains more than once in an update, as Mirror Prox does, gets the
  same random numbers each time.

  Regret matching becomes Monte Carlo CFR, whose average, by
  `averaged.Averaged`, approaches equilibrium in two-player zero-sum games;
  mirror descent becomes stochastic mirror descent. Gains of outcome sampling
  are large where play is unlikely, so that step sizes must be small.

  Attributes:
    solver: The solver that runs on the estimates.
    sampling: `external` samples the moves of chance and of the others,
      `outcome` the player's own as well.
    seed: Of the samples.
    exploration: Weight in (0, 1] of the uniform policy in the mixture that
      outcome sampling draws a player's own moves from; external sampling does
      not read it; no unit.
  """

  solver: solver_lib.Solver
  sampling: str = struct.static(default="external")
  seed: int | Int[Array, "..."] = 0
  exploration: float | Float[Array, "..."] = 0.6

  def __post_init__(self):
    sampled_game.check(self.sampling, self.exploration)
    checks.whole("seed", self.seed, 0)

  def init(
    self,
    game: tree_game.TreeGame,
    policies: quantities.Policies | None = None,
  ) -> MonteCarloState:
    """Starts the solver on the view.

    Raises:
      ValueError: If the game was compiled without the moves of chance.
    """
    key, draw = jax.random.split(jax.random.key(self.seed))
    inner = self.solver.init(self._view(game, draw), policies)
    return MonteCarloState(inner.step, inner, jax.random.key_data(key))

  def _view(
    self, game: tree_game.TreeGame, key: PRNGKeyArray
  ) -> sampled_game.SampledGame:
    return sampled_game.view(game, key, self.sampling, self.exploration)

  def update(
    self, game: tree_game.TreeGame, state: MonteCarloState
  ) -> MonteCarloState:
    """Draws samples, and makes one update on their gains."""
    key, draw = jax.random.split(jax.random.wrap_key_data(state.key))
    inner = self.solver.update(self._view(game, draw), state.inner)
    return MonteCarloState(inner.step, inner, jax.random.key_data(key))

  def policies(
    self, game: tree_game.TreeGame, state: MonteCarloState
  ) -> quantities.Policies:
    """Returns the solver's policies."""
    return self.solver.policies(game, state.inner)

  def last_policies(
    self, game: tree_game.TreeGame, state: MonteCarloState
  ) -> quantities.Policies:
    """Returns the policies that the solver plays next."""
    return self.solver.last_policies(game, state.inner)

  def plans(
    self, game: tree_game.TreeGame, state: MonteCarloState
  ) -> quantities.Plans:
    """Returns the solver's plans, which are those of the tree."""
    return self.solver.plans(game, state.inner)
