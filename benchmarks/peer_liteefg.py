"""Races LiteEFG, in an environment that has it and OpenSpiel.

  python -m venv liteefg
  liteefg/bin/pip install LiteEFG open_spiel
  liteefg/bin/python -m benchmarks.peer_liteefg --solver=cfr_plus \
    --game=kuhn_poker

It brings older versions of JAX than ours, so that it does not fit into our
environment, and is built from source, with a C++ compiler. Its averages are
linear for both CFR+ and PCFR+, for it has no quadratic ones; magnetic mirror
descent has its own defaults, and its last iterate is judged.
"""

from collections.abc import Callable
import importlib
import importlib.metadata
import os
import sys
import tempfile

from benchmarks import time_to_target

SOLVERS = {
  "cfr_plus": ("CFRplus", "linear-avg-iterate"),
  "pcfr_plus": ("PCFR", "linear-avg-iterate"),
  "magnetic": ("MMD", "last-iterate"),
}


def prepare(game: str, solver: str) -> Callable[[], time_to_target.Racer]:
  """Returns what builds a solver on a game."""
  import LiteEFG  # pyright: ignore[reportMissingImports]
  import pyspiel

  module, iterate = SOLVERS[solver]
  algorithm = importlib.import_module(f"LiteEFG.baselines.{module}")

  def build():
    environment = LiteEFG.OpenSpielEnv(pyspiel.load_game(game))
    graph = algorithm.graph()
    environment.set_graph(graph)

    def advance(count):
      for _ in range(count):
        graph.update_graph(environment)
        environment.update_strategy(graph.current_strategy())

    def exploitability():
      best = environment.exploitability(graph.current_strategy(), iterate)
      return sum(best) / 2

    version = importlib.metadata.version("LiteEFG")
    return time_to_target.Racer(
      advance, exploitability, facts={"version": version}
    )

  return build


def main(argv: list[str]) -> None:
  """Races and prints."""
  with tempfile.TemporaryDirectory() as folder:
    # It keeps games in the home folder.
    os.environ["HOME"] = folder
    time_to_target.main_of_peer(__doc__ or "", list(SOLVERS), prepare, argv)


if __name__ == "__main__":
  main(sys.argv[1:])
