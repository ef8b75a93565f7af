"""The steps of the exact evaluation of phantom games, on the device."""

import functools
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, UInt

from mdrl.judges import board_sequences


class Lists(NamedTuple):
  """Lists of tried stones of one player, each named by its place in an order.

  Attributes:
    stone: The stones in order of the tries.
    success: Whether each was the player's own, so that the try succeeded.
    length: How many tries there are; 0 in lists that fill up the arrays.
  """

  stone: Int[Array, "T K"]
  success: Int[Array, "T K"]
  length: Int[Array, " T"]


class Rows(NamedTuple):
  """Where the infostates of a player stand.

  Attributes:
    bits: Which sequences are infostates.
    before: How many of them there are before each word of bits.
    parent: The slot that leads to each; that of the empty sequence, the last,
      at the root.
    place: The place of each infostate's sequence.
    legal: What may be tried at each.
  """

  bits: UInt[Array, " W"]
  before: Int[Array, " W"]
  parent: Int[Array, " I"]
  place: Int[Array, " I"]
  legal: Bool[Array, "I A"]


@functools.partial(jax.jit, static_argnames="board", donate_argnums=0)
def mark(
  present: Bool[Array, " P"],
  cells: Int[Array, "B M"],
  lists: Lists,
  board: board_sequences.Board,
) -> Bool[Array, " P"]:
  """Returns which sequences there are, with those of some orders.

  Lists that fill up are those of the root, which is always there.
  """
  return present.at[_places(board, cells, lists, lists.length)].set(True)


@functools.partial(jax.jit, static_argnames="board", donate_argnums=0)
def add_gains(
  gains: tuple[Float[Array, " S"], Float[Array, " Z"]],
  plans: tuple[Float[Array, " S"], Float[Array, " Z"]],
  rows: tuple[Rows, Rows],
  cells: Int[Array, "B M"],
  win: Float[Array, " B"],
  lists: tuple[Lists, Lists],
  goes: Bool[Array, "T U"],
  board: board_sequences.Board,
) -> tuple[Float[Array, " S"], Float[Array, " Z"]]:
  """Returns gains with those of some orders of stones of one word.

  Args:
    gains: Of each sequence, for each player.
    plans: The probability with which each player plays each sequence.
    rows: Where the infostates are.
    cells: The orders.
    win: What the first player gets at the end of each; 0 where they fill up.
    lists: What each player may have tried.
    goes: Which lists go together.
    board: How sequences are numbered.
  """
  cells = cells.astype(jnp.int32)
  first = _slots(board, rows[0], lists[0], cells)
  second = _slots(board, rows[1], lists[1], cells)
  table = goes.astype(win.dtype)
  high = jax.lax.Precision.HIGHEST
  gain = jnp.matmul(plans[1][second], table.T, precision=high)
  loss = jnp.matmul(plans[0][first], table, precision=high)
  win = win[:, None]
  return gains[0].at[first].add(win * gain), gains[1].at[second].add(
    -win * loss
  )


def _places(board, cells, lists, count):
  """Returns the place of the first tries of each list, for each order."""
  cells = cells.astype(jnp.int32)
  shape = (cells.shape[0], count.shape[0])
  rank = jnp.zeros(shape, jnp.int32)
  tried = jnp.full(shape, board.known, jnp.int32)
  bits, count = jnp.zeros((1, shape[1]), jnp.int32), count[None]

  def one_more(j, sequence):
    rank, tried, bits = sequence
    here = j < count
    cell = cells[:, lists.stone[:, j]]
    stone = jnp.left_shift(1, cell)
    nth = cell - jax.lax.population_count(tried & (stone - 1))
    rank = jnp.where(here, rank * (board.num_free - j) + nth, rank)
    tried = jnp.where(here, tried | stone, tried)
    bits = jnp.where(here, bits * 2 + lists.success[None, :, j], bits)
    return rank, tried, bits

  # Not unrolled: fused into one, each of several uses would start anew.
  rank, _, bits = jax.lax.fori_loop(
    0, lists.stone.shape[1], one_more, (rank, tried, bits)
  )
  offset = jnp.asarray(board.offsets, jnp.int32)[count]
  return (offset + bits) + jnp.left_shift(rank, count)


def _slots(board, rows, lists, cells):
  """Returns the slot of the last try of each list, for each order."""
  above = jnp.maximum(lists.length - 1, 0)
  place = _places(board, cells, lists, above)
  word, bit = place >> 5, (place & 31).astype(jnp.uint32)
  mask = jnp.left_shift(jnp.uint32(1), bit) - jnp.uint32(1)
  below = jax.lax.population_count(rows.bits[word] & mask)
  row = rows.before[word] + below.astype(jnp.int32)
  last = jnp.take_along_axis(lists.stone, above[:, None], axis=1)[:, 0]
  slot = row * board.num_cells + cells[:, last]
  empty = rows.parent.shape[0] * board.num_cells
  return jnp.where(lists.length[None] > 0, slot, empty)


@functools.partial(jax.jit, static_argnames="levels")
def plan(
  policy: Float[Array, "I A"], rows: Rows, levels: tuple[int, ...]
) -> Float[Array, " S"]:
  """Returns the probability with which a player plays each of its sequences.

  Args:
    policy: The probability of each cell at each infostate.
    rows: Where the infostates are.
    levels: The first row of each number of tries, and behind the last.
  """
  num_cells = policy.shape[1]
  size = policy.shape[0] * num_cells
  reach = jnp.zeros(size + 1, policy.dtype).at[size].set(1)
  for first, last in itertools.pairwise(levels):
    above = reach[rows.parent[first:last]][:, None]
    here = jnp.where(rows.legal[first:last], policy[first:last], 0) * above
    start = first * num_cells
    reach = jax.lax.dynamic_update_slice(reach, here.reshape(-1), (start,))
  return reach


@functools.partial(jax.jit, static_argnames="levels", donate_argnums=0)
def best(
  gain: Float[Array, " S"], rows: Rows, levels: tuple[int, ...]
) -> Float[Array, " S"]:
  """Returns what each sequence is worth, and the rest a best response.

  The value of the best response is the last, that of the empty sequence.

  Args:
    gain: What each sequence gains at wins right behind it.
    rows: Where the infostates are.
    levels: The first row of each number of tries, and behind the last.
  """
  num_cells = rows.legal.shape[1]
  for first, last in reversed(list(itertools.pairwise(levels))):
    here = gain[first * num_cells : last * num_cells].reshape(-1, num_cells)
    legal = rows.legal[first:last]
    value = jnp.max(here, axis=1, where=legal, initial=-jnp.inf)
    gain = gain.at[rows.parent[first:last]].add(value)
  return gain
