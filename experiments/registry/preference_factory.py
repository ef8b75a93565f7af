"""Makes the solvers of `preference_table` from their hyper-parameters."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.registry import preference_table
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
EXPLICIT = ("egpo", "inpo", "nash_ema", "nash_md_constant", "rlhf")


def default_step_size(name: str, temperature: float) -> float | None:
  """Returns the step size of a solver that is not given one."""
  step_size = preference_table.SOLVERS[name].step_size
  if step_size is not None and name in EXPLICIT:
    return min(step_size, 1 / temperature)
  return step_size


class _Values(NamedTuple):
  """What solvers are made from."""

  temperature: Any
  step_size: Any
  config: dict[str, Any]
  seed: Any

  @property
  def both(self) -> dict[str, Any]:
    """Step size and temperature."""
    return {"step_size": self.step_size, "temperature": self.temperature}


def _paper_nash_md(v, **mixture):
  return nash_md.NashMD(
    step_size=nash_md.paper_schedule(v.temperature),
    temperature=v.temperature,
    **mixture,
  )


def _published_inpo(v):
  step_size = inpo.published_step_size(v.temperature)
  return inpo.INPO(step_size=step_size, temperature=v.temperature)


def _comal(v):
  inner = nash_mirror_prox.NashMirrorProx(**v.both)
  return comal.Comal(solver=inner, **v.config)


def _spo_queue(v):
  return spo_queue.QueueSPO(
    step_size=v.step_size,
    seed=v.seed,
    length=int(v.config["queue_length"]),
    num_samples=int(v.config["num_samples"]),
  )


def _magnetic_preference(v):
  return magnetic_preference.MagneticPreferenceOptimization(
    **v.both, **v.config
  )


def _averaged_descent(v):
  descent = mirror_descent.MirrorDescent(step_size=v.step_size)
  return averaged.Averaged(solver=descent)


_MAKERS: dict[str, Callable[[_Values], base.Solver]] = {
  "nash_mirror_prox": lambda v: nash_mirror_prox.NashMirrorProx(**v.both),
  "egpo": lambda v: egpo.EGPO(**v.both),
  "nash_md": _paper_nash_md,
  "nash_md_constant": lambda v: nash_md.NashMD(**v.both, **v.config),
  "mtpo": lambda v: _paper_nash_md(v, mixture=0.0),
  "nash_ema": lambda v: nash_ema.NashEMA(**v.both, **v.config),
  "inpo": lambda v: inpo.INPO(**v.both),
  "inpo_published": _published_inpo,
  "magnetic": lambda v: magnetic.MagneticMirrorDescent(**v.both),
  "iterative_ipo": lambda v: iterative_ipo.IterativeIPO(
    temperature=v.temperature
  ),
  "magnetic_preference": _magnetic_preference,
  "comal": _comal,
  "onpo": lambda v: onpo.ONPO(step_size=v.step_size),
  "mirror_prox": lambda v: mirror_prox.MirrorProx(step_size=v.step_size),
  "spo": lambda v: spo.SPO(step_size=v.step_size),
  "spo_queue": _spo_queue,
  "mirror_descent": _averaged_descent,
  "sppo": lambda v: sppo.SPPO(step_size=v.step_size),
  "dno": lambda v: dno.DNO(step_size=v.step_size),
  "apo": lambda v: apo.APO(step_size=v.step_size, **v.config),
  "iterative_dpo": lambda v: iterative_dpo.IterativeDPO(
    temperature=v.temperature, **v.config
  ),
  "srpo": lambda v: srpo.SRPO(
    step_size=1 / v.temperature, temperature=v.temperature
  ),
  "rlhf": lambda v: rlhf.RLHF(**v.both, **v.config),
}


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
  values = _Values(temperature, step_size, dict(config), seed)
  return _MAKERS[name](values)


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


def stacked(
  pairs: list[tuple[float, float | None]], dtype: Any
) -> tuple[Float[Array, " M"], Float[Array, " M"] | None]:
  """Returns temperatures, and step sizes or None, as arrays."""
  temperatures = jnp.asarray([pair[0] for pair in pairs], dtype)
  steps = [pair[1] for pair in pairs]
  if None in steps:
    return temperatures, None
  return temperatures, jnp.asarray(steps, dtype)
