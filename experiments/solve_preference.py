"""Compares the solvers of preference games.

  python -m experiments.solve_preference
  python -m experiments.solve_preference --game=rock_paper_scissors --solver=nash_md,egpo
  python -m experiments.solve_preference --game=uniform --responses=100 --batch=64 --temperature=0.1,0.01
  python -m experiments.solve_preference --game=win_rates.csv --reference=random

Prints one line per solver: after how many preference queries, how far from the
regularised equilibrium and from the minimax winner. `--out` then holds
flags.json, trace.jsonl (one line per solver and checkpoint), policy.npz,
comparison.png and, for three responses, simplex.png.
"""  # noqa: E501

from collections.abc import Sequence
import sys

from absl import flags
import rich.box
import rich.console
import rich.table

from experiments import command_line, preference_settings, program


def main(
    argv: Sequence[str], values: flags.FlagValues = flags.FLAGS
) -> None:
  """Runs what the flags ask for."""
  del argv
  if preference_settings.answered(values):
    return
  with command_line.errors_in_one_line("solve_preference"):
    settings = preference_settings.read(values, "preference")
    command_line.quieten()
    # JAX takes seconds to import, and whoever asked for help does not wait.
    from experiments import preference_loop

    outcome = preference_loop.solve(settings)
    preference_loop.write(settings, outcome)
  print(outcome.described)
  show(outcome.lines)
  print(f"see {settings.out}")
  if outcome.failures:
    command_line.fail("solve_preference", "; ".join(outcome.failures))


def show(table_lines: Sequence[Sequence[str]]) -> None:
  """Prints a table whose first line is its head."""
  grid = rich.table.Table(box=rich.box.SIMPLE_HEAD)
  for number, name in enumerate(table_lines[0]):
    grid.add_column(name, justify="right" if number else "left")
  for line in table_lines[1:]:
    grid.add_row(*line)
  width = None if sys.stdout.isatty() else 160
  rich.console.Console(width=width).print(grid)


def run() -> None:
  """Runs this program."""
  program.run(
      "experiments.solve_preference", __doc__, main, preference_settings.parse
  )


if __name__ == "__main__":
  run()
