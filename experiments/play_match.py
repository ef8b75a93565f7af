"""Lets policies play each other, and says what each of them earns.

  python -m experiments.play_match
  python -m experiments.play_match --game=leduc_poker --policies=runs/leduc,uniform --games=10000

Every deal of luck is played in every seating, so that what luck and seats do to
a policy cancels. Two policies play one match, more of them one for each pair,
and one alone plays itself. Prints mean returns, in the game's own units, with
intervals; `--out` then holds result.json, the same; trace.jsonl, the means as
they came; flags.json and checkpoint. Matches that were killed go on by the same
command with `--resume`, and end with the same numbers.
"""  # noqa: E501

from collections.abc import Sequence

from absl import flags

from experiments.judging import flags_of_judges, result_tables
from experiments.runs import command_line, limits, program, run_flags
from experiments.runs import folder as folder_lib

FILES = ("result.json",)


def define(values: flags.FlagValues) -> None:
  """Defines the flags, as those of the program that runs."""
  command_line.define_key_flags(values, _define)


def _define(values):
  flags_of_judges.define_game(values, "policies")
  flags.DEFINE_list(
    "policies",
    [flags_of_judges.UNIFORM],
    f"Who play, separated by commas: {flags_of_judges.POLICIES}.",
    flag_values=values,
  )
  flags_of_judges.define_luck(
    values, 10_000, "Games of each match, rounded up to whole batches."
  )
  flags.DEFINE_integer(
    "batch",
    1000,
    "Games that are played at once, rounded up to whole deals.",
    1,
    limits.GAMES_AT_ONCE,
    flag_values=values,
  )
  run_flags.define_precision(values)
  run_flags.define_tree(values)
  flags.DEFINE_string(
    "out",
    None,
    "Folder of the matches; by default runs/match_<game>_<policies>.",
    flag_values=values,
  )
  run_flags.define_saving(values, "match")


def parse(argv: Sequence[str]) -> list[str]:
  """Defines the flags and parses them."""
  define(flags.FLAGS)
  return program.parse(argv)


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Runs what the flags ask for."""
  del argv
  command_line.quieten()
  given = values.flag_values_dict()
  with command_line.running("play_match") as interrupts:
    names = flags_of_judges.policies("policies", given["policies"])
    out = flags_of_judges.default_out("match", given["game"], names)
    with folder_lib.Folder(
      run_flags.folder(given["out"], out),
      "play_match",
      FILES,
      resume=given["resume"],
      overwrite=given["overwrite"],
    ) as folder:
      # JAX takes seconds to import, and whoever asked for help does not wait.
      from experiments.judging import play

      outcome = play.play(names, given, folder, interrupts)
  print(result_tables.matches(outcome.result))
  print(outcome.summary)


def run() -> None:
  """Runs this program."""
  program.run("experiments.play_match", __doc__, main, parse)


if __name__ == "__main__":
  run()
