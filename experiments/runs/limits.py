"""Upper bounds of numbers on a command line, and flags that enforce them."""

import math

from absl import flags

# Flags that are defined here belong to the module that asks for them.
flags.disclaim_key_flags()

# Updates are counted in 32 bits, also where all else has 64.
UPDATES = 2_000_000_000
# Games of one run have consecutive seeds, which must not leave 32 bits either.
SEED = 1_000_000_000
# The rows of a trace, and of what is drawn.
CHECKPOINTS = 10_000
# Runs of one sweep; tables of more than these would not be read.
RUNS = 100_000
BATCH = 1_000_000
CONTEXTS = 1_000_000
GAMES = 1_000_000_000
GAMES_AT_ONCE = 1_000_000
# A matrix of as many in a row takes 3.2 GB.
RESPONSES = 20_000
COMPARISONS = 1_000_000_000
# Threads of a CPU that is taken for so many; JAX starts them all.
CPU_DEVICES = 256
HISTORIES = 2_000_000_000
SAMPLES = 1_000_000
PERIOD = 1_000_000_000


class _Finite(flags.FloatParser):
  """Parses finite numbers within bounds."""

  def parse(self, argument):
    value = super().parse(argument)
    if not math.isfinite(value):
      raise ValueError(f"Expected a finite number, got {argument}")
    return value


def define_float(
  name: str,
  default: float | None,
  text: str,
  lower: float | None = None,
  upper: float | None = None,
  values: flags.FlagValues = flags.FLAGS,
) -> flags.FlagHolder:
  """Defines a flag of a finite number."""
  return flags.DEFINE(
    _Finite(lower, upper),
    name,
    default,
    text,
    flag_values=values,
    serializer=flags.ArgumentSerializer(),
  )
