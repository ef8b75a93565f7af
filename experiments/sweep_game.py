"""Solves a game at every setting of a grid, in one compiled program.

  python -m experiments.sweep_game
  python -m experiments.sweep_game --game=kuhn_poker --seeds=4 --grid='step_size=0.1,0.2,0.5'

All settings and seeds are one batch, shared among the devices. `--out` then
holds table.csv, one row per setting, seed and evaluation; trace.jsonl, the same
as it comes; flags.json; heatmap.png, the exploitability at the end; and
checkpoint. Prints the best settings, by the median over seeds. A sweep that was
killed goes on by the same command with `--resume`, and ends with the same
numbers.
"""  # noqa: E501

from collections.abc import Sequence

from absl import flags

from experiments.registry import game_solvers
from experiments.runs import command_line, limits, program, run_flags
from experiments.runs import folder as folder_lib
from experiments.solving import settings as settings_lib
from experiments.sweeping import grid as grid_lib

_FILES = ("table.csv", "heatmap.png")

_GRID = (
  "step_size=0.25,0.5,0.75,1,1.5,2,3,4;"
  "temperature=0.0125,0.025,0.05,0.1,0.2,0.4,0.8,1.6"
)


def define(values: flags.FlagValues) -> None:
  """Defines the flags, as those of the program that runs."""
  for part in (_define_settings, _define_run):
    command_line.define_key_flags(values, part)


def _define_settings(values):
  """What is run."""
  flags.DEFINE_string(
    "game",
    "leduc_poker",
    "OpenSpiel's game string, or the path of an .efg or .nfg file.",
    flag_values=values,
  )
  flags.DEFINE_enum(
    "solver",
    "magnetic",
    list(game_solvers.SOLVERS),
    "The algorithm.",
    flag_values=values,
  )
  flags.DEFINE_string(
    "grid",
    _GRID,
    "Values of hyper-parameters, as NAME=VALUE,VALUE;NAME=VALUE.",
    flag_values=values,
  )
  flags.DEFINE_string(
    "fixed",
    "",
    "Other hyper-parameters that are not the solver's default, "
    "as NAME=VALUE;NAME=VALUE.",
    flag_values=values,
  )


def _define_run(values):
  """How it is run, and where the results go."""
  flags.DEFINE_integer(
    "seeds",
    1,
    "First policies for each setting: uniform ones, and random "
    "ones from the second on.",
    1,
    limits.RUNS,
    flag_values=values,
  )
  run_flags.define_length(values, updates=1000, checkpoints=20)
  run_flags.define_precision(values)
  flags.DEFINE_integer(
    "cpu_devices",
    0,
    "Devices that JAX makes of a CPU; 0 makes one of every core.",
    0,
    limits.CPU_DEVICES,
    flag_values=values,
  )
  run_flags.define_tree(values)
  flags.DEFINE_string(
    "out",
    None,
    "Folder of the sweep; by default runs/sweep_<game>_<solver>.",
    flag_values=values,
  )
  run_flags.define_saving(values, "sweep")


def parse(argv: Sequence[str]) -> list[str]:
  """Defines the flags and parses them."""
  define(flags.FLAGS)
  return program.parse(argv)


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Runs what the flags ask for."""
  del argv
  command_line.quieten()
  given = values.flag_values_dict()
  with command_line.running("sweep_game") as interrupts:
    grid = grid_lib.read(
      given["solver"], given["grid"], given["fixed"], given["seeds"]
    )
    name = settings_lib.default_out(given["game"], given["solver"])
    with folder_lib.Folder(
      run_flags.folder(given["out"], name.with_name(f"sweep_{name.name}")),
      "sweep_game",
      _FILES,
      resume=given["resume"],
      overwrite=given["overwrite"],
    ) as folder:
      # JAX takes seconds to import, and whoever asked for help does not wait.
      from experiments.sweeping import run_grid

      outcome = run_grid.run_grid(grid, given, folder, interrupts)
  print(outcome)


def run() -> None:
  """Runs this program."""
  program.run("experiments.sweep_game", __doc__, main, parse)


if __name__ == "__main__":
  run()
