"""Hanabi (Bard et al., https://arxiv.org/abs/1902.00506).

Players who see all hands but their own build a stack of each color, by hints
that cost tokens. All of them get the score. Actions, chance, rewards and
observations are those of OpenSpiel's `hanabi`.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key
import numpy as np

from mdrl import checks, struct
from mdrl.envs import base as env_lib
from mdrl.envs import (
  hanabi_deals,
  hanabi_history,
  hanabi_observation,
  hanabi_play,
  hanabi_sizes,
  hanabi_state,
)

State = hanabi_state.State


@struct.dataclass
class Hanabi(hanabi_sizes.Sizes, env_lib.Environment[State]):
  """Hanabi, at any size that OpenSpiel has with hands of up to 24 cards.

  Attributes:
    dtype: Floating type of returns, probabilities and observations; None for
      JAX's default.
  """

  dtype: Any = struct.static(default=None)

  def __post_init__(self):
    super().__post_init__()
    object.__setattr__(self, "dtype", checks.floating_type(self.dtype))

  @property
  def num_players(self) -> int:
    """Number of players, chance not included."""
    return self.players

  @property
  def num_actions(self) -> int:
    """How many actions there are.

    They are discards by slot, plays by slot, then hints by player, from the
    next one on: first those of colors, then those of ranks.
    """
    return self.num_moves

  @property
  def num_outcomes(self) -> int:
    """How many cards differ; an outcome is `color * ranks + rank`."""
    return self.kinds

  @property
  def observation_size(self) -> int:
    """How many numbers an observation has."""
    return hanabi_observation.size(self)

  @property
  def max_decisions(self) -> int:
    """The most decisions of players, all together, before play ends."""
    return self.longest

  @property
  def init_draws(self) -> int:
    """Number of cards in all hands."""
    return self.hands_size

  @property
  def step_draws(self) -> int:
    """At most one card is drawn behind a move."""
    return 1

  def root(self) -> State:
    """Returns the state before any card is dealt."""
    return hanabi_state.root(self)

  def current_player(self, state: State) -> Int[Array, ""]:
    """Returns who moves: a player, `CHANCE` or `TERMINAL`."""
    return state.current

  def outcomes(self, state: State) -> Float[Array, " M"]:
    """Returns the probability of each card where one is dealt."""
    counts = hanabi_deals.counts(self, state.left, self.dtype)
    return counts / jnp.maximum(jnp.sum(counts), 1)

  def resolve(self, state: State, outcome: Int[Array, ""]) -> State:
    """Returns the state after a card was dealt; the same where none is."""
    return hanabi_deals.deal(self, state, outcome.astype(jnp.int32))

  def act(self, state: State, action: Int[Array, ""]) -> State:
    """Returns the state behind a player's action; a card may be dealt next."""
    return hanabi_play.act(self, state, action)

  def legal_actions(self, state: State) -> Bool[Array, " A"]:
    """Returns what the player to move may do; nothing where none moves."""
    return hanabi_play.legal_actions(self, state)

  def returns(self, state: State) -> Float[Array, " N"]:
    """Returns the score, for each player; zero once all lives are lost."""
    score = jnp.where(state.lives > 0, hanabi_deals.count(state.built), 0)
    return jnp.full(self.players, score.astype(self.dtype))

  def observation(
    self, state: State, player: Int[Array, ""]
  ) -> Float[Array, " F"]:
    """Returns OpenSpiel's observation tensor of a player."""
    return hanabi_observation.observe(
      self, state, player.astype(jnp.int32), self.dtype
    )

  def information_state(
    self, state: State, player: Int[Array, ""]
  ) -> Int[Array, " K"]:
    """Returns all deals and moves, but for the cards in the player's hand."""
    return hanabi_history.key(self._known_history(state, player))

  def split(
    self, state: State, player: Int[Array, ""]
  ) -> tuple[State, Int[Array, " H"]]:
    """Returns what a player knows of a state, and its own hand.

    The first part is the state without that hand, as if its cards were in the
    deck. The second has the number of the card in each slot, -1 where there is
    none.
    """
    own = hanabi_state.row(state.hands.cards, player)
    left = state.left
    for slot in range(self.hand_size):
      left = hanabi_deals.with_card(left, own[slot])
    known = state._replace(
      hands=state.hands._replace(
        cards=self._with_hand(state, player, jnp.zeros_like(own))
      ),
      left=left,
      history=self._known_history(state, player),
    )
    return known, hanabi_deals.number(own)

  def join(
    self, known: State, hidden: Int[Array, " H"], player: Int[Array, ""]
  ) -> State:
    """Returns the state in which a player has a hand; see `split`."""
    own = hanabi_deals.bit(hidden)
    left = known.left
    for slot in range(self.hand_size):
      left = hanabi_deals.without(left, own[slot])
    order = hanabi_state.row(known.hands.order, player)
    return known._replace(
      hands=known.hands._replace(cards=self._with_hand(known, player, own)),
      left=left,
      history=hanabi_history.revealed(known.history, order, hidden),
    )

  def init(self, key: env_lib.Draws) -> State:
    """Returns a new game with all hands dealt.

    Args:
      key: A key, or a number from [0, 1) for each card, or the cards.
    """
    return hanabi_deals.opening(self, self.luck(key, self.init_draws))

  def settle(
    self, state: State, luck: Float[Array, " L"] | Int[Array, " L"]
  ) -> State:
    """Returns the state after cards have been dealt as long as they are.

    It draws by whole numbers of cards: drawing by `outcomes` differs where a
    number is within a rounding error of a bound between two cards.
    """
    for i in range(luck.shape[0]):
      state = hanabi_deals.deal(
        self, state, hanabi_deals.drawn(self, state, luck[i])
      )
    return state

  def deck(self, key: Key[Array, ""]) -> Int[Array, " deck"]:
    """Returns all cards in random order, to play from."""
    cards = np.arange(self.kinds, dtype=np.int32)
    return jax.random.permutation(
      key, np.repeat(cards, self.copies * self.colors)
    )

  def init_from(self, deck: Int[Array, " deck"]) -> State:
    """Returns a new game whose hands are the first cards of a deck."""
    return self.init(deck[: self.init_draws])

  def step_from(
    self, state: State, action: Int[Array, ""], deck: Int[Array, " deck"]
  ) -> State:
    """Returns the next state where the cards come in the order of a deck."""
    at = jnp.minimum(state.history.num_deals, self.deck_size - 1)
    return self.step(state, action, deck[at][None])

  def _known_history(
    self, state: State, player: Int[Array, ""]
  ) -> hanabi_history.History:
    own = hanabi_state.row(state.hands.cards, player)
    order = hanabi_state.row(state.hands.order, player)
    return hanabi_history.known(state.history, order, own > 0)

  def _with_hand(
    self, state: State, player: Int[Array, ""], own: Int[Array, " H"]
  ) -> Int[Array, "N H"]:
    players = jnp.arange(self.players, dtype=jnp.int32)
    return jnp.where(
      (players == player.astype(jnp.int32))[:, None],
      own[None],
      state.hands.cards,
    )
