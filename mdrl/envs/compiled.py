"""Any compiled game as an environment, by its history tables.

A state is the number of a history, and a move a few gathers. Chance nodes that
follow one another are joined: play behind a player's move draws once. The draw
is by Walker's alias method (Electronics Letters 10(8), 1974), which looks at
two entries however many outcomes there are; a number from [0, 1) stands for an
outcome, but its order is not that of the outcomes.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, UInt
import numpy as np

from mdrl import struct
from mdrl.envs import base as env_lib
from mdrl.envs import joined_chance
from mdrl.games import history_tables, tree_game
from mdrl.games import index as index_lib
from mdrl.trees import segment_plans

_WORD = 32
# Features that take no more are kept as numbers of the game's type: converting
# bytes at every step takes as long as the step itself.
_FEW_BYTES = 2**26


class State(NamedTuple):
  """A history of the game.

  Attributes:
    history: Its number in the history tables.
  """

  history: Int[Array, ""]


@struct.dataclass
class CompiledEnvironment(env_lib.Environment[State]):
  """A compiled game, to sample from.

  Actions have the game's own numbers. The information state of a player is the
  row of its infostate and the slot of its last sequence; where the player does
  not move, the row is that of its last infostate, -1 before the first.
  Observations are the features of that infostate, with zeros behind them where
  another player has more, and zeros before the first.

  Attributes:
    tables: The history tables.
    player: Who moves at each history.
    place: The row of each history's infostate among those of all players, that
      of `returns` where play ends, and that of `chance` where chance moves.
    legal: The legal actions of each infostate of all players, a bit for each.
    features: What is seen at each infostate of all players.
    first_row: Where the infostates of each player begin.
    row_of_slot: For each player, the row that each slot belongs to.
    chance: The joined moves of chance.
  """

  tables: history_tables.HistoryTables
  player: Int[Array, " H"]
  place: Int[Array, " H"]
  legal: UInt[Array, "R W"]
  features: Float[Array, "R F"] | UInt[Array, "R F"]
  first_row: Int[Array, " N"]
  row_of_slot: Int[Array, "N S"]
  chance: joined_chance.JoinedChance
  actions: int = struct.static()
  decisions: int = struct.static()

  @property
  def num_players(self) -> int:
    """Number of players, chance not included."""
    return self.tables.num_players

  @property
  def num_actions(self) -> int:
    """One more than the largest number of an action."""
    return self.actions

  @property
  def num_outcomes(self) -> int:
    """The most outcomes of joined moves of chance."""
    return self.chance.most

  @property
  def observation_size(self) -> int:
    """How many features the player with most of them has."""
    return self.features.shape[1]

  @property
  def max_decisions(self) -> int:
    """The most decisions of players, all together, before play ends."""
    return self.decisions

  @property
  def init_draws(self) -> int:
    """One if chance moves first."""
    return int(self.chance.at_root)

  @property
  def step_draws(self) -> int:
    """One if chance ever moves behind a player."""
    return int(self.chance.behind_moves)

  @property
  def dtype(self) -> Any:
    """Floating type of the game."""
    return self.tables.dtype

  def root(self) -> State:
    """Returns the first history."""
    return State(jnp.zeros((), jnp.int32))

  def current_player(self, state: State) -> Int[Array, ""]:
    """Returns who moves: a player, `CHANCE` or `TERMINAL`."""
    return self.player[state.history].astype(jnp.int32)

  def outcomes(self, state: State) -> Float[Array, " M"]:
    """Returns the probability of each joined outcome where chance moves."""
    return self.chance.probabilities(self._node(state))

  def resolve(self, state: State, outcome: Int[Array, ""]) -> State:
    """Returns the history behind an outcome of the joined moves of chance."""
    return State(self.chance.behind(self._node(state), outcome))

  def settle(
    self, state: State, luck: Float[Array, " L"] | Int[Array, " L"]
  ) -> State:
    """Returns the history after the joined moves of chance, if it moves."""
    if not luck.shape[0]:
      return state
    drawn = State(self.chance.draw(self._node(state), luck[0]))
    chance = self.current_player(state) == env_lib.CHANCE
    return env_lib.where(chance, drawn, state)

  def act(self, state: State, action: Int[Array, ""]) -> State:
    """Returns the history behind an action; chance may be next."""
    history = state.history
    bits = self.legal[self._infostate(state)]
    child = self.tables.child(history, _place(bits, action.astype(jnp.int32)))
    moves = self.player[history] >= 0
    return State(jnp.where(moves, child, history))

  def legal_actions(self, state: State) -> Bool[Array, " A"]:
    """Returns what the player to move may do; nothing where none moves."""
    bits = self.legal[self._infostate(state)]
    shifts = jnp.arange(_WORD, dtype=bits.dtype)
    flags = (bits[:, None] >> shifts[None, :]) & jnp.ones_like(shifts)[None, :]
    mask = flags.reshape(-1)[: self.actions]
    return mask.astype(bool) & (self.player[state.history] >= 0)

  def returns(self, state: State) -> Float[Array, " N"]:
    """Returns what each player gets: zero before play ends."""
    return self.tables.utility(state.history)

  def observation(
    self, state: State, player: Int[Array, ""]
  ) -> Float[Array, " F"]:
    """Returns the features of a player's current or last infostate."""
    row = self._row(state, player)
    seen = self.features[self.first_row[player] + jnp.maximum(row, 0)]
    seen = seen.astype(self.dtype)
    return jnp.where(row >= 0, seen, jnp.zeros_like(seen))

  def information_state(
    self, state: State, player: Int[Array, ""]
  ) -> Int[Array, " K"]:
    """Returns a player's current or last row, and its last slot."""
    slot = self.tables.sequence[state.history, player]
    return jnp.stack([self._row(state, player), slot])

  def view(self, state: State) -> env_lib.View:
    """Returns what the player to move knows."""
    player = jnp.maximum(self.current_player(state), 0)
    place = self._infostate(state)
    slot = self.tables.sequence[state.history, player]
    return env_lib.View(
      player=player,
      observation=self.features[place].astype(self.dtype),
      information_state=jnp.stack([place - self.first_row[player], slot]),
      legal=self.legal_actions(state),
    )

  def split(self, state: State, player: Int[Array, ""]) -> tuple[Any, Any]:
    """Returns a player's information state, and the history."""
    return self.information_state(state, player), state.history

  def join(self, known: Any, hidden: Any, player: Int[Array, ""]) -> State:
    """Returns the state of a history."""
    del known, player
    return State(hidden)

  def _node(self, state):
    """Returns which joined move of chance it is, the first where it is none."""
    chance = self.player[state.history] == env_lib.CHANCE
    place = self.place[state.history]
    return jnp.where(chance, place, jnp.zeros_like(place))

  def _infostate(self, state):
    """Returns the infostate to move among all players', else the first."""
    place = self.place[state.history]
    moves = self.player[state.history] >= 0
    return jnp.where(moves, place, jnp.zeros_like(place))

  def _row(self, state, player):
    """Returns the row of a player's current or last infostate."""
    last = self.row_of_slot[player, self.tables.sequence[state.history, player]]
    here = self.place[state.history] - self.first_row[player]
    moves = self.current_player(state) == player.astype(jnp.int32)
    return jnp.where(moves, here, last)


