"""Races noregret, in an environment that has it and OpenSpiel.

  python3.12 -m venv noregret
  noregret/bin/pip install --pre --no-deps noregret
  noregret/bin/pip install numpy scipy open_spiel ordered-set orjson tqdm \
    pokerkit gurobipy
  noregret/bin/python -m benchmarks.peer_noregret --solver=cfr_plus \
    --game=kuhn_poker

Python 3.12 is the least: for older ones, pip finds an older and different
library. Its dependencies are named one by one because it also asks for CUDA and
MKL, which its kernel of NumPy and SciPy, the one that races, does without.
"""

from collections.abc import Callable
import importlib.metadata
import sys

from benchmarks import time_to_target

SOLVERS = {
  "cfr_plus": {"gamma": 1, "prediction": False},
  "pcfr_plus": {"gamma": 2, "prediction": True},
}


def prepare(game: str, solver: str) -> Callable[[], time_to_target.Racer]:
  """Returns what builds a solver on a game."""
  import noregret  # pyright: ignore[reportMissingImports]
  import pyspiel

  def build():
    loaded = pyspiel.load_game(game)
    if loaded.get_type().dynamics == pyspiel.GameType.Dynamics.SIMULTANEOUS:
      loaded = pyspiel.convert_to_turn_based(loaded)
    kernel = noregret.FloatingPointKernel()
    tree = noregret.to_extensive_form_game(
      kernel, noregret.OpenSpielGame(kernel, str(loaded))
    )
    settings = SOLVERS[solver]
    players = [
      noregret.CounterfactualRegretMinimizationPlus(
        kernel, polytope, gamma=settings["gamma"]
      )
      for polytope in tree.sequence_form_polytopes
    ]
    prediction = settings["prediction"]
    plans = [player.output(prediction) for player in players]

    # The loop of `noregret.regret_minimization`, which cannot be gone on with.
    def advance(count):
      for _ in range(count):
        for i, player in enumerate(players):
          player.observe(tree.utility(i, *plans[:i], *plans[i + 1 :]))
          plans[i] = player.output(prediction)

    def exploitability():
      averages = [player.average_strategy for player in players]
      return float(tree.exploitability(*averages))

    version = importlib.metadata.version("noregret")
    return time_to_target.Racer(
      advance, exploitability, facts={"version": version}
    )

  return build


def main(argv: list[str]) -> None:
  """Races and prints."""
  time_to_target.main_of_peer(__doc__ or "", list(SOLVERS), prepare, argv)


if __name__ == "__main__":
  main(sys.argv[1:])
