"""All deals and moves of a game of Hanabi, packed into words.

What a player knows is all of it but the cards in its own hand.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from mdrl.envs import hanabi_sizes

# Words have 30 bits, so that they are no negative numbers. A deal takes five:
# one more than the card's number, zeros before it is dealt, and ones where a
# player does not know it.
_BITS = 30
_DEAL_BITS = 5
_DEALS = _BITS // _DEAL_BITS
_HIDDEN = (1 << _DEAL_BITS) - 1


class History(NamedTuple):
  """What has happened.

  Attributes:
    num_deals: How many cards have been dealt.
    num_moves: How often players have moved.
    deals: Which cards were dealt, in order.
    moves: What was done, in order, and which cards the hints point at.
  """

  num_deals: Int[Array, "*B"]
  num_moves: Int[Array, "*B"]
  deals: Int[Array, "*B V"]
  moves: Int[Array, "*B W"]


def empty(sizes: hanabi_sizes.Sizes) -> History:
  """Returns the history in which nothing has happened."""
  deals = -(-sizes.deck_size // _DEALS)
  moves = -(-sizes.longest // (_BITS // _move_bits(sizes)))
  return History(
    jnp.int32(0),
    jnp.int32(0),
    jnp.zeros(deals, jnp.int32),
    jnp.zeros(moves, jnp.int32),
  )


def opening(sizes: hanabi_sizes.Sizes, cards: Int[Array, " L"]) -> History:
  """Returns the history in which these cards were dealt, and no more."""
  history = empty(sizes)
  fields = history.deals.shape[0] * _DEALS
  padded = jnp.pad(cards + 1, (0, fields - cards.shape[0]))
  shifts = jnp.arange(_DEALS, dtype=jnp.int32) * _DEAL_BITS
  words = padded.reshape(-1, _DEALS) << shifts[None]
  return history._replace(
    num_deals=jnp.int32(cards.shape[0]),
    deals=jnp.sum(words, axis=1, dtype=jnp.int32),
  )


def with_deal(history: History, card: Int[Array, ""]) -> History:
  """Returns the history behind a deal; a card of -1 is none."""
  word = _place(history.deals, history.num_deals, _DEAL_BITS, card + 1)
  return history._replace(
    num_deals=history.num_deals + (card >= 0).astype(jnp.int32),
    deals=history.deals | word,
  )


def with_move(
  sizes: hanabi_sizes.Sizes,
  history: History,
  action: Int[Array, ""],
  touched: Int[Array, ""],
) -> History:
  """Returns the history behind a player's move.

  Args:
    sizes: The game.
    history: What had happened before.
    action: What was done.
    touched: Slots that a hint points at, one bit each.
  """
  bits = _move_bits(sizes)
  move = (action + 1) << sizes.hand_size | touched
  word = _place(history.moves, history.num_moves, bits, move)
  return history._replace(
    num_moves=history.num_moves + 1, moves=history.moves | word
  )


def known(
  history: History, order: Int[Array, " H"], held: Bool[Array, " H"]
) -> History:
  """Returns what a player knows of what has happened.

  Args:
    history: All of it.
    order: How many cards had been dealt before each of the player's own.
    held: Which slots of the player's hand hold a card.
  """
  deals = history.deals
  for slot in range(order.shape[0]):
    hidden = jnp.where(held[slot], jnp.int32(_HIDDEN), 0)
    deals = deals | _place(deals, order[slot], _DEAL_BITS, hidden)
  return history._replace(deals=deals)


def revealed(
  history: History, order: Int[Array, " H"], cards: Int[Array, " H"]
) -> History:
  """Returns what has happened, from what a player knows of it and its cards.

  Args:
    history: What the player knows.
    order: How many cards had been dealt before each of the player's own.
    cards: The numbers of those cards; -1 where there is none.
  """
  deals = history.deals
  for slot in range(order.shape[0]):
    hidden = jnp.where(cards[slot] >= 0, _HIDDEN - (cards[slot] + 1), 0)
    deals = deals ^ _place(deals, order[slot], _DEAL_BITS, hidden)
  return history._replace(deals=deals)


def key(history: History) -> Int[Array, " K"]:
  """Returns a history as one key."""
  return jnp.concatenate([history.deals, history.moves])


def _move_bits(sizes: hanabi_sizes.Sizes) -> int:
  return sizes.num_moves.bit_length() + sizes.hand_size


def _place(
  words: Int[Array, " W"],
  index: Int[Array, ""],
  bits: int,
  value: Int[Array, ""],
) -> Int[Array, " W"]:
  """Returns words with a value at one of their fields, and zeros elsewhere."""
  fields = _BITS // bits
  numbers = jnp.arange(words.shape[0], dtype=jnp.int32)
  shifted = value << bits * (index % fields)
  return jnp.where(numbers == index // fields, shifted, 0)
