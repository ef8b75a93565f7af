"""Matches: policies play each other on the device, and change seats.

A deal is a game's luck, and is played once in every seating: chance draws the
same for its first move, for its second and so on, however the players came
there, so that a policy is not judged by its luck. Deals are independent, and
intervals are of means over deals: what luck and seats do to a policy cancels
within each of them (paired comparison; in bridge and poker, duplicate play).
"""

import itertools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key
import numpy as np

from mdrl import methods, struct
from mdrl.envs import base as env_lib
from mdrl.judges import intervals
from mdrl.policies import base as policy_lib
from mdrl.policies import masks

# Of more assignments of policies to seats, some are chosen.
_MOST_SEATINGS = 256


class Deals(NamedTuple):
  """What was earned in each deal, as the mean over the games of the deal.

  Attributes:
    returns: Of each policy.
    by_seat: Of each policy in each seat.
    margins: By how much each policy earned more than each other.
  """

  returns: Float[Array, "*B P"]
  by_seat: Float[Array, "*B P N"]
  margins: Float[Array, "*B P P"]


class State(NamedTuple):
  """A match in progress.

  Attributes:
    step: Number of updates.
    key: Of all luck to come.
    played: How many deals.
    mean: Over deals.
    squares: Sums of squared distances from the mean.
  """

  step: Int[Array, ""]
  key: Key[Array, ""]
  played: Int[Array, ""]
  mean: Deals
  squares: Deals


class Results(NamedTuple):
  """The results of a match, in units of utility.

  Attributes:
    num_deals: How many deals were played.
    num_games: How many games that were.
    returns: Of each policy.
    by_seat: Of each policy in each seat.
    margins: By how much each policy earns more than each other; the intervals
      are of differences within deals.
  """

  num_deals: int
  num_games: int
  returns: tuple[intervals.Interval, ...]
  by_seat: tuple[tuple[intervals.Interval, ...], ...]
  margins: tuple[tuple[intervals.Interval, ...], ...]


@struct.dataclass
class Match:
  """Plays deals of an environment: a `methods.Method`, so `run.run` plays it.

  Attributes:
    policies: Who play.
    seatings: Which policy has each seat, a row for each game of a deal.
    num_deals: How many deals are played at once, in one update.
    seed: Of all luck.
  """

  policies: tuple[Any, ...]
  seatings: Int[Array, "G N"]
  num_deals: int = struct.static(default=500)
  seed: int | Int[Array, ""] = 0

  def check(self, env: env_lib.Environment) -> None:
    """Raises ValueError for an environment that these seatings do not fit."""
    if self.num_deals < 1:
      raise ValueError(f"`num_deals` must be positive, got {self.num_deals}")
    _check_seatings(self.seatings, len(self.policies), env.num_players)

  def init(
    self, env: env_lib.Environment, start: Key[Array, ""] | None = None
  ) -> State:
    """Returns the state before the first deal.

    Args:
      env: What is played.
      start: The key of all luck; by default that of the seed.
    """
    num = len(self.policies), env.num_players
    nothing = Deals(
      jnp.zeros(num[:1], env.dtype),
      jnp.zeros(num, env.dtype),
      jnp.zeros((num[0], num[0]), env.dtype),
    )
    return State(
      step=methods.zero_step(),
      key=jax.random.key(self.seed) if start is None else start,
      played=methods.zero_step(),
      mean=nothing,
      squares=nothing,
    )

  def update(self, env: env_lib.Environment, state: State) -> State:
    """Returns the state after `num_deals` more deals."""
    key, own = jax.random.split(state.key)
    deals = play(env, self.policies, self.seatings, own, self.num_deals)
    count = state.played + self.num_deals
    share = jnp.asarray(self.num_deals, env.dtype) / count.astype(env.dtype)
    before = state.played.astype(env.dtype)

    # Chan, Golub & LeVeque (1979): moments of two samples, put together.
    def merged(mean, squares, new):
      own = jnp.mean(new, axis=0)
      apart = own - mean
      within = jnp.sum((new - own[None]) ** 2, axis=0)
      return (
        mean + apart * share,
        squares + within + apart**2 * (before * share),
      )

    pairs = [
      merged(*leaves)
      for leaves in zip(state.mean, state.squares, deals, strict=True)
    ]
    mean, squares = (Deals(*found) for found in zip(*pairs, strict=True))
    return State(state.step + 1, key, count, mean, squares)


