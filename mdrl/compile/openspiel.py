"""OpenSpiel games as arrays: the only module that imports `pyspiel`."""

import contextlib
import difflib
import importlib
import os
import pathlib
import re

import jax
from jaxtyping import Float
import numpy as np
import pyspiel

from mdrl import checks
from mdrl.compile import (
  apart,
  cache,
  enumeration,
  gambit_files,
  history_recorder,
  listed_actions,
  merged_names,
  plain_text,
  policy_bridge,
  tree_limits,
)
from mdrl.games import base as game_lib
from mdrl.games import index as index_lib
from mdrl.games import tree_game, tree_tables

MAX_HISTORIES = tree_limits.MAX_HISTORIES
# In a normal form; OpenSpiel takes time quadratic in their number.
_MAX_STRATEGIES = 1000
_MAX_SEARCHED = 200_000
_MAX_LENGTH = 1000
# Likewise, of a game that is one move of each player.
_MAX_MOVES = 2000
# Games that were read without fault at many parameters. Others may crash or
# hang, and are read in a process of their own, which takes a second more.
_STEADY = re.compile(
  r"battleship|blotto|breakthrough|catch|coordinated_mp|dark_hex(_ir)?"
  r"|first_sealed_auction|goofspiel|kuhn_poker|leduc_poker|lewis_signaling"
  r"|liars_dice(_ir)?|matching_pennies_3p|matrix_\w+|nim|oshi_zumo"
  r"|phantom_ttt(_ir)?|pig|python_kuhn_poker|sheriff|tic_tac_toe"
  r"|tiny_bridge_[24]p|tiny_hanabi|trade_comm|universal_poker"
)


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
    with plain_text.without_messages():
      game = pyspiel.load_game(name)
  except Exception as error:
    raise ValueError(
      f"`game` must be a game string that OpenSpiel loads, got {name!r}: "
      f"{plain_text.line(error)}"
    ) from error
  return sequential(game)


def compile_game(
  game: str | pyspiel.Game,
  *,
  dtype: jax.typing.DTypeLike | None = None,
  max_histories: int = MAX_HISTORIES,
  cache_dir: str | os.PathLike[str] | None = None,
  reaches: bool = False,
  chance: bool = False,
  histories: bool = False,
  progress: tree_limits.Progress | None = None,
) -> tuple[tree_game.TreeGame, index_lib.Index]:
  """Enumerates a game's tree and lays it out.

  Args:
    game: An OpenSpiel game, its string, or the path of an `.efg` or `.nfg`
      file, which `gambit_files` reads; a game object that OpenSpiel read from
      such a file is what OpenSpiel made of it.
    dtype: Floating type of the game; by default JAX's.
    max_histories: The largest tree to enumerate, in histories: decisions,
      chance nodes and terminals. It also allows 200 bytes and 2.5 microseconds
      of processor time for each of them, but no less than 1 GiB and 50 seconds.
      What is bound to take more, by an estimate of its size, is refused once
      100,000 histories were met, or a second has passed.
    cache_dir: Where compiled trees are kept between runs; nowhere if None. A
      game that is not given by its string is not kept, since not all of such a
      game is in its string. A file is known by its content. Where a tree cannot
      be kept, a warning says so.
    reaches: Whether to keep what counterfactual reaches are computed from,
      which Q-values need.
    chance: Whether to keep the moves of chance, which sampling needs.
    histories: Whether to keep the tables of all histories, and what describes
      infostates, which environments and search need. Compiling then takes about
      80 bytes per history more, and a third more time.
    progress: Called now and then with how far the tree is read, from about the
      first second on.

  Returns:
    The game, and the index of its rows by information-state string. Infostates
    of classical dark hex are what a player knows, and have several strings.

  Raises:
    ValueError: If the game is unknown, has imperfect recall, has chance that
      cannot be enumerated, or has too large a tree, or what describes its
      infostates takes too much memory, or the limit is none.
  """
  if not isinstance(game, (str, pyspiel.Game)):
    raise ValueError(
      "`game` must be a game string, the path of a file as a string, or a "
      f"game of OpenSpiel, got {game!r}"
    )
  tree_limits.check_histories(max_histories)
  file = gambit_files.find(game) if isinstance(game, str) else None
  parts = {"reaches": reaches, "chance": chance, "histories": histories}
  if file is not None:
    tables = gambit_files.tables(
      file, max_histories, cache_dir, histories=histories
    )
    return tree_game.build(tables, dtype, **parts)
  dtype = checks.floating_type(dtype)
  name = game if isinstance(game, str) else None
  game = load_game(game) if isinstance(game, str) else sequential(game)
  if name is None:
    tables = enumerate_tree(game, max_histories, progress, histories=histories)
  else:
    tables = cache.through(
      cache_dir,
      cache.key(name, *_files(name)),
      lambda: _read(game, name, max_histories, progress, histories),
      max_histories,
      histories=histories,
    )
  return tree_game.build(tables, dtype, **parts)


