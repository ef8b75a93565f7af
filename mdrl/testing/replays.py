"""Replays of OpenSpiel's random games in environments.

The rules of an environment are OpenSpiel's if whatever OpenSpiel says on the
way through random games is what the environment says after the same moves.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pyspiel

from mdrl.envs import base as env_lib
from mdrl.testing import method_checks

# What games of one batch hold at most, in bytes; tensors are the most of it.
_BATCH_BYTES = 1 << 26
_PARTITIONS = ("string", "tensor", "observations")


class Record(NamedTuple):
  """What OpenSpiel or an environment says of games, before each move and after.

  Where a game has ended, its last state stays.
  """

  player: Any
  probabilities: Any
  legal: Any
  returns: Any
  observation: Any


def check_replays(
  env: env_lib.Environment,
  game: pyspiel.Game | str,
  num_games: int = 10_000,
  seed: int = 0,
  *,
  partition: str | Sequence[str] | None = "string",
  tensor: str | None = "information_state",
  movers: bool = False,
  to_outcome: Callable[[int], int] | None = None,
  to_tensor: Callable[[Any, Any], Any] | None = None,
) -> None:
  """Checks an environment against random games of OpenSpiel.

  They agree on who moves, chance included, what may be done or happen and how
  probably, what each player has got, and, where players move, on what each of
  them observes and which histories it cannot tell apart.

  Args:
    env: The environment.
    game: OpenSpiel's game, or its string; simultaneous moves are played in
      turns.
    num_games: How many random games to play.
    seed: Of the games.
    partition: What tells a player's histories apart in OpenSpiel, as
      `information_state` does here: the information state as a `string` or a
      `tensor`, or all `observations` as strings, together with own actions, at
      the states where a player moves. Several are checked at once, and nothing
      with None.
    tensor: Which of OpenSpiel's tensors an observation is: `information_state`
      or `observation`; with None, observations are not compared.
    movers: Whether to compare observations and information states of the player
      to move alone, as OpenSpiel may say more or less of others.
    to_outcome: Number in the environment of an action of OpenSpiel's chance; by
      default its own.
    to_tensor: Makes OpenSpiel's tensor of an observation and the number of its
      player, on the device; by default they are the same.

  Raises:
    AssertionError: At the first difference, with the game and its moves.
    ValueError: If a partition or a tensor is none of those named.
  """
  partitions = _checked_partitions(partition, tensor)
  spiel = _in_turns(game)
  sizes = (env.num_players, env.num_actions)
  expected = (spiel.num_players(), spiel.num_distinct_actions())
  method_checks.require(
    sizes == expected,
    f"the environment has {sizes[0]} players and {sizes[1]} actions, and "
    f"{spiel} has {expected[0]} and {expected[1]}",
  )
  witness = _Witness(env, spiel, partitions, tensor, movers, to_outcome)
  played = random_moves(spiel, num_games, seed)
  longest = max(map(len, played))
  size = _batch_size(env, longest, num_games)
  replay = jax.jit(jax.vmap(_replayer(env, to_tensor), (None, 0)))
  for first in range(0, num_games, size):
    games = played[first : first + size]
    said, moves, names = witness.watch(games, longest)
    # The last batch is as large as the others, for their compiled program.
    moves = np.pad(moves, ((0, size - len(games)), (0, 0)), mode="edge")
    filled = slice(len(games))
    ours, keys = jax.tree.map(
      lambda x, rows=filled: np.asarray(x)[rows], replay(env, moves)
    )
    _compare(ours, said, games, movers)
    witness.match(keys, names, games)


def random_moves(game: Any, num_games: int, seed: int = 0) -> list[list[int]]:
  """Returns the moves of random games, chance included.

  Players move uniformly, chance by its probabilities.

  Args:
    game: A sequential game of OpenSpiel.
    num_games: How many to play.
    seed: Of the moves.
  """
  luck = np.random.default_rng(seed)
  played = []
  for _ in range(num_games):
    state, moves = game.new_initial_state(), []
    numbers = iter(luck.random(64).tolist())
    while not state.is_terminal():
      number = next(numbers, None)
      if number is None:
        numbers = iter(luck.random(64).tolist())
        number = next(numbers)
      moves.append(_chosen(state, number))
      state.apply_action(moves[-1])
    played.append(moves)
  return played


def _chosen(state, number):
  """Returns the random action that a number from [0, 1) stands for."""
  if not state.is_chance_node():
    actions = state.legal_actions()
    return actions[int(number * len(actions))]
  outcomes = state.chance_outcomes()
  for action, probability in outcomes:
    number -= probability
    if number < 0:
      return action
  return outcomes[-1][0]


def _in_turns(game: Any) -> Any:
  if isinstance(game, str):
    game = pyspiel.load_game(game)
  if game.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
    game = pyspiel.convert_to_turn_based(game)
  return game


def _checked_partitions(partition, tensor):
  if partition is None:
    partition = ()
  partitions = (partition,) if isinstance(partition, str) else tuple(partition)
  unknown = [name for name in partitions if name not in _PARTITIONS]
  if unknown:
    raise ValueError(
      f"`partition` must be among {', '.join(_PARTITIONS)}, got {unknown[0]!r}"
    )
  if tensor not in ("information_state", "observation", None):
    raise ValueError(
      "`tensor` must be `information_state`, `observation` or None, got "
      f"{tensor!r}"
    )
  return partitions


def _batch_size(env, longest, num_games):
  numbers = env.num_players * (env.observation_size + 16)
  numbers += env.num_actions + env.num_outcomes
  return min(num_games, max(1, _BATCH_BYTES // (4 * numbers * (longest + 1))))


def _replayer(env, to_tensor):
  """Returns a function that makes moves, and says what the states are."""
  if to_tensor is None:
    to_tensor = lambda observation, player: observation  # noqa: E731
  players = jnp.arange(env.num_players)

  def look(env, state):
    def of_player(player):
      observation = to_tensor(env.observation(state, player), player)
      return observation, env.information_state(state, player)

    observation, key = jax.vmap(of_player)(players)
    record = Record(
      player=env.current_player(state),
      probabilities=env.outcomes(state),
      legal=env.legal_actions(state),
      returns=env.returns(state),
      observation=observation,
    )
    return record, key

  def replay(env, moves):
    def step(state, move):
      chance = env.current_player(state) == env_lib.CHANCE
      after = env.act(state, move)
      if env.num_outcomes:
        after = env_lib.where(chance, env.resolve(state, move), after)
      return after, look(env, state)

    last, seen = jax.lax.scan(step, env.root(), moves)
    return jax.tree.map(
      lambda x, y: jnp.concatenate([x, y[None]]), seen, look(env, last)
    )

  return replay


class _Witness:
  """Plays moves in OpenSpiel, and writes down what it says."""

  def __init__(self, env, game, partitions, tensor, movers, to_outcome):
    self._env, self._game = env, game
    self._partitions = partitions
    self._tensor = tensor and f"{tensor}_tensor"
    self._movers = movers
    self._to_outcome = to_outcome or (lambda action: action)
    self._players = range(game.num_players())
    self._num_features = 0
    if tensor is not None:
      shape = getattr(game, f"{self._tensor}_shape")()
      self._num_features = int(np.prod(shape))
    # By partition and player: the name behind each key, and the key behind each
    # name, with where either was first met.
    self._known = [[({}, {}) for _ in self._players] for _ in partitions]

  def watch(self, games, longest):
    """Returns what OpenSpiel says, padded moves, and names of histories."""
    shape = (len(games), longest + 1)
    said = Record(
      player=np.full(shape, env_lib.TERMINAL),
      probabilities=np.zeros((*shape, self._env.num_outcomes)),
      legal=np.zeros((*shape, self._env.num_actions), bool),
      returns=np.zeros((*shape, len(self._players))),
      observation=np.zeros(
        (*shape, len(self._players), self._num_features), np.float32
      ),
    )
    moves, names = np.zeros((len(games), longest), np.int32), []
    for g, actions in enumerate(games):
      state, past = self._game.new_initial_state(), [0 for _ in self._players]
      for t, action in enumerate(actions):
        moves[g, t] = self._note(state, action, said, (g, t), names, past)
        state.apply_action(action)
      said.returns[g, len(actions) :] = state.returns()
    return said, moves, names

  def _note(self, state, action, said, place, names, past):
    """Writes one state down, and returns the environment's next move."""
    mover = said.player[place] = state.current_player()
    said.returns[place] = state.returns()
    if mover == env_lib.CHANCE:
      for outcome, probability in state.chance_outcomes():
        said.probabilities[(*place, self._to_outcome(outcome))] = probability
      return self._to_outcome(action)
    said.legal[place][state.legal_actions()] = True
    for player in self._players:
      if "observations" in self._partitions:
        past[player] = hash((past[player], state.observation_string(player)))
      if player == mover or not self._movers:
        if self._tensor:
          features = getattr(state, self._tensor)(player)
          said.observation[(*place, player)] = features
        named = [self._name(p, state, player, past) for p in self._partitions]
        names.append((*place, player, named))
    past[mover] = hash((past[mover], action))
    return action

  def _name(self, partition, state, player, past):
    """Returns what a player's histories are told apart by."""
    if partition == "string":
      return state.information_state_string(player)
    if partition == "observations":
      return past[player]
    return np.array(state.information_state_tensor(player), "f4").tobytes()

  def match(self, keys, names, games):
    """Checks that keys and names part histories alike."""
    for g, t, player, named in names:
      key = keys[g, t, player].tobytes()
      for what, known, name in zip(
        self._partitions, self._known, named, strict=True
      ):
        here = games[g][:t]
        name_of, key_of = known[player]
        other, where = name_of.setdefault(key, (name, here))
        if other != name:
          raise AssertionError(
            f"information states of player {player} are equal after moves "
            f"{where} and {here}, and OpenSpiel's differ by {what}"
          )
        other, where = key_of.setdefault(name, (key, here))
        if other != key:
          raise AssertionError(
            f"information states of player {player} differ after moves {where} "
            f"and {here}, and OpenSpiel's are equal by {what}"
          )


