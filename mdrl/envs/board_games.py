"""Phantom tic-tac-toe and dark hex, on bit boards.

Two players place stones on a board of which each sees its own stones alone. Who
tries a cell where the opponent's stone is learns that, and no more; in the
classical games it tries again, in the abrupt ones its turn is over. Rules,
numbers of actions and observations are OpenSpiel's.

Information states are a player's own tries, see `board_keys`. OpenSpiel's
strings of classical dark hex also have the number of tries of both players,
which its tensors do not have, and its rules do not reveal.
"""

import abc
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, UInt32
import numpy as np

from mdrl import checks
from mdrl.envs import base, board_keys, board_rules


class Side(NamedTuple):
  """What one player knows of a board.

  Attributes:
    stones: The cells of its own stones, as bits.
    tried: The cells that it knows, its own and where it met the opponent's.
    tries: Its tries in order, see `board_keys`.
  """

  stones: UInt32[Array, "*P"]
  tried: UInt32[Array, "*P"]
  tries: Int[Array, "*P K"]


class Board(NamedTuple):
  """A state.

  Attributes:
    sides: What each player knows.
    player: Who moves.
    winner: The player who has won, -1 if none has.
  """

  sides: Side
  player: Int[Array, ""]
  winner: Int[Array, ""]


class Hidden(NamedTuple):
  """What a player does not know of a state."""

  other: Side
  player: Int[Array, ""]
  winner: Int[Array, ""]


