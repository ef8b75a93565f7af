"""Extensive-form games with perfect recall, as arrays."""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np

from mdrl import checks, struct
from mdrl.games import base as game_lib
from mdrl.games import chance_moves, history_tables, tree_tables
from mdrl.games import index as index_lib
from mdrl.trees import layout as layout_lib
from mdrl.trees import quantities, segment_plans, segments, sweeps
from mdrl.trees import treeplex as treeplex_lib


@struct.dataclass
class TreeGame:
  """A tree of histories, seen through the plans of its players.

  The utility of player i is multilinear in the plans,

    u_i(plans) = sum over terminals t of
        chance[t] * utility[t, i] * prod_j plans[j][sequence[t, j]],

  and is stored as one segment sum per player: into its own slots, from the
  plans of the others. Terminals that pay a player nothing are left out of its
  sum.

  Attributes:
    treeplexes: The decisions of each player.
    payoffs: For each player, the sum that gives its gain.
    zero_sum: Whether utilities add up to zero, or to any constant.
    reaches: For each player, the same sum with all utilities one, over all
      terminals; None where the game was built without.
    chance: The moves of chance; None where the game was built without.
    histories: The tables of all histories; None where the game was built
      without.
    reference: Policies that regularised solvers stay near; by default they
      are regularised by the potential itself.
  """

  treeplexes: tuple[treeplex_lib.Treeplex, ...]
  payoffs: tuple[segments.SegmentSum, ...]
  zero_sum: bool = struct.static()
  reaches: tuple[segments.SegmentSum, ...] | None = None
  chance: chance_moves.ChanceMoves | None = None
  histories: history_tables.HistoryTables | None = None
  reference: quantities.Policies | None = None

  @property
  def symmetric(self) -> bool:
    """Every player has a policy of its own."""
    return False

  @property
  def num_players(self) -> int:
    """Number of players."""
    return len(self.treeplexes)

  @property
  def dtype(self):
    """Floating type of the utilities."""
    return self.treeplexes[0].dtype

  @jax.jit
  def plans(self, policies: quantities.Policies) -> quantities.Plans:
    """Returns the realization plans of policies."""
    quantities.check("policies", policies, quantities.Policies)
    return quantities.Plans(
      sweeps.sweep_down(t, policy)
      for t, policy in zip(self.treeplexes, policies, strict=True)
    )

  @functools.partial(jax.jit, static_argnames="player")
  def gain(self, plans: quantities.Plans, player: int) -> Float[Array, " S"]:
    """Returns the derivative of a player's utility in its own plan."""
    quantities.check("plans", plans, quantities.Plans)
    others = plans[:player] + plans[player + 1 :]
    return self.payoffs[player](*others)

  @functools.partial(jax.jit, static_argnames="player")
  def reach(self, plans: quantities.Plans, player: int) -> Float[Array, " S"]:
    """Returns the counterfactual reach of each sequence of a player.

    The probability that play ends below it where the player's own plan counts
    as one.

    Raises:
      ValueError: If the game was built without reaches.
    """
    quantities.check("plans", plans, quantities.Plans)
    if self.reaches is None:
      raise ValueError(
        "`game` must have reaches, got none; compile it with reaches=True"
      )
    others = plans[:player] + plans[player + 1 :]
    return self.reaches[player](*others)

  @jax.jit
  def gains(self, plans: quantities.Plans) -> quantities.Gains:
    """Returns the gain of every player."""
    return quantities.Gains(
      self.gain(plans, i) for i in range(self.num_players)
    )

  @jax.jit
  def values(self, plans: quantities.Plans) -> Float[Array, " N"]:
    """Returns the expected utility of every player."""
    return jnp.stack(
      [
        jnp.vdot(gain, plan)
        for gain, plan in zip(self.gains(plans), plans, strict=True)
      ]
    )


def build(
  tables: tree_tables.TreeTables,
  dtype: jax.typing.DTypeLike | None = None,
  *,
  reaches: bool = False,
  chance: bool = False,
  histories: bool = False,
) -> tuple[TreeGame, index_lib.Index]:
  """Builds a game, as arrays for computation, from its enumerated tree.

  Args:
    tables: The enumerated tree.
    dtype: Floating type of the game; by default JAX's, which is double
      precision where that is enabled.
    reaches: Whether to keep what counterfactual reaches are computed from,
      which Q-values need; it takes as much memory as the payoffs, or more.
    chance: Whether to keep the moves of chance, which sampling needs; it takes
      more memory than the payoffs, as what differs in chance is not merged.
    histories: Whether to keep the tables of all histories.

  Returns:
    The game and its index.

  Raises:
    ValueError: If a utility or a chance probability is not finite, the
      utilities are out of the range of the dtype, that is not a floating type,
      or histories are asked for and were not recorded with these tables.
  """
  dtype = checks.floating_type(dtype)
  _check_finite(tables)
  largest = max(tables.utility.max(initial=0), -tables.utility.min(initial=0))
  game_lib.check_range("utility", float(largest), dtype)
  layouts = [
    layout_lib.lay_out(parent, width, dtype)
    for parent, width in zip(tables.parent, tables.width, strict=True)
  ]
  sizes = [layout.treeplex.num_slots for layout in layouts]
  players = range(len(sizes))
  # The slot of each player's last sequence at each terminal: the largest arrays
  # that a build needs, and so in 32 bits.
  slots = np.empty((len(layouts), len(tables.sequence)), np.int32)
  for i in players:
    slots[i] = layouts[i].slot[tables.sequence[:, i]]

  def sum_over_terminals(player, utility):
    # The weights are held by nothing else, and are freed once they are sorted.
    return segment_plans.coordinate_sum(
      slots, tables.chance * utility, sizes, player, dtype
    )

  game = TreeGame(
    treeplexes=tuple(layout.treeplex for layout in layouts),
    payoffs=tuple(map(sum_over_terminals, players, tables.utility.T)),
    zero_sum=game_lib.adds_to_constant(list(tables.utility.T)),
    reaches=tuple(sum_over_terminals(i, 1) for i in players)
    if reaches
    else None,
    chance=chance_moves.build(tables, slots, sizes, dtype) if chance else None,
    histories=history_tables.build(tables, layouts, dtype)
    if histories
    else None,
  )
  return game, index_lib.build(tables, layouts)


def _check_finite(tables):
  if not np.isfinite(tables.utility).all():
    bad = int(np.argmin(np.isfinite(tables.utility).all(axis=1)))
    raise ValueError(
      f"`utility` must be finite; terminal {bad} pays "
      f"{tables.utility[bad].tolist()}: correct the game's returns"
    )
  if not np.isfinite(tables.chance).all():
    bad = int(np.argmin(np.isfinite(tables.chance)))
    raise ValueError(
      f"`chance` must be finite; terminal {bad} has probability "
      f"{tables.chance[bad]}: correct the game's chance outcomes"
    )
