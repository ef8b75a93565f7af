"""Rates of solvers on a device: single runs, batches and bandwidth.

  python -m benchmarks.devices                 # on JAX's default device
  python -m benchmarks.devices --games=kuhn_poker --seconds=0.5

The same programs run on CPUs and accelerators. Rates are updates per wall
second, of one run and, added up, of a batch of runs whose hyper-parameters
differ. An update reads every array of the game and reads and writes the state;
those bytes per second, beside the bandwidth that a plain sum of arrays reaches
on the device, say how far from its limit it is: far below where launches and
small arrays dominate, above where caches hold the arrays.
"""

from collections.abc import Sequence
import json
import logging
import pathlib
import sys
import time
from typing import Any

from absl import flags
import jax
import jax.numpy as jnp

from benchmarks import timing
from experiments.runs import command_line, game_strings, limits, program, tables
from mdrl import run
from mdrl.batching import lanes
from mdrl.compile import openspiel
from mdrl.games import tree_game
from mdrl.solvers import averaged, magnetic, regret_matching, regret_rules

_GAMES = (
  "kuhn_poker;leduc_poker;liars_dice(dice_sides=4);"
  "goofspiel(imp_info=True,num_cards=5,points_order=descending);liars_dice"
)
# Of the arrays whose sum shows the bandwidth; caches hold none of them.
_CEILING_ELEMENTS = 1 << 25


def define(values: flags.FlagValues) -> None:
  """Defines the flags, as those of the program that runs."""
  command_line.define_key_flags(values, _define)


def _define(values):
  flags.DEFINE_string(
    "games",
    _GAMES,
    "OpenSpiel game strings, separated by semicolons outside of brackets.",
    flag_values=values,
  )
  flags.DEFINE_integer(
    "batch", 64, "Runs in a batch.", 1, limits.RUNS, flag_values=values
  )
  limits.define_float(
    "seconds",
    1.0,
    "Wall seconds to spend on each figure.",
    0.001,
    values=values,
  )
  flags.DEFINE_string(
    "json", None, "Also write the table here.", flag_values=values
  )


def cfr_plus(power: Any) -> averaged.Averaged:
  """Returns alternating CFR+; a power of 1 averages linearly."""
  rule = regret_rules.Plus()
  return averaged.Averaged(
    solver=regret_matching.AlternatingRegretMatching(rule=rule), power=power
  )


def magnetic_mirror_descent(step_size: Any) -> magnetic.MagneticMirrorDescent:
  """Returns magnetic mirror descent with dilated entropy."""
  return magnetic.MagneticMirrorDescent(step_size=step_size, temperature=0.05)


# Each makes a solver from a hyper-parameter; a batch spreads that out.
SOLVERS = {
  "CFR+": (cfr_plus, 1.0),
  "magnetic mirror descent": (magnetic_mirror_descent, 0.1),
}


def single_rate(make, value: float, game, seconds: float) -> float:
  """Returns updates per second of one run."""
  solver = make(value)
  first = run.init(solver, game)
  return timing.rate(
    lambda n: jax.block_until_ready(run.advance(solver, game, first, n)),
    seconds,
    time.perf_counter,
  )


def batch_rate(make, value: float, game, batch: int, seconds: float) -> float:
  """Returns updates per second of all runs of a batch, added up."""
  values = jnp.linspace(0.5, 1.5, batch, dtype=game.dtype) * jnp.asarray(
    value, game.dtype
  )
  first = jax.jit(lanes.vmap_last(lambda v, g: make(v).init(g), (True, False)))(
    values, game
  )

  def updated(v, state, game, count):
    return run.advance(make(v), game, state, count)

  program = jax.jit(lanes.vmap_last(updated, (True, True, False, False)))
  return batch * timing.rate(
    lambda n: jax.block_until_ready(
      program(values, first, game, jnp.asarray(n))
    ),
    seconds,
    time.perf_counter,
  )


def num_bytes(tree: Any) -> int:
  """Returns the size of all arrays in bytes."""
  return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))


def bandwidth(seconds: float, dtype: Any) -> float:
  """Returns the bytes per second of `a + 3 b`, read and written."""
  a, b = (jnp.ones(_CEILING_ELEMENTS, dtype) for _ in range(2))
  three = jnp.asarray(3, dtype)
  add = jax.jit(lambda x, y: x + three * y)

  def step(count):
    out = a
    for _ in range(count):
      out = add(out, b)
    jax.block_until_ready(out)

  return 3 * a.nbytes * timing.rate(step, seconds, time.perf_counter)


def measure(name: str, batch: int, seconds: float) -> list[dict[str, Any]]:
  """Returns a row for each solver and precision of a game."""
  tables = openspiel.enumerate_tree(openspiel.load_game(name))
  rows = []
  for dtype in (jnp.float32, jnp.float64):
    game, _ = tree_game.build(tables, dtype)
    for label, (make, value) in SOLVERS.items():
      single = single_rate(make, value, game, seconds)
      state = num_bytes(run.init(make(value), game))
      moved = num_bytes(game) + 2 * state
      rows.append(
        {
          "game": name,
          "solver": label,
          "precision": jnp.dtype(dtype).name,
          "updates_per_second": single,
          "batch_updates_per_second": batch_rate(
            make, value, game, batch, seconds
          ),
          "gigabytes_per_second": single * moved / 1e9,
        }
      )
  return rows


def show(rows: list[dict[str, Any]], ceiling: float, batch: int) -> None:
  """Prints the table."""
  device = jax.devices()[0]
  print(
    f"{device.platform} {device.device_kind}: {ceiling / 1e9:.3g} GB/s in a "
    "sum of large arrays"
  )
  head = ["game", "solver", "precision", "updates/s", f"of {batch}\nruns"]
  lines = [
    [
      row["game"],
      row["solver"],
      row["precision"],
      f"{row['updates_per_second']:,.0f}",
      f"{row['batch_updates_per_second']:,.0f}",
      f"{row['gigabytes_per_second']:.3g}",
      f"{row['gigabytes_per_second'] * 1e9 / ceiling:.2f}",
    ]
    for row in rows
  ]
  head += ["GB/s", "of the\nceiling"]
  print(tables.text(head, lines, tables.page_width(), num_keys=3))


def parse(argv: Sequence[str]) -> list[str]:
  """Defines the flags and parses them."""
  define(flags.FLAGS)
  return program.parse(argv)


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Measures and prints."""
  del argv
  logging.getLogger("jax._src.xla_bridge").setLevel(logging.WARNING)
  given = values.flag_values_dict()
  seconds = given["seconds"]
  jax.config.update("jax_enable_x64", True)
  try:
    names = game_strings.split(given["games"])
    ceiling = bandwidth(seconds, jnp.float32)
    rows = []
    for name in names:
      rows += measure(name, given["batch"], seconds)
      print(f"measured {name}", file=sys.stderr, flush=True)
  except ValueError as error:
    command_line.fail("devices", str(error))
  show(rows, ceiling, given["batch"])
  if given["json"]:
    pathlib.Path(given["json"]).write_text(
      json.dumps({"bytes_per_second": ceiling, "rows": rows}, indent=2)
    )


if __name__ == "__main__":
  program.run("benchmarks.devices", __doc__, main, parse)
