"""The solvers that `solve_preference` offers.

Importing this does not import JAX, so that `--help` answers at once.
"""

import dataclasses
import math
import textwrap

from experiments.runs import limits


@dataclasses.dataclass(frozen=True)
class Entry:
  """A solver.

  Attributes:
    summary: What it is, in one line.
    paper: Where it is from.
    target: What it approaches: `regularized` equilibria, the `minimax winner`,
      or something else.
    step_size: Default, in units of 1 / utility; None for a step of its own.
    config: Other hyper-parameters and their defaults.
  """

  summary: str
  paper: str
  target: str
  step_size: float | None
  config: dict[str, float]


# Meaning and unit of the hyper-parameters besides step size and temperature.
FIELDS: dict[str, str] = {
  "mixture": "weight of the reference in the opponent, in [0, 1]",
  "decay": "share of the average that remains, in [0, 1)",
  "momentum": "of the extrapolation, in [0, 1)",
  "period": "updates between refreshes of the magnet",
  "tolerance": "largest change of a probability at which an inner run ends",
  "label_smoothing": "probability in [0, 1/2) that a label is wrong",
  "queue_length": "recent samples that a response is compared to",
  "num_samples": "new samples per update",
}
_WHOLE = {
  "period": limits.PERIOD,
  "queue_length": limits.SAMPLES,
  "num_samples": limits.SAMPLES,
}

SOLVERS: dict[str, Entry] = {
  "nash_mirror_prox": Entry(
    "Two proximal steps from one centre.",
    "Tiapkin et al. (2025), arXiv:2505.19731",
    "regularized",
    2.0,
    {},
  ),
  "egpo": Entry(
    "Extragradient on logits.",
    "Zhou, Fazel & Du (2025), arXiv:2503.08942",
    "regularized",
    1.0,
    {},
  ),
  "nash_md": Entry(
    "Mirror descent against a mixture with the reference, falling steps.",
    "Munos et al. (2024), arXiv:2312.00886",
    "regularized",
    None,
    {},
  ),
  "nash_md_constant": Entry(
    "Nash-MD with a constant step, biased to a higher temperature.",
    "Munos et al. (2024), arXiv:2312.00886",
    "a higher temperature",
    0.2,
    {"mixture": 0.125},
  ),
  "mtpo": Entry(
    "Online mirror descent: Nash-MD against itself.",
    "Shani et al. (2024), arXiv:2405.14655",
    "regularized",
    None,
    {},
  ),
  "nash_ema": Entry(
    "Mirror descent against a moving average of logits.",
    "Munos et al. (2024), arXiv:2312.00886",
    "regularized, with small steps",
    0.05,
    {"decay": 0.5},
  ),
  "inpo": Entry(
    "Regularised multiplicative weights; not the published step.",
    "Zhang et al. (2025), arXiv:2407.00617",
    "regularized, with small steps",
    0.2,
    {},
  ),
  "inpo_published": Entry(
    "INPO with the published ratio of step to temperature.",
    "Zhang et al. (2025), arXiv:2407.00617",
    "cycles on strong cycles",
    None,
    {},
  ),
  "magnetic": Entry(
    "Magnetic mirror descent around the reference.",
    "Sokota et al. (2023), arXiv:2206.05825",
    "regularized, with small steps",
    0.2,
    {},
  ),
  "iterative_ipo": Entry(
    "Regularised best responses to the last policy.",
    "Calandriello et al. (2024), arXiv:2403.08635",
    "regularized, at high temperatures",
    None,
    {},
  ),
  "magnetic_preference": Entry(
    "Magnetic mirror descent whose magnet is refreshed.",
    "Wang et al. (2025), arXiv:2410.16714",
    "minimax winner",
    0.2,
    {"period": 100},
  ),
  "comal": Entry(
    "Nash Mirror Prox around a reference that follows its solutions.",
    "Liu et al. (2024), arXiv:2410.23223",
    "minimax winner",
    2.0,
    {"tolerance": 1e-6},
  ),
  "onpo": Entry(
    "Optimistic mirror descent with two sequences.",
    "Zhang et al. (2025), arXiv:2502.16852",
    "minimax winner",
    0.5,
    {},
  ),
  "mirror_prox": Entry(
    "Mirror Prox.",
    "Nemirovski (2004)",
    "minimax winner",
    1.0,
    {},
  ),
  "spo": Entry(
    "Hedge against itself, averaged.",
    "Swamy et al. (2024), arXiv:2401.04056",
    "minimax winner",
    0.1,
    {},
  ),
  "spo_queue": Entry(
    "SPO against a queue of recent samples, averaged.",
    "Swamy et al. (2024), arXiv:2401.04056",
    "minimax winner, with noise",
    0.1,
    {"queue_length": 64, "num_samples": 8},
  ),
  "mirror_descent": Entry(
    "Self-play mirror descent: the average.",
    "Nemirovski & Yudin (1983)",
    "minimax winner",
    0.1,
    {},
  ),
  "sppo": Entry(
    "Self-play multiplicative weights: the last iterate.",
    "Wu et al. (2025), arXiv:2405.00675",
    "moves away on cycles",
    0.1,
    {},
  ),
  "dno": Entry(
    "Logistic regression on win rates, which is SPPO in tables.",
    "Rosset et al. (2024), arXiv:2404.03715",
    "moves away on cycles",
    0.1,
    {},
  ),
  "apo": Entry(
    "SPPO with Nesterov's extrapolation.",
    "He, Yuan & Gu (2024), arXiv:2410.06293",
    "moves away on cycles",
    0.1,
    {"momentum": 0.3},
  ),
  "iterative_dpo": Entry(
    "Bradley-Terry fits to pairs of the last policy.",
    "Guo et al. (2024), arXiv:2402.04792",
    "the RLHF optimum of Bradley-Terry preferences",
    None,
    {"label_smoothing": 0.0},
  ),
  "srpo": Entry(
    "A generator against an improver that sees its response.",
    "Choi et al. (2025), arXiv:2406.01660",
    "a game of its own",
    None,
    {},
  ),
  "rlhf": Entry(
    "A Bradley-Terry reward, fitted once, for contrast.",
    "Christiano et al. (2017), arXiv:1706.03741",
    "the RLHF optimum",
    0.5,
    {"label_smoothing": 0.0},
  ),
}


