"""Liar's dice: players bid on all dice, and see their own.

The rules and the parameters are OpenSpiel's (`open_spiel/games/liars_dice`). A
bid says how many dice show a face at least; the highest face counts as any.
Bids rise until one is called a lie. Then the bidder wins if it is true, and
otherwise who called it.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int
import numpy as np

from mdrl import checks, struct
from mdrl.envs import base as env_lib
from mdrl.envs import digits, sharing

_RULES = ("reset-face", "reset-quantity")


class State(NamedTuple):
  """Where play stands; actions are bids, and after them the call.

  Attributes:
    player: Who moves: a player, `CHANCE` or `TERMINAL`.
    dice: The faces of each player's dice, from 1, or zero before the roll;
      once all are rolled, in ascending order.
    rolled: How many dice are rolled.
    bids: The bids made, and the call.
    last: The last bid, or -1.
    won: What each player got from the call: 1, -1 or 0.
  """

  player: Int[Array, ""]
  dice: Int[Array, "N D"]
  rolled: Int[Array, ""]
  bids: Int[Array, " W"]
  last: Int[Array, ""]
  won: Int[Array, " N"]


@struct.dataclass
class LiarsDice(env_lib.Environment[State]):
  """Liar's dice, as OpenSpiel has it for two players.

  Observations are OpenSpiel's information-state tensor, and information states
  its strings.

  Attributes:
    players: Number of players.
    numdice: Dice of each player.
    dice_sides: Faces of a die.
    bidding_rule: What may go down in a rising bid: the face, if the quantity
      goes up (`reset-face`), or the other way round (`reset-quantity`).
    dtype: Floating type of observations, probabilities and returns; None for
      JAX's default.

  Raises:
    ValueError: If a parameter is out of its range.
  """

  players: int = struct.static(default=2)
  numdice: int = struct.static(default=1)
  dice_sides: int = struct.static(default=6)
  bidding_rule: str = struct.static(default="reset-face")
  dtype: Any = struct.static(default=None)

  def __post_init__(self):
    """Checks parameters."""
    checks.whole("players", self.players, 2)
    checks.whole("numdice", self.numdice, 1)
    checks.whole("dice_sides", self.dice_sides, 1)
    if self.bidding_rule not in _RULES:
      raise ValueError(
        f"`bidding_rule` must be one of {list(_RULES)}, got "
        f"{self.bidding_rule!r}"
      )
    object.__setattr__(self, "dtype", checks.floating_type(self.dtype))

  @property
  def num_players(self) -> int:
    """Number of players, chance not included."""
    return self.players

  @property
  def num_bids(self) -> int:
    """How many bids there are; the call is the action behind them."""
    return self._all_dice * self.dice_sides

  @property
  def num_actions(self) -> int:
    """All bids and the call."""
    return self.num_bids + 1

  @property
  def num_outcomes(self) -> int:
    """One for each face."""
    return self.dice_sides

  @property
  def observation_size(self) -> int:
    """The size of OpenSpiel's information-state tensor."""
    return self.players + self.numdice * self.dice_sides + self.num_actions

  @property
  def max_decisions(self) -> int:
    """One for each bid, and the call."""
    return self.num_actions

  @property
  def init_draws(self) -> int:
    """One for each die."""
    return self._all_dice

  @property
  def step_draws(self) -> int:
    """None."""
    return 0

  def root(self) -> State:
    """Returns the state before dice are rolled."""
    none = jnp.zeros((), jnp.int32)
    return State(
      player=none + env_lib.CHANCE,
      dice=jnp.zeros((self.players, self.numdice), jnp.int32),
      rolled=none,
      bids=self._actions.zeros(),
      last=none - 1,
      won=jnp.zeros(self.players, jnp.int32),
    )

  def init(self, key: env_lib.Draws) -> State:
    """Returns a new game, with all dice rolled.

    Args:
      key: A key, or the faces, from 0, or numbers from [0, 1) that stand for
        them, of all dice in its place, player by player.

    Raises:
      ValueError: If it is neither.
    """
    luck = self.luck(key, self.init_draws)
    root = self.root()
    draw = jax.vmap(env_lib.draw, in_axes=(None, 0))
    faces = sharing.once(draw(self.outcomes(root), luck)) + 1
    faces = faces.reshape(root.dice.shape)
    return root._replace(
      player=jnp.zeros_like(root.player),
      dice=_sorted(faces),
      rolled=jnp.full_like(root.rolled, self._all_dice),
    )

  def current_player(self, state: State) -> Int[Array, ""]:
    """Returns who moves: a player, `CHANCE` or `TERMINAL`."""
    return state.player

  def outcomes(self, state: State) -> Float[Array, " M"]:
    """Returns the same probability for each face."""
    del state
    return jnp.full(self.dice_sides, 1 / self.dice_sides, self.dtype)

  def resolve(self, state: State, outcome: Int[Array, ""]) -> State:
    """Returns the state after the next die is rolled, player by player."""
    die = np.arange(self._all_dice, dtype=np.int32).reshape(state.dice.shape)
    face = outcome.astype(jnp.int32) + 1
    dice = jnp.where(die == state.rolled, face, state.dice)
    rolled = state.rolled + 1
    ready = rolled == self._all_dice
    return state._replace(
      player=jnp.where(ready, 0, state.player),
      dice=jnp.where(ready, _sorted(dice), dice),
      rolled=rolled,
    )

  def act(self, state: State, action: Int[Array, ""]) -> State:
    """Returns the state after a bid, or after a call: the end of the game."""
    action = action.astype(jnp.int32)
    last = state.last
    # The least legal action is the next bid, and behind all of them the call.
    legal = (action > last) & (action <= self.num_bids)
    legal &= (action < self.num_bids) | (last >= 0)
    action = sharing.once(jnp.where(legal, action, last + 1))
    calls = action == self.num_bids
    seats = jnp.arange(self.players, dtype=jnp.int32)
    bidder = seats == (state.player - 1) % self.players
    caller = seats == state.player
    true = jnp.where(self._is_true(state.dice, last), 1, -1)
    won = jnp.where(bidder, true, 0) - jnp.where(caller, true, 0)
    following = (state.player + 1) % self.players
    behind = state._replace(
      player=jnp.where(calls, env_lib.TERMINAL, following),
      bids=state.bids + self._actions.one(action, 1),
      last=jnp.where(calls, last, action),
      won=jnp.where(calls, won, state.won),
    )
    return env_lib.where(state.player >= 0, behind, state)

  def legal_actions(self, state: State) -> Bool[Array, " A"]:
    """Returns the higher bids, and the call if there is a bid."""
    actions = jnp.arange(self.num_actions, dtype=jnp.int32)
    legal = actions > state.last
    legal &= (actions < self.num_bids) | (state.last >= 0)
    return legal & (state.player >= 0)

  def returns(self, state: State) -> Float[Array, " N"]:
    """Returns what each player gets: zero before play ends."""
    return state.won.astype(self.dtype)

  def observation(
    self, state: State, player: Int[Array, ""]
  ) -> Float[Array, " F"]:
    """Returns OpenSpiel's information-state tensor."""
    seats = jnp.arange(self.players, dtype=jnp.int32)
    faces = np.arange(1, self.dice_sides + 1, dtype=np.int32)[None]
    dice = digits.row(state.dice, player)[:, None] == faces
    bids = self._actions.unpack(state.bids) == 1
    parts = (seats == player.astype(jnp.int32), dice.reshape(-1), bids)
    return jnp.concatenate(parts).astype(self.dtype)

  def information_state(
    self, state: State, player: Int[Array, ""]
  ) -> Int[Array, " K"]:
    """Returns a player's dice, and all bids."""
    own = digits.row(state.dice, player)
    words = [
      self._faces.one(jnp.asarray(i, jnp.int32), own[i])
      for i in range(self.numdice)
    ]
    return jnp.concatenate([sum(words[1:], words[0]), state.bids])

  def split(self, state: State, player: Int[Array, ""]) -> tuple[Any, Any]:
    """Returns the state without, and what a player does not see of it.

    Those are the dice of the others, who moves, how many dice are rolled, and
    from the call on who has won.
    """
    seats = jnp.arange(self.players, dtype=jnp.int32)
    own = seats[:, None] == player.astype(jnp.int32)
    none = jnp.zeros_like(state.dice)
    known = state._replace(
      dice=jnp.where(own, state.dice, none),
      won=jnp.zeros_like(state.won),
      player=jnp.zeros_like(state.player),
      rolled=jnp.zeros_like(state.rolled),
    )
    others = jnp.where(own, none, state.dice)
    return known, (others, state.won, state.player, state.rolled)

  def join(self, known: Any, hidden: Any, player: Int[Array, ""]) -> State:
    """Returns the state of the two parts that `split` returns."""
    del player
    dice, won, mover, rolled = hidden
    return known._replace(
      dice=known.dice + dice, won=won, player=mover, rolled=rolled
    )

  def names(self, key: Any, player: int) -> tuple[str, ...]:
    """Returns OpenSpiel's string of an information state."""
    del player
    size = self._faces.num_words
    dice = [face or -1 for face in self._faces.read(key[:size])]
    made = [i for i, bid in enumerate(self._actions.read(key[size:])) if bid]
    said = [
      "Liar" if bid == self.num_bids else "{}-{}".format(*self.bid(bid))
      for bid in made
    ]
    return (" ".join(["".join(map(str, dice)), *said]),)

  def bid(self, action: Any) -> tuple[Any, Any]:
    """Returns the quantity and the face of a bid."""
    if self.bidding_rule == "reset-face":
      return action // self.dice_sides + 1, action % self.dice_sides + 1
    return action % self._all_dice + 1, action // self._all_dice + 1

  def _is_true(self, dice, bid):
    """Returns whether a bid holds."""
    quantity, face = self.bid(bid)
    counted = (dice == face) | (dice == self.dice_sides)
    return counted.sum(dtype=jnp.int32) >= quantity

  @property
  def _all_dice(self):
    return self.players * self.numdice

  @property
  def _actions(self):
    return digits.Digits(self.num_actions, 2)

  @property
  def _faces(self):
    return digits.Digits(self.numdice, self.dice_sides + 1)


def _sorted(dice):
  """Returns the rows in ascending order, by odd-even transposition.

  Rows are short, and XLA's sort of many short rows is slow.
  """
  columns = list(jnp.moveaxis(dice, 1, 0))
  for sweep in range(len(columns)):
    for i in range(sweep % 2, len(columns) - 1, 2):
      low, high = columns[i], columns[i + 1]
      columns[i], columns[i + 1] = (
        jnp.minimum(low, high),
        jnp.maximum(low, high),
      )
  return jnp.stack(columns, axis=1)
