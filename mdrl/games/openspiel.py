"""OpenSpiel games as arrays: the only module that imports `pyspiel`."""

import difflib
import os
import pathlib
import re

import jax
from jaxtyping import Float
import numpy as np
from open_spiel.python import policy as policy_lib
import pyspiel

from mdrl.games import (
  base,
  cache,
  enumeration,
  gambit_files,
  tree_game,
  tree_tables,
)
from mdrl.games import index as index_lib

# About a minute, and 4 GiB of memory at most.
MAX_HISTORIES = 20_000_000
# Of a normal form; OpenSpiel takes seconds for the square of their number.
_MAX_STRATEGIES = 1000


def load_game(name: str) -> pyspiel.Game:
  """Loads a game for compilation.

  Args:
    name: OpenSpiel's game string, such as `liars_dice(dice_sides=4)`.

  Returns:
    The game; simultaneous moves become successive, hidden ones.

  Raises:
    ValueError: If there is no such game, or it cannot be made a tree.
  """
  _check_name(name)
  try:
    game = pyspiel.load_game(name)
  except (LookupError, RuntimeError, TypeError, ValueError) as error:
    raise ValueError(
        f"`game` must be a game string that OpenSpiel loads, got {name!r}: "
        f"{error}"
    ) from error
  return _sequential(game)


def compile_game(
    game: str | pyspiel.Game,
    *,
    dtype: jax.typing.DTypeLike | None = None,
    max_histories: int = MAX_HISTORIES,
    cache_dir: str | os.PathLike[str] | None = None,
    reaches: bool = False,
    chance: bool = False,
) -> tuple[tree_game.TreeGame, index_lib.Index]:
  """Enumerates a game's tree and lays it out.

  Args:
    game: An OpenSpiel game, its string, or the path of an `.efg` or `.nfg`
      file, which `gambit_files` reads; a game object that OpenSpiel read from
      such a file is what OpenSpiel made of it.
    dtype: Floating type of the game; by default JAX's.
    max_histories: The largest tree to enumerate, in histories: decisions,
      chance nodes and terminals. What is bound to have more, by an estimate of
      its size, is refused once 100,000 of them were met.
    cache_dir: Where compiled trees are kept between runs; nowhere if None. A
      game that is not given by its string is not kept, since not all of such a
      game is in its string. A file is known by its content.
    reaches: Whether to keep what counterfactual reaches are computed from,
      which Q-values need.
    chance: Whether to keep the moves of chance, which sampling needs.

  Returns:
    The game, and the index of its rows by information-state string.

  Raises:
    ValueError: If the game is unknown, has imperfect recall, has chance that
      cannot be enumerated, or has too large a tree.
  """
  file = gambit_files.find(game) if isinstance(game, str) else None
  if file is not None:
    tables = gambit_files.tables(file, max_histories, cache_dir)
    return tree_game.build(tables, dtype, reaches=reaches, chance=chance)
  name = game if isinstance(game, str) else None
  game = load_game(game) if isinstance(game, str) else _sequential(game)
  if cache_dir is None or name is None:
    tables = enumerate_tree(game, max_histories)
    return tree_game.build(tables, dtype, reaches=reaches, chance=chance)
  key = cache.key(name, *_files(name))
  tables = cache.load(cache_dir, key)
  if tables is None or tables.num_histories > max_histories:
    tables = enumerate_tree(game, max_histories)
    cache.save(cache_dir, key, tables)
  return tree_game.build(tables, dtype, reaches=reaches, chance=chance)


def game_string(name: str) -> str:
  """Returns the string by which OpenSpiel loads what `compile_game` compiles.

  Of a file, OpenSpiel may read something else, or nothing.

  Raises:
    ValueError: If there is no such game or file.
  """
  file = gambit_files.find(name)
  return str(load_game(name)) if file is None else file.game_string


def symmetric_payoffs(name: str) -> Float[np.ndarray, "A A"]:
  """Returns what each strategy of a symmetric game wins from each other.

  Games that are played in turns are brought to normal form first, with one
  strategy for every plan of action; that form must be small: of at most 1000
  strategies.

  Args:
    name: OpenSpiel's game string, such as `blotto(coins=5,fields=3)`, or the
      path of an `.nfg` file.

  Returns:
    The first player's utilities, which are antisymmetric.

  Raises:
    ValueError: If there is no such game, it is not two-player, zero-sum and
      symmetric, or its normal form is large.
  """
  file = gambit_files.find(name)
  if file is not None:
    payoffs = gambit_files.bimatrix(file, MAX_HISTORIES)
    return _antisymmetric(*payoffs, name)
  _check_name(name)
  try:
    game = pyspiel.load_game(name)
    if game.num_players() != 2:
      raise ValueError(
          "`game` must be a symmetric game of two players, got "
          f"{game.num_players()} players in {name}"
      )
    if game.get_type().information == pyspiel.GameType.Information.ONE_SHOT:
      game = pyspiel.load_matrix_game(name)
    else:
      _check_few_strategies(_sequential(game), name)
      game = pyspiel.extensive_to_matrix_game(game)
  except (LookupError, RuntimeError, TypeError, pyspiel.SpielError) as error:
    raise ValueError(
        f"`game` must be a game that OpenSpiel loads as a matrix, got {name!r}:"
        f" {error}"
    ) from error
  return _antisymmetric(
      np.array(game.row_utilities(), float),
      np.array(game.col_utilities(), float),
      name,
  )


