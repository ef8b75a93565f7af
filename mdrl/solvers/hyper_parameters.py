"""Checks of a solver before it runs: what its class cannot know alone."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mdrl import checks


def check(solver: Any, dtype: Any) -> None:
  """Raises ValueError unless the solver is of parts and numbers that can run.

  Numbers that JAX traces are not known, and pass.

  Args:
    solver: The algorithm and its hyper-parameters.
    dtype: Floating type of the game, in which it computes.
  """
  _check_parts(solver, "solver")
  limits = jnp.finfo(dtype)
  for path, leaf in jax.tree_util.tree_leaves_with_path(solver):
    name = f"solver{jax.tree_util.keystr(path)}"
    if checks.is_traced(leaf) or jnp.issubdtype(
      getattr(leaf, "dtype", float), jax.dtypes.prng_key
    ):
      continue
    numbers = _numbers(leaf)
    if numbers is None:
      raise ValueError(
        f"`{name}` must be a number or an instance of mdrl's classes, got "
        f"{leaf!r}; schedules.Function makes a schedule of a function"
      )
    if numbers.dtype.kind != "f":
      continue
    size = np.abs(numbers[np.isfinite(numbers) & (numbers != 0)])
    if (size > float(limits.max)).any() or (size < float(limits.tiny)).any():
      raise ValueError(
        f"`{name}` must fit {dtype}, from {limits.tiny:.0e} to "
        f"{limits.max:.0e}, got {leaf}; choose another number, or a game of "
        "dtype float64 with jax_enable_x64"
      )


def _numbers(leaf):
  """Returns a leaf as an array; None where it is none."""
  try:
    numbers = np.asarray(leaf)
  except (TypeError, ValueError):
    return None
  return numbers if numbers.dtype.kind in "biufV" else None


def _check_parts(part, name):
  """Refuses parts that are missing, as None is no leaf."""
  if not dataclasses.is_dataclass(part) or isinstance(part, type):
    return
  for field in dataclasses.fields(part):
    value = getattr(part, field.name)
    inner = f"{name}.{field.name}"
    if value is None and field.default is not None:
      raise ValueError(f"`{inner}` must be given, got None")
    _check_parts(value, inner)
