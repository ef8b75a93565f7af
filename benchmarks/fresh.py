"""Races one solver on one game, in this process.

  python -m benchmarks.fresh --engine=ours --solver=cfr_plus --game=kuhn_poker
  python -m benchmarks.fresh --engine=c --solver=cfr_plus --game=leduc_poker

`benchmarks.solvers` starts it once for each cell of its table. It prints one
line of JSON, of which `benchmarks.race` says what it holds.
"""

from collections.abc import Callable
import importlib
import logging
import sys

from benchmarks import race

# The module and the function that build a racer, and the solvers they have.
ENGINES = {
    "ours": ("ours", "start", ("cfr_plus", "pcfr_plus", "magnetic")),
    "openspiel_cpp": ("peers", "openspiel_cpp", ("cfr_plus",)),
    "openspiel_jax_cfr": ("peers", "jax_cfr", ("cfr_plus",)),
    "openspiel_mmd": ("peers", "mmd_dilated", ("magnetic",)),
    "highs": ("peers", "linear_program", ("exact",)),
    "c": ("peers", "c", ("cfr_plus",)),
}


def builder(
    engine: str,
) -> Callable[[str, str, str], Callable[[], race.Racer]]:
  """Imports an engine; returns what prepares a game, solver and precision."""
  module, function, _ = ENGINES[engine]
  return getattr(importlib.import_module(f"benchmarks.{module}"), function)


def main(argv: list[str]) -> None:
  """Races and prints."""
  solvers = dict.fromkeys(s for *_, names in ENGINES.values() for s in names)
  parser = race.parser((__doc__ or "").splitlines()[0], list(solvers))
  parser.add_argument("--engine", required=True, choices=list(ENGINES))
  parser.add_argument(
      "--precision", default="float32", choices=["float32", "float64"]
  )
  given = parser.parse_args(argv)
  if given.solver not in ENGINES[given.engine][2]:
    parser.error(
        f"argument --solver: {given.engine} has {ENGINES[given.engine][2]}, "
        f"not {given.solver!r}"
    )
  # JAX tells at this level which accelerators it did not find.
  logging.getLogger("jax._src.xla_bridge").setLevel(logging.WARNING)
  prepare = builder(given.engine)
  race.main(prepare(given.game, given.solver, given.precision), given)


if __name__ == "__main__":
  main(sys.argv[1:])
