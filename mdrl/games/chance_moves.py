"""Chance as one more player, with a known policy."""

import functools

import jax
from jaxtyping import Array, Float
import numpy as np

from mdrl import struct
from mdrl.games import tree_tables
from mdrl.trees import layout as layout_lib
from mdrl.trees import quantities, segment_plans, segments, sweeps
from mdrl.trees import treeplex as treeplex_lib


@struct.dataclass
class ChanceMoves:
  """The moves of chance, and gains in which its plan is a factor.

  With the plan of the given probabilities, gains are those of the tree; with a
  pure plan, they are those when chance makes these moves.

  Attributes:
    treeplex: The decisions of chance, one infostate for each chance node.
    policy: The probability of each outcome, given its node.
    payoffs: For each player, the sum that gives its gain from the plans of the
      others, in order, and of chance.
  """

  treeplex: treeplex_lib.Treeplex
  policy: Float[Array, " S"]
  payoffs: tuple[segments.SegmentSum, ...]

  @jax.jit
  def plan(self) -> Float[Array, " S"]:
    """Returns the plan of the probabilities."""
    return sweeps.sweep_down(self.treeplex, self.policy)

  @functools.partial(jax.jit, static_argnames="player")
  def gain(
    self, plans: quantities.Plans, chance: Float[Array, " _"], player: int
  ) -> Float[Array, " S"]:
    """Returns a player's gain against a plan of chance, in units of utility."""
    others = plans[:player] + plans[player + 1 :]
    return self.payoffs[player](*others, chance)


def build(
  tables: tree_tables.TreeTables,
  slots: np.ndarray,
  sizes: list[int],
  dtype: np.dtype,
) -> ChanceMoves:
  """Lays the moves of chance out.

  Args:
    tables: The enumerated tree.
    slots: For each player, the slot of its last sequence at each terminal.
    sizes: The number of slots of each player.
    dtype: Floating type of the game.

  Returns:
    The moves. Their payoffs leave out terminals that chance never reaches.
  """
  layout = layout_lib.lay_out(tables.chance_parent, tables.chance_width, dtype)
  size = layout.treeplex.num_slots
  policy = np.zeros(size, dtype)
  policy[layout.slot[1:]] = tables.chance_probability
  chance = layout.slot[tables.chance_sequence].astype(slots.dtype)
  everybody = np.stack([*slots, chance])
  reached = tables.chance != 0
  return ChanceMoves(
    treeplex=layout.treeplex,
    policy=jax.device_put(policy),
    payoffs=tuple(
      segment_plans.coordinate_sum(
        everybody, reached * utility, [*sizes, size], player, dtype
      )
      for player, utility in enumerate(tables.utility.T)
    ),
  )
