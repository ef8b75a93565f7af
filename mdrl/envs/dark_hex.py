"""Dark hex; `board_games` has the rules."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int
import numpy as np

from mdrl import struct
from mdrl.envs import board_games, board_keys, board_rules

# Kinds of cells in OpenSpiel's tensors, of which players see three: an empty
# cell, before it the second player's stone, and behind it the first player's.
_KINDS = 9
_EMPTY = 4


@struct.dataclass
class DarkHex(board_games.PhantomBoard):
  """Dark hex: the first player joins top and bottom, the second left and right.

  Observations are OpenSpiel's information-state tensors: nine numbers of each
  cell, and then the cells tried, one block for each try. In finished games
  OpenSpiel's may tell which stone has won; these do not.

  Attributes:
    num_rows: From 2 to 4.
    num_cols: From 2 to 4.
    abrupt: Whether a turn ends where the opponent's stone was met.
    first_stones: See `PhantomBoard`.
    dtype: Floating type of returns and observations; None for JAX's default.

  Raises:
    ValueError: If the board is larger or smaller, or `first_stones` are not two
      of its cells.
  """

  num_rows: int = struct.static(default=3)
  num_cols: int = struct.static(default=3)
  abrupt: bool = struct.static(default=False)
  first_stones: tuple[int, int] | None = struct.static(default=None)
  dtype: Any = struct.static(default=None)

  @property
  def shape(self) -> tuple[int, int]:
    """The numbers of rows and columns."""
    return self.num_rows, self.num_cols

  @property
  def observation_size(self) -> int:
    """How many numbers OpenSpiel's tensor has."""
    return (_KINDS + self.num_cells) * self.num_cells

  def wins(self) -> Bool[np.ndarray, "2 M"]:
    """Returns which stones connect a player's two sides."""
    return board_rules.connections(*self.shape)

  def picture(self, stones: Int[Array, " C"]) -> Bool[Array, "C 9"]:
    """Returns the kind of each cell."""
    kinds = jnp.arange(_KINDS, dtype=jnp.int32)
    return (stones + _EMPTY)[:, None] == kinds[None, :]

  def names(self, key: Any, player: int) -> tuple[str, ...]:
    """Returns what OpenSpiel calls an information state.

    Its strings have the number of tries of both players. In classical games a
    player does not know the other's, and there are several.

    Args:
      key: An information state at which the player moves.
      player: Whose.
    """
    tries = board_keys.decode(key)
    board = board_keys.view_string(tries, self.shape, player)
    own = board_keys.tries_string(tries, player)
    if self.abrupt:
      others = range(len(tries) + player, len(tries) + player + 1)
    else:
      # The opponent has had a turn for each own stone, and before that one if
      # it plays first. Each ended with a stone, and up to the last one it may
      # have met all of the player's.
      placed = sum(placed for _, placed in tries)
      others = range(placed + player, 2 * placed + player + 1)
    return tuple(f"{board}{len(tries) + n}\n{own}" for n in others)