def resolve(name: str, overrides: dict[str, float | None]) -> dict[str, float]:
  """Returns the hyper-parameters of a solver besides step and temperature."""
  config = dict(SOLVERS[name].config)
  for key, value in overrides.items():
    if key in config and value is not None:
      config[key] = value
  return {k: int(v) if k in _WHOLE else v for k, v in config.items()}


def check_overrides(
  names: list[str], overrides: dict[str, float | None]
) -> None:
  """Raises ValueError for a hyper-parameter that no chosen solver has."""
  for key, value in overrides.items():
    if value is None:
      continue
    if not any(key in SOLVERS[name].config for name in names):
      having = [name for name in SOLVERS if key in SOLVERS[name].config]
      raise ValueError(
        f"`--{key}` is read by {', '.join(having)} alone, got the solvers "
        f"{', '.join(names)}"
      )
    whole = value % 1 == 0
    if key in _WHOLE and not (whole and 1 <= value <= _WHOLE[key]):
      raise ValueError(
        f"`--{key}` must be a whole number from 1 to {_WHOLE[key]}, got "
        f"{value:g}"
      )
    if math.isnan(value):
      raise ValueError(f"`--{key}` must be a number, got {value}")


def choose(text: str) -> list[str]:
  """Returns the solvers of a comma-separated list, or all of them.

  Raises:
    ValueError: If there is no such solver.
  """
  if text == "all":
    return list(SOLVERS)
  names = [name.strip() for name in text.split(",") if name.strip()]
  for name in names:
    if name not in SOLVERS:
      raise ValueError(
        f"`--solver` must be all, or some of {', '.join(SOLVERS)}, got {name!r}"
      )
  if not names or len(set(names)) < len(names):
    raise ValueError(f"`--solver` must name each solver once, got {text!r}")
  return names


def listing() -> str:
  """Returns the text of `--list_solvers`."""
  parts = []
  for name, entry in SOLVERS.items():
    step = "its own" if entry.step_size is None else f"{entry.step_size:g}"
    values = "".join(f" {k}={v:g}" for k, v in entry.config.items())
    lines = [
      entry.paper,
      f"Approaches: {entry.target}. step_size={step}{values}",
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