def game_string(name: str) -> str:
  """Returns the string by which OpenSpiel loads what `compile_game` compiles.

  OpenSpiel may read a file otherwise than `compile_game`, or not at all.

  Raises:
    ValueError: If there is no such game or file.
  """
  file = gambit_files.find(name)
  return str(load_game(name)) if file is None else file.game_string


def symmetric_payoffs(name: str) -> Float[np.ndarray, "A A"]:
  """Returns the payoff matrix of a symmetric game, strategy by strategy.

  Games that are played in turns are brought to normal form first, with one
  strategy for every plan of action; that form must be small: of at most 1000
  strategies. Others may have 2000 actions.

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
    return game_lib.antisymmetric(*payoffs, name)
  _check_name(name)
  try:
    with plain_text.without_messages():
      game = pyspiel.load_game(name)
    if game.num_players() != 2:
      raise ValueError(
        "`game` must be a symmetric game of two players, got "
        f"{game.num_players()} players in {name}"
      )
    if game.get_type().information == pyspiel.GameType.Information.ONE_SHOT:
      if (moves := game.num_distinct_actions()) > _MAX_MOVES:
        raise ValueError(
          f"`game` must have at most {_MAX_MOVES:,} actions, and {name} has "
          f"{moves:,}; choose a smaller game"
        )
      game = pyspiel.load_matrix_game(name)
    else:
      _check_few_strategies(sequential(game), name)
      game = pyspiel.extensive_to_matrix_game(game)
  except (LookupError, RuntimeError, TypeError, pyspiel.SpielError) as error:
    raise ValueError(
      f"`game` must be a game that OpenSpiel loads as a matrix, got {name!r}:"
      f" {plain_text.line(error)}"
    ) from error
  return game_lib.antisymmetric(
    np.array(game.row_utilities(), float),
    np.array(game.col_utilities(), float),
    name,
  )


def enumerate_tree(
  game: pyspiel.Game,
  max_histories: int = MAX_HISTORIES,
  progress: tree_limits.Progress | None = None,
  *,
  histories: bool = False,
) -> tree_tables.TreeTables:
  """Visits every history of a sequential game once, in this process.

  Args:
    game: The game.
    max_histories: The largest tree to enumerate.
    progress: Told now and then how far the walk is.
    histories: Whether to record all histories.

  Raises:
    ValueError: If the game has imperfect recall or too large a tree, or
      OpenSpiel fails in it.
  """
  recorder = None
  if histories:
    recorder = history_recorder.Recorder(
      game,
      game.num_players(),
      max_histories,
      kind=history_recorder.kind_of(game),
      last_first=True,
    )
  try:
    return enumeration.enumerate_tree(
      game,
      named=game.get_type().provides_information_state_string,
      max_histories=max_histories,
      progress=progress,
      recorder=recorder,
      merged=merged_names.of_game(game),
    )
  except ValueError:
    raise
  except Exception as error:
    # Games written in Python may raise any exception.
    words = plain_text.line(error) or type(error).__name__
    raise ValueError(
      "`game` must be a game whose tree can be read, and OpenSpiel fails in "
      f"{plain_text.title(game)}: {words}; choose another game"
    ) from error


def enumerate_by_name(
  name: str, max_histories: int, progress: tree_limits.Progress
) -> tree_tables.TreeTables:
  """Visits every history of the game that a string stands for."""
  return enumerate_tree(load_game(name), max_histories, progress)


def record_by_name(
  name: str, max_histories: int, progress: tree_limits.Progress
) -> tree_tables.TreeTables:
  """Records every history of the game that a string stands for."""
  game = load_game(name)
  return enumerate_tree(game, max_histories, progress, histories=True)


def _check_name(name):
  if gambit_files.find(name) is not None or re.search("[en]fg_game\\(", name):
    raise ValueError(
      f"`game` must be a game of OpenSpiel itself here, got {name!r}; "
      "`compile_game` reads `.efg` and `.nfg` files, given by their path"
    )
  short = _short_name(name)
  _register_python_games(short, name)
  known = pyspiel.registered_names()
  if short not in known:
    near = difflib.get_close_matches(short, known, n=3, cutoff=0.5)
    hint = (
      f"did you mean {' or '.join(near)}?"
      if near
      else ("`pyspiel.registered_names()` lists all")
    )
    raise ValueError(
      "`game` must be a game of OpenSpiel, or an `.efg` or `.nfg` "
      f"file, got {name!r}: {hint}"
    )
  if short == "blotto":
    listed_actions.check(name)


def _register_python_games(short, name):
  """Registers the games that are written in Python, where one may be meant."""
  if short not in pyspiel.registered_names() or "python_" in name:
    # Importing them takes longer than reading a small game.
    importlib.import_module("open_spiel.python.games")


def _read(game, name, max_histories, progress, histories):
  """Reads the tree of a game, apart from this process if need be."""
  if _is_steady(name) and not apart.fails_early(game):
    return enumerate_tree(game, max_histories, progress, histories=histories)
  function = record_by_name if histories else enumerate_by_name
  walk = f"{__name__}:{function.__name__}"
  return apart.enumerate_tree(walk, name, max_histories, progress)


def _check_few_strategies(game, name):
  """Visits histories until a player is known to have too many strategies."""
  named = game.get_type().provides_information_state_string
  known = set()
  count = [1] * game.num_players()
  for searched, state in enumerate(_histories(game)):
    if state.is_terminal() or state.is_chance_node():
      continue
    player = state.current_player()
    infostate = (
      state.information_state_string(player) if named else state.history_str()
    )
    if (player, infostate) not in known:
      known.add((player, infostate))
      count[player] *= len(state.legal_actions())
    if (
      count[player] > _MAX_STRATEGIES
      or searched > _MAX_SEARCHED
      or state.move_number() > _MAX_LENGTH
    ):
      raise ValueError(
        f"`game` must have at most {_MAX_STRATEGIES} strategies, one for "
        f"every plan of action, {_MAX_SEARCHED:,} histories and "
        f"{_MAX_LENGTH} moves in a row, and {name} has more; choose a "
        "smaller game"
      )


def _histories(game):
  """Yields the states of all histories, depth first."""
  stack = [iter([game.new_initial_state()])]
  while stack:
    state = next(stack[-1], None)
    if state is None:
      stack.pop()
      continue
    yield state
    # Made one by one, as states may be large.
    stack.append(map(state.child, state.legal_actions()))


def _is_steady(name):
  return bool(_STEADY.fullmatch(_short_name(name)))


def _short_name(name):
  return re.split(r"[(\s]", name, maxsplit=1)[0]


def sequential(game: pyspiel.Game) -> pyspiel.Game:
  """Returns a game whose simultaneous moves are successive, hidden ones.

  Raises:
    ValueError: If it cannot be made a tree.
  """
  listed_actions.check_payoffs(game)
  kind, title = game.get_type(), plain_text.title(game)
  if kind.dynamics == pyspiel.GameType.Dynamics.MEAN_FIELD:
    raise ValueError(
      f"`game` must have finitely many players, got the mean-field {title}"
    )
  if kind.chance_mode == pyspiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
    raise ValueError(
      f"`game` must list its chance outcomes, and {title} only samples "
      "them; choose a variant with explicit chance"
    )
  if kind.dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
    game = pyspiel.convert_to_turn_based(game)
    kind = game.get_type()
  if kind.information != pyspiel.GameType.Information.PERFECT_INFORMATION:
    policy_bridge.check_named(game)
  return game


def _files(name):
  """Contents of the files that a game is read from; they belong to its key."""
  contents = []
  for named in re.findall(r"file(?:name)?=([^,]*?)\)*(?:,|$)", name):
    # Parameters that name no file, or are too long to, add nothing.
    with contextlib.suppress(OSError):
      contents.append(pathlib.Path(named).read_bytes())
  return contents
