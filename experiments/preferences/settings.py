"""Flags of the binaries on preference games, and their settings."""

from collections.abc import Sequence
import dataclasses
import math
import pathlib
import re
from typing import Any

from absl import flags

from experiments.preferences import named_games
from experiments.registry import entries, preference_solvers
from experiments.runs import command_line, limits, program, run_flags

# Files of a run, besides those that all runs have.
FILES = ("policy.npz", "comparison.png", "simplex.png")

# Flags that determine every number of a run, and the fields that hold them.
_OF_NUMBERS = (
  "game",
  "checkpoints",
  "batch",
  "responses",
  "contexts",
  "seed",
  "reference",
  "flip",
  "comparisons",
  "precision",
  "chunk",
)
_DECISIVE = {
  **{name: name for name in _OF_NUMBERS},
  "solver": "solvers",
  "temperature": "temperatures",
  "step_size": "step_sizes",
}

# Flags whose values are fields of the same name.
_SAME = (
  *_OF_NUMBERS,
  "updates",
  "cache_dir",
  "save_seconds",
  "resume",
  "overwrite",
)


@dataclasses.dataclass(frozen=True)
class Settings:
  """The settings of a run.

  Attributes:
    game: A name of the table with parameters, a file, or `openspiel:GAME`.
    solvers: Names in the table of solvers.
    config: Hyper-parameters of each solver besides step and temperature.
    temperatures: Swept over.
    step_sizes: Swept over; empty for each solver's own.
    updates: Number of updates.
    checkpoints: Number of evaluations.
    batch: Number of games.
    responses: Of random games; None for the default.
    contexts: Of random games.
    seed: Of the first game.
    reference: `uniform`, `skewed` or `random`.
    flip: Probability that a rater errs.
    comparisons: Of each pair, or None for exact preferences.
    precision: `float64` or `float32`.
    chunk: Games that move together, or None.
    cache_dir: Where compiled programs are kept; empty for nowhere.
    out: The folder of the run.
    save_seconds: Time between states saved.
    resume: Whether to go on with the run in `out`.
    overwrite: Whether to delete the run in `out`.
  """

  game: str
  solvers: list[str]
  config: dict[str, dict[str, float]]
  temperatures: list[float]
  step_sizes: list[float]
  updates: int
  checkpoints: int
  batch: int
  responses: int | None
  contexts: int
  seed: int
  reference: str
  flip: float
  comparisons: int | None
  precision: str
  chunk: int | None
  cache_dir: str
  out: pathlib.Path
  save_seconds: float
  resume: bool
  overwrite: bool

  def as_json(self) -> dict[str, Any]:
    """Returns the flags as JSON holds them."""
    return {**dataclasses.asdict(self), "out": str(self.out)}

  def decisive(self) -> dict[str, Any]:
    """Returns the flags that determine the numbers, besides the updates."""
    return {flag: getattr(self, field) for flag, field in _DECISIVE.items()}

  @property
  def conditions(self) -> str:
    """The settings besides game and solvers, in one line of a title."""
    shown = ", ".join(f"{value:g}" for value in self.temperatures)
    parts = [
      f"temperature{'s' * (len(self.temperatures) > 1)} {shown}",
      f"{self.reference} reference",
      f"seed {self.seed}",
      f"{self.updates:,} updates",
    ]
    if self.flip:
      parts.append(f"raters err with probability {self.flip:g}")
    if self.comparisons:
      parts.append(f"{self.comparisons:,} comparisons of each pair")
    if self.precision != "float64":
      parts.append(self.precision)
    return ", ".join(parts)


def define(values: flags.FlagValues) -> None:
  """Defines the flags, as those of the program that runs."""
  for part in (
    _define_games,
    _define_raters,
    _define_run,
    _define_lists,
    _define_config,
  ):
    command_line.define_key_flags(values, part)


def _define_games(values):
  """Defines the flags of the games."""
  flags.DEFINE_string(
    "game",
    "cyclic_dice",
    "A game of --list_games, with parameters as in "
    "three_raters(epsilon=0.1), a .csv or .npy file of win rates, or "
    "openspiel:GAME.",
    flag_values=values,
  )
  flags.DEFINE_integer(
    "batch",
    1,
    "Number of games, of consecutive seeds.",
    1,
    limits.BATCH,
    flag_values=values,
  )
  flags.DEFINE_integer(
    "responses",
    None,
    "Responses of a random game; 10 by default.",
    2,
    limits.RESPONSES,
    flag_values=values,
  )
  flags.DEFINE_integer(
    "contexts",
    1,
    "Contexts of each random game.",
    1,
    limits.CONTEXTS,
    flag_values=values,
  )
  flags.DEFINE_integer(
    "seed",
    0,
    "Of the first game, its reference and samples.",
    0,
    limits.SEED,
    flag_values=values,
  )


