"""The grid of a sweep: which hyper-parameters take which values."""

from collections.abc import Sequence
import dataclasses
import itertools
import math
from typing import Any

from experiments.registry import entries, game_solvers
from experiments.runs import limits

_KINDS = {float: "finite numbers", int: "whole numbers"}


@dataclasses.dataclass(frozen=True)
class Grid:
  """Settings of a solver.

  Attributes:
    solver: Its name in the table.
    names: Hyper-parameters that are swept over.
    settings: Their values, one row per setting.
    fixed: All hyper-parameters; those of `names` at their defaults.
  """

  solver: str
  names: tuple[str, ...]
  settings: tuple[tuple[float, ...], ...]
  fixed: dict[str, entries.Value]

  def values(self, setting: Sequence[Any]) -> dict[str, Any]:
    """Returns all hyper-parameters at one of the settings."""
    return self.fixed | dict(zip(self.names, setting, strict=True))


def read(solver: str, grid: str, fixed: str, seeds: int = 1) -> Grid:
  """Reads a grid.

  Args:
    solver: A name in the table of solvers.
    grid: `NAME=VALUE,VALUE;NAME=VALUE`.
    fixed: `NAME=VALUE;NAME=VALUE`.
    seeds: Runs of each setting.

  Raises:
    ValueError: If the solver has no such hyper-parameter, a value is not one,
      or there are too many runs.
  """
  swept = _swept(solver, grid)
  overrides = _overrides(solver, fixed, swept)
  _check_average(solver, swept, overrides)
  runs = math.prod(len(values) for values in swept.values()) * seeds
  if runs > limits.RUNS:
    raise ValueError(
      f"`--grid` and `--seeds` must make at most {limits.RUNS:,} runs, got "
      f"{runs:,}; name fewer values"
    )
  # Some are read at certain values of others alone, such as powers above 0.
  most = {name: max(values) for name, values in swept.items()}
  values = game_solvers.resolve(solver, overrides | most, flag="")
  defaults = game_solvers.SOLVERS[solver].defaults
  return Grid(
    solver=solver,
    names=tuple(swept),
    settings=tuple(itertools.product(*swept.values())),
    fixed=values | {name: defaults[name] for name in swept},
  )


def _swept(solver, grid):
  """Returns the values of each hyper-parameter that is swept over."""
  swept = {}
  for name, text in _items("grid", grid):
    field = _field("grid", solver, name)
    if field.type not in (float, int):
      raise ValueError(
        f"`--grid` sweeps over numbers, got {name}, which is a choice; set "
        f"it with --fixed={name}=VALUE"
      )
    swept[name] = [
      _number("grid", name, value, field.type) for value in text.split(",")
    ]
    if len(set(swept[name])) < len(swept[name]):
      raise ValueError(f"`--grid` must name each value once, got {name}={text}")
  if not swept:
    raise ValueError(
      f"`--grid` must name a hyper-parameter of {solver}, got {grid!r}"
    )
  return swept


def _overrides(solver, fixed, swept):
  """Returns the values that take the place of defaults."""
  overrides = {}
  for name, text in _items("fixed", fixed):
    kind = _field("fixed", solver, name).type
    if name in swept:
      raise ValueError(f"`--fixed` has {name}, which --grid sweeps over")
    if kind in (float, int):
      overrides[name] = _number("fixed", name, text, kind)
    elif kind is bool:
      if text not in ("true", "false"):
        raise ValueError(f"`--fixed` must be true or false for {name}: {text}")
      overrides[name] = text == "true"
    else:
      overrides[name] = text
  return overrides


def _check_average(solver, swept, overrides):
  """Raises ValueError for weights of an average that is not measured."""
  if game_solvers.SOLVERS[solver].reports != "last":
    return
  for flag, given in (("grid", swept), ("fixed", overrides)):
    if "average_power" in given:
      raise ValueError(
        f"`--{flag}` has average_power, which weighs the average, and a "
        f"sweep of {solver} measures the last iterate alone; leave it out"
      )


def _items(flag, text):
  seen = set()
  for item in filter(None, (part.strip() for part in text.split(";"))):
    name, equals, value = (part.strip() for part in item.partition("="))
    if not equals or not value or name in seen:
      raise ValueError(
        f"`--{flag}` must be NAME=VALUE;NAME=VALUE, each name once, got "
        f"{text!r}"
      )
    seen.add(name)
    yield name, value


def _field(flag, solver, name):
  defaults = game_solvers.SOLVERS[solver].defaults
  if name not in defaults:
    raise ValueError(
      f"`--{flag}` has {name!r}, which is no hyper-parameter of {solver}; it "
      f"has {', '.join(defaults)}"
    )
  return game_solvers.FIELDS[name]


def _number(flag, name, text, kind):
  try:
    number = kind(text)
    finite = math.isfinite(number)
  except (ValueError, OverflowError):
    number, finite = 0, False
  if not finite:
    raise ValueError(
      f"`--{flag}` must give {name} {_KINDS[kind]}, got {text!r}"
    )
  return number
