"""Flags of every run that is saved as it goes on."""

from absl import flags

from experiments import limits

# Flags that are defined here belong to the module that asks for them.
flags.disclaim_key_flags()


def define(values: flags.FlagValues, kind: str) -> None:
  """Defines them; `kind` is what the folder of `--out` holds."""
  limits.define_float(
      "save_seconds", 5.0, "Seconds between saved states.", 0.0, values=values
  )
  flags.DEFINE_bool(
      "resume", False, f"Go on with the {kind} in --out, if there is one.",
      flag_values=values,
  )
  flags.DEFINE_bool(
      "overwrite", False, f"Delete the {kind} in --out.", flag_values=values
  )
