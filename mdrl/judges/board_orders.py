"""Orders of stones on a board, and what players may have tried on the way.

A history of a phantom game is an order of stones, and for each player when it
tried which stone of the other. Seen from an order of stones, an own sequence is
a list of the stones that the player tried, its own among them, each named by
its place in the order. Which pairs of such lists go together depends on whose
each stone is, the word, and not on the cells: one table for each word does for
all orders.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mdrl.judges import board_sequences

Word = tuple[int, ...]
# Places in the order of the stones that one player has tried.
Own = tuple[int, ...]


class Lists(NamedTuple):
  """What the players of one word may have tried.

  Attributes:
    here: For each player, its lists where it is to move behind the word.
    ended: The pairs of lists of both, right behind the last stone of the word.
  """

  here: tuple[dict[Own, None], dict[Own, None]]
  ended: dict[tuple[Own, Own], None]


def lists(rules: board_sequences.BoardRules) -> dict[Word, Lists]:
  """Returns what may have been tried, for every word."""
  found: dict[Word, Lists] = {}
  todo: list[tuple[Word, tuple[Own, Own], int]] = [((), ((), ()), rules.mover)]
  while todo:
    word, own, mover = todo.pop()
    at = found.setdefault(word, Lists(({}, {}), {}))
    if len(word) == rules.board.num_free:
      continue
    at.here[mover][own[mover]] = None
    placed = (*word, mover)
    after = _with(own, mover, len(word))
    behind = found.setdefault(placed, Lists(({}, {}), {}))
    behind.ended[after] = None
    todo.append((placed, after, 1 - mover))
    then = 1 - mover if rules.abrupt else mover
    for stone, owner in enumerate(word):
      if owner != mover and stone not in own[mover]:
        todo.append((word, _with(own, mover, stone), then))
  return found


def _with(own, mover, stone):
  first, second = own
  if mover == 0:
    return (*first, stone), second
  return first, (*second, stone)


class Orders(NamedTuple):
  """Orders of the stones of one word.

  Attributes:
    word: Whose each stone is.
    alive: The cells of those after which the game goes on, `[P, stones]`.
    won: The cells of those that the last stone wins.
  """

  word: Word
  alive: np.ndarray
  won: np.ndarray


def orders(
  rules: board_sequences.BoardRules, words: dict[Word, Lists]
) -> Iterator[Orders]:
  """Yields the orders of stones of all words, each behind its first part."""
  stones = np.asarray([rules.stones], np.int16)
  empty = np.empty((1, 0), np.int8)
  yield Orders((), empty, empty[:0])
  todo: list[tuple[Word, np.ndarray, np.ndarray]] = [((), empty, stones)]
  while todo:
    word, cells, stones = todo.pop()
    for mover in (0, 1):
      if (*word, mover) not in words:
        continue
      longer, after = _placed(rules, mover, cells, stones)
      won = rules.wins[mover][after[:, mover]]
      over = len(word) + 1 == rules.board.num_free
      alive = ~won & (not over)
      yield Orders((*word, mover), longer[alive], longer[won])
      if alive.any():
        todo.append(((*word, mover), longer[alive], after[alive]))


def _placed(rules, mover, cells, stones):
  """Returns the orders with one stone more, and who has which stones."""
  longer, after = [], []
  for cell in range(rules.num_cells):
    free = (stones[:, 0] | stones[:, 1]) >> cell & 1 == 0
    column = np.full((int(free.sum()), 1), cell, np.int8)
    longer.append(np.concatenate([cells[free], column], axis=1))
    more = stones[free]
    more[:, mover] |= 1 << cell
    after.append(more)
  return np.concatenate(longer), np.concatenate(after)
