"""Flags and names that the binaries of judges share."""

from collections.abc import Sequence
import pathlib
import re

from absl import flags

from experiments.runs import limits

UNIFORM = "uniform"
GAME = "kuhn_poker"
# What a policy may be, for `--help`.
POLICIES = (
  "`uniform`, the folder of a run of solve_game or its policy.npz, or a folder "
  "of a saved policy"
)
# What a run of solve_game calls its policy.
_TABLE = "policy.npz"
# Characters of a folder's name.
_LONGEST = 100

# Flags that are defined here belong to the module that asks for them.
flags.disclaim_key_flags()


def define_game(values: flags.FlagValues, policies: str) -> None:
  """Defines the flag of the game; `policies` is the flag of policies."""
  flags.DEFINE_string(
    "game",
    None,
    "OpenSpiel's game string, or the path of an .efg or .nfg file; by default "
    f"the game of the first saved policy of --{policies}, or {GAME}.",
    flag_values=values,
  )


def define_luck(
  values: flags.FlagValues, games: int, text: str, fewest: int = 2
) -> None:
  """Defines flags of the games that are played, and of their intervals."""
  flags.DEFINE_integer(
    "games", games, text, fewest, limits.GAMES, flag_values=values
  )
  limits.define_float(
    "confidence",
    0.95,
    "Probability with which an interval is to hold what it is of.",
    0.5,
    0.999999,
    values,
  )
  flags.DEFINE_integer(
    "seed", 0, "Of all luck.", 0, limits.SEED, flag_values=values
  )


def policies(flag: str, texts: Sequence[str]) -> list[str]:
  """Returns the names of policies, checked as far as they can be without JAX.

  Args:
    flag: That they come from.
    texts: As it holds them.

  Raises:
    ValueError: If there is none, one is named twice, or one is no file.
  """
  names = [text.strip() for text in texts]
  if not names or not all(names) or len(set(map(_place, names))) < len(names):
    raise ValueError(
      f"`--{flag}` must name each policy once, got {','.join(texts)!r}"
    )
  for name in names:
    # A home is not found, or a name is too long for a file.
    try:
      there = name == UNIFORM or pathlib.Path(name).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
      there = False
    if not there:
      raise ValueError(
        f"`--{flag}` must be {POLICIES}, got {name!r}, which is not there"
      )
  return names


def default_out(
  prefix: str, game: str | None, names: Sequence[str]
) -> pathlib.Path:
  """Returns the default folder of a run.

  Args:
    prefix: Of its name.
    game: The game, if it was given.
    names: The policies; of their paths, the last part that tells them apart.
  """
  if game is None and all(name == UNIFORM for name in names):
    game = GAME
  paths = [pathlib.PurePath(name) for name in names if name != UNIFORM]
  saved = [path.parent if path.name == _TABLE else path for path in paths]
  others = [UNIFORM] if len(paths) < len(names) else []
  given = [] if game is None else [pathlib.PurePath(game)]
  parts = [path.name or str(path) for path in given + saved] + others
  name = re.sub(r"[^A-Za-z0-9.=-]+", "_", "_".join((prefix, *parts)))
  return pathlib.Path("runs") / name[:_LONGEST].strip("_")


def _place(name):
  """Returns what is the same for two names of one policy."""
  if name == UNIFORM:
    return name
  try:
    path = pathlib.Path(name).expanduser().resolve()
  except (OSError, RuntimeError, ValueError):
    return name
  return path.parent if path.name == _TABLE else path
