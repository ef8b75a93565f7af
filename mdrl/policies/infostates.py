"""All infostates of a compiled game, as the views of a policy.

What a compiled environment shows where a player moves, here it stands for every
infostate at once: the same features, information states and legal actions.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, UInt
import numpy as np

from mdrl import struct
from mdrl.envs import base as env_lib
from mdrl.games import index as index_lib
from mdrl.games import tree_game
from mdrl.trees import segment_plans


@struct.dataclass
class PlayerInfostates:
  """The infostates of a player, by row of its treeplex.

  Attributes:
    levels: The first row of each own depth, and behind the last their number.
    features: What is seen at each row.
    last: The slot of the player's last sequence before each row.
    above: The row of that sequence, the player's last decision; -1 at first
      ones.
    legal: The legal actions, by the game's numbers.
    slot: The slot of each legal action; 0 at others.
    row: The row of each slot; -1 at slot 0 and at padding.
    action: The game's action at each slot; -1 at slot 0 and at padding.
  """

  levels: tuple[int, ...] = struct.static()
  features: Float[Array, "I F"] | UInt[Array, "I F"]
  last: Int[Array, " I"]
  above: Int[Array, " I"]
  legal: Bool[Array, "I A"]
  slot: Int[Array, "I A"]
  row: Int[Array, " S"]
  action: Int[Array, " S"]

  @property
  def num_infostates(self) -> int:
    """Number of infostates."""
    return self.levels[-1]


@struct.dataclass
class Infostates:
  """The infostates of all players.

  Attributes:
    players: Those of each player.
    observation_size: Features of the player with most of them; others have
      zeros behind theirs.
    dtype: Floating type of the game.
  """

  players: tuple[PlayerInfostates, ...]
  observation_size: int = struct.static()
  dtype: Any = struct.static()

  @property
  def num_actions(self) -> int:
    """One more than the largest number of an action."""
    return self.players[0].legal.shape[1]

  def views(self, player: int, rows: Int[Array, " B"]) -> env_lib.View:
    """Returns what a player knows at some of its infostates."""
    own = self.players[player]
    seen = own.features[rows].astype(self.dtype)
    missing = self.observation_size - seen.shape[1]
    return env_lib.View(
      player=jnp.full(rows.shape, player, jnp.int32),
      observation=jnp.pad(seen, ((0, 0), (0, missing))),
      information_state=jnp.stack(
        [rows.astype(jnp.int32), own.last[rows]], axis=-1
      ),
      legal=own.legal[rows],
    )


def of_game(game: tree_game.TreeGame, index: index_lib.Index) -> Infostates:
  """Returns all infostates of a game.

  Args:
    game: The game, compiled with histories.
    index: The names of its rows and slots.

  Raises:
    ValueError: If the game was compiled without histories, or the index is that
      of another game.
  """
  tables = game.histories
  if tables is None:
    raise ValueError(
      "`game` must have histories, got none; compile it with histories=True"
    )
  sizes = [treeplex.num_slots for treeplex in game.treeplexes]
  if [len(own.action) for own in index.players] != sizes:
    raise ValueError(
      "`index` must be the index of `game`, got that of a game of "
      f"{[len(own.action) for own in index.players]} slots for one of {sizes}"
    )
  num_actions = 1 + max(int(own.action.max(initial=0)) for own in index.players)
  return Infostates(
    players=tuple(
      _of_player(treeplex, own, names.action, num_actions)
      for treeplex, own, names in zip(
        game.treeplexes, tables.infostates, index.players, strict=True
      )
    ),
    observation_size=max(own.features.shape[1] for own in tables.infostates),
    dtype=np.dtype(game.dtype),
  )


def _of_player(treeplex, own, action, num_actions):
  row = np.asarray(own.row).astype(np.int32)
  here = np.flatnonzero(row >= 0)
  slot = np.zeros((treeplex.num_infostates, num_actions), np.int32)
  slot[row[here], action[here]] = here
  counts = [sum(g.num_rows for g in level) for level in treeplex.levels]
  levels = np.cumsum([0, *counts])
  last = np.zeros(treeplex.num_infostates, np.int32)
  for start, slots in zip(levels[1:-1], treeplex.parents, strict=True):
    last[start : start + len(slots)] = slots
  return PlayerInfostates(
    levels=tuple(levels.tolist()),
    features=own.features,
    last=segment_plans.to_device(last),
    above=segment_plans.to_device(row[last]),
    legal=jax.device_put(slot > 0),
    slot=segment_plans.to_device(slot),
    row=segment_plans.to_device(row),
    action=segment_plans.to_device(action.astype(np.int32)),
  )
