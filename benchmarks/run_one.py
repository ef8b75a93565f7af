"""Races one solver on one game, in this process.

  python -m benchmarks.run_one --engine=ours --solver=cfr_plus --game=kuhn_poker
  python -m benchmarks.run_one --engine=c --solver=cfr_plus --game=leduc_poker

`benchmarks.solvers` starts it once for each cell of its table. It prints one
line of JSON, of which `benchmarks.time_to_target` says what it holds.
"""

from collections.abc import Callable
import gc
import logging
import sys

from benchmarks import time_to_target

# The solvers of each.
ENGINES = {
  "ours": ("cfr_plus", "pcfr_plus", "magnetic"),
  "openspiel_cpp": ("cfr_plus",),
  "openspiel_jax_cfr": ("cfr_plus",),
  "openspiel_mmd": ("magnetic",),
  "highs": ("exact",),
  "c": ("cfr_plus",),
}


def prepare(
  engine: str, game: str, solver: str, precision: str
) -> Callable[[], time_to_target.Racer]:
  """Imports what an engine needs; returns what builds a solver on a game."""
  # JAX is not imported for those that do without it.
  if engine == "ours":
    # As `experiments.runs.program` does, whose flags would be imported here.
    gc.set_threshold(50_000)
    from benchmarks import mdrl_solvers

    return mdrl_solvers.prepare(game, solver, precision)
  from benchmarks import peers

  match engine:
    case "openspiel_cpp":
      return peers.openspiel_cpp(game)
    case "openspiel_jax_cfr":
      return peers.jax_cfr(game)
    case "openspiel_mmd":
      return peers.mmd_dilated(game)
    case "highs":
      return peers.linear_program(game)
    case "c":
      return peers.c_program(game, precision)
  raise ValueError(f"`engine` must be one of {list(ENGINES)}, got {engine!r}")


def main(argv: list[str]) -> None:
  """Races and prints."""
  solvers = dict.fromkeys(s for names in ENGINES.values() for s in names)
  parser = time_to_target.parser((__doc__ or "").splitlines()[0], list(solvers))
  parser.add_argument("--engine", required=True, choices=list(ENGINES))
  parser.add_argument(
    "--precision", default="float32", choices=["float32", "float64"]
  )
  given = parser.parse_args(argv)
  if given.solver not in ENGINES[given.engine]:
    parser.error(
      f"argument --solver: {given.engine} has "
      f"{', '.join(ENGINES[given.engine])}, not {given.solver}"
    )
  # JAX tells at this level which accelerators it did not find.
  logging.getLogger("jax._src.xla_bridge").setLevel(logging.WARNING)
  time_to_target.main(
    lambda: prepare(given.engine, given.game, given.solver, given.precision),
    given,
  )


if __name__ == "__main__":
  main(sys.argv[1:])
