"""Makes the solvers of `preference_table` from their hyper-parameters."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from experiments import preference_table
from mdrl.solvers import (
    apo,
    averaged,
    base,
    comal,
    dno,
    egpo,
    inpo,
    iterative_dpo,
    iterative_ipo,
    magnetic,
    magnetic_preference,
    mirror_descent,
    mirror_prox,
    nash_ema,
    nash_md,
    nash_mirror_prox,
    onpo,
    rlhf,
    spo,
    spo_queue,
    sppo,
    srpo,
)

# Solvers of a regularised game whose step may not pass the reference.
_EXPLICIT = ("egpo", "inpo", "nash_ema", "nash_md_constant", "rlhf")


def default_step_size(name: str, temperature: float) -> float | None:
  """Returns the step size of a solver that is not given one."""
  step_size = preference_table.SOLVERS[name].step_size
  if step_size is not None and name in _EXPLICIT:
    return min(step_size, 1 / temperature)
  return step_size


def make(
    name: str,
    temperature: Any,
    step_size: Any,
    config: Mapping[str, Any],
    seed: Any = 0,
) -> base.Solver:
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
  both = {"step_size": step_size, "temperature": temperature}
  alone = {"step_size": step_size}
  match name:
    case "nash_md":
      return nash_md.NashMD(
          step_size=nash_md.paper_schedule(temperature), temperature=temperature
      )
    case "mtpo":
      return nash_md.NashMD(
          step_size=nash_md.paper_schedule(temperature),
          temperature=temperature,
          mixture=0.0,
      )
    case "nash_md_constant":
      return nash_md.NashMD(**both, **config)
    case "nash_ema":
      return nash_ema.NashEMA(**both, **config)
    case "nash_mirror_prox":
      return nash_mirror_prox.NashMirrorProx(**both)
    case "egpo":
      return egpo.EGPO(**both)
    case "inpo":
      return inpo.INPO(**both)
    case "inpo_published":
      step = inpo.published_step_size(temperature)
      return inpo.INPO(step_size=step, temperature=temperature)
    case "magnetic":
      return magnetic.MagneticMirrorDescent(**both)
    case "magnetic_preference":
      return magnetic_preference.MagneticPreferenceOptimization(
          **both, **config
      )
    case "comal":
      inner = nash_mirror_prox.NashMirrorProx(**both)
      return comal.Comal(solver=inner, **config)
    case "iterative_ipo":
      return iterative_ipo.IterativeIPO(temperature=temperature)
    case "iterative_dpo":
      return iterative_dpo.IterativeDPO(temperature=temperature, **config)
    case "srpo":
      return srpo.SRPO(step_size=1 / temperature, temperature=temperature)
    case "rlhf":
      return rlhf.RLHF(**both, **config)
    case "onpo":
      return onpo.ONPO(**alone)
    case "mirror_prox":
      return mirror_prox.MirrorProx(**alone)
    case "mirror_descent":
      return averaged.Averaged(solver=mirror_descent.MirrorDescent(**alone))
    case "spo":
      return spo.SPO(**alone)
    case "spo_queue":
      return spo_queue.QueueSPO(
          step_size=step_size,
          seed=seed,
          length=int(config["queue_length"]),
          num_samples=int(config["num_samples"]),
      )
    case "sppo":
      return sppo.SPPO(**alone)
    case "dno":
      return dno.DNO(**alone)
    case "apo":
      return apo.APO(**alone, **config)
    case _:
      raise ValueError(f"`name` must be in the table of solvers, got {name!r}")


def grid(
    name: str, temperatures: list[float], step_sizes: list[float]
) -> list[tuple[float, float | None]]:
  """Returns the temperatures and step sizes that a solver is run with.

  Solvers with a step of their own are run once for each temperature.
  """
  own = preference_table.SOLVERS[name].step_size is None
  return [
      (temperature, step_size)
      for temperature in temperatures
      for step_size in (
          step_sizes
          if step_sizes and not own
          else [default_step_size(name, temperature)]
      )
  ]


def stacked(pairs: list[tuple[float, float | None]], dtype):
  """Returns temperatures, and step sizes or None, as arrays."""
  temperatures = jnp.asarray([pair[0] for pair in pairs], dtype)
  steps = [pair[1] for pair in pairs]
  if None in steps:
    return temperatures, None
  return temperatures, jnp.asarray(steps, dtype)
