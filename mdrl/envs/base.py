"""Environments: games to play move by move, on the device, many at once.

An environment is a frozen pytree whose methods are pure functions of one state;
`jax.vmap` plays many games, and what is given to a jitted function as an
argument is not compiled into it. A state is a pytree of arrays.

Chance is explicit underneath. `root`, `act` and `resolve` make one move at a
time, and at a state where chance moves, `outcomes` lists the probabilities.
`init` and `step` go on until a player moves or play ends; the draws of chance
on the way come from a key, or are given in its place.
"""

import abc
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from mdrl.envs import sharing
from mdrl.games import tree_tables

CHANCE = tree_tables.CHANCE
TERMINAL = tree_tables.TERMINAL

S = TypeVar("S")

# A typed key; numbers from [0, 1), one per draw, for games that are to share
# their luck; or the outcomes themselves.
Draws = Key[Array, ""] | Float[Array, " L"] | Int[Array, " L"]


class View(NamedTuple):
  """What a player knows where it moves: the input of a policy.

  Attributes:
    player: Who moves.
    observation: Features of what the player knows.
    information_state: An exact key of it.
    legal: Which actions may be taken.
  """

  player: Int[Array, "*B"]
  observation: Float[Array, "*B F"]
  information_state: Int[Array, "*B K"]
  legal: Bool[Array, "*B A"]