def _antisymmetric(first, second, name):
  """Returns what the first player of a symmetric zero-sum game wins."""
  square = first.shape[0] == first.shape[1]
  if not square or not np.allclose(first, -first.T) or not np.allclose(
      first, -second
  ):
    raise ValueError(
        "`game` must be zero-sum and symmetric, so that what row a wins from "
        f"column b is what b wins from a, which {name} is not"
    )
  return first


def enumerate_tree(
    game: pyspiel.Game, max_histories: int = MAX_HISTORIES
) -> tree_tables.TreeTables:
  """Visits every history of a sequential game once.

  Raises:
    ValueError: If the game has imperfect recall or too large a tree.
  """
  return enumeration.enumerate_tree(
      game,
      named=game.get_type().provides_information_state_string,
      max_histories=max_histories,
  )


def to_openspiel(
    game: pyspiel.Game,
    index: index_lib.Index,
    policies: base.Policies,
) -> policy_lib.TabularPolicy:
  """Returns OpenSpiel's table of the same policies.

  Args:
    game: The sequential game that was compiled.
    index: Names of its rows.
    policies: The policy of each player.

  Returns:
    A policy for OpenSpiel's algorithms.
  """
  table = policy_lib.TabularPolicy(game)
  for player, policy in zip(index.players, policies, strict=True):
    for name, probabilities in player.probabilities(np.asarray(policy)).items():
      row = table.policy_for_key(name)
      row[:] = 0
      for action, probability in probabilities.items():
        row[action] = probability
  return table


def from_openspiel(
    index: index_lib.Index, policy: policy_lib.TabularPolicy
) -> tuple[np.ndarray, ...]:
  """Returns the policies over slots of OpenSpiel's table."""
  return tuple(
      player.policy({
          name: dict(enumerate(policy.policy_for_key(name).tolist()))
          for name in player.infostates
      })
      for player in index.players
  )


def _check_name(name):
  if gambit_files.find(name) is not None or re.search("[en]fg_game\\(", name):
    raise ValueError(
        f"`game` must be a game of OpenSpiel itself here, got {name!r}; "
        "`compile_game` reads `.efg` and `.nfg` files, given by their path"
    )
  short = re.split(r"[(\s]", name, maxsplit=1)[0]
  known = pyspiel.registered_names()
  if short not in known:
    near = difflib.get_close_matches(short, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else (
        "`pyspiel.registered_names()` lists all"
    )
    raise ValueError(
        f"`game` must be a game of OpenSpiel or a `.efg` file, got {name!r}: "
        f"{hint}"
    )


def _check_few_strategies(game, name):
  """Visits histories until a player is known to have too many strategies."""
  named = game.get_type().provides_information_state_string
  known = set()
  count = [1] * game.num_players()
  stack = [game.new_initial_state()]
  while stack:
    state = stack.pop()
    if state.is_terminal():
      continue
    actions = state.legal_actions()
    stack.extend(state.child(action) for action in actions)
    if state.is_chance_node():
      continue
    player = state.current_player()
    infostate = (
        state.information_state_string(player) if named else state.history_str()
    )
    if (player, infostate) not in known:
      known.add((player, infostate))
      count[player] *= len(actions)
      if count[player] > _MAX_STRATEGIES:
        raise ValueError(
            f"`game` must have at most {_MAX_STRATEGIES} strategies, one for "
            f"every plan of action, and {name} has more; choose a smaller game"
        )


def _sequential(game):
  kind = game.get_type()
  if kind.dynamics == pyspiel.GameType.Dynamics.MEAN_FIELD:
    raise ValueError(
        f"`game` must have finitely many players, got the mean-field {game}"
    )
  if kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
    raise ValueError(
        f"`game` must list its chance outcomes, and {game} only samples them; "
        "choose a variant with explicit chance"
    )
  if kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
    game = pyspiel.convert_to_turn_based(game)
    kind = game.get_type()
  perfect = pyspiel.GameType.Information.PERFECT_INFORMATION
  if not kind.provides_information_state_string and (
      kind.information != perfect
  ):
    raise ValueError(
        f"`game` must give information-state strings, and {game} does not"
    )
  return game


def _files(name):
  """Contents of the files that a game is read from; they belong to its key."""
  named = re.findall(r"file(?:name)?=([^,]*?)\)*(?:,|$)", name)
  paths = [pathlib.Path(path) for path in (name, *named)]
  return [path.read_bytes() for path in paths if path.is_file()]
