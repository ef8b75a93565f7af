"""Plays the policy of every solver of preference games against every other's.

  python -m experiments.preference_league
  python -m experiments.preference_league --game=uniform --batch=10

Takes the flags of `solve_preference`. Prints the win rate of each row against
each column, in percent and as a mean over games; and of each contestant the
least of these, and the win rate that a best response holds it to, as a mean
over games and in the worst game. A minimax winner is held to 50 %, and no one
to more. The reference, the regularised equilibrium of the first temperature and
a minimax winner take part. `--out` holds the files of `solve_preference`,
league.csv and league.png.
"""

from collections.abc import Sequence

from absl import flags

from experiments.preferences import settings as settings_lib
from experiments.runs import command_line, csv_file, program
from experiments.runs import folder as folder_lib

_FILES = (*settings_lib.FILES, "league.csv", "league.png")


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Runs what the flags ask for."""
  del argv
  if settings_lib.answered(values):
    return
  with command_line.running("preference_league") as interrupts:
    settings = settings_lib.read(values, "league")
    command_line.quieten()
    with folder_lib.Folder(
      settings.out,
      "preference_league",
      _FILES,
      resume=settings.resume,
      overwrite=settings.overwrite,
    ) as folder:
      # JAX takes seconds to import, and whoever asked for help does not wait.
      from experiments.preferences import league_table, plots, solve
      from experiments.runs import figures

      outcome = solve.solve(settings, folder, interrupts)
      league = league_table.play(outcome)
      title = f"{outcome.described}\n{settings.conditions}"
      figure = plots.draw_league(*league, title)
      with interrupts.noted():
        solve.write(settings, outcome, folder)
        folder.write(
          "league.csv", lambda file: csv_file.write(file, league.rows())
        )
        folder.write("league.png", lambda file: figures.save(file, figure))
  print(f"{outcome.described}\n{settings.conditions}")
  print(league_table.text(league))
  print(f"see {settings.out}")
  if outcome.failures:
    command_line.fail("preference_league", "; ".join(outcome.failures))


def run() -> None:
  """Runs this program."""
  program.run(
    "experiments.preference_league", __doc__, main, settings_lib.parse
  )


if __name__ == "__main__":
  run()
