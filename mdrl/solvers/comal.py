"""Convergent meta-alignment (COMAL).

Liu, Oikonomou, Zheng, Cai & Cohan, "COMAL: a convergent meta-algorithm for
aligning LLMs with general preferences" (2024),
https://arxiv.org/abs/2410.23223. The meta-algorithm, and theorem 3.
"""

from typing import Any, NamedTuple, TypeGuard

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mdrl import checks, methods, struct
from mdrl.games import base as game_lib
from mdrl.games import preference_game
from mdrl.solvers import base as solver_lib
from mdrl.solvers import schedules
from mdrl.trees import quantities


class ComalState(NamedTuple):
  """The number of updates and of refreshes, and the inner solver's state.

  With several contexts, refreshes and inner states are those of each.
  """

  step: Int[Array, ""]
  num_refreshes: Int[Array, "*X"]
  inner: Any


@struct.dataclass
class Comal(solver_lib.Solver):
  """Solves regularised games one after another, each around the last solution.

  `solver` runs on the game until an update moves no probability by more than
  `tolerance`; then the reference becomes the policy found, and the solver
  starts again from there. This is the proximal-point method: its outer iterates
  approach an equilibrium of the game itself, which the first reference does not
  bias. An inner run that is cut short, by a loose tolerance, can make the next
  start worse than the one before. The contexts of a preference game are games
  of their own, each with its own inner runs.

  Attributes:
    solver: Solves a game regularised by its reference, such as
      `nash_mirror_prox.NashMirrorProx`.
    tolerance: Largest change of a probability at which an inner run ends.
  """

  solver: solver_lib.Solver
  tolerance: float | Float[Array, "..."] = 1e-6

  def __post_init__(self):
    checks.positive("tolerance", self.tolerance)

  def init(
    self, game: game_lib.GameView, policies: quantities.Policies | None = None
  ) -> ComalState:
    """Starts the first inner run, around the game's reference."""
    step = methods.zero_step()
    if not _has_contexts(game):
      return ComalState(step, step, self.solver.init(game, policies))
    parts = preference_game.contexts(game)
    starts = preference_game.policies_by_context(game, policies)
    inner = jax.vmap(self.solver.init)(parts, starts)
    count = jnp.zeros(game.num_contexts, step.dtype)
    return ComalState(step, count, inner)

  def update(self, game: game_lib.GameView, state: ComalState) -> ComalState:
    """Makes one inner update, and begins the next run where it is the last."""
    advance, begin = self._advance, self._begin
    if _has_contexts(game):
      game = preference_game.contexts(game)
      advance, begin = jax.vmap(advance), jax.vmap(begin)
    updated, after, ended = advance(game, state.inner)
    # A start may ask queries of its own, so that it is not made in vain. Under
    # `vmap` both branches are made, whatever has ended.
    inner = jax.lax.cond(
      jnp.any(ended),
      lambda: begin(game, updated, after, ended),
      lambda: updated,
    )
    count = state.num_refreshes + ended.astype(state.num_refreshes.dtype)
    return ComalState(state.step + 1, count, inner)

  def _advance(self, game, inner):
    """Returns the next inner state, its policies, and whether a run ends."""
    updated = self.solver.update(game, inner)
    before = self.solver.policies(game, inner)
    after = self.solver.policies(game, updated)
    return updated, after, self._ended(game, before, after)

  def _begin(self, game, updated, policies, ended):
    """Returns the first state of the next inner run, where one has ended."""
    fresh = self.solver.init(struct.replace(game, reference=policies), policies)
    return jax.tree.map(lambda a, b: jnp.where(ended, a, b), fresh, updated)

  def _ended(self, game, before, after) -> Bool[Array, ""]:
    # Slot 0 holds no probability, and a start has another number there.
    change = [
      jnp.max(jnp.abs(a[1:] - b[1:]), initial=0)
      for a, b in zip(before, after, strict=True)
    ]
    largest = jnp.max(jnp.stack(change))
    return largest <= schedules.number(self.tolerance, game.dtype)

  def policies(
    self, game: game_lib.GameView, state: ComalState
  ) -> quantities.Policies:
    """Returns the inner solver's policies."""
    if not _has_contexts(game):
      return self.solver.policies(game, state.inner)
    parts = preference_game.contexts(game)
    (policies,) = jax.vmap(self.solver.policies)(parts, state.inner)
    return quantities.Policies((game.slots(policies[:, 1:]),))


def _has_contexts(
  game: game_lib.GameView,
) -> TypeGuard[preference_game.PreferenceGame]:
  return (
    isinstance(game, preference_game.PreferenceGame) and game.num_contexts > 1
  )