def environment(
  game: tree_game.TreeGame, index: index_lib.Index
) -> CompiledEnvironment:
  """Returns the environment of a compiled game.

  Args:
    game: The game, compiled with histories.
    index: The names of its rows and slots.

  Raises:
    ValueError: If the game was compiled without histories, or the index is that
      of another game, or numbers the actions of an infostate out of order.
  """
  tables = game.histories
  if tables is None:
    raise ValueError(
      "`game` must have histories, got none; compile it with histories=True"
    )
  sizes = [len(own.width) for own in tables.infostates]
  if [len(own.width) for own in index.players] != sizes:
    raise ValueError(
      "`index` must be the index of `game`, got that of a game of "
      f"{[len(own.width) for own in index.players]} infostates for one of "
      f"{sizes}"
    )
  first_row = np.cumsum([0, *sizes[:-1]]).astype(np.int32)
  player = np.asarray(tables.player)
  place = np.asarray(tables.row).astype(np.int32)
  for i, first in enumerate(first_row):
    place[player == i] += first
  chance = joined_chance.join(tables)
  place[chance.heads] = np.arange(len(chance.heads))
  actions = 1 + max(int(own.action.max(initial=0)) for own in index.players)
  return CompiledEnvironment(
    tables=tables,
    player=segment_plans.to_device(player),
    place=segment_plans.to_device(place),
    legal=jax.device_put(
      np.concatenate([_legal(own, actions) for own in index.players])
    ),
    features=_features(tables),
    first_row=jax.device_put(first_row),
    row_of_slot=jax.device_put(_rows_of_slots(tables)),
    chance=chance.moves,
    actions=actions,
    decisions=_most_decisions(tables),
  )


