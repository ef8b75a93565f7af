"""A game of Hanabi in words of bits.

The card of a color and a rank is bit `color * ranks + rank` of a word, so a set
of cards is a word too, and the rules need no table of cards. At most 25 cards
differ.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int
import numpy as np

from mdrl.envs import base as env_lib
from mdrl.envs import hanabi_history, hanabi_sizes


class Hands(NamedTuple):
  """What players hold, by slot; zeros at slots that are empty.

  Attributes:
    cards: One bit each.
    order: How many cards had been dealt before this one.
    possible: All cards that it may be by the hints that its holder got.
    told: The colors, and behind them the ranks, that those hints named.
  """

  cards: Int[Array, "*B N H"]
  order: Int[Array, "*B N H"]
  possible: Int[Array, "*B N H"]
  told: Int[Array, "*B N H"]


class LastMove(NamedTuple):
  """What was done last, and what came of it; everybody saw it.

  Attributes:
    player: Who moved.
    action: What was done; the number of actions before anybody moved.
    touched: Slots that a hint points at, one bit each.
    card: What was played or discarded.
    scored: Whether it was played rightly.
    gained: Whether it completed a color and paid for a hint.
  """

  player: Int[Array, "*B"]
  action: Int[Array, "*B"]
  touched: Int[Array, "*B"]
  card: Int[Array, "*B"]
  scored: Bool[Array, "*B"]
  gained: Bool[Array, "*B"]


class State(NamedTuple):
  """A game of Hanabi; which cards come next is not decided yet.

  Attributes:
    current: Who moves: a player, `CHANCE` or `TERMINAL`.
    seat: Which player moves next, behind chance.
    turns: How many turns are left once the deck is empty.
    information: Information tokens that are left.
    lives: Life tokens that are left.
    built: All cards that were played rightly.
    hands: What players hold.
    left: Of which cards the deck has at least one, two and three.
    discarded: Words of three colors each; a color has a bit for each of its
      cards, and of equal cards the lowest bits are set first.
    last: What was done last.
    history: All deals and moves.
  """

  current: Int[Array, "*B"]
  seat: Int[Array, "*B"]
  turns: Int[Array, "*B"]
  information: Int[Array, "*B"]
  lives: Int[Array, "*B"]
  built: Int[Array, "*B"]
  hands: Hands
  left: tuple[Int[Array, "*B"], Int[Array, "*B"], Int[Array, "*B"]]
  discarded: Int[Array, "*B D"]
  last: LastMove
  history: hanabi_history.History


class Moves(NamedTuple):
  """What each action is, with a row of zeros for no action at all.

  Attributes:
    kind: One bit: a play, a discard, a hint of a color or one of a rank.
    slot: The slot that is played or discarded, as a bit.
    offset: How many seats on the player sits who is given a hint.
    named: The color or the rank that a hint names, as a bit; ranks are behind
      the colors.
    cards: All cards of that color or rank.
  """

  kind: Int[Array, "A"]
  slot: Int[Array, "A"]
  offset: Int[Array, "A"]
  named: Int[Array, "A"]
  cards: Int[Array, "A"]


PLAY, DISCARD, COLOR_HINT, RANK_HINT = (1, 2, 4, 8)


def moves(sizes: hanabi_sizes.Sizes) -> Moves:
  """Returns what each action is, in the order that OpenSpiel numbers them."""
  rows = []
  for kind in (DISCARD, PLAY):
    rows += [(kind, 1 << slot, 0, 0, 0) for slot in range(sizes.hand_size)]
  for offset in range(1, sizes.players):
    for color in range(sizes.colors):
      cards = sizes.cards_of_color(color)
      rows.append((COLOR_HINT, 0, offset, 1 << color, cards))
  for offset in range(1, sizes.players):
    for rank in range(sizes.ranks):
      cards = sizes.cards_of_rank(rank)
      rows.append((RANK_HINT, 0, offset, 1 << sizes.colors + rank, cards))
  rows.append((0,) * 5)
  return Moves(*jnp.asarray(np.array(rows, np.int32).T))


def move(sizes: hanabi_sizes.Sizes, action: Int[Array, ""]) -> Moves:
  """Returns what an action is."""
  return Moves(*(table[action] for table in moves(sizes)))


def copies(
  sizes: hanabi_sizes.Sizes,
) -> tuple[Int[Array, "M D"], Int[Array, "M D"]]:
  """Returns the bits of each card among the discards.

  Returns:
    The lowest bit of each, and all of them; zeros in a last row, which stands
    for no card.
  """
  words = len(sizes.colors_of_words)
  lowest = np.zeros((sizes.kinds + 1, words), np.int32)
  all_ = np.zeros((sizes.kinds + 1, words), np.int32)
  for color in range(sizes.colors):
    word, place = divmod(color, 3)
    at = place * sum(sizes.copies)
    for rank, number in enumerate(sizes.copies):
      card = color * sizes.ranks + rank
      lowest[card, word] = 1 << at
      all_[card, word] = ((1 << number) - 1) << at
      at += number
  return jnp.asarray(lowest), jnp.asarray(all_)


def row(table: Int[Array, "N H"], player: Int[Array, ""]) -> Int[Array, " H"]:
  """Returns a player's row, by comparisons, which are faster than a gather."""
  own = table[0]
  for i in range(1, table.shape[0]):
    own = jnp.where(player == i, table[i], own)
  return own


def seen_from(
  table: Int[Array, "N *H"], player: Int[Array, ""]
) -> Int[Array, "N *H"]:
  """Returns rows in the order of seats from a player on."""
  rolled = table
  for i in range(1, table.shape[0]):
    rolled = jnp.where(player == i, jnp.roll(table, -i, axis=0), rolled)
  return rolled


def root(sizes: hanabi_sizes.Sizes) -> State:
  """Returns the state before any card is dealt."""
  zero = jnp.int32(0)
  empty = jnp.zeros((sizes.players, sizes.hand_size), jnp.int32)
  at_least = [
    sum(sizes.cards_of_rank(r) for r, n in enumerate(sizes.copies) if n >= k)
    for k in (1, 2, 3)
  ]
  false = jnp.bool_(False)
  return State(
    current=jnp.int32(env_lib.CHANCE),
    seat=zero,
    turns=jnp.int32(sizes.players),
    information=jnp.int32(sizes.max_information_tokens),
    lives=jnp.int32(sizes.max_life_tokens),
    built=zero,
    hands=Hands(empty, empty, empty, empty),
    left=(
      jnp.int32(at_least[0]),
      jnp.int32(at_least[1]),
      jnp.int32(at_least[2]),
    ),
    discarded=jnp.zeros(len(sizes.colors_of_words), jnp.int32),
    last=LastMove(zero, jnp.int32(sizes.num_moves), zero, zero, false, false),
    history=hanabi_history.empty(sizes),
  )
