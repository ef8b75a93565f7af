"""Policies that need no network: tables, and uniform play."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mdrl import struct
from mdrl.envs import base as env_lib
from mdrl.policies import base
from mdrl.policies import infostates as infostates_lib
from mdrl.trees import quantities


@struct.dataclass
class TablePolicy:
  """A row of logits for each infostate of a compiled environment.

  It expects nothing: its values are zeros.

  Attributes:
    logits: Of the game's actions at all infostates, those of the first player
      first.
    first_row: Where the infostates of each player begin.
  """

  logits: Float[Array, "I A"]
  first_row: Int[Array, " N"]

  def init_carry(self) -> Any:
    """Returns nothing: rows tell the past."""
    return ()

  def __call__(
    self, view: env_lib.View, carry: Any
  ) -> tuple[base.Outputs, Any]:
    """Returns the row of the infostate."""
    row = self.first_row[view.player] + view.information_state[..., 0]
    logits = self.logits[jnp.maximum(row, 0)].astype(view.observation.dtype)
    return base.Outputs(logits, jnp.zeros_like(logits[..., 0])), carry


@struct.dataclass
class UniformPolicy:
  """Takes every legal action with the same probability, in any environment."""

  def init_carry(self) -> Any:
    """Returns nothing."""
    return ()

  def __call__(
    self, view: env_lib.View, carry: Any
  ) -> tuple[base.Outputs, Any]:
    """Returns logits of zero."""
    logits = jnp.zeros(view.legal.shape, view.observation.dtype)
    return base.Outputs(logits, jnp.zeros_like(logits[..., 0])), carry


@jax.jit
def from_policies(
  policies: quantities.Policies, infostates: infostates_lib.Infostates
) -> TablePolicy:
  """Returns the table of the policies of all players over their slots.

  Args:
    policies: Of the compiled game, as solvers return them.
    infostates: Of the same game.

  Raises:
    ValueError: If the policies are of another game.
  """
  quantities.check("policies", policies, quantities.Policies)
  found = [len(policy) for policy in policies]
  expected = [len(own.row) for own in infostates.players]
  if found != expected:
    raise ValueError(
      f"`policies` must be of the game of `infostates`, with {expected} slots, "
      f"got {found}"
    )
  # Actions that are not legal have slot 0, where policies carry no choice.
  tables = [
    jnp.where(own.legal, jnp.log(policy[own.slot]), -jnp.inf)
    for own, policy in zip(infostates.players, policies, strict=True)
  ]
  sizes = [own.num_infostates for own in infostates.players]
  starts = [sum(sizes[:i]) for i in range(len(sizes))]
  return TablePolicy(
    logits=jnp.concatenate(tables), first_row=jnp.asarray(starts, jnp.int32)
  )