def _define_raters(values):
  """Defines the flags of reference policies and raters."""
  flags.DEFINE_enum(
    "reference",
    "skewed",
    ["skewed", "uniform", "random"],
    "Policy that solvers start from and regularised ones stay near: skewed "
    "has evenly spaced logits from 1 to -1, random has standard normal ones.",
    flag_values=values,
  )
  limits.define_float(
    "flip", 0.0, "Probability that a rater errs.", 0.0, 0.5, values
  )
  flags.DEFINE_integer(
    "comparisons",
    None,
    "Replace preferences by the win rates of so many "
    "random comparisons of each pair.",
    1,
    limits.COMPARISONS,
    flag_values=values,
  )


def _define_run(values):
  """Defines the flags of solvers, lengths and files."""
  flags.DEFINE_string(
    "solver",
    "all",
    "Names of --list_solvers, separated by commas, or all.",
    flag_values=values,
  )
  flags.DEFINE_list(
    "temperature",
    ["0.1"],
    "Weight of the divergence from the reference, in "
    "units of preference probability; several make a sweep.",
    flag_values=values,
  )
  flags.DEFINE_list(
    "step_size",
    [],
    "A step in units of 1 / probability, whatever the paper "
    "calls it; several make a sweep; by default each solver's own.",
    flag_values=values,
  )
  run_flags.define_length(values, updates=1000, checkpoints=30)
  run_flags.define_precision(values)
  flags.DEFINE_integer(
    "chunk",
    None,
    "Games that move together; by default as many as fit a "
    "CPU's cache, or all of them on an accelerator.",
    1,
    limits.BATCH,
    flag_values=values,
  )
  run_flags.define_cache(values, "compiled programs")
  flags.DEFINE_string("out", None, "Folder of the run.", flag_values=values)
  run_flags.define_saving(values, "run")


def _define_lists(values):
  """Defines the flags that print a list instead of running."""
  flags.DEFINE_bool(
    "list_solvers",
    False,
    "Print the solvers and their defaults, and exit.",
    flag_values=values,
  )
  flags.DEFINE_bool(
    "list_games",
    False,
    "Print the games and their structure, and exit.",
    flag_values=values,
  )


def _define_config(values):
  """Defines the flags of hyper-parameters that some solvers have."""
  for name, field in preference_solvers.FIELDS.items():
    limits.define_float(name, None, field.help, values=values)


def read(values: flags.FlagValues, folder: str) -> Settings:
  """Returns the settings of the flags.

  Args:
    values: The flags, parsed.
    folder: Name of the run's folder, where `--out` does not say it.

  Raises:
    ValueError: If a flag has a wrong value or does nothing here.
  """
  given = values.flag_values_dict()
  solvers = entries.choose(
    "solver", given["solver"], preference_solvers.SOLVERS
  )
  overrides = {name: given[name] for name in preference_solvers.FIELDS}
  preference_solvers.check_overrides(solvers, overrides)
  if given["step_size"] and all(
    preference_solvers.step_size(name) is None for name in solvers
  ):
    raise ValueError(
      f"`--step_size` does nothing for {', '.join(solvers)}, which have "
      "steps of their own; leave it out"
    )
  name = re.sub(r"[^A-Za-z0-9.=-]+", "_", pathlib.Path(given["game"]).name)
  return Settings(
    **{key: given[key] for key in _SAME},
    solvers=solvers,
    config={
      name: preference_solvers.resolve(name, overrides) for name in solvers
    },
    temperatures=_numbers("temperature", given["temperature"]),
    step_sizes=_numbers("step_size", given["step_size"]),
    out=run_flags.folder(given["out"], f"runs/{folder}_{name.strip('_')}"),
  )


def _numbers(name, texts):
  numbers = []
  for text in texts:
    try:
      number = float(text)
    except ValueError:
      number = math.nan
    if not 0 < number < math.inf:
      raise ValueError(f"`--{name}` must be positive numbers, got {text!r}")
    numbers.append(number)
  if len(set(numbers)) < len(numbers):
    raise ValueError(f"`--{name}` must name each value once, got {texts}")
  if not numbers and name == "temperature":
    raise ValueError("`--temperature` must name a value, got none")
  return numbers


def parse(argv: Sequence[str]) -> list[str]:
  """Defines the flags and parses them."""
  define(flags.FLAGS)
  return program.parse(argv)


def answered(values: flags.FlagValues) -> bool:
  """Prints the lists that are asked for, and returns whether there were any."""
  asked = values.flag_values_dict()
  if asked["list_solvers"]:
    print(preference_solvers.listing())
  if asked["list_games"]:
    print(named_games.game_listing())
  return asked["list_solvers"] or asked["list_games"]
