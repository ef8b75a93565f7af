"""Exact exploitability of phantom games on boards, on the device.

Given an order of stones and whose each is, what one player has tried at the
other's stones restricts what the other has tried only by who was to move when,
and not by the cells. So the gains of all histories of one order are a product
with a table of zeros and ones,

  gain_0[own] += win * sum over other of goes[own, other] * plan_1[other],

and memory is touched once for each own sequence that agrees with an order, not
once for each history. Orders are taken in chunks of a chosen size.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mdrl.judges import board_orders, board_sequences, board_steps, board_values

# Own sequences at a time: their numbers take about 40 bytes each.
CHUNK = 1 << 20
# Few orders are taken in chunks so many times smaller.
_STEP = 8


class _Ends(NamedTuple):
  """The won orders of one word, and what players may have tried there."""

  cells: np.ndarray
  sign: float
  lists: tuple[board_steps.Lists, board_steps.Lists]
  goes: jax.Array


class DeviceBoard:
  """A phantom game whose infostates have been found, ready for policies.

  Attributes:
    rules: The game.
    infostates: The infostates of each player.
    num_infostates: How many each player has.
  """

  def __init__(self, rules: board_sequences.BoardRules, *, chunk: int = CHUNK):
    """Finds the infostates of a game.

    Args:
      rules: The game.
      chunk: How many own sequences are looked up at a time.

    Raises:
      ValueError: If the rules are wrong, or the chunk is not positive.
    """
    board_sequences.check(rules)
    if chunk < 1:
      raise ValueError(f"`chunk` must be at least 1, got {chunk}")
    self.rules = rules
    self._chunk = chunk
    words = board_orders.lists(rules)
    self._ends = []
    size = rules.board.offsets[-1]
    present = [jnp.zeros(size, bool) for _ in range(2)]
    for word, alive, won in board_orders.orders(rules, words):
      here, ended = words[word]
      if len(won):
        self._ends.append(self._ended(word, won, ended))
      for i, own in enumerate(here):
        if own and len(alive):
          lists = _lists(rules, i, word, list(own))
          for cells, _ in self._chunks(alive, len(lists.length)):
            present[i] = board_steps.mark(present[i], cells, lists, rules.board)
    found = [np.flatnonzero(np.asarray(marks)) for marks in present]
    self.infostates = tuple(
      board_sequences.describe(rules.board, places) for places in found
    )
    self.num_infostates = tuple(len(places) for places in found)
    self.rows = tuple(_rows(rules, own) for own in self.infostates)

  def places(self, player: int) -> np.ndarray:
    """Returns the places of a player's infostates, in order of their rows."""
    return self.infostates[player].place

  def evaluate(self, policies: board_values.Tables) -> board_values.BoardValues:
    """Returns the exact values of policies.

    Args:
      policies: For each player, the probability of each cell at each of its
        infostates, `[I, cells]`. What is said of cells that may not be tried is
        ignored. Their dtype is that of the evaluation.

    Raises:
      ValueError: If the policies have other shapes or types.
    """
    shapes = [(size, self.rules.num_cells) for size in self.num_infostates]
    board_values.check_policies(policies, shapes)
    dtype = jnp.result_type(*policies)
    levels = [own.levels for own in self.infostates]
    plans = _pair(
      board_steps.plan(jnp.asarray(policy, dtype), rows, level)
      for policy, rows, level in zip(policies, self.rows, levels, strict=True)
    )
    gains = _pair(jnp.zeros_like(plan) for plan in plans)
    for end in self._ends:
      for cells, size in self._chunks(end.cells, sum(end.goes.shape)):
        win = np.where(np.arange(len(cells)) < size, end.sign, 0.0)
        gains = board_steps.add_gains(
          gains,
          plans,
          self.rows,
          cells,
          jnp.asarray(win, dtype),
          end.lists,
          end.goes,
          self.rules.board,
        )
    value = jnp.vdot(plans[0], gains[0], precision="highest")
    best = [
      float(board_steps.best(gain, rows, level)[-1])
      for gain, rows, level in zip(gains, self.rows, levels, strict=True)
    ]
    return board_values.of(float(value), best)

  def _chunks(
    self, cells: np.ndarray, num_lists: int
  ) -> Iterator[tuple[np.ndarray, int]]:
    """Yields orders in chunks of one size, and how many of a chunk there are.

    Chunks are filled up with their first order, and orders with cell 0.
    """
    missing = self.rules.board.num_free - cells.shape[1]
    cells = np.pad(cells, ((0, 0), (0, missing)))
    size = max(1, self._chunk // num_lists)
    while size // _STEP >= len(cells):
      size //= _STEP
    for first in range(0, len(cells), size):
      some = cells[first : first + size]
      fill = np.repeat(some[:1], size - len(some), axis=0)
      yield np.concatenate([some, fill]), len(some)

  def _ended(self, word, won, ended):
    """Returns the orders that the last stone of a word wins."""
    owns = [list(dict.fromkeys(pair[i] for pair in ended)) for i in range(2)]
    first, second = (
      _lists(self.rules, i, word, own) for i, own in enumerate(owns)
    )
    goes = np.zeros((len(first.length), len(second.length)), bool)
    at = [{own: t for t, own in enumerate(lists)} for lists in owns]
    for pair in ended:
      goes[at[0][pair[0]], at[1][pair[1]]] = True
    sign = -1.0 if word[-1] else 1.0
    return _Ends(won, sign, (first, second), jnp.asarray(goes))


def _lists(
  rules: board_sequences.BoardRules,
  player: int,
  word: board_orders.Word,
  lists: Sequence[board_orders.Own],
) -> board_steps.Lists:
  """Returns lists as arrays, filled up."""
  shape = (_padded(len(lists)), rules.board.num_free)
  stone = np.zeros(shape, np.int32)
  success = np.zeros(shape, np.int32)
  length = np.zeros(shape[0], np.int32)
  for t, tries in enumerate(lists):
    length[t] = len(tries)
    stone[t, : len(tries)] = tries
    success[t, : len(tries)] = [word[place] == player for place in tries]
  return board_steps.Lists(*map(jnp.asarray, (stone, success, length)))


def _rows(
  rules: board_sequences.BoardRules, own: board_sequences.Infostates
) -> board_steps.Rows:
  """Returns the infostates of a player as arrays of the device."""
  bits = np.zeros((rules.board.offsets[-1] // 32 + 1) * 32, np.uint8)
  bits[own.place] = 1
  words = np.packbits(bits, bitorder="little").view("<u4")
  ones = np.bitwise_count(words)
  before = np.cumsum(ones, dtype=np.int32) - ones
  empty = len(own.place) * rules.num_cells
  parent = np.where(own.parent < 0, empty, own.parent)
  return board_steps.Rows(
    bits=jnp.asarray(words),
    before=jnp.asarray(before, jnp.int32),
    parent=jnp.asarray(parent, jnp.int32),
    place=jnp.asarray(own.place, jnp.int32),
    legal=jnp.asarray(own.legal),
  )


def _pair(items):
  first, second = items
  return first, second


def _padded(size: int) -> int:
  """Returns a size out of few, so that few programs are compiled."""
  padded = 8
  while padded < size:
    padded *= 4
  return padded
