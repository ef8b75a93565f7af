"""Environments that are small enough, as tree games.

All histories of one depth are stepped at once, on the device, so that millions
take seconds. Infostates are told apart by the environment's own keys.
"""

import collections
from collections.abc import Callable
import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mdrl import checks, tiers
from mdrl.compile import tree_limits
from mdrl.envs import base as env_lib
from mdrl.envs import level_tables
from mdrl.games import index as index_lib
from mdrl.games import tree_game, tree_tables

# Numbers of histories that programs are compiled for: few, as each takes about
# a second to compile, and padding to the next takes less.
_SIZES = (2**8, 2**13, 2**17)


def compile_environment(
  environment: env_lib.Environment[Any],
  *,
  dtype: jax.typing.DTypeLike | None = None,
  max_histories: int = tree_limits.MAX_HISTORIES,
  reaches: bool = False,
  chance: bool = False,
) -> tuple[tree_game.TreeGame, index_lib.Index]:
  """Enumerates an environment's histories, and lays their tree out.

  Args:
    environment: The environment. Moves of chance are its own: those that it
      joins stay joined.
    dtype: Floating type of the game; by default the environment's.
    max_histories: The largest tree to enumerate, in histories: decisions,
      chance nodes and terminals. The states of all are held at once.
    reaches: Whether to keep what counterfactual reaches are computed from.
    chance: Whether to keep the moves of chance.

  Returns:
    The game with its history tables, and the index of its rows by the names
    that the environment has for information states. What describes infostates
    are the environment's observations.

  Raises:
    ValueError: If the tree is too large, or the environment has imperfect
      recall or offers different actions throughout an infostate.
  """
  tables = enumerate_tree(environment, max_histories)
  return tree_game.build(
    tables,
    checks.floating_type(environment.dtype if dtype is None else dtype),
    reaches=reaches,
    chance=chance,
    histories=True,
  )


def enumerate_tree(
  environment: env_lib.Environment[Any],
  max_histories: int = tree_limits.MAX_HISTORIES,
) -> tree_tables.TreeTables:
  """Visits every history of an environment once, depth by depth.

  Args:
    environment: The environment.
    max_histories: The largest tree to enumerate.

  Raises:
    ValueError: As `compile_environment` says.
  """
  tree_limits.check_histories(max_histories)
  levels, states = [], []
  here = jax.tree.map(lambda leaf: np.asarray(leaf)[None], environment.root())
  move, chance = np.array([-1]), np.array([False])
  found = 1
  while len(move):
    level = _described(environment, here, move)
    levels.append(level)
    states.append(here)
    parent, move = level_tables.children(level)
    found += len(move)
    if found > max_histories:
      raise ValueError(
        f"`environment` must have at most {max_histories:,} histories, and has "
        f"{found:,} or more; choose a smaller one, or raise `max_histories` if "
        "there is as much memory"
      )
    chance = level.player[parent] == env_lib.CHANCE
    above = jax.tree.map(lambda leaf, parent=parent: leaf[parent], here)
    here = _in_chunks(_behind, environment, (above, move, chance))
  tree = level_tables.number(levels, environment.num_players)
  every = jax.tree.map(lambda *leaves: np.concatenate(leaves), *states)
  names = _names(environment, tree)
  tables = level_tables.build(
    tree,
    names=tuple(tuple(row[0] for row in rows) for rows in names),
    features=_features(environment, tree, every),
  )
  if all(len(row) == 1 for rows in names for row in rows):
    return tables
  aliases = tuple(tuple(row[1:] for row in rows) for rows in names)
  return tables._replace(aliases=aliases)


def _described(environment, states, move):
  player, legal, outcomes, returns, key = _in_chunks(
    _seen, environment, (states,)
  )
  chance, ends = player == env_lib.CHANCE, player == env_lib.TERMINAL
  decides = player >= 0
  return level_tables.Level(
    player=player,
    move=move,
    key=key[decides],
    legal=legal[decides],
    outcomes=outcomes[chance],
    returns=returns[ends],
  )


def _names(environment, tree):
  """Returns what the infostates of each player are called."""
  names = tuple(
    tuple(environment.names(key, player) for key in tree.key[first])
    for player, first in enumerate(tree.first_decision)
  )
  for player, own in enumerate(names):
    count = collections.Counter(itertools.chain.from_iterable(own))
    for name, times in count.most_common(1):
      if times > 1:
        raise ValueError(
          "`environment` must name every information state differently, and "
          f"player {player} has several of the name {name!r}; let `names` tell "
          "them apart"
        )
  return names


def _features(environment, tree, states):
  """Returns what each player sees at the first history of each infostate."""
  features = []
  for player, first in enumerate(tree.first):
    seen = jax.tree.map(lambda leaf, first=first: leaf[first], states)
    players = np.full(len(first), player, np.int32)
    features.append(_in_chunks(_observed, environment, (seen, players)))
  return features


@functools.partial(jax.vmap, in_axes=(None, 0))
def _seen_by_one(environment, state):
  player = environment.current_player(state)
  mover = jnp.maximum(player, 0)
  chance = player == env_lib.CHANCE
  outcomes = jnp.zeros((0,), environment.dtype)
  if environment.num_outcomes:
    outcomes = environment.outcomes(state)
    outcomes = jnp.where(chance, outcomes, jnp.zeros_like(outcomes))
  return (
    player,
    environment.legal_actions(state),
    outcomes,
    environment.returns(state),
    environment.information_state(state, mover),
  )


@functools.partial(jax.vmap, in_axes=(None, 0, 0, 0))
def _behind_one(environment, state, move, chance):
  acted = environment.act(state, move)
  if not environment.num_outcomes:
    return acted
  return env_lib.where(chance, environment.resolve(state, move), acted)


_seen = tiers.quick(_seen_by_one)
_behind = tiers.quick(_behind_one)
_observed = tiers.quick(
  jax.vmap(
    lambda environment, state, player: environment.observation(state, player),
    in_axes=(None, 0, 0),
  )
)


def _in_chunks(
  function: Callable[..., Any], environment: Any, arrays: Any
) -> Any:
  """Calls a program on arrays of any length, in pieces of few sizes."""
  size = len(jax.tree.leaves(arrays)[-1])
  pieces, start = [], 0
  while start < size or not pieces:
    room = next((n for n in _SIZES if n >= size - start), _SIZES[-1])
    stop = min(start + room, size)

    def piece(leaf, start=start, stop=stop, room=room):
      part = leaf[start:stop]
      # Padding repeats what is there, so that it is as valid.
      return (
        np.resize(part, (room, *leaf.shape[1:]))
        if size
        else np.zeros((room, *leaf.shape[1:]), leaf.dtype)
      )

    results = function(environment, *jax.tree.map(piece, arrays))
    pieces.append(
      jax.tree.map(lambda x, n=stop - start: np.asarray(x)[:n], results)
    )
    start = stop
  return jax.tree.map(lambda *parts: np.concatenate(parts), *pieces)