def seatings(num_policies: int, num_players: int) -> Int[np.ndarray, "G N"]:
  """Returns the seatings in which every policy plays, each seat as often.

  They are all assignments of policies to seats or, where these are more than
  256, the rotations of the policies in a row.

  Raises:
    ValueError: If there are no policies, or more than seats.
  """
  if not 1 <= num_policies <= num_players:
    raise ValueError(
      f"`num_policies` must be from 1 to the {num_players} of the players, got "
      f"{num_policies}; let more policies play in pairs"
    )
  if num_policies**num_players <= _MOST_SEATINGS:
    rows = [
      row
      for row in itertools.product(range(num_policies), repeat=num_players)
      if len(set(row)) == num_policies
    ]
  else:
    rows = dict.fromkeys(
      tuple(
        ((seat + turn) % num_players + shift) % num_policies
        for seat in range(num_players)
      )
      for shift in range(num_policies)
      for turn in range(num_players)
    )
  return np.array(list(rows), np.int32)


def play(
  env: env_lib.Environment,
  policies: tuple[policy_lib.Policy, ...],
  seatings: Int[Array, "G N"],
  key: Key[Array, ""],
  num_deals: int,
) -> Deals:
  """Returns what was earned in each of some deals.

  Args:
    env: What is played.
    policies: Who play.
    seatings: Which policy has each seat, a row for each game of a deal.
    key: Of the luck of deals and of policies.
    num_deals: How many deals, all at once.
  """
  returns = _returns(env, policies, seatings, key, num_deals)
  sits = jax.nn.one_hot(seatings, len(policies), axis=0, dtype=env.dtype)
  often = jnp.sum(sits, axis=1)
  by_seat = jnp.einsum("pgn,gdn->dpn", sits, returns) / often[None]
  mean = jnp.mean(by_seat, axis=-1)
  return Deals(mean, by_seat, mean[:, :, None] - mean[:, None, :])


def results(
  match: Match,
  state: State,
  *,
  confidence: float = 0.95,
  limits: tuple[float, float] | None = None,
) -> Results:
  """Returns the results of a match, on the host.

  Args:
    match: What was played.
    state: After some updates.
    confidence: Of each interval by itself.
    limits: The least and the greatest return of a player, if known.

  Raises:
    ValueError: If nothing was played, or an argument is out of range.
  """
  count, mean, squares = jax.device_get(
    (state.played, state.mean, state.squares)
  )

  def interval(mean, squares, limits):
    return intervals.of_moments(
      int(count),
      float(mean),
      float(squares),
      confidence=confidence,
      limits=limits,
    )

  def table(mean, squares, limits):
    return tuple(
      tuple(interval(*cell, limits) for cell in zip(*rows, strict=True))
      for rows in zip(mean, squares, strict=True)
    )

  size = None if limits is None else limits[1] - limits[0]
  [returns] = table(mean.returns[None], squares.returns[None], limits)
  return Results(
    num_deals=int(count),
    num_games=int(count) * len(match.seatings),
    returns=returns,
    by_seat=table(mean.by_seat, squares.by_seat, limits),
    margins=table(
      mean.margins, squares.margins, None if size is None else (-size, size)
    ),
  )


class _Games(NamedTuple):
  """Games under way.

  Attributes:
    state: Of the environment.
    carries: Of each policy, what each player carries.
    drawn: How often chance has moved.
  """

  state: Any
  carries: tuple[Any, ...]
  drawn: Int[Array, "*B"]


