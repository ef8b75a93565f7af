"""What chance does in Hanabi: it deals one card after the other.

Cards are drawn by counts in whole numbers. The probabilities of `outcomes` say
the same but for the rounding of their sums.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from mdrl.envs import base as env_lib
from mdrl.envs import hanabi_history, hanabi_sizes, hanabi_state

Left = tuple[Int[Array, ""], Int[Array, ""], Int[Array, ""]]


def count(bits: Int[Array, "*B"]) -> Int[Array, "*B"]:
  """Returns how many bits of a word are set."""
  return jax.lax.population_count(bits)


def bit(card: Int[Array, "*B"]) -> Int[Array, "*B"]:
  """Returns the bit of a card; for -1, which is no card, none."""
  one = jnp.ones_like(card)
  return jnp.where(card >= 0, one << jnp.maximum(card, 0), 0)


def number(card: Int[Array, "*B"]) -> Int[Array, "*B"]:
  """Returns the card that a bit is; -1 where none is."""
  return jnp.where(card == 0, -1, count(card - 1))


def counts(
  sizes: hanabi_sizes.Sizes, left: Left, dtype: jnp.dtype
) -> Float[Array, " M"]:
  """Returns how many of each card the deck has."""
  cards = jnp.arange(sizes.kinds, dtype=jnp.int32)
  each = [plane[None] >> cards & 1 for plane in left]
  return (each[0] + each[1] + each[2]).astype(dtype)


def without(left: Left, card: Int[Array, ""]) -> Left:
  """Returns what is left of the deck without a card, which is a bit."""
  one, two, three = left
  return one & ~(card & ~two), two & ~(card & ~three), three & ~card


def with_card(left: Left, card: Int[Array, ""]) -> Left:
  """Returns the deck with one more card, which is a bit."""
  one, two, three = left
  return one | card, two | card & one, three | card & two


def drawn(
  sizes: hanabi_sizes.Sizes,
  state: hanabi_state.State,
  luck: Float[Array, ""] | Int[Array, ""],
) -> Int[Array, ""]:
  """Returns the card that luck takes from the deck.

  Args:
    sizes: The game.
    state: Where chance moves.
    luck: A number from [0, 1), or the card itself.
  """
  if not jnp.issubdtype(luck.dtype, jnp.floating):
    return luck.astype(jnp.int32)
  place = _place(luck, sizes.deck_size - state.history.num_deals)
  card = jnp.int32(0)
  # The last card that has no more than `place` cards before it.
  for step in (16, 8, 4, 2, 1):
    trial = card + step
    before = (jnp.int32(1) << trial) - 1
    num_before = sum((count(p & before) for p in state.left), jnp.int32(0))
    card = jnp.where(num_before <= place, trial, card)
  return jnp.minimum(card, sizes.kinds - 1)


def deal(
  sizes: hanabi_sizes.Sizes,
  state: hanabi_state.State,
  card: Int[Array, ""],
) -> hanabi_state.State:
  """Returns the state after a card was dealt; the same where none is to be."""
  deals = state.current == env_lib.CHANCE
  card = jnp.where(deals, card, -1)
  num_deals = state.history.num_deals
  starts = num_deals < sizes.hands_size
  # At the start one hand is filled after the other; later a card is missing
  # only at the end of the hand of the player that has just moved.
  drawer = (state.seat + sizes.players - 1) % sizes.players
  behind = drawer * sizes.hand_size + sizes.hand_size - 1
  place = jnp.where(starts, num_deals, behind)
  slots = np.arange(sizes.hands_size, dtype=np.int32)
  here = deals & (slots == place).reshape(sizes.players, sizes.hand_size)
  hands = state.hands
  more = num_deals + 1 < sizes.hands_size
  after = jnp.where(more, jnp.int32(env_lib.CHANCE), state.seat)
  return state._replace(
    current=jnp.where(deals, after, state.current),
    hands=hanabi_state.Hands(
      cards=jnp.where(here, bit(card), hands.cards),
      order=jnp.where(here, num_deals, hands.order),
      possible=jnp.where(here, (1 << sizes.kinds) - 1, hands.possible),
      told=hands.told,
    ),
    left=without(state.left, bit(card)),
    history=hanabi_history.with_deal(state.history, card),
  )


def opening(
  sizes: hanabi_sizes.Sizes,
  luck: Float[Array, " L"] | Int[Array, " L"],
) -> hanabi_state.State:
  """Returns the state with all hands dealt, as dealing card by card would."""
  cards = _opening_cards(sizes, luck)
  state = hanabi_state.root(sizes)
  bits = bit(cards)
  left = state.left
  for i in range(sizes.hands_size):
    left = without(left, bits[i])
  shape = (sizes.players, sizes.hand_size)
  hands = hanabi_state.Hands(
    cards=bits.reshape(shape),
    order=jnp.arange(sizes.hands_size, dtype=jnp.int32).reshape(shape),
    possible=jnp.full(shape, (1 << sizes.kinds) - 1, jnp.int32),
    told=jnp.zeros(shape, jnp.int32),
  )
  return state._replace(
    current=state.seat,
    hands=hands,
    left=left,
    history=hanabi_history.opening(sizes, cards),
  )


def _opening_cards(
  sizes: hanabi_sizes.Sizes, luck: Float[Array, " L"] | Int[Array, " L"]
) -> Int[Array, " L"]:
  """Returns the first cards that are drawn from the whole deck.

  A draw is a place among the cards that are left. From the last draw to the
  first, each that is not before a card drawn earlier moves on by one, which
  makes places of the sorted deck of them.
  """
  if not jnp.issubdtype(luck.dtype, jnp.floating):
    return luck.astype(jnp.int32)
  size = sizes.deck_size
  places = [_place(luck[i], jnp.int32(size - i)) for i in range(luck.shape[0])]
  for i in reversed(range(len(places))):
    for j in range(i + 1, len(places)):
      behind = places[j] >= places[i]
      places[j] = places[j] + behind.astype(jnp.int32)
  deck = np.repeat(
    np.arange(sizes.kinds, dtype=np.int32), sizes.copies * sizes.colors
  )
  return jnp.asarray(deck)[jnp.stack(places)]


def _place(luck: Float[Array, ""], num_cards: Int[Array, ""]) -> Int[Array, ""]:
  """Returns a place among some cards."""
  place = jnp.floor(luck * num_cards.astype(luck.dtype)).astype(jnp.int32)
  return jnp.minimum(place, num_cards - 1)