class Environment(abc.ABC, Generic[S]):
  """A game of one or more players who move in turns.

  Simultaneous moves are hidden ones in turns. Two of the rules are for all
  environments, as compiled code cannot raise: `step` takes an illegal action
  for the legal one of the lowest number, and leaves finished games as they are.
  Players, actions and outcomes that are given are arrays of integers, of any
  type.
  """

  @property
  @abc.abstractmethod
  def num_players(self) -> int:
    """Number of players, chance not included."""

  @property
  @abc.abstractmethod
  def num_actions(self) -> int:
    """How many actions there are, legal or not; they are numbered from 0."""

  @property
  @abc.abstractmethod
  def num_outcomes(self) -> int:
    """The most outcomes that chance has at a state; 0 without chance."""

  @property
  @abc.abstractmethod
  def observation_size(self) -> int:
    """How many numbers an observation has."""

  @property
  @abc.abstractmethod
  def max_decisions(self) -> int:
    """The most decisions of players, all together, before play ends."""

  @property
  @abc.abstractmethod
  def init_draws(self) -> int:
    """The most draws of chance in a row from the root."""

  @property
  @abc.abstractmethod
  def step_draws(self) -> int:
    """The most draws of chance in a row behind a player's move."""

  @property
  @abc.abstractmethod
  def dtype(self) -> Any:
    """Floating type of returns, probabilities and observations."""

  @abc.abstractmethod
  def root(self) -> S:
    """Returns the state before anybody has moved, chance included."""

  @abc.abstractmethod
  def current_player(self, state: S) -> Int[Array, ""]:
    """Returns who moves: a player, `CHANCE` or `TERMINAL`."""

  @abc.abstractmethod
  def outcomes(self, state: S) -> Float[Array, " M"]:
    """Returns the probability of each outcome where chance moves.

    Elsewhere they mean nothing.
    """

  @abc.abstractmethod
  def resolve(self, state: S, outcome: Int[Array, ""]) -> S:
    """Returns the state behind an outcome of chance, which moves there."""

  @abc.abstractmethod
  def act(self, state: S, action: Int[Array, ""]) -> S:
    """Returns the state behind a player's action; chance may be next.

    Illegal actions and finished games are as the class says.
    """

  @abc.abstractmethod
  def legal_actions(self, state: S) -> Bool[Array, " A"]:
    """Returns what the player to move may do; nothing where none moves."""

  @abc.abstractmethod
  def returns(self, state: S) -> Float[Array, " N"]:
    """Returns what each player has got up to now, in units of utility."""

  @abc.abstractmethod
  def observation(self, state: S, player: Int[Array, ""]) -> Float[Array, " F"]:
    """Returns features of what a player knows."""

  @abc.abstractmethod
  def information_state(
    self, state: S, player: Int[Array, ""]
  ) -> Int[Array, " K"]:
    """Returns an exact key of all that a player has seen and done.

    Of two states at which the player moves, keys are the same if and only if
    the player cannot tell them apart, with perfect recall. Elsewhere a key
    holds what it has seen and done up to now, and not who moves. Keys mean
    something for one player each.
    """

  @abc.abstractmethod
  def split(self, state: S, player: Int[Array, ""]) -> tuple[Any, Any]:
    """Returns what a player knows of a state, and what is hidden from it.

    The first part is a function of the player's information state.
    """

  @abc.abstractmethod
  def join(self, known: Any, hidden: Any, player: Int[Array, ""]) -> S:
    """Returns the state of the two parts that `split` returns.

    Samplers of hidden states draw the second.
    """

  def init(self, key: Draws) -> S:
    """Returns a new game, at the first state at which a player moves.

    Args:
      key: A key, or the `init_draws` draws of chance in its place.

    Raises:
      ValueError: If it is neither.
    """
    return self.settle(self.root(), self.luck(key, self.init_draws))

  def step(self, state: S, action: Int[Array, ""], key: Draws) -> S:
    """Returns the next state at which a player moves, or the end of the game.

    Args:
      state: A state at which a player moves, or a finished one, which stays.
      action: What the player does; for an illegal action, the legal one of the
        lowest number is taken.
      key: A key, or the `step_draws` draws of chance in its place.

    Raises:
      ValueError: If the key is neither.
    """
    luck = self.luck(key, self.step_draws)
    return self.settle(self.act(state, action), luck)

  def settle(self, state: S, luck: Float[Array, " L"] | Int[Array, " L"]) -> S:
    """Returns the state after chance has moved as long as it does.

    Args:
      state: Any state.
      luck: A draw for each move that chance may make in a row.
    """
    for i in range(luck.shape[0]):
      outcome = sharing.once(draw(self.outcomes(state), luck[i]))
      behind = self.resolve(state, outcome)
      state = where(self.current_player(state) == CHANCE, behind, state)
    return state

  def luck(
    self, key: Draws, num_draws: int
  ) -> Float[Array, " L"] | Int[Array, " L"]:
    """Returns the draws that a key stands for, or those that were given.

    Raises:
      ValueError: If `key` is neither a typed key nor so many draws.
    """
    dtype = getattr(key, "dtype", None)
    if dtype is None:
      raise ValueError(
        "`key` must be a key of `jax.random.key`, or an array of draws, got "
        f"{key!r}; pass `jax.random.key({key!r})` or `jnp.asarray({key!r})`"
      )
    if jnp.issubdtype(dtype, jax.dtypes.prng_key):
      return jax.random.uniform(key, (num_draws,), self.dtype)
    given = jnp.issubdtype(key.dtype, jnp.floating) or jnp.issubdtype(
      key.dtype, jnp.signedinteger
    )
    if not given or key.shape != (num_draws,):
      raise ValueError(
        "`key` must be a key of `jax.random.key`, or an array of "
        f"{num_draws} draws, numbers from [0, 1) or outcomes as signed "
        f"integers, got {key.dtype}{list(key.shape)}"
      )
    return key

  def is_terminal(self, state: S) -> Bool[Array, ""]:
    """Returns whether play has ended."""
    return self.current_player(state) == TERMINAL

  def view(self, state: S) -> View:
    """Returns what the player to move knows.

    In finished games it means nothing.
    """
    player = jnp.maximum(self.current_player(state), 0)
    return View(
      player=player,
      observation=self.observation(state, player),
      information_state=self.information_state(state, player),
      legal=self.legal_actions(state),
    )

  def names(self, key: Any, player: int) -> tuple[str, ...]:
    """Returns what the game's rules, as OpenSpiel has them, call a key.

    Args:
      key: An information state of the player, on the host.
      player: Whose.

    Returns:
      The strings of all information states that the key stands for; by
      default, the numbers of the key.
    """
    del player
    return (" ".join(str(int(word)) for word in key),)


def draw(
  probabilities: Float[Array, " M"], luck: Float[Array, ""] | Int[Array, ""]
) -> Int[Array, ""]:
  """Returns an outcome.

  Args:
    probabilities: Of each outcome; zeros may be among them.
    luck: A number from [0, 1), or the outcome itself.
  """
  if not jnp.issubdtype(luck.dtype, jnp.floating):
    return luck.astype(jnp.int32)
  total = jnp.cumsum(probabilities)
  # The sum may fall short of one by rounding, and luck may lie behind it.
  point = luck.astype(total.dtype) * total[-1]
  possible = probabilities > 0
  last = probabilities.shape[0] - 1 - jnp.argmax(possible[::-1])
  behind = jnp.sum(total <= point, dtype=jnp.int32)
  return jnp.minimum(behind, last.astype(jnp.int32))


def where(condition: Bool[Array, ""], yes: S, no: S) -> S:
  """Returns one of two states."""
  return jax.tree.map(lambda x, y: jnp.where(condition, x, y), yes, no)
