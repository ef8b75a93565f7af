"""Makes the solvers of `preference_solvers` from their hyper-parameters."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.registry import preference_solvers
from mdrl.solvers import base as solver_lib
from mdrl.solvers import comal, nash_mirror_prox, spo_queue, srpo


def make(
  name: str,
  temperature: Any,
  step_size: Any,
  config: Mapping[str, Any],
  seed: Any = 0,
) -> solver_lib.Solver:
  """Returns a solver.

  Args:
    name: Its name in the table.
    temperature: Of the regulariser; solvers without one do not read it.
    step_size: In units of 1 / utility; None where the table has none.
    config: Its other hyper-parameters, all of them.
    seed: Of its samples, if it draws any.

  Raises:
    ValueError: If a value is out of range.
  """
  entry = preference_solvers.SOLVERS[name]
  context = {"temperature": temperature, "seed": seed}
  arguments = {key: context[key] for key in entry.context} | dict(config)
  if "step_size" in entry.defaults:
    arguments["step_size"] = step_size
  return entry.load()(**arguments)


def default_step_size(name: str, temperature: float) -> float | None:
  """Returns the step size of a solver that is not given one."""
  step_size = preference_solvers.step_size(name)
  if step_size is not None and preference_solvers.SOLVERS[name].explicit:
    return min(step_size, 1 / temperature)
  return step_size


def grid(
  name: str, temperatures: list[float], step_sizes: list[float]
) -> list[tuple[float, float | None]]:
  """Returns the temperatures and step sizes that a solver is run with.

  Solvers with a step of their own are run once for each temperature.
  """
  own = preference_solvers.step_size(name) is None
  return [
    (temperature, step_size)
    for temperature in temperatures
    for step_size in (
      step_sizes
      if step_sizes and not own
      else [default_step_size(name, temperature)]
    )
  ]


def stacked(
  pairs: list[tuple[float, float | None]], dtype: Any
) -> tuple[Float[Array, " M"], Float[Array, " M"] | None]:
  """Returns temperatures, and step sizes or None, as arrays."""
  temperatures = jnp.asarray([pair[0] for pair in pairs], dtype)
  steps = [pair[1] for pair in pairs]
  if None in steps:
    return temperatures, None
  return temperatures, jnp.asarray(steps, dtype)


def default_comal(
  *, step_size: Any, temperature: Any, tolerance: Any
) -> solver_lib.Solver:
  """Returns COMAL around Nash Mirror Prox."""
  inner = nash_mirror_prox.NashMirrorProx(
    step_size=step_size, temperature=temperature
  )
  return comal.Comal(solver=inner, tolerance=tolerance)


def spo_with_queue(
  *, step_size: Any, seed: Any, queue_length: int, num_samples: int
) -> solver_lib.Solver:
  """Returns SPO against a queue of recent samples."""
  return spo_queue.QueueSPO(
    step_size=step_size,
    seed=seed,
    length=queue_length,
    num_samples=num_samples,
  )


def default_srpo(*, temperature: Any) -> solver_lib.Solver:
  """Returns SRPO, whose step size is the inverse temperature."""
  return srpo.SRPO(step_size=1 / temperature, temperature=temperature)
