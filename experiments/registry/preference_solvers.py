"""The solvers that `solve_preference` offers.

Importing this does not import JAX, so that `--help` answers at once.
"""

import math
import textwrap

from experiments.registry import entries
from experiments.runs import limits

SOLVERS: dict[str, entries.Entry] = {
  "nash_mirror_prox": entries.Entry(
    title="Nash Mirror Prox",
    summary="Two proximal steps from one centre.",
    paper="Tiapkin et al. (2025), arXiv:2505.19731",
    approaches="regularised",
    rate="linear, at steps up to 2",
    defaults={"step_size": 2.0},
    factory="mdrl.solvers.nash_mirror_prox:NashMirrorProx",
    context=("temperature",),
  ),
  "egpo": entries.Entry(
    title="EGPO",
    summary="Extragradient on logits.",
    paper="Zhou, Fazel & Du (2025), arXiv:2503.08942",
    approaches="regularised",
    defaults={"step_size": 1.0},
    factory="mdrl.solvers.egpo:EGPO",
    context=("temperature",),
    explicit=True,
  ),
  "nash_md": entries.Entry(
    title="Nash-MD",
    summary=(
      "Mirror descent against a mixture with the reference, falling steps."
    ),
    paper="Munos et al. (2024), arXiv:2312.00886",
    approaches="regularised",
    rate="O(1/T)",
    defaults={},
    factory="mdrl.solvers.preference_variants:nash_md_published",
    context=("temperature",),
  ),
  "nash_md_constant": entries.Entry(
    title="Nash-MD, constant step",
    summary="Nash-MD with a constant step, biased to a higher temperature.",
    paper="Munos et al. (2024), arXiv:2312.00886",
    approaches="a higher temperature",
    defaults={"step_size": 0.2, "mixture": 0.125},
    factory="mdrl.solvers.nash_md:NashMD",
    context=("temperature",),
    explicit=True,
  ),
  "mtpo": entries.Entry(
    title="MTPO",
    summary="Online mirror descent: Nash-MD against itself.",
    paper="Shani et al. (2024), arXiv:2405.14655",
    approaches="regularised",
    defaults={},
    factory="mdrl.solvers.preference_variants:mtpo",
    context=("temperature",),
  ),
  "nash_ema": entries.Entry(
    title="Nash-EMA",
    summary="Mirror descent against a moving average of logits.",
    paper="Munos et al. (2024), arXiv:2312.00886",
    approaches="regularised, with small steps",
    defaults={"step_size": 0.05, "decay": 0.5},
    factory="mdrl.solvers.nash_ema:NashEMA",
    context=("temperature",),
    explicit=True,
  ),
  "inpo": entries.Entry(
    title="INPO",
    summary="Regularised multiplicative weights; not the published step.",
    paper="Zhang et al. (2025), arXiv:2407.00617",
    approaches="regularised, with small steps",
    defaults={"step_size": 0.2},
    factory="mdrl.solvers.preference_variants:inpo",
    context=("temperature",),
    explicit=True,
  ),
  "inpo_published": entries.Entry(
    title="INPO, published step",
    summary="INPO with the published ratio of step to temperature.",
    paper="Zhang et al. (2025), arXiv:2407.00617",
    approaches="cycles on strong cycles",
    defaults={},
    factory="mdrl.solvers.preference_variants:inpo_published",
    context=("temperature",),
  ),
  "magnetic": entries.Entry(
    title="magnetic mirror descent",
    summary="Magnetic mirror descent around the reference.",
    paper="Sokota et al. (2023), arXiv:2206.05825",
    approaches="regularised, with small steps",
    defaults={"step_size": 0.2},
    factory="mdrl.solvers.magnetic:MagneticMirrorDescent",
    context=("temperature",),
  ),
  "iterative_ipo": entries.Entry(
    title="IPO, iterated",
    summary="Regularised best responses to the last policy.",
    paper="Calandriello et al. (2024), arXiv:2403.08635",
    approaches="regularised, at high temperatures",
    defaults={},
    factory="mdrl.solvers.iterative_ipo:IterativeIPO",
    context=("temperature",),
  ),
  "magnetic_preference": entries.Entry(
    title="magnetic preference optimisation",
    summary="Magnetic mirror descent whose magnet is refreshed.",
    paper="Wang et al. (2025), arXiv:2410.16714",
    approaches="minimax winner",
    defaults={"step_size": 0.2, "period": 100},
    factory="mdrl.solvers.preference_variants:magnetic_preference",
    context=("temperature",),
  ),
  "comal": entries.Entry(
    title="COMAL",
    summary="Nash Mirror Prox around a reference that follows its solutions.",
    paper="Liu et al. (2024), arXiv:2410.23223",
    approaches="minimax winner",
    defaults={"step_size": 2.0, "tolerance": 1e-06},
    factory="experiments.registry.preference_factory:default_comal",
    context=("temperature",),
  ),
  "onpo": entries.Entry(
    title="ONPO",
    summary="Optimistic mirror descent with two sequences.",
    paper="Zhang et al. (2025), arXiv:2502.16852",
    approaches="minimax winner",
    defaults={"step_size": 0.5},
    factory="mdrl.solvers.onpo:ONPO",
  ),
  "mirror_prox": entries.Entry(
    title="Mirror Prox",
    summary="Mirror Prox.",
    paper="Nemirovski (2004), doi:10.1137/S1052623403425629",
    approaches="minimax winner",
    defaults={"step_size": 1.0},
    factory="mdrl.solvers.mirror_prox:MirrorProx",
  ),
  "spo": entries.Entry(
    title="SPO",
    summary="Hedge against itself, averaged.",
    paper="Swamy et al. (2024), arXiv:2401.04056",
    approaches="minimax winner",
    reports="average",
    defaults={"step_size": 0.1},
    factory="mdrl.solvers.preference_variants:spo",
  ),
  "spo_queue": entries.Entry(
    title="SPO with a queue",
    summary="SPO against a queue of recent samples, averaged.",
    paper="Swamy et al. (2024), arXiv:2401.04056",
    approaches="minimax winner, with noise",
    reports="average",
    defaults={"step_size": 0.1, "queue_length": 64, "num_samples": 8},
    factory="experiments.registry.preference_factory:spo_with_queue",
    context=("seed",),
  ),
  "mirror_descent": entries.Entry(
    title="mirror descent",
    summary="Self-play mirror descent: the average.",
    paper="Nemirovski & Yudin (1983)",
    approaches="minimax winner",
    reports="average",
    defaults={"step_size": 0.1},
    factory="mdrl.solvers.preference_variants:spo",
  ),
  "sppo": entries.Entry(
    title="SPPO",
    summary="Self-play multiplicative weights: the last iterate.",
    paper="Wu et al. (2025), arXiv:2405.00675",
    approaches="moves away on cycles",
    defaults={"step_size": 0.1},
    factory="mdrl.solvers.preference_variants:sppo",
  ),
  "dno": entries.Entry(
    title="DNO",
    summary="Logistic regression on win rates, which is SPPO in tables.",
    paper="Rosset et al. (2024), arXiv:2404.03715",
    approaches="moves away on cycles",
    defaults={"step_size": 0.1},
    factory="mdrl.solvers.preference_variants:dno",
  ),
  "apo": entries.Entry(
    title="APO",
    summary="SPPO with Nesterov's extrapolation.",
    paper="He, Yuan & Gu (2024), arXiv:2410.06293",
    approaches="moves away on cycles",
    defaults={"step_size": 0.1, "momentum": 0.3},
    factory="mdrl.solvers.apo:APO",
  ),
  "iterative_dpo": entries.Entry(
    title="DPO, iterated",
    summary="Bradley-Terry fits to pairs of the last policy.",
    paper="Guo et al. (2024), arXiv:2402.04792",
    approaches="the RLHF optimum of Bradley-Terry preferences",
    defaults={"label_smoothing": 0.0},
    factory="mdrl.solvers.iterative_dpo:IterativeDPO",
    context=("temperature",),
  ),
  "srpo": entries.Entry(
    title="SRPO",
    summary="A generator against an improver that sees its response.",
    paper="Choi et al. (2025), arXiv:2406.01660",
    approaches="a game of its own",
    defaults={},
    factory="experiments.registry.preference_factory:default_srpo",
    context=("temperature",),
  ),
  "rlhf": entries.Entry(
    title="RLHF on a Bradley-Terry fit",
    summary="A Bradley-Terry reward, fitted once, for contrast.",
    paper="Christiano et al. (2017), arXiv:1706.03741",
    approaches="the RLHF optimum",
    defaults={"step_size": 0.5, "label_smoothing": 0.0},
    factory="mdrl.solvers.rlhf:RLHF",
    context=("temperature",),
    explicit=True,
  ),
}


