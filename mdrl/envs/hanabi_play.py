"""What players may do in Hanabi, and what comes of it."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int
import numpy as np

from mdrl.envs import base as env_lib
from mdrl.envs import (
  hanabi_deals,
  hanabi_history,
  hanabi_sizes,
  hanabi_state,
)

Sizes = hanabi_sizes.Sizes
State = hanabi_state.State


class _Outcome(NamedTuple):
  """What comes of a play or of a discard.

  Attributes:
    card: What leaves the hand, as a bit; zero for hints.
    scored: Whether it was played rightly.
    gained: Whether it completed a color and paid for a hint.
    lost: Whether it was played in error.
  """

  card: Int[Array, ""]
  scored: Bool[Array, ""]
  gained: Bool[Array, ""]
  lost: Bool[Array, ""]


def legal_actions(sizes: Sizes, state: State) -> Bool[Array, " A"]:
  """Returns what the player to move may do; nothing where none moves."""
  held = hanabi_state.row(state.hands.cards, state.seat) > 0
  sets = state.hands.cards[:, 0]
  for slot in range(1, sizes.hand_size):
    sets = sets | state.hands.cards[:, slot]
  others = hanabi_state.seen_from(sets, state.seat)[1:, None]
  colors = [sizes.cards_of_color(color) for color in range(sizes.colors)]
  ranks = [sizes.cards_of_rank(rank) for rank in range(sizes.ranks)]
  can_hint = state.information > 0
  legal = jnp.concatenate(
    [
      held & (state.information < sizes.max_information_tokens),
      held,
      (others & np.array([colors], np.int32) > 0).reshape(-1) & can_hint,
      (others & np.array([ranks], np.int32) > 0).reshape(-1) & can_hint,
    ]
  )
  return legal & (state.current >= 0)


def act(sizes: Sizes, state: State, action: Int[Array, ""]) -> State:
  """Returns the state behind a player's action.

  For an illegal action the legal one of the lowest number is taken, and where
  no player moves the state stays.
  """
  action = action.astype(jnp.int32)
  legal = legal_actions(sizes, state)
  numbers = jnp.arange(sizes.num_moves, dtype=jnp.int32)
  allowed = jnp.any(legal & (numbers == action))
  lowest = jnp.min(jnp.where(legal, numbers, sizes.num_moves))
  action = jnp.where(allowed, action, lowest)
  # No action is legal where no player moves, and the move of that number is
  # none at all.
  move = hanabi_state.move(sizes, action)
  touched = _touched(sizes, state, move)
  outcome = _outcome(sizes, state, move)
  moved = _with_outcome(sizes, state, move, outcome)
  moved = moved._replace(
    hands=_hands(sizes, state, move, touched),
    last=hanabi_state.LastMove(
      player=state.seat,
      action=action,
      touched=_slots(touched),
      card=outcome.card,
      scored=outcome.scored,
      gained=outcome.gained,
    ),
    history=hanabi_history.with_move(
      sizes, state.history, action, _slots(touched)
    ),
  )
  return env_lib.where(state.current >= 0, moved, state)


def _touched(
  sizes: Sizes, state: State, move: hanabi_state.Moves
) -> Bool[Array, "N H"]:
  """Returns which slots a hint points at."""
  target = (state.seat + move.offset) % sizes.players
  players = jnp.arange(sizes.players, dtype=jnp.int32)
  hinted = (players == target) & (move.offset > 0)
  return hinted[:, None] & (state.hands.cards & move.cards > 0)


def _slots(touched: Bool[Array, "N H"]) -> Int[Array, ""]:
  """Returns the slots that a hint points at, one bit each."""
  bits = np.int32(1) << np.arange(touched.shape[1], dtype=np.int32)
  return jnp.sum(jnp.where(touched, bits[None], 0), dtype=jnp.int32)


def _outcome(sizes: Sizes, state: State, move: hanabi_state.Moves) -> _Outcome:
  """Returns what comes of a play or of a discard."""
  slots = np.int32(1) << np.arange(sizes.hand_size, dtype=np.int32)
  own = hanabi_state.row(state.hands.cards, state.seat)
  held = jnp.where(slots == move.slot, own, 0)
  card = jnp.sum(held, dtype=jnp.int32)
  first = sizes.cards_of_rank(0)
  last = sizes.cards_of_rank(sizes.ranks - 1)
  next_ = (state.built << 1 & ~first | first) & ~state.built
  played = move.kind == hanabi_state.PLAY
  scored = played & (card & next_ > 0)
  gains = state.information < sizes.max_information_tokens
  return _Outcome(
    card=card,
    scored=scored,
    gained=scored & (card & last > 0) & gains,
    lost=played & ~scored,
  )


def _with_outcome(
  sizes: Sizes, state: State, move: hanabi_state.Moves, outcome: _Outcome
) -> State:
  """Returns a state with all but its hands, its last move and its history."""
  is_hint = move.offset > 0
  discards = move.kind == hanabi_state.DISCARD
  pays = (discards | outcome.gained).astype(jnp.int32)
  built = state.built | jnp.where(outcome.scored, outcome.card, 0)
  lives = state.lives - outcome.lost.astype(jnp.int32)
  in_deck = sizes.deck_size - state.history.num_deals
  turns = state.turns - (in_deck == 0).astype(jnp.int32)
  complete = built == (1 << sizes.kinds) - 1
  ends = (lives == 0) | complete | (turns == 0)
  seat = (state.seat + 1) % sizes.players
  after = jnp.where((in_deck > 0) & ~is_hint, jnp.int32(env_lib.CHANCE), seat)
  thrown = jnp.where(outcome.scored, 0, outcome.card)
  return state._replace(
    current=jnp.where(ends, jnp.int32(env_lib.TERMINAL), after),
    seat=seat,
    turns=turns,
    information=state.information + pays - is_hint.astype(jnp.int32),
    lives=lives,
    built=built,
    discarded=_with_discard(sizes, state.discarded, thrown),
  )


def _with_discard(
  sizes: Sizes, discarded: Int[Array, " D"], card: Int[Array, ""]
) -> Int[Array, " D"]:
  """Returns what has been discarded, with one more card, which is a bit."""
  first, equal = hanabi_state.copies(sizes)
  number = hanabi_deals.number(card)
  # With no card, the last row: zeros.
  return discarded | (discarded << 1 | first[number]) & equal[number]


def _hands(
  sizes: Sizes,
  state: State,
  move: hanabi_state.Moves,
  touched: Bool[Array, "N H"],
) -> hanabi_state.Hands:
  """Returns hands after a hint, or without the card that was in a slot."""
  hands = state.hands
  players = jnp.arange(sizes.players, dtype=jnp.int32)
  slots = np.int32(1) << np.arange(sizes.hand_size, dtype=np.int32)
  target = (state.seat + move.offset) % sizes.players
  hinted = ((players == target) & (move.offset > 0))[:, None]
  allowed = jnp.where(touched, move.cards, ~move.cards)
  hands = hands._replace(
    possible=jnp.where(hinted, hands.possible & allowed, hands.possible),
    told=jnp.where(touched, hands.told | move.named, hands.told),
  )
  shifts = (move.slot > 0) & (slots >= move.slot)
  moves_up = (players == state.seat)[:, None] & shifts[None]
  return jax.tree.map(
    lambda x: jnp.where(moves_up, jnp.pad(x[:, 1:], ((0, 0), (0, 1))), x), hands
  )
