"""Phantom tic-tac-toe; `board_games` has the rules."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int
import numpy as np

from mdrl import struct
from mdrl.envs import board_games, board_keys, board_rules


@struct.dataclass
class PhantomTicTacToe(board_games.PhantomBoard):
  """Phantom tic-tac-toe: who fills a line from side to side wins.

  Observations are OpenSpiel's information-state tensors: cells that are empty,
  have a stone of the second and of the first player, and then the cells tried,
  one block for each try.

  Attributes:
    side: How many rows and columns the board has, from 2 to 4.
    abrupt: Whether a turn ends where the opponent's stone was met.
    first_stones: See `PhantomBoard`.
    dtype: Floating type of returns and observations; None for JAX's default.

  Raises:
    ValueError: If the board is larger or smaller, or `first_stones` are not two
      of its cells.
  """

  side: int = struct.static(default=3)
  abrupt: bool = struct.static(default=False)
  first_stones: tuple[int, int] | None = struct.static(default=None)
  dtype: Any = struct.static(default=None)

  @property
  def shape(self) -> tuple[int, int]:
    """The numbers of rows and columns."""
    return self.side, self.side

  @property
  def observation_size(self) -> int:
    """How many numbers OpenSpiel's tensor has."""
    return (3 + self.num_cells) * self.num_cells

  def wins(self) -> Bool[np.ndarray, "2 M"]:
    """Returns which stones fill a line."""
    return np.stack([board_rules.lines(self.side)] * 2)

  def picture(self, stones: Int[Array, " C"]) -> Bool[Array, "3 C"]:
    """Returns which cells are empty, the second player's and the first's."""
    kinds = jnp.array([0, -1, 1], jnp.int32)
    return stones[None, :] == kinds[:, None]

  def names(self, key: Any, player: int) -> tuple[str, ...]:
    """Returns OpenSpiel's string of an information state."""
    tries = board_keys.decode(key)
    board = board_keys.view_string(tries, self.shape, player)
    return (board + board_keys.tries_string(tries, player),)
