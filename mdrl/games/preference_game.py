"""Preference games: which of two responses is preferred, and by how many.

Two players answer a context (a prompt), each with one of n responses, and the
one whose response is preferred wins. The game is symmetric and zero-sum, so one
policy plays both parts: its equilibrium is the minimax winner, also called the
von Neumann winner or the maximal lottery (Fishburn, 1984,
https://doi.org/10.2307/2297786; Dudik et al., 2015,
https://arxiv.org/abs/1502.06362).
"""

from collections.abc import Sequence
import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np
from numpy.typing import ArrayLike

from mdrl import checks, inputs, struct
from mdrl.trees import layout as layout_lib
from mdrl.trees import quantities
from mdrl.trees import treeplex as treeplex_lib

# By how much P + P.T may miss one: tables of win rates are rounded.
_TOLERANCE = 1e-6


@struct.dataclass
class PreferenceGame:
  """One policy over n responses in each of X contexts, playing itself.

  With P[x, a, b] the probability that response a is preferred to b in context
  x, the gain of a policy is P @ policy - 1/2: by how much each response wins
  more than half of its comparisons against the policy. Utilities add up over
  contexts, so that each context is a game of its own.

  Attributes:
    treeplex: The contexts, as infostates without anything above them.
    advantage: P - 1/2, which is antisymmetric.
    reference: Policy that regularised solvers stay near; by default uniform.
  """

  treeplex: treeplex_lib.Treeplex
  advantage: Float[Array, "X A A"]
  reference: quantities.Policies | None = None

  @property
  def treeplexes(self) -> tuple[treeplex_lib.Treeplex, ...]:
    """The decisions of the one policy."""
    return (self.treeplex,)

  @property
  def symmetric(self) -> bool:
    """One policy plays both parts."""
    return True

  @property
  def zero_sum(self) -> bool:
    """What one response wins, the other loses."""
    return True

  @property
  def num_players(self) -> int:
    """Number of policies: one."""
    return 1

  @property
  def num_contexts(self) -> int:
    """Number of contexts, X."""
    return self.advantage.shape[-3]

  @property
  def num_responses(self) -> int:
    """Number of responses to each context, n."""
    return self.advantage.shape[-1]

  @property
  def dtype(self):
    """Floating type of the preferences."""
    return self.advantage.dtype

  @property
  def preferences(self) -> Float[Array, "X A A"]:
    """P: the probability that the row is preferred to the column."""
    return self.advantage + jnp.asarray(0.5, self.dtype)

  def by_context(self, x: Float[Array, " S"]) -> Float[Array, "X A"]:
    """Returns an array over slots with one row per context."""
    return self.treeplex.groups[0].view(x)

  def slots(self, rows: Float[Array, "X A"]) -> Float[Array, " S"]:
    """Returns one row per context as an array over slots; slot 0 is zero."""
    return self.treeplex.map_groups(lambda _: rows)

  @jax.jit
  def plans(self, policies: quantities.Policies) -> quantities.Plans:
    """Returns the realization plan: the policy, with one at slot 0."""
    quantities.check("policies", policies, quantities.Policies)
    (policy,) = policies
    return quantities.Plans(
      (jnp.concatenate([jnp.ones(1, policy.dtype), policy[1:]]),)
    )

  @functools.partial(jax.jit, static_argnames="player")
  def gain(self, plans: quantities.Plans, player: int) -> Float[Array, " S"]:
    """Returns P @ policy - 1/2 for each response."""
    quantities.check("plans", plans, quantities.Plans)
    rows = self.by_context(plans[player])
    return self.slots(jnp.einsum("xab,xb->xa", self.advantage, rows))

  @jax.jit
  def gains(self, plans: quantities.Plans) -> quantities.Gains:
    """Returns the gain of the policy against itself."""
    return quantities.Gains((self.gain(plans, 0),))

  @jax.jit
  def values(self, plans: quantities.Plans) -> Float[Array, " N"]:
    """Returns the utility of the policy against itself: zero."""
    (gain,) = self.gains(plans)
    return jnp.vdot(gain, plans[0])[None]


