"""The four quantities of a game: policies, plans, gains and duals.

Each holds one array per player, over the slots of that player's treeplex. They
are types of their own, because they are of one shape and passing one for
another gives a number that is wrong and looks right. All are tuples and
pytrees; only their class, which costs compiled code nothing, tells them apart.
"""

from typing import TypeVar

import jax
from jaxtyping import Array, Float

_T = TypeVar("_T", bound=type)


def _pytree(cls: _T) -> _T:
  """Registers a tuple class as a pytree of its elements."""

  def flatten_with_keys(arrays):
    keyed = [(jax.tree_util.SequenceKey(i), x) for i, x in enumerate(arrays)]
    return keyed, None

  jax.tree_util.register_pytree_with_keys(
    cls,
    flatten_with_keys,
    lambda _, arrays: cls(arrays),
    lambda arrays: (tuple(arrays), None),
  )
  return cls


@_pytree
class Policies(tuple[Float[Array, "... _"], ...]):
  """The probability of each action, given its infostate; slot 0 is not read."""

  __slots__ = ()


@_pytree
class Plans(tuple[Float[Array, "... _"], ...]):
  """Realization plans: the product of a player's own probabilities.

  Slot 0, the empty sequence, holds one.
  """

  __slots__ = ()


@_pytree
class Gains(tuple[Float[Array, "... _"], ...]):
  """Derivatives of each player's utility in its own plan, in utility."""

  __slots__ = ()


@_pytree
class Duals(tuple[Float[Array, "... _"], ...]):
  """Iterates in the coordinates of a mirror map, such as log-policies."""

  __slots__ = ()


_Profile = TypeVar("_Profile", Policies, Plans, Gains, Duals)


def replaced(
  profile: _Profile, player: int, array: Float[Array, "... _"]
) -> _Profile:
  """Returns what all players have, with another array for one of them."""
  arrays = list(profile)
  arrays[player] = array
  return type(profile)(arrays)


_REMEDIES = {
  (Plans, Policies): "`game.plans(policies)` makes them",
  (Policies, Plans): "`policies_of_plans` of mdrl.games.base makes them",
  (Policies, Duals): "`profiles.to_policies` makes them",
  (Duals, Policies): "`profiles.to_duals` makes them",
  (Gains, Plans): "`game.gains(plans)` makes them",
}


def check(name: str, value: object, kind: type) -> None:
  """Raises ValueError unless an argument is of a kind of quantities.

  Only the class is looked at, so that inside of compiled functions the check
  is made once, when they are traced.

  Args:
    name: Of the argument, in the message.
    value: What was passed.
    kind: `Policies`, `Plans`, `Gains` or `Duals`.
  """
  if not isinstance(value, kind):
    remedy = _REMEDIES.get(
      (kind, type(value)),
      f"`quantities.{kind.__name__}` holds an array for each player",
    )
    raise ValueError(
      f"`{name}` must be {kind.__name__}, got a {type(value).__name__}; "
      f"{remedy}"
    )