class PhantomBoard(base.Environment[Board]):
  """What the games on boards share; the types of game say what is theirs.

  Attributes:
    abrupt: Whether a turn ends where the opponent's stone was met.
    first_stones: The cells of the first stone of either player, if the game
      starts with these on the board, and None otherwise. Both players know
      both, as if the first player had placed its stone and then met the other,
      and the second had met the other's stone and then placed its own.
    dtype: Floating type of returns and observations; None for JAX's default.
  """

  abrupt: bool
  first_stones: tuple[int, int] | None
  dtype: Any

  def __post_init__(self):
    object.__setattr__(self, "dtype", checks.floating_type(self.dtype))
    board_rules.check_sides(*self.shape)
    given = self.first_stones
    cells = range(self.num_cells)
    if given is not None and not (
      isinstance(given, tuple)
      and len(given) == len(set(given)) == 2
      and all(isinstance(cell, int) and cell in cells for cell in given)
    ):
      raise ValueError(
        "`first_stones` must be a pair of different cells, from 0 to "
        f"{self.num_cells - 1}, got {given}"
      )

  @property
  @abc.abstractmethod
  def shape(self) -> tuple[int, int]:
    """Returns the numbers of rows and columns."""

  @abc.abstractmethod
  def wins(self) -> Bool[np.ndarray, "2 M"]:
    """Returns, for each player, which sets of its stones have won."""

  @abc.abstractmethod
  def picture(self, stones: Int[Array, " C"]) -> Bool[Array, "..."]:
    """Returns what an observation begins with, the board as a player sees it.

    Args:
      stones: For each cell, 1 where it knows a stone of the first player, -1
        where it knows one of the second, and 0 elsewhere.
    """

  @property
  def num_cells(self) -> int:
    """How many cells the board has."""
    rows, cols = self.shape
    return rows * cols

  @property
  def num_players(self) -> int:
    """Two."""
    return 2

  @property
  def num_outcomes(self) -> int:
    """None, as chance never moves."""
    return 0

  @property
  def init_draws(self) -> int:
    """None, as chance never moves."""
    return 0

  @property
  def step_draws(self) -> int:
    """None, as chance never moves."""
    return 0

  @property
  def num_actions(self) -> int:
    """One for each cell, by its number, row by row."""
    return self.num_cells

  @property
  def max_decisions(self) -> int:
    """As many as there are if both players try all cells but the last."""
    # Only one player tries the last cell.
    known = 0 if self.first_stones is None else 2
    return 2 * (self.num_cells - known) - 1

  @property
  def _full(self) -> int:
    return (1 << self.num_cells) - 1

  def root(self) -> Board:
    """Returns the empty board, or that with the first stones on it."""
    known: tuple[list[board_keys.Try], ...] = ([], [])
    if self.first_stones is not None:
      first, second = self.first_stones
      known = (
        [(first, True), (second, False)],
        [(first, False), (second, True)],
      )
    words = [board_keys.encode(tries, self.num_cells) for tries in known]
    tried = [sum(1 << cell for cell, _ in tries) for tries in known]
    stones = [sum(placed << cell for cell, placed in tries) for tries in known]
    return Board(
      sides=Side(
        jnp.array(stones, jnp.uint32),
        jnp.array(tried, jnp.uint32),
        jnp.array(words, jnp.int32),
      ),
      player=jnp.zeros((), jnp.int32),
      winner=-jnp.ones((), jnp.int32),
    )

  def current_player(self, state: Board) -> Int[Array, ""]:
    """Returns who moves, or `TERMINAL`."""
    return state.player

  def outcomes(self, state: Board) -> Float[Array, " M"]:
    """Returns nothing, as chance never moves."""
    del state
    return jnp.zeros(0, self.dtype)

  def resolve(self, state: Board, outcome: Int[Array, ""]) -> Board:
    """Returns the state, as chance never moves."""
    del outcome
    return state

  def act(self, state: Board, action: Int[Array, ""]) -> Board:
    """Returns the board after the player to move has tried a cell."""
    player = jnp.maximum(state.player, 0)
    own, other = _of(state.sides, player), _of(state.sides, 1 - player)
    cell, bit = self._cell(state, own, action)
    # Without a bit, where the game is over, nothing below changes anything.
    placed = (other.stones & bit) != bit
    stones = jnp.where(placed, own.stones | bit, own.stones)
    count = jax.lax.population_count(own.tried).astype(jnp.int32)
    own = Side(
      stones,
      own.tried | bit,
      board_keys.appended(own.tries, count, cell, placed),
    )
    won = placed & self._has_won(player, stones)
    over = won | ((stones | other.stones) == self._full)
    passes = placed | self.abrupt
    following = jnp.where(passes, 1 - player, player)
    following = jnp.where(over, base.TERMINAL, following)
    return Board(
      sides=_with(state.sides, player, own),
      player=jnp.where(state.player < 0, state.player, following),
      winner=jnp.where(won, player, state.winner),
    )

  def _cell(self, state, own, action):
    """Returns the cell of an action and its bit; -1 and 0 in finished games."""
    legal = jnp.where(state.player < 0, 0, ~own.tried & self._full)
    cell = jnp.clip(action, 0, self.num_cells - 1)
    bit = jnp.uint32(1) << cell.astype(jnp.uint32) & legal
    bit = jnp.where((bit == 0) | (cell != action), legal & (~legal + 1), bit)
    below = jax.lax.population_count(bit - 1).astype(jnp.int32)
    return jnp.where(bit == 0, -1, below), bit

  def _has_won(self, player, stones):
    wins = jnp.asarray(self.wins())
    return wins.reshape(-1)[player * wins.shape[1] + stones.astype(jnp.int32)]

  def legal_actions(self, state: Board) -> Bool[Array, " A"]:
    """Returns which cells the player to move has not tried."""
    tried = _of(state.sides, jnp.maximum(state.player, 0)).tried
    legal = jnp.where(state.player < 0, 0, ~tried)
    return board_keys.on_board(legal, self.num_cells)

  def returns(self, state: Board) -> Float[Array, " N"]:
    """Returns 1 for the player who has won, -1 for the other, 0 without one."""
    players = jnp.arange(2, dtype=jnp.int32)
    sign = jnp.where(players == state.winner, 1, -1)
    return jnp.where(state.winner < 0, 0, sign).astype(self.dtype)

  def observation(
    self, state: Board, player: Int[Array, ""]
  ) -> Float[Array, " F"]:
    """Returns the board as a player sees it, and the cells that it tried."""
    own, count = _of(state.sides, player), self.num_cells
    met = own.tried & ~own.stones
    first = board_keys.on_board(jnp.where(player == 0, own.stones, met), count)
    second = board_keys.on_board(jnp.where(player == 0, met, own.stones), count)
    stone = first.astype(jnp.int32) - second.astype(jnp.int32)
    tries = board_keys.cells(own.tries, count)
    past = tries[:, None] == jnp.arange(count, dtype=jnp.int32)[None, :]
    # XLA joins numbers faster than it converts what is joined.
    parts = (self.picture(stone), past)
    return jnp.concatenate([x.reshape(-1).astype(self.dtype) for x in parts])

  def information_state(
    self, state: Board, player: Int[Array, ""]
  ) -> Int[Array, " K"]:
    """Returns what a player has tried, and what came of it."""
    return _of(state.sides, player).tries

  def split(self, state: Board, player: Int[Array, ""]) -> tuple[Side, Hidden]:
    """Returns what a player knows, and what the other one does."""
    other = _of(state.sides, 1 - player)
    hidden = Hidden(other, state.player, state.winner)
    return _of(state.sides, player), hidden

  def join(self, known: Side, hidden: Hidden, player: Int[Array, ""]) -> Board:
    """Returns the board of what a player knows, and what the other one does."""
    sides = Side(*(jnp.stack(pair) for pair in zip(known, known, strict=True)))
    sides = _with(sides, 1 - player, hidden.other)
    return Board(sides, hidden.player, hidden.winner)


def _of(sides, player):
  """Returns what one player knows."""
  return Side(*(jnp.where(player == 0, x[0], x[1]) for x in sides))


def _with(sides, player, own):
  """Returns what both know, with that of one player replaced."""
  return Side(
    *(
      jnp.stack(
        [jnp.where(player == 0, new, x[0]), jnp.where(player == 0, x[1], new)]
      )
      for x, new in zip(sides, own, strict=True)
    )
  )