def preference_game(
  preferences: ArrayLike,
  reference: ArrayLike | None = None,
  dtype: jax.typing.DTypeLike | None = None,
) -> PreferenceGame:
  """Makes a game of preference probabilities.

  Args:
    preferences: P[a, b], or P[x, a, b] with contexts: the probability that a is
      preferred to b. P + P.T is one within 1e-6; half the difference of P and
      P.T is kept.
    reference: Positive probabilities of responses, `[n]` or `[X, n]`; by
      default uniform. They are divided by their sums, which are one within
      1e-6.
    dtype: Floating type of the game; by default JAX's.

  Returns:
    The game.

  Raises:
    ValueError: If an entry is not a probability, two opposite entries do not
      add up to one, or the reference is not a positive distribution. The
      message names the first such entry.
  """
  dtype = checks.floating_type(dtype)
  matrix = _checked(preferences)
  if matrix.ndim == 2:
    matrix = matrix[None]
  num_contexts, num_responses, _ = matrix.shape
  layout = layout_lib.lay_out(
    np.zeros(num_contexts, int), np.full(num_contexts, num_responses), dtype
  )
  advantage = ((matrix - np.swapaxes(matrix, 1, 2)) / 2).astype(dtype)
  policies = None
  if reference is not None:
    rows = _checked_reference(reference, num_contexts, num_responses)
    flat = np.zeros(layout.treeplex.num_slots, dtype)
    flat[layout.slot[1:]] = rows.ravel()
    policies = quantities.Policies((jax.device_put(flat),))
  return PreferenceGame(
    treeplex=layout.treeplex,
    advantage=jax.device_put(advantage),
    reference=policies,
  )


def contexts(game: PreferenceGame) -> PreferenceGame:
  """Returns a game's contexts as games, with a leading axis for `vmap`."""
  layout = layout_lib.lay_out(
    np.zeros(1, int), np.array([game.num_responses]), np.dtype(game.dtype)
  )

  def alone(advantage, reference):
    return PreferenceGame(
      treeplex=layout.treeplex,
      advantage=advantage[None],
      reference=reference,
    )

  references = policies_by_context(game, game.reference)
  return jax.vmap(alone)(game.advantage, references)


def policies_by_context(
  game: PreferenceGame, policies: quantities.Policies | None
) -> quantities.Policies | None:
  """Returns the policies that `contexts` takes, or None for None."""
  if policies is None:
    return None
  rows = game.by_context(policies[0])
  return quantities.Policies((jnp.pad(rows, ((0, 0), (1, 0))),))


def stack(games: Sequence[PreferenceGame]) -> PreferenceGame:
  """Returns games of one shape as one, with a leading axis for `vmap`.

  Raises:
    ValueError: If there are no games, or their shapes, dtypes or whether they
      have a reference differ.
  """
  kinds = {
    (g.advantage.shape, str(g.dtype), g.reference is not None) for g in games
  }
  if len(kinds) != 1:
    raise ValueError(
      "`games` must be of one shape and dtype, all with a reference or all "
      f"without, got {sorted(kinds)}"
    )
  return jax.tree.map(lambda *leaves: jax.device_put(np.stack(leaves)), *games)


def _checked(preferences):
  matrix = inputs.real_array("preferences", preferences)
  if matrix.ndim not in (2, 3) or matrix.shape[-1] != matrix.shape[-2]:
    raise ValueError(
      "`preferences` must be a square matrix, or one per context, got shape "
      f"{matrix.shape}"
    )
  if 0 in matrix.shape:
    raise ValueError(
      f"`preferences` must hold a response, got shape {matrix.shape}"
    )
  # Comparisons are false for NaN, which is thereby found as well.
  bad = np.argwhere(~((matrix >= 0) & (matrix <= 1)))
  if len(bad):
    at = tuple(bad[0].tolist())
    raise ValueError(
      f"`preferences` must lie in [0, 1], got {matrix[at]} at {_named(at)}; "
      "if these are payoffs, use preference_models.from_payoffs"
    )
  opposite = np.swapaxes(matrix, -1, -2)
  bad = np.argwhere(np.abs(matrix + opposite - 1) > _TOLERANCE)
  if len(bad):
    at = tuple(bad[0].tolist())
    raise ValueError(
      "`preferences` must add up to 1 with their transpose, got "
      f"{matrix[at]} at {_named(at)} and {opposite[at]} for the opposite "
      f"pair{'; ties count half' if at[-1] == at[-2] else ''}"
    )
  return matrix


def _named(at):
  """The place of an entry, in words."""
  context = f"context {at[0]}, " if len(at) == 3 else ""
  return f"{context}row {at[-2]}, column {at[-1]}"


def _checked_reference(reference, num_contexts, num_responses):
  rows = inputs.real_array("reference", reference)
  shape = (num_contexts, num_responses)
  if rows.shape != shape and (1, *rows.shape) != shape:
    raise ValueError(
      f"`reference` must have shape {shape} as the preferences have, got "
      f"{rows.shape}"
    )
  rows = rows.reshape(shape)
  bad = np.argwhere(~((rows > 0) & (rows <= 1)))
  if len(bad):
    x, a = bad[0].tolist()
    raise ValueError(
      "`reference` must have positive probabilities, as a divergence from "
      f"it is infinite elsewhere, got {rows[x, a]} for response {a} of "
      f"context {x}; leave such responses out"
    )
  total = rows.sum(axis=1, keepdims=True)
  bad = np.flatnonzero(np.abs(total[:, 0] - 1) > _TOLERANCE)
  if len(bad):
    raise ValueError(
      f"`reference` must add up to 1, got {total[bad[0], 0]} for context "
      f"{bad[0]}"
    )
  return rows / total