def _compare(ours, said, games, movers):
  """Raises AssertionError at the first difference, in order of moves."""
  masks = _differences(ours, said, movers)
  anywhere = np.any(list(masks.values()), axis=0)
  if not anywhere.any():
    return
  g, t = (int(i) for i in np.argwhere(anywhere)[0])
  part = next(name for name, mask in masks.items() if mask[g, t])
  here, there = getattr(ours, part)[g, t], getattr(said, part)[g, t]
  place = f"game {g} after moves {games[g][:t]}"
  if part == "observation":
    wrong = ~_close(here, there)
    if movers:
      wrong &= (np.arange(len(wrong)) == said.player[g, t])[:, None]
    player = int(np.argwhere(wrong)[0, 0])
    spots = np.flatnonzero(wrong[player])
    raise AssertionError(
      f"the observation of player {player} in {place} differs from OpenSpiel's "
      f"tensor at {len(spots)} places, first at {spots[0]}: it has "
      f"{here[player, spots[0]]}, and OpenSpiel {there[player, spots[0]]}"
    )
  if part == "legal":
    here, there = np.flatnonzero(here), np.flatnonzero(there)
  raise AssertionError(
    f"`{part}` in {place} is {here.tolist()}, and OpenSpiel's is "
    f"{there.tolist()}"
  )


def _differences(ours, said, movers):
  """Returns, for each part, at which states of which games it differs."""
  moves = said.player[..., None] == np.arange(said.returns.shape[-1])
  observes = moves if movers else np.any(moves, -1, keepdims=True)
  masks = {
    "player": ours.player != said.player,
    "probabilities": (said.player == env_lib.CHANCE)
    & ~_close(ours.probabilities, said.probabilities).all(-1),
    "legal": (ours.legal != said.legal).any(-1),
    "returns": ~_close(ours.returns, said.returns).all(-1),
  }
  if said.observation.shape[-1]:
    sizes = ours.observation.shape[-1], said.observation.shape[-1]
    method_checks.require(
      sizes[0] == sizes[1],
      f"an observation has {sizes[0]} numbers, and OpenSpiel's tensor "
      f"{sizes[1]}",
    )
    same = _close(ours.observation, said.observation).all(-1)
    masks["observation"] = (observes & ~same).any(-1)
  return masks


def _close(a, b):
  # All that is compared is finite.
  return np.abs(a - b) <= 1e-6 + 1e-5 * np.abs(b)
