"""The shared table of small test games, as different as possible.

Ragged action sets, chance in the middle, three players, general sum, common
payoffs, simultaneous moves and a single infostate are all there, so that code
with a hard-coded two or a square shape fails.
"""

import functools

import jax
import numpy as np

from mdrl.compile import openspiel
from mdrl.games import index as index_lib
from mdrl.games import matrix_game, preference_game, tree_game
from mdrl.preferences import models

# The reference policy of the shared three-response games: softmax(1, 0, -1).
SKEWED = np.exp([1.0, 0.0, -1.0]) / np.exp([1.0, 0.0, -1.0]).sum()

GOOFSPIEL = "goofspiel(num_cards=4,imp_info=True,points_order=descending)"

# The OpenSpiel string of each game, under a name for what it tests.
TREES = {
  "kuhn": "kuhn_poker",
  "kuhn_three_players": "kuhn_poker(players=3)",
  "leduc": "leduc_poker",
  "liars_dice": "liars_dice(dice_sides=4)",
  "goofspiel": GOOFSPIEL,
  "tiny_hanabi": "tiny_hanabi",
  "general_sum": "matrix_bos",
  "simultaneous": "oshi_zumo(coins=3,size=1,horizon=4)",
}


@functools.cache
def compiled(
  name: str,
  dtype: jax.typing.DTypeLike | None = None,
  *,
  chance: bool = False,
  histories: bool = False,
) -> tuple[tree_game.TreeGame, index_lib.Index]:
  """Returns a game of the table, compiled once per process."""
  return openspiel.compile_game(
    TREES.get(name, name), dtype=dtype, chance=chance, histories=histories
  )


# Preference games with structure, several contexts, or a reference.
PREFERENCES = {
  "dice": lambda: preference_game.preference_game(models.dice()),
  "cycle": lambda: preference_game.preference_game(models.cycle(3), SKEWED),
  "contexts": lambda: preference_game.preference_game(
    np.stack([models.uniform(5, seed) for seed in range(3)]),
    np.tile(np.array([0.3, 0.1, 0.2, 0.15, 0.25]), (3, 1)),
  ),
}


def random_matrix_game(
  shape: tuple[int, ...], seed: int = 0
) -> matrix_game.MatrixGame:
  """Returns a general-sum game with utilities drawn from [-1, 1]."""
  draw = np.random.default_rng(seed).uniform
  return matrix_game.matrix_game([draw(-1, 1, shape) for _ in shape])


def random_zero_sum_game(
  rows: int, columns: int, seed: int = 0
) -> matrix_game.MatrixGame:
  """Returns a two-player zero-sum game with utilities from [-1, 1]."""
  draw = np.random.default_rng(seed).uniform
  return matrix_game.zero_sum_game(draw(-1, 1, (rows, columns)))
