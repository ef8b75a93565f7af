"""The settings of a run of `solve_game`."""

import dataclasses
import pathlib
import re
from typing import Any

from experiments.registry import entries, game_solvers

# Files of a run, besides those that all runs have.
FILES = ("policy.npz", "convergence.png")

# Settings that determine every number of a run, besides its length.
_DECISIVE = (
  "game",
  "solver",
  "config",
  "precision",
  "checkpoints",
  "seed",
  "equilibrium",
  "equilibrium_temperature",
)
_ALWAYS_SAID = ("step_size", "temperature")


@dataclasses.dataclass(frozen=True)
class Settings:
  """The flags of a run, and the hyper-parameters that they resolve to.

  Attributes:
    game: OpenSpiel's game string, or the path of an `.efg` or `.nfg` file.
    solver: A name in the table of solvers.
    config: All hyper-parameters of that solver.
    out: The folder of the run.
    updates: Number of updates.
    checkpoints: Number of evaluations.
    precision: `float64` or `float32`.
    seed: Of the first policies; 0 is uniform policies.
    max_histories: The largest tree to enumerate.
    cache_dir: Where compiled games and programs are kept; empty for nowhere.
    save_seconds: Time between states saved.
    resume: Whether to go on with the run in `out`.
    overwrite: Whether to delete the run in `out`.
    equilibrium: What the divergence is measured from: `qre`, `aqre` or `nash`;
      None for nothing.
    equilibrium_temperature: Of `qre` and `aqre`, in utility; None for the
      solver's own.
  """

  game: str
  solver: str
  config: dict[str, entries.Value]
  out: pathlib.Path
  updates: int
  checkpoints: int
  precision: str
  seed: int
  max_histories: int
  cache_dir: str
  save_seconds: float
  resume: bool
  overwrite: bool
  equilibrium: str | None
  equilibrium_temperature: float | None

  def as_json(self) -> dict[str, Any]:
    """Returns the flags as JSON holds them."""
    return {**dataclasses.asdict(self), "out": str(self.out)}

  def decisive(self) -> dict[str, Any]:
    """Returns the flags that determine the numbers, besides the updates."""
    return {name: getattr(self, name) for name in _DECISIVE}

  @property
  def conditions(self) -> str:
    """The settings besides game and solver, in one line of a title."""
    defaults = game_solvers.SOLVERS[self.solver].defaults
    parts = [
      f"{name} {value}"
      for name, value in self.config.items()
      if name in _ALWAYS_SAID or value != defaults.get(name)
    ]
    parts.append(f"seed {self.seed}" if self.seed else "from uniform play")
    if self.precision != "float64":
      parts.append(self.precision)
    if self.equilibrium is not None:
      found = f"equilibrium {self.equilibrium}"
      if self.equilibrium_temperature is not None:
        found += f" at temperature {self.equilibrium_temperature:g}"
      parts.append(found)
    return ", ".join(parts)


def default_out(game: str, solver: str) -> pathlib.Path:
  """Returns the default folder of a run."""
  is_file = game.lower().endswith((".efg", ".nfg"))
  name = pathlib.Path(game).stem if is_file else game
  name = re.sub(r"[^A-Za-z0-9.=-]+", "_", name).strip("_")
  return pathlib.Path("runs") / f"{name}_{solver}"
