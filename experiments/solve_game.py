"""Solves a game, and writes a trace, a policy, a figure and a checkpoint.

  python -m experiments.solve_game
  python -m experiments.solve_game --game=kuhn_poker --solver=cfr_plus
  python -m experiments.solve_game --config.step_size=0.3 --out=runs/small_steps

The folder of the run then holds flags.json, trace.jsonl (one line per
evaluation), policy.npz (`experiments.solving.policy_file` says how to load it),
convergence.png and checkpoint. `--equilibrium` adds the divergence from an
equilibrium to the trace, null where it is infinite. A run that was killed goes
on by the same command with `--resume`, and ends with the same numbers.
"""

from collections.abc import Sequence
import re

from absl import flags
from ml_collections import config_dict, config_flags

from experiments.registry import game_solvers
from experiments.runs import command_line, limits, program, run_flags
from experiments.runs import folder as folder_lib
from experiments.solving import settings as settings_lib

_GAME = flags.DEFINE_string(
  "game",
  "leduc_poker",
  "OpenSpiel's game string, or the path of an .efg or .nfg file.",
)
_SOLVER = flags.DEFINE_enum(
  "solver", "magnetic", list(game_solvers.SOLVERS), "The algorithm."
)
_OUT = flags.DEFINE_string(
  "out", None, "Folder of the run; by default runs/<game>_<solver>."
)
_UPDATES = flags.DEFINE_integer(
  "updates", 40_000, "Number of updates.", 1, limits.UPDATES
)
_CHECKPOINTS = flags.DEFINE_integer(
  "checkpoints",
  50,
  "Number of evaluations, evenly spaced in the logarithm of the updates.",
  1,
  limits.CHECKPOINTS,
)
_PRECISION = flags.DEFINE_enum(
  "precision", "float64", ["float64", "float32"], "Of all numbers."
)
_SEED = flags.DEFINE_integer(
  "seed",
  0,
  "Of the first policies, drawn uniformly; 0 starts from uniform policies.",
  0,
  limits.SEED,
)
_MAX_HISTORIES = flags.DEFINE_integer(
  "max_histories",
  20_000_000,
  "The largest tree to read.",
  1,
  limits.HISTORIES,
)
_CACHE_DIR = flags.DEFINE_string(
  "cache_dir",
  "~/.cache/mdrl",
  "Where trees and compiled programs are kept for later runs; '' for none.",
)
_SAVE_SECONDS = limits.define_float(
  "save_seconds", 5.0, "Seconds between saved states.", 0.0
)
_RESUME = flags.DEFINE_bool(
  "resume", False, "Go on with the run in --out, if there is one."
)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Delete the run in --out.")
_EQUILIBRIUM = flags.DEFINE_enum(
  "equilibrium",
  None,
  ["qre", "aqre", "nash"],
  "Also measure the divergence from this equilibrium: the quantal-response "
  "equilibrium of the normal form or of agents, by root finding, or a Nash "
  "equilibrium, by linear programming; where there are many of those, others "
  "are as good.",
)
_EQUILIBRIUM_TEMPERATURE = limits.define_float(
  "equilibrium_temperature",
  None,
  "Of --equilibrium=qre and aqre, in utility; by default that of the "
  "equilibrium which the solver approaches, if it is one of these.",
)
_LIST_SOLVERS = flags.DEFINE_bool(
  "list_solvers", False, "Print the solvers and their defaults, and exit."
)

# Flags of earlier versions, and what they are called now.
_RENAMED = {
  "reference": "equilibrium",
  "reference_temperature": "equilibrium_temperature",
}


def parse_flags(argv: Sequence[str]) -> list[str]:
  """Parses flags, with the overrides of hyper-parameters among them."""
  command_line.check_renamed("solve_game", argv, _RENAMED)
  for argument in argv[1:]:
    override = re.match(r"--?(?:no)?config\.([^=]*)", argument)
    if override and override[1] not in game_solvers.FIELDS:
      command_line.fail(
        "solve_game",
        f"`--config.{override[1]}` is no hyper-parameter of any solver; "
        f"there are {', '.join(game_solvers.FIELDS)}",
      )
  fields = config_dict.ConfigDict(
    {
      name: config_dict.placeholder(field.type)
      for name, field in game_solvers.FIELDS.items()
    }
  )
  # This looks for overrides at once, so that it needs the arguments here.
  config_flags.DEFINE_config_dict(
    "config", fields, game_solvers.help_text(), sys_argv=list(argv)
  )
  flags.FLAGS["config"].default_as_str = "the solver's own"
  return program.parse(argv)


def main(argv: Sequence[str]) -> None:
  """Runs what the flags ask for."""
  del argv
  if _LIST_SOLVERS.value:
    print(game_solvers.listing())
    return
  command_line.quieten()
  with command_line.running("solve_game") as interrupts:
    settings = _settings()
    with folder_lib.Folder(
      settings.out,
      "solve_game",
      settings_lib.FILES,
      resume=settings.resume,
      overwrite=settings.overwrite,
    ) as folder:
      # JAX takes seconds to import, and whoever asked for help does not wait.
      from experiments.solving import solve

      summary = solve.solve(settings, folder, interrupts)
  print(summary)


def _settings() -> settings_lib.Settings:
  game, solver = _GAME.value, _SOLVER.value
  return settings_lib.Settings(
    game=game,
    solver=solver,
    config=game_solvers.resolve(solver, flags.FLAGS.config.to_dict()),
    out=run_flags.folder(_OUT.value, settings_lib.default_out(game, solver)),
    updates=_UPDATES.value,
    checkpoints=_CHECKPOINTS.value,
    precision=_PRECISION.value,
    seed=_SEED.value,
    max_histories=_MAX_HISTORIES.value,
    cache_dir=_CACHE_DIR.value,
    save_seconds=_SAVE_SECONDS.value,
    resume=_RESUME.value,
    overwrite=_OVERWRITE.value,
    equilibrium=_EQUILIBRIUM.value,
    equilibrium_temperature=_EQUILIBRIUM_TEMPERATURE.value,
  )


def run() -> None:
  """Runs this program."""
  program.run("experiments.solve_game", __doc__, main, parse_flags)


if __name__ == "__main__":
  run()
