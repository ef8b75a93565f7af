"""Mirror maps on the treeplexes of all players at once.

What `dilated` does for one player, these functions do for each: they take and
return policies, gains and duals of everybody.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl.geometry import dilated, mirror_maps
from mdrl.trees import quantities
from mdrl.trees import treeplex as treeplex_lib

Treeplexes = tuple[treeplex_lib.Treeplex, ...]
# Pairs of a weight, in units of utility, and an iterate of every player.
Anchors = Sequence[tuple[Float[Array, ""], quantities.Duals]]


def prox(
  treeplexes: Treeplexes,
  mirror_map: mirror_maps.MirrorMap,
  gains: quantities.Gains,
  anchors: Anchors,
) -> quantities.Duals:
  """Returns everybody's argmax of `<gain, x> - sum_k weight_k D(x, dual_k)`."""
  return prox_values(treeplexes, mirror_map, gains, anchors)[0]


def prox_values(
  treeplexes: Treeplexes,
  mirror_map: mirror_maps.MirrorMap,
  gains: quantities.Gains,
  anchors: Anchors,
) -> tuple[quantities.Duals, Float[Array, " N"]]:
  """Returns everybody's proximal step, and the maximum that it attains."""
  quantities.check("gains", gains, quantities.Gains)
  steps = [
    dilated.prox(t, mirror_map, gain, _of_player(anchors, player))
    for player, (t, gain) in enumerate(zip(treeplexes, gains, strict=True))
  ]
  duals = quantities.Duals(dual for dual, _ in steps)
  return duals, jnp.stack([value for _, value in steps])


def mix(
  treeplexes: Treeplexes, mirror_map: mirror_maps.MirrorMap, anchors: Anchors
) -> quantities.Duals:
  """Returns everybody's mixture: nearest to the anchors at each infostate.

  With negative entropy it is geometric: a product of powers, normalised.
  """
  return quantities.Duals(
    dilated.mix(t, mirror_map, _of_player(anchors, player))
    for player, t in enumerate(treeplexes)
  )


def to_duals(
  treeplexes: Treeplexes,
  mirror_map: mirror_maps.MirrorMap,
  policies: quantities.Policies | None,
) -> quantities.Duals:
  """Returns policies in dual coordinates; None is the potential: zeros."""
  if policies is None:
    return quantities.Duals(jnp.zeros(t.num_slots, t.dtype) for t in treeplexes)
  quantities.check("policies", policies, quantities.Policies)
  return quantities.Duals(
    dilated.to_dual(t, mirror_map, policy)
    for t, policy in zip(treeplexes, policies, strict=True)
  )


def to_policies(
  treeplexes: Treeplexes,
  mirror_map: mirror_maps.MirrorMap,
  duals: quantities.Duals,
) -> quantities.Policies:
  """Returns the policies of iterates in dual coordinates."""
  quantities.check("duals", duals, quantities.Duals)
  return quantities.Policies(
    dilated.to_policy(t, mirror_map, dual)
    for t, dual in zip(treeplexes, duals, strict=True)
  )


def divergences(
  treeplexes: Treeplexes,
  mirror_map: mirror_maps.MirrorMap,
  policies: quantities.Policies,
  anchors: quantities.Duals,
) -> Float[Array, " N"]:
  """Returns everybody's dilated divergence of policies from anchors."""
  quantities.check("policies", policies, quantities.Policies)
  quantities.check("anchors", anchors, quantities.Duals)
  return jnp.stack(
    [
      dilated.divergence(t, mirror_map, policy, anchor)
      for t, policy, anchor in zip(treeplexes, policies, anchors, strict=True)
    ]
  )


def _of_player(anchors, player):
  for _, duals in anchors:
    quantities.check("anchors", duals, quantities.Duals)
  return [(weight, duals[player]) for weight, duals in anchors]
