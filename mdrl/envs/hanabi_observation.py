"""What a player of Hanabi observes, as OpenSpiel's observation tensors say it.

The numbers are all zeros and ones: they are packed into words, which takes one
operation for each field, and then unpacked all at once.
"""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt32
import numpy as np

from mdrl.envs import hanabi_sizes, hanabi_state

_WORD = 32

# A field: its bits, the first number lowest, and how many there are.
_Field = tuple[Int[Array, ""], int]


def size(sizes: hanabi_sizes.Sizes) -> int:
  """Returns how many numbers an observation has."""
  players, hand = sizes.players, sizes.hand_size
  named = sizes.colors + sizes.ranks
  hands = (players - 1) * hand * sizes.kinds + players
  deck = sizes.deck_size - sizes.hands_size
  tokens = sizes.max_information_tokens + sizes.max_life_tokens
  last = 2 * players + 4 + named + 2 * hand + sizes.kinds + 2
  knowledge = players * hand * (sizes.kinds + named)
  board = deck + sizes.kinds + tokens + sizes.deck_size
  return hands + board + last + knowledge


def observe(
  sizes: hanabi_sizes.Sizes,
  state: hanabi_state.State,
  player: Int[Array, ""],
  dtype: Any,
) -> Float[Array, " F"]:
  """Returns what a player observes: zeros and ones."""
  hands = hanabi_state.Hands(
    *(hanabi_state.seen_from(x, player) for x in state.hands)
  )
  fields = [
    *_hands(sizes, hands),
    *_board(sizes, state),
    *_discards(sizes, state),
    *_last_move(sizes, state, player),
    *_knowledge(sizes, hands),
  ]
  words = _packed(fields)
  bits = words[:, None] >> np.arange(_WORD, dtype=np.uint32)[None] & 1
  return bits.reshape(-1)[: size(sizes)].astype(dtype)


def _hands(
  sizes: hanabi_sizes.Sizes, hands: hanabi_state.Hands
) -> list[_Field]:
  """The cards of the others, and whose hands are short of a card."""
  cards = [
    (hands.cards[i, slot], sizes.kinds)
    for i in range(1, sizes.players)
    for slot in range(sizes.hand_size)
  ]
  last = hands.cards[:, -1]
  short = [((last[i] == 0).astype(jnp.int32), 1) for i in range(sizes.players)]
  return cards + short


def _board(
  sizes: hanabi_sizes.Sizes, state: hanabi_state.State
) -> list[_Field]:
  """The deck, the cards on top of each color, and tokens."""
  deck = sizes.deck_size - sizes.hands_size
  tops = state.built & ~(
    state.built >> 1 & ~sizes.cards_of_rank(sizes.ranks - 1)
  )
  in_deck = sizes.deck_size - state.history.num_deals
  return [
    *_first_bits(in_deck, deck),
    (tops, sizes.kinds),
    *_first_bits(state.information, sizes.max_information_tokens),
    *_first_bits(state.lives, sizes.max_life_tokens),
  ]


def _discards(
  sizes: hanabi_sizes.Sizes, state: hanabi_state.State
) -> list[_Field]:
  """The discards of each color."""
  colors = sizes.colors_of_words
  width = sum(sizes.copies)
  return [(state.discarded[i], colors[i] * width) for i in range(len(colors))]


def _last_move(
  sizes: hanabi_sizes.Sizes,
  state: hanabi_state.State,
  player: Int[Array, ""],
) -> list[_Field]:
  """What was done last; zeros before anybody has moved."""
  last = state.last
  move = hanabi_state.move(sizes, last.action)
  one = (move.kind > 0).astype(jnp.int32)
  hint = (move.offset > 0).astype(jnp.int32)
  actor = (last.player - player + sizes.players) % sizes.players
  target = (actor + move.offset) % sizes.players
  scored = last.scored.astype(jnp.int32)
  gained = last.gained.astype(jnp.int32)
  # OpenSpiel notes no slot behind the eighth here.
  touched = last.touched & 0xFF
  return [
    (one << actor, sizes.players),
    (move.kind, 4),
    (hint << target, sizes.players),
    (move.named, sizes.colors + sizes.ranks),
    (touched, sizes.hand_size),
    (move.slot, sizes.hand_size),
    (last.card, sizes.kinds),
    (scored | gained << 1, 2),
  ]


def _knowledge(
  sizes: hanabi_sizes.Sizes, hands: hanabi_state.Hands
) -> list[_Field]:
  """What hints say of each card, own cards first."""
  fields = []
  for i in range(sizes.players):
    for slot in range(sizes.hand_size):
      fields.append((hands.possible[i, slot], sizes.kinds))
      fields.append((hands.told[i, slot], sizes.colors + sizes.ranks))
  return fields


def _first_bits(number: Int[Array, ""], width: int) -> list[_Field]:
  """The first so many of some bits, in fields that fit a word."""
  fields = []
  for start in range(0, width, _WORD - 2):
    here = min(width - start, _WORD - 2)
    ones = jnp.clip(number - start, 0, here)
    fields.append(((jnp.int32(1) << ones) - 1, here))
  return fields


def _packed(fields: list[_Field]) -> UInt32[Array, " W"]:
  """Returns fields one after the other, in words."""
  words = [jnp.uint32(0)] * -(-sum(width for _, width in fields) // _WORD)
  at = 0
  for value, width in fields:
    word, shift = divmod(at, _WORD)
    bits = value.astype(jnp.uint32)
    if width:
      words[word] = words[word] | bits << shift
    if shift + width > _WORD:
      words[word + 1] = words[word + 1] | bits >> (_WORD - shift)
    at += width
  return jnp.stack(words)
