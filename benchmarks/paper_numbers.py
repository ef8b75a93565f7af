"""Numbers that papers and other programs print, beside ours.

  python -m benchmarks.paper_numbers

A number of ours agrees where it rounds to the printed digits; the last column
says why others do not. `docs/errata.md` has the table.
"""

from collections.abc import Callable, Sequence
import fractions
import functools
from typing import Any, NamedTuple

from absl import flags
import jax
import numpy as np

from benchmarks import paper_examples as examples
from experiments.runs import command_line, program
from mdrl import solvers


class Row(NamedTuple):
  """A printed example.

  Attributes:
    source: Who prints it.
    what: What it is.
    printed: The numbers, as they are printed; `<=` marks upper bounds.
    ours: Computes them.
    note: Why they differ, if they do.
  """

  source: str
  what: str
  printed: str
  ours: Callable[[], Any]
  note: str = ""


_MUNOS = "Munos et al. 2024"
_CALANDRIELLO = "Calandriello et al. 2024"
_BANDIT = "arXiv 2509.24203, by NumPy"
_GORBUNOV = "Gorbunov et al. 2023"
_PERTURBED = "ssokota/mmd, perturbed_rps.py"
_AGENTS = "ssokota/mmd, aqres"
_LARGEST = 10 / 31
_GOOFSPIEL = "goofspiel(imp_info=True,num_cards=4,points_order=descending)"
_of = functools.partial


def _mean(residuals):
  return [np.mean(residuals())]


def _last(residuals):
  return [residuals()[-1]]


ROWS = (
  Row(_MUNOS, "dice, each beats the next", "5/9 5/9 5/9", examples.dice_edges),
  Row(
    *(_MUNOS, "dice, each against the uniform equilibrium"),
    *("1/2 1/2 1/2", examples.dice_against_uniform),
  ),
  Row(_MUNOS, "three raters", "2/3 2/3 2/3", examples.cycle_of_raters),
  Row(
    *(_MUNOS, "most wins against the highest Elo"),
    *("50/99", examples.most_elo_against_most_wins),
  ),
  Row(
    *(_MUNOS, "three kinds of raters at 1/10: P[2, 1], equilibrium"),
    *("37/60 23/60 23/60 7/30", _of(examples.three_raters, 0.1)),
  ),
  Row(
    *(_MUNOS, "Nash-MD on dice, one update (worked by a reader)"),
    *("0.491 0.309 0.200", examples.nash_md_step),
  ),
  *(
    Row(
      _CALANDRIELLO,
      f"IPO, two responses, temperature {temperature:g}",
      printed,
      _of(examples.offline_ipo_of_two, temperature),
    )
    for temperature, printed in ((1.0, "0.55"), (0.1, "0.88"))
  ),
  Row(
    *(_CALANDRIELLO, "IPO on dice"),
    *("0.365 0.247 0.388", examples.offline_ipo_of_dice),
    "the first two are cut, not rounded, and the third is not the rest",
  ),
  *(
    Row(
      _BANDIT, f"bandit, baseline {shift:g} below the mean{by}", printed, rest
    )
    for shift, by, printed, rest in (
      (0.0, "", "0 1 0", _of(examples.bandit, 0.0)),
      (0.1, ", projected", "0 1 0", _of(examples.asymmetric_bandit, 0.1)),
      (0.5, "", "0.00 0.84 0.16", _of(examples.bandit, 0.5)),
      (
        0.5,
        ", projected",
        "0.00 0.84 0.16",
        _of(examples.asymmetric_bandit, 0.5),
      ),
      (1.0, "", "0.126 0.732 0.142", _of(examples.bandit, 1.0)),
      (
        1.0,
        ", projected",
        "0.126 0.732 0.142",
        _of(examples.asymmetric_bandit, 1.0),
      ),
    )
  ),
  *(
    Row(_BANDIT, f"bandit, OPMD at {temperature:g}", printed, rest)
    for temperature, printed, rest in (
      (0.1, "0.0009 0.774 0.225", _of(examples.bandit, 0.0, 0.1)),
      (1.0, "0.163 0.697 0.140", _of(examples.bandit, 0.0, 1.0)),
    )
  ),
  *(
    Row(
      *(_BANDIT, f"bandit, regularised optimum at {temperature:g}", printed),
      _of(examples.regularized_bandit, temperature),
    )
    for temperature, printed in (
      (0.1, "0.00008 0.448 0.552"),
      (1.0, "0.157 0.700 0.143"),
    )
  ),
  Row(
    *(_GORBUNOV, "extragradient, mean of 31", "0.279647"),
    _of(_mean, _of(examples.extragradient, 0.3, 0.1, 30)),
  ),
  Row(
    *(_GORBUNOV, "extragradient, last of 20", "0.340082"),
    _of(_last, _of(examples.extragradient, 0.5, 0.1, 20)),
    "printed by a solver of semidefinite programs, to about 1e-6",
  ),
  Row(
    *(_GORBUNOV, "optimistic gradient, mean of 31", "<=0.378857"),
    _of(_mean, _of(examples.optimistic_gradient, 0.5, 0.2, 0.1, 30)),
  ),
  Row(
    *(_GORBUNOV, "optimistic gradient, last of 10", "<=0.473342"),
    _of(_last, _of(examples.optimistic_gradient, _LARGEST, _LARGEST, 0.05, 10)),
  ),
  Row(
    *(_GORBUNOV, "proximal point, step at its limit", "1.000"),
    _of(examples.proximal_point, 0.2),
  ),
  Row("OpenSpiel", "Kuhn, size", "6 13", _of(examples.sizes, "kuhn_poker")),
  Row(
    "OpenSpiel", "Leduc, size", "468 1093", _of(examples.sizes, "leduc_poker")
  ),
  Row(
    "OpenSpiel", "goofspiel, size", "81 175", _of(examples.sizes, _GOOFSPIEL)
  ),
  Row("Kuhn 1950", "Kuhn, value", "-1/18", _of(examples.value, "kuhn_poker")),
  Row(
    *("Lanctot et al. 2017", "Leduc, value", "-0.085606424078"),
    _of(examples.value, "leduc_poker"),
  ),
  Row(
    *("Neller & Lanctot 2013", "liar's dice, value", "-0.027131782945736"),
    _of(examples.value, "liars_dice"),
  ),
  *(
    Row(
      *(_PERTURBED, f"logit equilibrium at {temperature:g}", printed),
      _of(examples.perturbed_rock_paper_scissors, temperature),
    )
    for temperature, printed in (
      (0.5, "0.29813319 0.41382045 0.28804635"),
      (0.2, "0.22364492 0.47798817 0.29836691"),
      (0.1, "0.17347803 0.48630324 0.34021873"),
      (0.05, "0.1517447 0.46794775 0.38030755"),
    )
  ),
  *(
    Row(
      *(_AGENTS, f"{name}, agents at {temperature:g}", printed),
      _of(examples.quantal_response_of_trees, name, temperature, True),
      "policies of those files are within about 1e-6 of the equilibrium",
    )
    for name, temperature, printed in (
      ("kuhn_poker", 0.5, "-0.044835542 0.112409847"),
      ("kuhn_poker", 0.2, "-0.046036538 0.043573682"),
      ("kuhn_poker", 0.1, "-0.056240452 0.018894877"),
      ("kuhn_poker", 0.05, "-0.056969025 0.007201106"),
      ("leduc_poker", 0.5, "-0.113054374 0.224816709"),
    )
  ),
  Row(
    *("OpenSpiel, C++", "Kuhn, CFR+ after 104", "0.0006017139321"),
    lambda: examples.cfr("kuhn_poker", solvers.Plus(), True, 1.0)(104),
  ),
  Row(
    *("OpenSpiel, C++", "Leduc, CFR+ after 140", "0.0085259582"),
    lambda: examples.cfr("leduc_poker", solvers.Plus(), True, 1.0)(140),
    "regrets that cancel are cut at rounding errors of either sign",
  ),
  Row(
    *("open_spiel issue 197", "Leduc, CFR, 101 updates", "0.0939493"),
    lambda: examples.cfr("leduc_poker", solvers.Vanilla(), True, 0.0)(101),
  ),
)


