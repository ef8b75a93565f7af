"""Flags of benchmarks beside other programs."""

from collections.abc import Iterable

from absl import flags

# They belong to the module that asks for them.
flags.disclaim_key_flags()


def define(values: flags.FlagValues, peers: Iterable[str]) -> None:
  """Defines where peers are installed, and where figures are written."""
  for name in peers:
    flags.DEFINE_string(
      f"{name}_python",
      None,
      f"The interpreter of an environment with {name}.",
      flag_values=values,
    )
  flags.DEFINE_string(
    "json",
    None,
    "Also write all figures here, after every game.",
    flag_values=values,
  )
