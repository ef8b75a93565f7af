"""Mirror maps on a treeplex: the dilated lift of a map on the simplex.

A potential psi on the simplex is lifted to plans by

  Psi(x) = sum over infostates I of x(parent of I) psi(policy of x at I),

and its divergence and proximal step decompose infostate by infostate (Hoda et
al., 2010, https://doi.org/10.1287/moor.1100.0452, section 3; Farina, Kroer &
Sandholm, 2021, https://arxiv.org/abs/2105.12954). Weights are one at every
infostate. Plain dilated entropy is not the divergence from the uniform policy:
on a tree they differ by sum_I x(parent of I) log|A(I)|.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl.geometry import mirror_maps
from mdrl.trees import sweeps
from mdrl.trees import treeplex as treeplex_lib

Dual = Float[Array, " S"]
# One array per player, over that player's slots.
Duals = tuple[Float[Array, " _"], ...]
Anchors = Sequence[tuple[Float[Array, ""], Dual]]


def prox(
  treeplex: treeplex_lib.Treeplex,
  mirror_map: mirror_maps.MirrorMap,
  gain: Float[Array, " S"],
  anchors: Anchors,
) -> tuple[Dual, Float[Array, ""]]:
  """Maximises `<gain, x> - sum_k weight_k D(x, anchor_k)` over plans.

  Args:
    treeplex: The player's decisions.
    mirror_map: The potential on each infostate.
    gain: What each sequence earns.
    anchors: Weights, in units of utility, and duals.

  Returns:
    The maximiser in dual coordinates, and the maximum.
  """

  def row_fn(q, group):
    rows = [(weight, group.view(dual)) for weight, dual in anchors]
    iterate, value = mirror_maps.prox(
      mirror_map, q, rows, treeplex.legal_rows(group)
    )
    return value, iterate

  return sweeps.sweep_up(treeplex, gain, row_fn)


def mix(
  treeplex: treeplex_lib.Treeplex,
  mirror_map: mirror_maps.MirrorMap,
  anchors: Anchors,
) -> Dual:
  """Returns the policy nearest to weighted anchors, infostate by infostate."""

  def nearest(group):
    rows = [(weight, group.view(dual)) for weight, dual in anchors]
    return mirror_maps.mix(mirror_map, rows, treeplex.legal_rows(group))

  return treeplex.map_groups(nearest)


def divergence(
  treeplex: treeplex_lib.Treeplex,
  mirror_map: mirror_maps.MirrorMap,
  policy: Float[Array, " S"],
  anchor: Dual,
) -> Float[Array, ""]:
  """Returns the dilated divergence of a policy's plan from an anchor."""
  # A sum over infostates and no sweep up: sums over children would multiply
  # infinite divergences, where the plan does not reach, by zero, which is NaN.
  plan = sweeps.sweep_down(treeplex, policy)
  total = jnp.zeros((), policy.dtype)
  for group, reach in sweeps.reaches(treeplex, plan):
    here = mirror_maps.divergence(
      mirror_map,
      group.view(policy),
      group.view(anchor),
      treeplex.legal_rows(group),
    )
    finite = jnp.where(reach > 0, here, jnp.zeros_like(here))
    total += jnp.sum(reach * finite)
  return total


def potential(
  treeplex: treeplex_lib.Treeplex,
  mirror_map: mirror_maps.MirrorMap,
  policy: Float[Array, " S"],
) -> Float[Array, ""]:
  """Returns the dilated potential of a policy's plan."""
  zeros = jnp.zeros(treeplex.num_slots, policy.dtype)
  return divergence(treeplex, mirror_map, policy, zeros)


def to_policy(
  treeplex: treeplex_lib.Treeplex,
  mirror_map: mirror_maps.MirrorMap,
  dual: Dual,
) -> Float[Array, " S"]:
  """Returns the policy of an iterate."""
  return mirror_map.to_policy(dual[None], treeplex.legal[None])[0]


def to_dual(
  treeplex: treeplex_lib.Treeplex,
  mirror_map: mirror_maps.MirrorMap,
  policy: Float[Array, " S"],
) -> Dual:
  """Returns the iterate of a policy."""
  return mirror_map.to_dual(policy[None], treeplex.legal[None])[0]