def agrees(printed: str, ours: float) -> bool:
  """Returns whether a number rounds to the printed one, or is that fraction."""
  if printed.startswith("<="):
    return ours <= float(printed[2:])
  if "." not in printed:
    return abs(ours - float(fractions.Fraction(printed))) < 1e-9
  return abs(ours - float(printed)) <= 0.5000001 * 10.0 ** -_decimals(printed)


def _decimals(printed):
  return len(printed.partition(".")[2])


def measured(row: Row) -> tuple[list[float], bool]:
  """Returns our numbers, and whether all agree with those that are printed."""
  ours = [float(x) for x in np.ravel(np.asarray(row.ours()))]
  pairs = zip(row.printed.split(), ours, strict=True)
  return ours, all(agrees(*pair) for pair in pairs)


def line(row: Row) -> str:
  """Returns the row of the table."""
  ours, agree = measured(row)
  printed = row.printed.split()
  numbers = ", ".join(
    f"{x:.{_decimals(text) + 2}f}" if "." in text else f"{x:.8g}"
    for text, x in zip(printed, ours, strict=True)
  )
  verdict = "agrees" if agree else row.note or "differs"
  cells = (row.source, row.what, ", ".join(printed), numbers, verdict)
  return f"| {' | '.join(cells)} |"


def define(values: flags.FlagValues) -> None:
  """Defines the flags, of which there are none."""
  del values


def parse(argv: Sequence[str]) -> list[str]:
  """Defines the flags and parses them."""
  define(flags.FLAGS)
  return program.parse(argv)


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Prints the table."""
  del argv, values
  command_line.quieten()
  jax.config.update("jax_enable_x64", True)
  print("| source | example | printed | ours | |")
  print("|---|---|---:|---:|---|")
  with command_line.errors_in_one_line("paper_numbers"):
    for row in ROWS:
      print(line(row), flush=True)


if __name__ == "__main__":
  program.run("benchmarks.paper_numbers", __doc__, main, parse)