# Besides step sizes and temperatures, which are swept over. Those that a solver
# has alone are listed with it.
FIELDS: dict[str, entries.Field] = {
  "mixture": entries.Field(
    float, "weight of the reference in the opponent, in [0, 1]"
  ),
  "decay": entries.Field(float, "share of the average that remains, in [0, 1)"),
  "momentum": entries.Field(float, "of the extrapolation, in [0, 1)"),
  "period": entries.Field(
    int, "updates between refreshes of the magnet", limits.PERIOD
  ),
  "tolerance": entries.Field(
    float, "largest change of a probability at which an inner run ends"
  ),
  "label_smoothing": entries.Field(
    float, "probability in [0, 1/2) that a label is wrong"
  ),
  "queue_length": entries.Field(
    int, "recent samples that a response is compared to", limits.SAMPLES
  ),
  "num_samples": entries.Field(int, "new samples per update", limits.SAMPLES),
} | {
  name: field
  for entry in SOLVERS.values()
  for name, field in entry.fields.items()
}


def step_size(name: str) -> float | None:
  """Returns the default step size, or None for a solver with its own."""
  return SOLVERS[name].defaults.get("step_size")  # pyright: ignore


def config(name: str) -> dict[str, float]:
  """Returns the other hyper-parameters of a solver, and their defaults."""
  defaults = SOLVERS[name].defaults
  return {k: float(v) for k, v in defaults.items() if k != "step_size"}


