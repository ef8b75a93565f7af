"""Policies of environments: what to do, from what the player to move knows."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Float

from mdrl.envs import base as env_lib


class Outputs(NamedTuple):
  """What a policy says of one decision.

  Attributes:
    logits: Log-probabilities of the actions, up to a constant. At illegal
      actions they mean nothing; `masks` makes probabilities of them.
    value: The return that the player to move expects, in units of utility; zero
      for policies that expect nothing.
  """

  logits: Float[Array, "*B A"]
  value: Float[Array, "*B"]


@runtime_checkable
class Policy(Protocol):
  """A policy for the players of an environment, a pytree.

  It takes single views; `jax.vmap` maps it over many, with their carries.
  """

  def init_carry(self) -> Any:
    """Returns what a player carries into its first decision of a game.

    Each player of a game has a carry of its own, and feed-forward policies
    carry `()`.
    """
    ...

  def __call__(self, view: env_lib.View, carry: Any) -> tuple[Outputs, Any]:
    """Returns what the policy says, and what the player carries on.

    Args:
      view: What the player to move knows.
      carry: What that player carried away from its last decision.
    """
    ...
