"""What every game offers to solvers and evaluations.

Axis letters, used in all annotations: N players, I infostates, A action slots,
S slots of sequences, T terminal histories, H histories, K checkpoints, B sweep,
D devices, X contexts, R rows of a group, W its width.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import jax
from jaxtyping import Array, Float, PRNGKeyArray
import numpy as np

from mdrl.games import treeplex

# One array per player, over that player's slots.
Policies = tuple[Float[Array, " _"], ...]
Plans = tuple[Float[Array, " _"], ...]
Gains = tuple[Float[Array, " _"], ...]


@runtime_checkable
class Game(Protocol):
  """A game of N players, each with a treeplex; a pytree of arrays."""

  @property
  def treeplexes(self) -> tuple[treeplex.Treeplex, ...]:
    """The decisions of each player."""
    ...

  @property
  def zero_sum(self) -> bool:
    """Whether utilities add up to zero, or to any constant."""
    ...

  @property
  def symmetric(self) -> bool:
    """Whether one policy plays all parts of a two-player zero-sum game.

    Such a game has one treeplex, and its gain is that against the policy
    itself.
    """
    ...

  @property
  def reference(self) -> Policies | None:
    """Policies that regularised solvers stay near; None is the potential."""
    ...

  @property
  def num_players(self) -> int:
    """Number of players."""
    ...

  @property
  def dtype(self) -> Any:
    """Floating type of everything computed on the game."""
    ...

  def plans(self, policies: Policies) -> Plans:
    """Returns the realization plans of policies."""
    ...

  def gain(self, plans: Plans, player: int) -> Float[Array, " S"]:
    """Returns the derivative of a player's utility in its own plan."""
    ...

  def gains(self, plans: Plans) -> Gains:
    """Returns the gain of every player."""
    ...

  def values(self, plans: Plans) -> Float[Array, " N"]:
    """Returns the expected utility of every player."""
    ...


@jax.jit
def random_policies(game: Game, key: PRNGKeyArray) -> Policies:
  """Returns policies drawn uniformly from the simplex at every infostate."""
  keys = jax.random.split(key, game.num_players)
  return tuple(
      t.to_policy(jax.random.exponential(k, (t.num_slots,), t.dtype))
      for t, k in zip(game.treeplexes, keys, strict=True)
  )


def uniform_policies(game: Game) -> Policies:
  """Returns the policies that choose every action with equal probability."""
  return tuple(t.uniform for t in game.treeplexes)


def adds_to_constant(utilities: Sequence[Float[np.ndarray, "..."]]) -> bool:
  """Returns whether the players' utilities add up alike at all outcomes.

  That is to 1e-9 of the largest of them, in whatever unit they are.

  Args:
    utilities: Of each player at every outcome.
  """
  if not utilities or not utilities[0].size:
    return True
  largest = max(max(float(u.max()), -float(u.min())) for u in utilities)
  # In units of the largest, whose sums can neither overflow nor vanish.
  exponent = -np.frexp(largest)[1]
  total = np.zeros(utilities[0].shape)
  for utility in utilities:
    total += np.ldexp(utility, exponent)
  return bool(np.ptp(total) <= 1e-9 * np.ldexp(largest, exponent))