def resolve(name: str, overrides: dict[str, float | None]) -> dict[str, float]:
  """Returns the hyper-parameters of a solver besides step and temperature."""
  values = config(name)
  for key, value in overrides.items():
    if key in values and value is not None:
      values[key] = value
  return {k: FIELDS[k].type(v) for k, v in values.items()}


def check_overrides(
  names: list[str], overrides: dict[str, float | None]
) -> None:
  """Raises ValueError for a hyper-parameter that no chosen solver has."""
  for key, value in overrides.items():
    if value is None:
      continue
    if not any(key in config(name) for name in names):
      having = [name for name in SOLVERS if key in config(name)]
      raise ValueError(
        f"`--{key}` is read by {', '.join(having)} alone, got the solvers "
        f"{', '.join(names)}"
      )
    most = FIELDS[key].most
    if most is not None and not (value % 1 == 0 and 1 <= value <= most):
      raise ValueError(
        f"`--{key}` must be a whole number from 1 to {most}, got {value:g}"
      )
    if math.isnan(value):
      raise ValueError(f"`--{key}` must be a number, got {value}")


def listing() -> str:
  """Returns the text of `--list_solvers`."""
  parts = []
  for name, entry in SOLVERS.items():
    size = step_size(name)
    step = "its own" if size is None else f"{size:g}"
    values = "".join(f" {k}={v:g}" for k, v in config(name).items())
    lines = [
      entry.paper,
      f"Approaches: {entry.approaches}. step_size={step}{values}",
    ]
    parts.append(
      "\n".join(
        [
          f"{name}: {entry.summary}",
          *(textwrap.indent(line, "  ") for line in lines),
        ]
      )
    )
  return "\n\n".join(parts)
