"""Flags of every run that is saved as it goes on."""

import pathlib

from absl import flags

from experiments.runs import limits

# Flags that are defined here belong to the module that asks for them.
flags.disclaim_key_flags()


def define(values: flags.FlagValues, kind: str) -> None:
  """Defines them; `kind` is what the folder of `--out` holds."""
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
    ValueError: If it is below the home of a user that there is not.
  """
  path = pathlib.Path(out or default)
  try:
    # Shells leave a tilde behind an equals sign as it is.
    return path.expanduser()
  except RuntimeError as error:
    raise ValueError(
      f"`--out` must be a folder, got {path}, of no known user's home"
    ) from error
