"""Evaluates policies at every infostate of a compiled game.

What comes out are policies over slots, which all exact evaluation takes: the
exploitability of a network is that of its table.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl.policies import base, masks
from mdrl.policies import infostates as infostates_lib
from mdrl.trees import quantities

# Infostates that a network sees at once; more would only take more memory.
_BATCH = 2**14


@functools.partial(jax.jit, static_argnames="batch_size")
def to_policies(
  policy: base.Policy,
  infostates: infostates_lib.Infostates,
  *,
  batch_size: int = _BATCH,
) -> quantities.Policies:
  """Returns the probabilities of a policy over the slots of each player.

  Args:
    policy: For an environment of the game; a recurrent one carries along each
      player's own sequences, which perfect recall makes a tree.
    infostates: Of the compiled game.
    batch_size: How many infostates are evaluated at once.

  Raises:
    ValueError: If the policy is made for other sizes, or the batch is empty.
  """
  return quantities.Policies(
    _over_slots(own, masks.probabilities(outputs.logits, own.legal))
    for own, outputs in zip(
      infostates.players,
      outputs_everywhere(policy, infostates, batch_size=batch_size),
      strict=True,
    )
  )


@functools.partial(jax.jit, static_argnames="batch_size")
def outputs_everywhere(
  policy: base.Policy,
  infostates: infostates_lib.Infostates,
  *,
  batch_size: int = _BATCH,
) -> tuple[base.Outputs, ...]:
  """Returns what a policy says at each infostate of each player, by row.

  Args:
    policy: As for `to_policies`.
    infostates: Of the compiled game.
    batch_size: How many infostates are evaluated at once.

  Raises:
    ValueError: If the policy is made for other sizes, or the batch is empty.
  """
  if batch_size < 1:
    raise ValueError(f"`batch_size` must be at least 1, got {batch_size}")
  remembers = bool(jax.tree.leaves(policy.init_carry()))
  return tuple(
    _along_sequences(policy, infostates, player, batch_size)
    if remembers and own.num_infostates
    else _at_once(policy, infostates, player, batch_size)
    for player, own in enumerate(infostates.players)
  )


def _at_once(policy, infostates, player, batch_size):
  own = infostates.players[player]

  def evaluate(rows):
    carry = policy.init_carry()
    views = infostates.views(player, rows)
    return jax.vmap(lambda view: policy(view, carry)[0])(views)

  rows = jnp.arange(own.num_infostates, dtype=jnp.int32)
  return _in_batches(evaluate, rows, batch_size)


def _along_sequences(policy, infostates, player, batch_size):
  """Evaluates one own depth after another, from what is carried above."""
  own = infostates.players[player]
  first = policy.init_carry()
  carries = jax.tree.map(lambda x: x[None], first)
  start_above, outputs = 0, []
  for start, stop in zip(own.levels[:-1], own.levels[1:], strict=True):
    rows = jnp.arange(start, stop, dtype=jnp.int32)
    above = own.above[start:stop] - start_above

    def evaluate(xs, carries=carries, start=start):
      rows, above = xs
      views = infostates.views(player, rows)
      # At the first decisions there is one carry, that of the start.
      at = jnp.maximum(above, 0) if start else jnp.zeros_like(above)
      return jax.vmap(policy)(views, jax.tree.map(lambda x: x[at], carries))

    out, carries = _in_batches(evaluate, (rows, above), batch_size)
    outputs.append(out)
    start_above = start
  return jax.tree.map(lambda *x: jnp.concatenate(x), *outputs)


def _in_batches(evaluate, xs, batch_size):
  """Evaluates `xs` in batches; the last one is filled up with what is there."""
  size = jax.tree.leaves(xs)[0].shape[0]
  if size <= batch_size:
    return evaluate(xs)
  batches = -(-size // batch_size)

  def split(x):
    return jnp.resize(x, (batches * batch_size, *x.shape[1:])).reshape(
      batches, batch_size, *x.shape[1:]
    )

  results = jax.lax.map(evaluate, jax.tree.map(split, xs))
  return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:size], results)


def _over_slots(
  own: infostates_lib.PlayerInfostates, table: Float[Array, "I A"]
) -> Float[Array, " S"]:
  real = own.row >= 0
  found = table[jnp.maximum(own.row, 0), jnp.maximum(own.action, 0)]
  return jnp.where(real, found, jnp.zeros_like(found))