def _returns(env, policies, seatings, key, num_deals):
  """Returns what each player got, by seating and deal."""
  num_seatings, moves = len(seatings), env.max_decisions
  num_draws = env.init_draws + moves * env.step_draws
  of_chance, of_players = jax.random.split(key)
  luck = jax.random.uniform(of_chance, (num_deals, num_draws), env.dtype)
  # The same deals in every seating; what policies draw is their own.
  luck = jnp.tile(luck, (num_seatings, 1))
  sits = jnp.repeat(seatings, num_deals, axis=0)
  choices = jax.random.uniform(of_players, (moves, len(sits)), env.dtype)
  move = jax.vmap(_move, in_axes=(None, None, 0, 0, 0, 0))

  def goes_on(carry):
    games, made = carry
    over = jax.vmap(env.is_terminal)(games.state)
    return (made < moves) & ~jnp.all(over)

  def go_on(carry):
    games, made = carry
    return move(env, policies, sits, luck, games, choices[made]), made + 1

  games = jax.vmap(_first, in_axes=(None, None, 0))(env, policies, luck)
  games, _ = jax.lax.while_loop(
    goes_on, go_on, (games, jnp.zeros((), jnp.int32))
  )
  returns = jax.vmap(env.returns)(games.state)
  return returns.reshape(num_seatings, num_deals, -1)


def _first(env, policies, luck):
  """Returns a game at its first decision."""
  carries = jax.tree.map(
    lambda x: jnp.broadcast_to(x, (env.num_players, *jnp.shape(x))),
    tuple(policy.init_carry() for policy in policies),
  )
  games = _Games(env.root(), carries, jnp.zeros((), jnp.int32))
  return _settled(env, games, luck, env.init_draws)


def _move(env, policies, sits, luck, games, choice):
  """Returns a game after one more decision; finished ones stay."""
  view = env.view(games.state)
  mover = sits[view.player]
  here = jnp.arange(env.num_players, dtype=jnp.int32) == view.player
  logits = jnp.zeros(env.num_actions, env.dtype)
  carries = []
  for number, (policy, carry) in enumerate(
    zip(policies, games.carries, strict=True)
  ):
    mine = mover == number
    own = jax.tree.map(lambda x: x[view.player], carry)
    outputs, kept = policy(view, own)
    logits = jnp.where(mine, outputs.logits.astype(env.dtype), logits)
    carries.append(_replaced(carry, kept, here & mine))
  action = env_lib.draw(masks.probabilities(logits, view.legal), choice)
  state = env.act(games.state, action)
  games = _Games(state, tuple(carries), games.drawn)
  return _settled(env, games, luck, env.step_draws)


def _settled(env, games, luck, num_draws):
  """Returns a game after chance has moved as long as it does."""
  state, drawn = games.state, games.drawn
  for _ in range(num_draws):
    moves = env.current_player(state) == env_lib.CHANCE
    state = env.settle(state, luck[drawn][None])
    drawn = drawn + moves.astype(drawn.dtype)
  return games._replace(state=state, drawn=drawn)


def _replaced(carry, kept, where):
  """Returns what players carry, with something new for those of a mask."""
  return jax.tree.map(
    lambda all_, new: jnp.where(
      where.reshape(-1, *(1,) * new.ndim), new[None], all_
    ),
    carry,
    kept,
  )


def _check_seatings(given, num_policies, num_players):
  table = np.asarray(given)
  fits = (
    table.ndim == 2
    and table.shape[1] == num_players
    and table.size > 0
    and ((table >= 0) & (table < num_policies)).all()
  )
  if fits:
    often = np.stack([(table == p).sum(axis=0) for p in range(num_policies)])
    fits = (often == often[:, :1]).all() and (often > 0).all()
  if not fits:
    raise ValueError(
      f"`seatings` must give each of {num_players} seats to one of "
      f"{num_policies} policies in every row, and each policy every seat as "
      f"often, got {table.tolist()}; matches.seatings makes them"
    )
