"""The games of the benchmarks: games of OpenSpiel and a random matrix.

`random_matrix(size=2000,seed=0)` is a zero-sum game of payoffs uniform in
[-1, 1]. It is no game of OpenSpiel and no tree; its tables, for programs that
read those, have one infostate for each player.
"""

import re
from typing import Any

import jax
from jaxtyping import Float
import numpy as np

from mdrl.compile import openspiel
from mdrl.games import matrix_game, tree_game, tree_tables

BATTLESHIP = (
  "battleship(board_height=3,board_width=2,ship_sizes=[2;2],"
  "ship_values=[1;1],num_shots=2)"
)
# Leduc's rules with twelve ranks and suits that are told apart: 919,105
# histories.
POKER = (
  "universal_poker(betting=limit,numPlayers=2,numRounds=2,blind=1 1,"
  "raiseSize=2 4,maxRaises=2 2,firstPlayer=1 1,numSuits=2,numRanks=12,"
  "numHoleCards=1,numBoardCards=0 1)"
)
MATRIX = "random_matrix(size=2000,seed=0)"
GAMES = (
  "kuhn_poker",
  "leduc_poker",
  "liars_dice(dice_sides=4)",
  "liars_dice(dice_sides=5)",
  "liars_dice",
  "goofspiel(imp_info=True,num_cards=4,points_order=descending)",
  "goofspiel(imp_info=True,num_cards=5,points_order=descending)",
  "tiny_bridge_2p",
  BATTLESHIP,
  POKER,
  MATRIX,
)
QUICK = GAMES[:3]

_MATRIX = re.compile(r"random_matrix\(size=(\d+),seed=(\d+)\)")
_MAX_SIZE = 10_000


def is_matrix(name: str) -> bool:
  """Returns whether a game is a random matrix, by its name.

  Raises:
    ValueError: If it is one, but its size and seed cannot be read.
  """
  if not name.startswith("random_matrix"):
    return False
  match = _MATRIX.fullmatch(name)
  if not match or not 1 <= int(match[1]) <= _MAX_SIZE:
    raise ValueError(
      "`game` must give a random matrix's size, from 1 to "
      f"{_MAX_SIZE}, and seed as {MATRIX} does, got {name!r}"
    )
  return True


def payoff(name: str) -> Float[np.ndarray, "A B"]:
  """Returns the first player's payoffs of a random matrix."""
  match = _MATRIX.fullmatch(name)
  if not match:
    raise ValueError(f"`game` must be like {MATRIX}, got {name!r}")
  size, seed = int(match[1]), int(match[2])
  return np.random.default_rng(seed).uniform(-1, 1, (size, size))


def matrix_tables(payoffs: Float[np.ndarray, "A B"]) -> tree_tables.TreeTables:
  """Returns a zero-sum matrix game as a tree: two infostates in a row."""
  rows, columns = payoffs.shape
  one, zero = np.ones(rows * columns), np.zeros(1, np.int64)
  sequence = 1 + np.indices(payoffs.shape, np.int32).reshape(2, -1).T
  return tree_tables.TreeTables(
    infostates=(("row",), ("column",)),
    parent=(zero, zero),
    width=(np.array([rows]), np.array([columns])),
    action=(np.arange(rows), np.arange(columns)),
    sequence=np.ascontiguousarray(sequence),
    chance=one,
    chance_parent=zero[:0],
    chance_width=zero[:0],
    chance_probability=one[:0],
    chance_sequence=np.zeros(len(one), np.int32),
    utility=np.stack([payoffs.ravel(), -payoffs.ravel()], axis=1),
    num_histories=1 + rows + rows * columns,
  )


def check(name: str) -> None:
  """Raises unless there is such a game.

  Raises:
    ValueError: If there is none.
  """
  if not is_matrix(name):
    openspiel.load_game(name)


def tables(name: str) -> tree_tables.TreeTables:
  """Returns the tables of a game.

  Raises:
    ValueError: If there is none of this name, or it has no tables.
  """
  if is_matrix(name):
    return matrix_tables(payoff(name))
  return openspiel.enumerate_tree(openspiel.load_game(name))


def load(name: str, dtype: jax.typing.DTypeLike) -> tuple[Any, int]:
  """Returns a game for our solvers, and its number of histories.

  Raises:
    ValueError: If there is none of this name, or it cannot be compiled.
  """
  if is_matrix(name):
    values = payoff(name)
    histories = 1 + values.shape[0] + values.size
    return matrix_game.zero_sum_game(values, dtype), histories
  found = tables(name)
  return tree_game.build(found, dtype)[0], found.num_histories
