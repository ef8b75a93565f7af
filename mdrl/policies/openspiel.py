"""Plays policies in OpenSpiel, for its algorithms, bots and matches."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mdrl.envs import base as env_lib
from mdrl.games import index as index_lib
from mdrl.policies import base, masks, named_rows, table

_TENSORS = ("information_state_tensor", "observation_tensor")


def to_openspiel(
  policy: base.Policy,
  game: Any,
  *,
  index: index_lib.Index | None = None,
  by: str | None = None,
) -> Any:
  """Returns a policy of OpenSpiel that plays one of ours.

  Networks see a tensor of the state, tables look its information-state string
  up. Both play states one by one; of a compiled game, `to_policies` and
  `policy_bridge.to_openspiel` make a table for many.

  Args:
    policy: A network, a table, or uniform play.
    game: The game that it plays, as OpenSpiel's string or object; simultaneous
      moves become successive ones.
    index: Of the compiled game; tables need it.
    by: Which tensor a network sees; by default the information state's where
      the game gives it, else that of the observation, as for compiled games.

  Raises:
    ValueError: If there is no such game, it gives no such description, or the
      policy was made for another game.
  """
  # It takes a while to import, and nothing else here needs it.
  from mdrl.compile import openspiel, policy_bridge

  if isinstance(game, str):
    game = openspiel.load_game(game)
  else:
    game = openspiel.sequential(game)
  if isinstance(policy, table.TablePolicy):
    decide = _looking_up(policy, index)
    return policy_bridge.play(game, decide, by="information_state_string")
  if by is None:
    gives = game.get_type().provides_information_state_tensor
    by = _TENSORS[0 if gives else 1]
  carry = policy.init_carry()
  return policy_bridge.play(
    game,
    _seeing(policy, game.num_distinct_actions()),
    by=by,
    carry=carry if jax.tree.leaves(carry) else None,
  )


_probabilities = jax.jit(masks.probabilities)


@jax.jit
def _decide(policy, player, observation, legal, carry):
  view = env_lib.View(
    player=player,
    observation=observation,
    information_state=jnp.zeros(2, jnp.int32),
    legal=legal,
  )
  outputs, carry = policy(view, carry)
  return masks.probabilities(outputs.logits, view.legal), carry


def _seeing(policy, num_actions):
  """Returns how a policy decides that sees tensors."""
  architecture = getattr(policy, "architecture", None)
  dtype = jnp.zeros(()).dtype if architecture is None else policy.dtype

  def decide(tensor, legal, player, carry):
    size, actions = len(tensor), num_actions
    if architecture is not None:
      size, actions = architecture.observation_size, architecture.num_actions
    if len(tensor) > size or legal[-1] >= actions:
      raise ValueError(
        f"`policy` must be made for the game, with {len(tensor)} features and "
        f"action {legal[-1]}, got one for {size} and {actions} actions"
      )
    seen, mask = np.zeros(size, dtype), np.zeros(actions, bool)
    seen[: len(tensor)] = tensor
    mask[legal] = True
    # Arrays of NumPy, which a compiled function takes in less time than JAX's.
    before = () if carry is None else carry
    return _decide(policy, np.int32(player), seen, mask, before)

  return decide


def _looking_up(policy, index):
  """Returns how a table decides, by the names of its rows."""
  if index is None:
    raise ValueError(
      "`index` must be given for a table, got none; `compile_game` returns it"
    )
  legal = named_rows.legal_actions(index)
  if policy.logits.shape != legal.shape:
    raise ValueError(
      f"`policy` must be a table of the game of `index`, of shape "
      f"{legal.shape}, got {policy.logits.shape}"
    )
  chosen = np.asarray(_probabilities(policy.logits, jnp.asarray(legal)))
  first = np.asarray(policy.first_row)

  def decide(name, legal, player, carry):
    del legal
    return chosen[first[player] + index[player].row(name)], carry

  return decide