def _place(bits, action):
  """Returns how many legal actions are below one; 0 if it is not legal."""
  index = jnp.arange(bits.shape[0], dtype=jnp.int32)
  one = jnp.ones((), bits.dtype)
  bit = one << (action % _WORD).astype(bits.dtype)
  own = index == action // _WORD
  # Of the words before the action's own all bits count, of that those below.
  below = jnp.where(index < action // _WORD, ~jnp.zeros_like(bits), 0 * bits)
  below = jnp.where(own, bit - one, below)
  count = jax.lax.population_count(bits & below).astype(jnp.int32)
  legal = (own & (bits & bit != 0)).any()
  return jnp.where(legal, count.sum(dtype=jnp.int32), 0)


def _legal(own, actions):
  """Returns the legal actions of a player's infostates as bits."""
  table = own.actions_table()
  rows = np.broadcast_to(np.arange(len(table))[:, None], table.shape)
  real = table >= 0
  ordered = np.where(real, table, actions)
  if (np.diff(ordered, axis=1)[real[:, 1:]] <= 0).any():
    raise ValueError(
      "`index` must number the actions of every infostate in ascending order; "
      "build it from tables whose actions are"
    )
  legal = np.zeros((len(table), -(-actions // _WORD) * _WORD), bool)
  legal[rows[real], table[real]] = True
  packed = np.packbits(legal, axis=1, bitorder="little")
  return packed.view("<u4").astype(np.uint32)


def _features(tables):
  widest = max(own.features.shape[1] for own in tables.infostates)
  features = np.concatenate(
    [
      np.pad(
        np.asarray(own.features), ((0, 0), (0, widest - own.features.shape[1]))
      )
      for own in tables.infostates
    ]
  )
  if features.size * tables.dtype.itemsize <= _FEW_BYTES:
    features = features.astype(tables.dtype)
  return jax.device_put(features)


def _rows_of_slots(tables):
  most = max(len(own.row) for own in tables.infostates)
  return np.stack(
    [
      np.pad(
        np.asarray(own.row), (0, most - len(own.row)), constant_values=-1
      ).astype(np.int32)
      for own in tables.infostates
    ]
  )


def _most_decisions(tables):
  """Returns how many players move on the path on which most do."""
  parent, player = np.asarray(tables.parent), np.asarray(tables.player)
  count = np.zeros(len(parent), np.int32)
  for start, stop in zip(tables.levels[1:-1], tables.levels[2:], strict=True):
    above = parent[start:stop]
    count[start:stop] = count[above] + (player[above] >= 0)
  return int(count.max(initial=0))
