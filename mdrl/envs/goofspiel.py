"""Goofspiel, also the game of pure strategy: players bid cards for point cards.

The rules and the parameters are OpenSpiel's (`open_spiel/games/goofspiel`), in
turns (`convert_to_turn_based`): in each turn a point card is turned up, and
every player bids one card of its hand, unseen until all have bid. The highest
bid wins the points; if players tie for it, nobody does. The last cards of
hands are played without a decision.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int
import numpy as np

from mdrl import checks, struct
from mdrl.envs import base as env_lib
from mdrl.envs import digits, goofspiel_text, sharing

_ORDERS = ("random", "ascending", "descending")
_RETURNS = ("win_loss", "point_difference", "total_points")


class State(NamedTuple):
  """Where play stands; cards are numbered from 0.

  Attributes:
    player: Who moves: a player, `CHANCE` or `TERMINAL`.
    turn: How many turns have ended.
    prize: The point card that is bid for.
    pending: For each player the card that it has bid in this turn, plus one, or
      zero.
    points: What each player has won.
    hands: The cards that each player had before this turn.
    deck: The point cards that were not turned up.
    bids: The card that each player bid in each turn that has ended, plus one.
    prizes: The point card of each turn, plus one.
    winners: Who won each turn, plus one; after ties, one more than that.
  """

  player: Int[Array, ""]
  turn: Int[Array, ""]
  prize: Int[Array, ""]
  pending: Int[Array, " N"]
  points: Int[Array, " N"]
  hands: Int[Array, "N H"]
  deck: Int[Array, " H"]
  bids: Int[Array, "N W"]
  prizes: Int[Array, " W"]
  winners: Int[Array, " V"]


@struct.dataclass
class Goofspiel(env_lib.Environment[State]):
  """Goofspiel in turns, as OpenSpiel has it.

  With `imp_info`, players see who won a turn, and not the other bids;
  observations are then OpenSpiel's information-state tensor, and information
  states its strings. Otherwise they see all bids once a turn has ended. There,
  OpenSpiel's tensor and string forget in which turn a card was bid, and the
  information state remembers it.

  Attributes:
    num_cards: Cards of each hand, and point cards.
    num_turns: Turns to be played; -1 for as many as there are cards.
    players: Number of players.
    points_order: How point cards are turned up: random, ascending, descending.
    returns_type: Returns are 1 shared by the winners and -1 by the losers
      (`win_loss`), points less their mean (`point_difference`), or points
      (`total_points`).
    imp_info: Whether bids stay hidden.
    egocentric: Whether observations count winners from the player who looks.
    dtype: Floating type of observations, probabilities and returns; None for
      JAX's default.

  Raises:
    ValueError: If a parameter is out of its range.
  """

  num_cards: int = struct.static(default=13)
  num_turns: int = struct.static(default=-1)
  players: int = struct.static(default=2)
  points_order: str = struct.static(default="random")
  returns_type: str = struct.static(default="win_loss")
  imp_info: bool = struct.static(default=False)
  egocentric: bool = struct.static(default=False)
  dtype: Any = struct.static(default=None)

  def __post_init__(self):
    """Checks parameters."""
    checks.whole("num_cards", self.num_cards, 1)
    checks.whole("players", self.players, 2)
    checks.whole("num_turns", self.num_turns, -1)
    turns = [-1, *range(1, self.num_cards - 1), self.num_cards]
    if self.num_turns not in turns:
      raise ValueError(
        "`num_turns` must be -1, for all cards, their number, or at least 1 "
        f"and less than `num_cards` - 1, got {self.num_turns} for "
        f"{self.num_cards} cards; where one card would be left, play all"
      )
    _known("points_order", self.points_order, _ORDERS)
    _known("returns_type", self.returns_type, _RETURNS)
    object.__setattr__(self, "dtype", checks.floating_type(self.dtype))

  @property
  def turns(self) -> int:
    """How many turns are played, the last cards of hands included."""
    return self.num_cards if self.num_turns == -1 else self.num_turns

  @property
  def num_players(self) -> int:
    """Number of players, chance not included."""
    return self.players

  @property
  def num_actions(self) -> int:
    """One for each card."""
    return self.num_cards

  @property
  def num_outcomes(self) -> int:
    """One for each point card, if they come in random order."""
    return self.num_cards if self._random else 0

  @property
  def observation_size(self) -> int:
    """The size of OpenSpiel's information-state tensor."""
    n, c, t = self.players, self.num_cards, self.turns
    own = c + t * n + t * c if self.imp_info else n * c
    return 2 * n + n * (c * (c + 1) // 2 + 1) + t * c + own

  @property
  def max_decisions(self) -> int:
    """One for each player in each turn, but for the last card of a hand."""
    last = self._plays_out
    return self.players * (self.turns - 1 if last else self.turns)

  @property
  def init_draws(self) -> int:
    """One if point cards come in random order."""
    return int(self._random)

  @property
  def step_draws(self) -> int:
    """One if point cards come in random order."""
    return int(self._random)

  def root(self) -> State:
    """Returns the state before a point card is turned up, if it is drawn."""
    n, none = self.players, jnp.zeros((), jnp.int32)
    full = self._cards.ones()
    state = State(
      player=none + env_lib.CHANCE,
      turn=none,
      prize=none,
      pending=jnp.zeros(n, jnp.int32),
      points=jnp.zeros(n, jnp.int32),
      hands=jnp.stack([full] * n),
      deck=full,
      bids=jnp.stack([self._bids.zeros()] * n),
      prizes=self._bids.zeros(),
      winners=self._winners.zeros(),
    )
    return state if self._random else self.resolve(state, self._next(state))

  def current_player(self, state: State) -> Int[Array, ""]:
    """Returns who moves: a player, `CHANCE` or `TERMINAL`."""
    return state.player

  def outcomes(self, state: State) -> Float[Array, " M"]:
    """Returns the same probability for each point card that is left."""
    left = self._cards.unpack(state.deck).astype(self.dtype)
    size = jnp.maximum(self._cards.size(state.deck), 1)
    return (left / size.astype(self.dtype))[: self.num_outcomes]

  def resolve(self, state: State, outcome: Int[Array, ""]) -> State:
    """Returns the state after a point card is turned up."""
    card = outcome.astype(jnp.int32)
    return state._replace(
      player=jnp.zeros_like(state.player),
      prize=card,
      deck=state.deck & ~self._cards.one(card, 1),
      prizes=state.prizes + self._bids.one(state.turn, card + 1),
    )

  def act(self, state: State, action: Int[Array, ""]) -> State:
    """Returns the state after a bid, and after the turn that it ends."""
    hand = digits.row(state.hands, state.player)
    action = action.astype(jnp.int32)
    held = self._cards.has(hand, action)
    card = sharing.once(jnp.where(held, action, self._cards.lowest(hand)))
    bidder = jnp.arange(self.players, dtype=jnp.int32) == state.player
    pending = jnp.where(bidder, card + 1, state.pending)
    bid = state._replace(player=state.player + 1, pending=pending)
    ended = self._end_turn(bid)
    behind = env_lib.where(bid.player == self.players, ended, bid)
    return env_lib.where(state.player >= 0, behind, state)

  def legal_actions(self, state: State) -> Bool[Array, " A"]:
    """Returns the hand of the player to move."""
    hand = self._cards.unpack(digits.row(state.hands, state.player))
    return (hand == 1) & (state.player >= 0)

  def returns(self, state: State) -> Float[Array, " N"]:
    """Returns what each player gets: zero before play ends."""
    points, n = state.points, self.players
    if self.returns_type == "win_loss":
      won = points == points.max()
      winners = won.sum(dtype=jnp.int32)
      gain = 1 / winners.astype(self.dtype)
      losers = jnp.maximum(n - winners, 1).astype(self.dtype)
      result = jnp.where(won, gain, -1 / losers)
      result = jnp.where(winners == n, jnp.zeros_like(result), result)
    elif self.returns_type == "point_difference":
      total = points.sum(dtype=jnp.int32).astype(self.dtype)
      result = points.astype(self.dtype) - total / n
    else:
      result = points.astype(self.dtype)
    ended = state.player == env_lib.TERMINAL
    return jnp.where(ended, result, jnp.zeros_like(result))

  def observation(
    self, state: State, player: Int[Array, ""]
  ) -> Float[Array, " F"]:
    """Returns OpenSpiel's information-state tensor."""
    n, c = self.players, self.num_cards
    player = player.astype(jnp.int32)
    seats = np.arange(n, dtype=np.int32)
    cards = np.arange(1, c + 1, dtype=np.int32)[None]
    sums = np.arange(c * (c + 1) // 2 + 1, dtype=np.int32)[None]
    points = _rolled(state.points, player)
    prizes = self._bids.unpack(state.prizes)[:, None] == cards
    parts = [seats == state.player, seats == player, points[:, None] == sums]
    if self.imp_info:
      winners = self._winners.unpack(state.winners)[:, None] - 1
      first = player if self.egocentric else jnp.zeros_like(player)
      won = winners == ((seats + first) % n)[None]
      own = self._bids.unpack(digits.row(state.bids, player))[:, None] == cards
      hand = self._cards.unpack(digits.row(state.hands, player)) == 1
      parts += [hand, won, prizes, own]
    else:
      hands = _rolled(state.hands, player)
      parts += [prizes]
      parts += [self._cards.unpack(hands[i]) == 1 for i in range(n)]
    return jnp.concatenate([p.reshape(-1).astype(self.dtype) for p in parts])

  def information_state(
    self, state: State, player: Int[Array, ""]
  ) -> Int[Array, " K"]:
    """Returns who moves, the player's own bids, point cards and winners.

    Without `imp_info`, the bids of all players in turns that have ended.
    """
    own = digits.row(state.pending, player)
    stage = state.player - env_lib.TERMINAL
    stage += (self.players - env_lib.TERMINAL) * own
    bids = state.bids.reshape(-1)
    if self.imp_info:
      bids = digits.row(state.bids, player)
    return jnp.concatenate([stage[None], bids, state.prizes, state.winners])

  def split(self, state: State, player: Int[Array, ""]) -> tuple[Any, Any]:
    """Returns the state without, and what the others hold and bid hidden."""
    seats = jnp.arange(self.players, dtype=jnp.int32)
    mine = seats == player.astype(jnp.int32)
    known, hidden = {}, {}
    for name in self._hidden:
      rows = getattr(state, name)
      own = mine.reshape((-1,) + (1,) * (rows.ndim - 1))
      known[name] = jnp.where(own, rows, jnp.zeros_like(rows))
      hidden[name] = jnp.where(own, jnp.zeros_like(rows), rows)
    return state._replace(**known), hidden

  def join(self, known: Any, hidden: Any, player: Int[Array, ""]) -> State:
    """Returns the state of the two parts that `split` returns."""
    del player
    rows = {name: getattr(known, name) + hidden[name] for name in self._hidden}
    return known._replace(**rows)

  def names(self, key: Any, player: int) -> tuple[str, ...]:
    """Returns OpenSpiel's string of an information state.

    Where bids are seen, it is followed by those of each turn, which OpenSpiel
    forgets.
    """
    stage, *words = (int(word) for word in key)
    own, mover = divmod(stage, self.players - env_lib.TERMINAL)
    size, rows = self._bids.num_words, 1 if self.imp_info else self.players
    table = [
      self._bids.read(words[i * size : (i + 1) * size]) for i in range(rows + 1)
    ]
    *bids, prizes = ([card for card in row if card] for row in table)
    winners = self._winners.read(words[(rows + 1) * size :])
    winners = [winner - 1 for winner in winners if winner]
    known = goofspiel_text.Known(
      player=player,
      mover=mover + env_lib.TERMINAL,
      pending=own,
      bids=bids,
      prizes=prizes,
      winners=winners,
      num_cards=self.num_cards,
      num_players=self.players,
      imp_info=self.imp_info,
    )
    return (goofspiel_text.text(known),)

  def _end_turn(self, state):
    """Returns the state after all have bid."""
    state = self._compare(state, state.pending - 1)
    following = state._replace(
      player=jnp.full_like(state.player, env_lib.CHANCE)
    )
    if not self._random:
      following = self.resolve(state, self._next(state))
    if self._plays_out:
      last = self.resolve(state, self._next(state))
      bids = [self._cards.lowest(last.hands[i]) for i in range(self.players)]
      last = self._compare(last, jnp.stack(bids))
      one_left = state.turn == self.turns - 1
      following = env_lib.where(one_left, last, following)
    over = following.turn == self.turns
    mover = jnp.where(over, env_lib.TERMINAL, following.player)
    if self._plays_out:
      return following._replace(player=mover)
    # Behind the last turn no card is turned up.
    ended = state._replace(player=mover)
    return env_lib.where(over, ended, following._replace(player=mover))

  def _compare(self, state, bids):
    """Returns the state after a turn in which players bid these cards."""
    seats = jnp.arange(self.players, dtype=jnp.int32)
    highest = bids == bids.max()
    alone = highest.sum(dtype=jnp.int32) == 1
    won = highest & alone
    first = jnp.where(won, seats, 0).sum(dtype=jnp.int32)
    winner = sharing.once(jnp.where(alone, first, self.players) + 1)
    rows = range(self.players)
    played = jnp.stack([self._cards.one(bids[i], 1) for i in rows])
    noted = jnp.stack([self._bids.one(state.turn, bids[i] + 1) for i in rows])
    return state._replace(
      turn=state.turn + 1,
      pending=jnp.zeros_like(state.pending),
      points=state.points + jnp.where(won, state.prize + 1, 0),
      hands=state.hands & ~played,
      bids=state.bids + noted,
      winners=state.winners + self._winners.one(state.turn, winner),
    )

  def _next(self, state):
    """Returns the next point card, if it is not drawn or the last."""
    if self.points_order == "ascending":
      return state.turn
    if self.points_order == "descending":
      return self.num_cards - 1 - state.turn
    return self._cards.lowest(state.deck)

  @property
  def _random(self):
    return self.points_order == "random"

  @property
  def _plays_out(self):
    """Returns whether hands are played to the last card."""
    return self.turns == self.num_cards and self.num_cards > 1

  @property
  def _cards(self):
    return digits.Digits(self.num_cards, 2)

  @property
  def _bids(self):
    return digits.Digits(self.turns, self.num_cards + 1)

  @property
  def _winners(self):
    return digits.Digits(self.turns, self.players + 2)

  @property
  def _hidden(self):
    """Returns what is hidden of other players."""
    hands = ("hands", "bids") if self.imp_info else ()
    return ("pending", *hands)


def _rolled(rows, first):
  """Returns the rows in order from one of them on, and around."""
  n = len(rows)
  return jnp.stack([digits.row(rows, (first + i) % n) for i in range(n)])


def _known(name, value, values):
  if value not in values:
    raise ValueError(f"`{name}` must be one of {list(values)}, got {value!r}")
