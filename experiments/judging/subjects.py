"""What is judged: an environment, and policies for it."""

from collections.abc import Mapping, Sequence
import contextlib
import pathlib
from typing import Any, NamedTuple

import numpy as np

from experiments.judging import flags_of_judges
from experiments.runs import fingerprint as fingerprint_lib
from experiments.runs import program_cache, tree_progress
from mdrl import envs
from mdrl.compile import openspiel
from mdrl.envs import base as env_lib
from mdrl.envs import compiled
from mdrl.games import index as index_lib
from mdrl.games import tree_game
from mdrl.policies import base as policy_lib
from mdrl.policies import saved, table


class Stage(NamedTuple):
  """Where policies play.

  Attributes:
    name: Of the game, as the user gave it.
    env: The game as an environment.
    game: The game compiled; None where it is an environment alone.
    names: Of the compiled game's rows.
  """

  name: str
  env: env_lib.Environment
  game: tree_game.TreeGame | None = None
  names: index_lib.Index | None = None

  @property
  def limits(self) -> tuple[float, float] | None:
    """The least and the greatest return of any player, where it is known."""
    if self.game is None or self.game.histories is None:
      return None
    returns = np.asarray(self.game.histories.returns)
    return float(returns.min()), float(returns.max())


def game_name(given: str | None, flag: str, names: Sequence[str]) -> str:
  """Returns the game: that which is given, or that of the first saved policy.

  Raises:
    ValueError: If a policy cannot be read.
  """
  if given is not None:
    return given
  for name in names:
    if name != flags_of_judges.UNIFORM:
      with _naming(flag, name):
        return saved.game_of(_path(name))
  return flags_of_judges.GAME


def check_game(flag: str, name: str, game: str) -> None:
  """Raises ValueError if a policy is saved, and is one of another game."""
  if name != flags_of_judges.UNIFORM:
    with _naming(flag, name):
      saved.check_game(_path(name), game)


def compile_stage(name: str, given: Mapping[str, Any]) -> Stage:
  """Compiles a game.

  Args:
    name: Of the game.
    given: Flags by name.

  Raises:
    ValueError: If there is no such game, or it is too large.
  """
  game, index = openspiel.compile_game(
    name,
    histories=True,
    max_histories=given["max_histories"],
    cache_dir=program_cache.games_folder(given["cache_dir"]),
    progress=tree_progress.lines(name),
  )
  return Stage(name, compiled.environment(game, index), game, index)


def find_stage(
  name: str, flag: str, names: Sequence[str], given: Mapping[str, Any]
) -> Stage:
  """Returns where policies play: a native environment, or the compiled game.

  Tables are of compiled games. Other policies play in the environment that the
  library has of the game, if there is one.

  Args:
    name: Of the game.
    flag: That the policies come from.
    names: Of the policies.
    given: Flags by name.

  Raises:
    ValueError: If there is no such game or policy.
  """
  for each in names:
    check_game(flag, each, name)
  tabular = [each for each in names if _is_table(flag, each)]
  env = None if tabular else native(name)
  return compile_stage(name, given) if env is None else Stage(name, env)


def native(name: str) -> env_lib.Environment | None:
  """Returns the library's own environment of a game, or None."""
  try:
    return envs.load(name, native=True)
  except ValueError:
    return None


def load_policy(flag: str, name: str, stage: Stage) -> policy_lib.Policy:
  """Returns a policy for the players of a stage.

  Args:
    flag: That it comes from.
    name: `uniform`, or the path of a saved policy.
    stage: Where it plays.

  Raises:
    ValueError: If it cannot be read, or is one of another game.
  """
  if name == flags_of_judges.UNIFORM:
    return table.UniformPolicy()
  with _naming(flag, name):
    return saved.load(
      _path(name), game=stage.name, index=stage.names, dtype=stage.env.dtype
    )


def contents(
  stage: Stage, policies: Mapping[str, policy_lib.Policy]
) -> dict[str, Any]:
  """Returns hashes of what decides results, by what messages call it."""
  found: dict[str, Any] = {}
  path = pathlib.Path(stage.name)
  if path.is_file():
    found[f"file {stage.name}"] = fingerprint_lib.of_file(path)
  found |= fingerprint_lib.versions()
  found["environment"] = fingerprint_lib.of_arrays(stage.env)
  for name, policy in policies.items():
    found[f"policy {name}"] = fingerprint_lib.of_arrays(policy)
  return found


def _is_table(flag, name):
  """Returns whether a policy is a table, whose game must be compiled."""
  if name == flags_of_judges.UNIFORM:
    return False
  with _naming(flag, name):
    return saved.kind_of(_path(name)) == "table"


def _path(name):
  return pathlib.Path(name).expanduser()


@contextlib.contextmanager
def _naming(flag, name):
  """Says which policy an error is about."""
  try:
    yield
  except (ValueError, OSError) as error:
    raise ValueError(f"`--{flag}` has {name!r}: {error}") from error
