"""What the registry holds of a solver.

Importing this does not import JAX, so that `--help` answers at once.
"""

from collections.abc import Callable, Mapping
import dataclasses
import importlib
from typing import Any

Value = float | int | bool | str


@dataclasses.dataclass(frozen=True)
class Field:
  """A hyper-parameter.

  Attributes:
    type: What its values are.
    help: Its meaning and unit, in one line.
    most: The largest value, for whole numbers from 1 on.
  """

  type: type
  help: str
  most: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
  """A solver.

  Attributes:
    title: What papers call it.
    summary: What it is, in one line.
    paper: Where it is from.
    approaches: What approaches an equilibrium in two-player zero-sum games; of
      solvers of preference games, what they approach.
    rate: How fast, where that is proved.
    reports: The iterate that is the result, `last` or `average`.
    defaults: Its hyper-parameters, all of which can be set.
    factory: What makes the solver of keyword arguments, as `module:function`
      or `module:class`.
    fields: Those of its hyper-parameters that no other solver has.
    context: What its factory takes besides `defaults`; of preference games
      `temperature`, that of the regularised game, and `seed`, that of its
      samples.
    explicit: Whether its step may not pass the reference, which holds for
      step sizes up to 1 / temperature. Solvers of preference games alone.
  """

  title: str
  summary: str
  paper: str
  approaches: str
  rate: str = ""
  reports: str = "last"
  defaults: Mapping[str, Value]
  factory: str
  fields: Mapping[str, Field] = dataclasses.field(default_factory=dict)
  context: tuple[str, ...] = ()
  explicit: bool = False

  def load(self) -> Callable[..., Any]:
    """Imports and returns what makes the solver."""
    module, _, name = self.factory.partition(":")
    return getattr(importlib.import_module(module), name)


def choose(flag: str, text: str, solvers: Mapping[str, Entry]) -> list[str]:
  """Returns the names in a comma-separated list, or all of them.

  Args:
    flag: Name of the flag that the list comes from.
    text: The list, or `all`.
    solvers: Those that there are.

  Raises:
    ValueError: If there is no such solver, or one is named twice.
  """
  if text == "all":
    return list(solvers)
  names = [name.strip() for name in text.split(",") if name.strip()]
  for name in names:
    if name not in solvers:
      raise ValueError(
        f"`--{flag}` must be all, or some of {', '.join(solvers)}, got {name!r}"
      )
  if not names or len(set(names)) < len(names):
    raise ValueError(f"`--{flag}` must name each solver once, got {text!r}")
  return names
