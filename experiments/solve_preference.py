"""Compares the solvers of preference games.

  python -m experiments.solve_preference
  python -m experiments.solve_preference --game=rock_paper_scissors --solver=nash_md,egpo
  python -m experiments.solve_preference --game=uniform --responses=100 --batch=64 --temperature=0.1,0.01
  python -m experiments.solve_preference --game=win_rates.csv --reference=random

Prints one line per solver: after how many preference queries, how far from the
regularised equilibrium and from the minimax winner. `--out` then holds
flags.json, trace.jsonl (one line per solver and checkpoint), policy.npz,
checkpoint, comparison.png and, for three responses, simplex.png. A run that was
killed goes on by the same command with `--resume`, and ends with the same
numbers.
"""  # noqa: E501

from collections.abc import Sequence

from absl import flags

from experiments.preferences import settings as settings_lib
from experiments.runs import command_line, program, tables
from experiments.runs import folder as folder_lib


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Runs what the flags ask for."""
  del argv
  if settings_lib.answered(values):
    return
  with command_line.running("solve_preference") as interrupts:
    settings = settings_lib.read(values, "preference")
    command_line.quieten()
    with folder_lib.Folder(
      settings.out,
      "solve_preference",
      settings_lib.FILES,
      resume=settings.resume,
      overwrite=settings.overwrite,
    ) as folder:
      # JAX takes seconds to import, and whoever asked for help does not wait.
      from experiments.preferences import solve

      outcome = solve.solve(settings, folder, interrupts)
      with interrupts.noted():
        solve.write(settings, outcome, folder)
  print(f"{outcome.described}\n{settings.conditions}\n")
  head, *rows = outcome.lines
  # Solver, temperature and step size tell settings apart.
  print(tables.text(head, rows, tables.page_width(), num_keys=3))
  print(f"\nsee {settings.out}")
  if outcome.failures:
    command_line.fail("solve_preference", "; ".join(outcome.failures))


def run() -> None:
  """Runs this program."""
  program.run("experiments.solve_preference", __doc__, main, settings_lib.parse)


if __name__ == "__main__":
  run()
