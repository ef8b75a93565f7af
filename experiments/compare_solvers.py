"""Measures how long solvers take to reach given exploitabilities.

  python -m experiments.compare_solvers
  python -m experiments.compare_solvers --games='kuhn_poker;leduc_poker' --solvers=cfr_plus,magnetic

Prints, for each game and solver, the updates, CPU seconds and wall seconds
after which the exploitability of its result (the last or the average iterate,
as `solve_game --list_solvers` says) was first seen below each target.
Compilation is a column of its own, and evaluations are not counted. `--out`
then holds table.csv, the same; trace.jsonl, one line per evaluation as it comes;
flags.json and checkpoint. A comparison that was killed goes on by the same
command with `--resume`.
"""  # noqa: E501

from collections.abc import Sequence
import re

from absl import flags

from experiments.registry import entries, game_solvers
from experiments.runs import (
  command_line,
  game_strings,
  limits,
  program,
  run_flags,
  tables,
)
from experiments.runs import folder as folder_lib

# Characters of a folder's name.
_LONGEST = 100


def define(values: flags.FlagValues) -> None:
  """Defines the flags, as those of the program that runs."""
  command_line.define_key_flags(values, _define)


def _define(values):
  flags.DEFINE_string(
    "games",
    "kuhn_poker;leduc_poker;liars_dice(dice_sides=4)",
    "OpenSpiel game strings, separated by semicolons outside of brackets.",
    flag_values=values,
  )
  flags.DEFINE_string(
    "solvers",
    "all",
    "Names of `solve_game --list_solvers`, separated by commas, or all.",
    flag_values=values,
  )
  flags.DEFINE_list(
    "targets",
    ["1e-1", "1e-2", "1e-3"],
    "Exploitabilities to reach.",
    flag_values=values,
  )
  flags.DEFINE_integer(
    "max_updates",
    20_000,
    "Updates after which a solver is given up.",
    1,
    limits.UPDATES,
    flag_values=values,
  )
  limits.define_float(
    "evaluation_ratio",
    1.1,
    "Updates from one evaluation to the next, as a "
    "ratio: what is reported is late by this at most.",
    1.001,
    1000.0,
    values,
  )
  run_flags.define_tree(values)
  run_flags.define_precision(values)
  flags.DEFINE_string(
    "out",
    None,
    "Folder of the comparison; by default runs/compare_<games>_<solvers>.",
    flag_values=values,
  )
  run_flags.define_saving(values, "comparison")


def parse(argv: Sequence[str]) -> list[str]:
  """Defines the flags and parses them."""
  define(flags.FLAGS)
  return program.parse(argv)


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Runs what the flags ask for."""
  del argv
  command_line.quieten()
  given = values.flag_values_dict()
  with command_line.running("compare_solvers") as interrupts:
    games = _games(given["games"])
    targets = _targets(given["targets"])
    asked = given | {
      "games": games,
      "solvers": entries.choose(
        "solvers", given["solvers"], game_solvers.SOLVERS
      ),
      "targets": targets,
    }
    out = _out(given)
    with folder_lib.Folder(
      out,
      "compare_solvers",
      ("table.csv",),
      resume=given["resume"],
      overwrite=given["overwrite"],
    ) as folder:
      # JAX takes seconds to import, and whoever asked for help does not wait.
      from experiments.comparing import compare

      outcome = compare.compare(asked, folder, interrupts)
  _show(outcome.rows, targets)
  print(f"see {out}")
  if outcome.failures:
    command_line.fail("compare_solvers", "; ".join(outcome.failures))


def _out(given):
  """Returns the folder of the run."""
  out = given["out"]
  if out and out.lower().endswith(".csv"):
    raise ValueError(
      "`--out` must be a folder, in which the table is table.csv, got "
      f"{out}; leave .csv out"
    )
  name = f"{given['games']}_{given['solvers']}"
  name = re.sub(r"[^A-Za-z0-9.=-]+", "_", name)[:_LONGEST].strip("_")
  return run_flags.folder(out, f"runs/compare_{name}")


def _games(text):
  games = game_strings.split(text)
  if len(set(games)) < len(games):
    raise ValueError(f"`--games` must name each game once, got {text!r}")
  return games


def _targets(texts):
  try:
    targets = sorted({float(text) for text in texts}, reverse=True)
  except ValueError:
    targets = []
  if not targets or not targets[-1] > 0:
    raise ValueError(f"`--targets` must be positive numbers, got {texts}")
  if len({f"{target:g}" for target in targets}) < len(targets):
    raise ValueError(
      "`--targets` must differ within six digits, as columns are named by "
      f"them, got {texts}"
    )
  return targets


def _show(rows, targets):
  """Prints a table for each game."""
  head = ["solver", "result", "compiled\nin"]
  head += [f"{target:g}: updates,\nCPU s, wall s" for target in targets]
  head.append("at the end")
  for game in dict.fromkeys(row["game"] for row in rows):
    lines = [_cells(row, targets) for row in rows if row["game"] == game]
    print(f"{game}\n\n{tables.text(head, lines, tables.page_width())}\n")


def _cells(row, targets):
  cells = [row["solver"], row["result"], f"{row['compile_seconds']:.1f} s"]
  for target in targets:
    updates = row[f"updates_{target:g}"]
    cells.append(
      "-"
      if updates is None
      else f"{updates:,}  {row[f'cpu_seconds_{target:g}']:.3f}  "
      f"{row[f'wall_seconds_{target:g}']:.3f}"
    )
  gap = row["exploitability"]
  shown = "no number" if gap is None else f"{gap:.1e}"
  return [*cells, f"{shown} at {row['updates']:,}"]


def run() -> None:
  """Runs this program."""
  program.run("experiments.compare_solvers", __doc__, main, parse)


if __name__ == "__main__":
  run()
