"""Flags that binaries share."""

import pathlib

from absl import flags

from experiments.runs import limits

# Flags that are defined here belong to the module that asks for them.
flags.disclaim_key_flags()


def define_precision(values: flags.FlagValues) -> None:
  """Defines the flag of the precision of a run."""
  flags.DEFINE_enum(
    "precision",
    "float64",
    ["float64", "float32"],
    "Of all numbers.",
    flag_values=values,
  )


def define_length(
  values: flags.FlagValues, updates: int, checkpoints: int
) -> None:
  """Defines flags of the numbers of updates and evaluations, with defaults."""
  flags.DEFINE_integer(
    "updates",
    updates,
    "Number of updates.",
    1,
    limits.UPDATES,
    flag_values=values,
  )
  flags.DEFINE_integer(
    "checkpoints",
    checkpoints,
    "Number of evaluations, evenly spaced in the logarithm of the updates.",
    1,
    limits.CHECKPOINTS,
    flag_values=values,
  )


def define_tree(values: flags.FlagValues) -> None:
  """Defines flags of the trees that are read, and of where they are kept."""
  flags.DEFINE_integer(
    "max_histories",
    20_000_000,
    "The largest tree to read.",
    1,
    limits.HISTORIES,
    flag_values=values,
  )
  define_cache(values, "trees and compiled programs")


def define_cache(values: flags.FlagValues, kept: str) -> None:
  """Defines the flag of the folder where something is kept."""
  flags.DEFINE_string(
    "cache_dir",
    "~/.cache/mdrl",
    f"Where {kept} are kept for later runs; '' for nowhere.",
    flag_values=values,
  )


def define_saving(values: flags.FlagValues, kind: str) -> None:
  """Defines flags of saved states; `kind` is what the folder of a run holds."""
  limits.define_float(
    "save_seconds", 5.0, "Seconds between saved states.", 0.0, values=values
  )
  flags.DEFINE_bool(
    "resume",
    False,
    f"Go on with the {kind} in --out, if there is one.",
    flag_values=values,
  )
  flags.DEFINE_bool(
    "overwrite", False, f"Delete the {kind} in --out.", flag_values=values
  )


def folder(out: str | None, default: str | pathlib.Path) -> pathlib.Path:
  """Returns the folder of a run: that of `--out`, if one is named.

  Raises:
    ValueError: If it is below the home of an unknown user.
  """
  path = pathlib.Path(out or default)
  try:
    # Shells leave a tilde behind an equals sign as it is.
    return path.expanduser()
  except RuntimeError as error:
    raise ValueError(
      f"`--out` must be a folder, got {path}, of no known user's home"
    ) from error
