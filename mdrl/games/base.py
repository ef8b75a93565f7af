"""What every game offers to solvers and evaluations.

Axis letters, used in all annotations: N players, I infostates, A action slots,
S slots of sequences, T terminal histories, H histories, K checkpoints, B sweep,
D devices, X contexts, R rows of a group, W its width.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray
import numpy as np

from mdrl import checks
from mdrl.trees import quantities
from mdrl.trees import treeplex as treeplex_lib

# By how much probabilities may miss one in sum: people round them.
_ROUNDED = 1e-6


@runtime_checkable
class GameView(Protocol):
  """What solvers see of a game: decisions, plans and gains; a pytree.

  Every `Game` is one. A view that is no game, such as a tree seen infostate by
  infostate or through samples, has gains that a solver can follow, and which
  are not the derivatives of utilities: evaluations refuse it.
  """

  @property
  def treeplexes(self) -> tuple[treeplex_lib.Treeplex, ...]:
    """The decisions of each player."""
    ...

  @property
  def symmetric(self) -> bool:
    """Whether one policy plays both parts of a two-player zero-sum game.

    Such a game has one treeplex, one policy, plan and gain, which is that
    against the policy itself, and `num_players` is one. Evaluations count both
    of its players: NashConv is twice the improvement of the policy, and
    exploitability is NashConv / 2, as in any other two-player game.
    """
    ...

  @property
  def reference(self) -> quantities.Policies | None:
    """Policies that regularised solvers stay near; None is the potential."""
    ...

  @property
  def num_players(self) -> int:
    """Number of players with a policy of their own."""
    ...

  @property
  def dtype(self) -> Any:
    """Floating type of everything computed on the game."""
    ...

  def plans(self, policies: quantities.Policies) -> quantities.Plans:
    """Returns the realization plans of policies."""
    ...

  def gain(self, plans: quantities.Plans, player: int) -> Float[Array, " S"]:
    """Returns the derivative of a player's utility in its own plan."""
    ...

  def gains(self, plans: quantities.Plans) -> quantities.Gains:
    """Returns the gain of every player."""
    ...


@runtime_checkable
class Game(GameView, Protocol):
  """A game of N players, each with a treeplex; a pytree of arrays.

  Utilities are linear in each plan, with the gain as slope.
  """

  @property
  def zero_sum(self) -> bool:
    """Whether utilities add up to zero, or to any constant."""
    ...

  def values(self, plans: quantities.Plans) -> Float[Array, " N"]:
    """Returns the expected utility of every player."""
    ...


def check_is_game(game: Any) -> None:
  """Raises ValueError for what is no game, such as a view of one."""
  if isinstance(game, Game):
    return
  remedy = (
    "pass the game that it shows, and plans of that"
    if isinstance(game, GameView)
    else "compile_game, matrix_game and preference_game make games"
  )
  raise ValueError(
    f"`game` must be a Game, got a {type(game).__name__}; {remedy}"
  )


@jax.jit
def random_policies(game: GameView, key: PRNGKeyArray) -> quantities.Policies:
  """Returns policies drawn uniformly from the simplex at every infostate."""
  keys = jax.random.split(key, game.num_players)
  return quantities.Policies(
    t.to_policy(jax.random.exponential(k, (t.num_slots,), t.dtype))
    for t, k in zip(game.treeplexes, keys, strict=True)
  )


def uniform_policies(game: GameView) -> quantities.Policies:
  """Returns the policies that choose every action with equal probability."""
  return quantities.Policies(t.uniform for t in game.treeplexes)


def policies_of_plans(
  game: GameView, plans: quantities.Plans
) -> quantities.Policies:
  """Returns the policies of plans, uniform where they do not reach."""
  quantities.check("plans", plans, quantities.Plans)
  return quantities.Policies(
    t.to_policy(plan) for t, plan in zip(game.treeplexes, plans, strict=True)
  )


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


def antisymmetric(
  first: Float[np.ndarray, "A B"], second: Float[np.ndarray, "A B"], name: str
) -> Float[np.ndarray, "A A"]:
  """Returns what the first player of a symmetric zero-sum game wins.

  Raises:
    ValueError: If the game of that name is no such game.
  """
  square = first.shape[0] == first.shape[1]
  if (
    not square
    or not np.allclose(first, -first.T)
    or not np.allclose(first, -second)
  ):
    raise ValueError(
      "`game` must be zero-sum and symmetric, so that what row a wins from "
      f"column b is what b wins from a, which {name} is not"
    )
  return first


def check_range(name: str, largest: float, dtype: np.dtype) -> None:
  """Raises ValueError for numbers that a dtype cannot tell from their limits.

  Args:
    name: Of the numbers, in messages.
    largest: Size of the largest of them.
    dtype: Floating type that they are to have.
  """
  limits = jnp.finfo(dtype)
  if largest > float(limits.max) or 0 < largest < float(limits.tiny):
    raise ValueError(
      f"`{name}` must fit {dtype}, from {limits.tiny:.0e} to "
      f"{limits.max:.0e}, got {largest:g} as the largest; choose another "
      "unit, or dtype=float64 with jax_enable_x64"
    )


def check_policies(
  game: GameView, policies: Any, name: str = "policies"
) -> None:
  """Raises ValueError unless these are policies of the game, where known.

  Args:
    game: The game.
    policies: Probabilities that add up to one at every infostate, within 1e-6
      or what the dtype can tell.
    name: Of the argument, in messages.
  """
  quantities.check(name, policies, quantities.Policies)
  if checks.is_traced((game, policies)):
    return
  expected = [(t.num_slots,) for t in game.treeplexes]
  shapes = [getattr(policy, "shape", None) for policy in policies]
  if shapes != expected:
    raise ValueError(
      f"`{name}` must hold one array per player, of shapes {expected}, got "
      f"{shapes}; a treeplex makes them by from_table"
    )
  for player, (t, policy) in enumerate(
    zip(game.treeplexes, policies, strict=True)
  ):
    if jax.dtypes.canonicalize_dtype(policy.dtype) != game.dtype:
      raise ValueError(
        f"`{name}` must be of {game.dtype} as the game is, got "
        f"{policy.dtype} for player {player}; convert them by astype"
      )
    wrong = _wrong_policy(t, np.asarray(policy).astype(float))
    if wrong:
      raise ValueError(
        f"`{name}` must be distributions over the actions of every "
        f"infostate, got {wrong} of player {player}; a treeplex normalises "
        "by to_policy"
      )


def _wrong_policy(t, policy):
  """Says what is wrong with a policy, if anything is."""
  legal = np.asarray(t.legal)
  # Comparisons are false for NaN, which is thereby found as well.
  fits = (policy >= 0) & np.isfinite(policy) & (legal | (policy == 0))
  bad = 1 + np.flatnonzero(~fits[1:])
  if len(bad):
    illegal = "" if legal[bad[0]] else ", which is padding,"
    return f"{policy[bad[0]]} at slot {bad[0]}{illegal}"
  rounded = max(_ROUNDED, 1e3 * float(np.finfo(t.dtype).eps))
  for group in t.groups:
    size = group.num_rows * group.width
    block = policy[group.start : group.start + size]
    total = block.reshape(group.width, group.num_rows).sum(axis=0)
    bad = np.flatnonzero(np.abs(total - 1) > rounded)
    if len(bad):
      return f"a sum of {total[bad[0]]} at infostate {group.first_row + bad[0]}"
  return ""
