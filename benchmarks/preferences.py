"""Rates of solvers on a batch of preference games.

  python -m benchmarks.preferences
  python -m benchmarks.preferences --quick --floor=0.3

Every figure is of updates of all games together: 1,024 random games of 100
responses by default. Beside the solvers stand the batched products with the
preference matrices that their updates need, alone, and plain NumPy loops over
games. All of it in single precision, in this process, first on one core; last,
the solvers on all cores, each with its share of the games.

`together` moves all games in each operation, so that their matrices stream from
memory; `in turns` makes all updates of a few games whose matrices a core's
cache holds, before the next few. Both are one compiled program.
"""

from collections.abc import Sequence
import functools
import json
import logging
import os
import pathlib
import sys
import time
from typing import Any

from absl import flags
import numpy as np

from benchmarks import timing
from experiments.runs import limits, program

_BATCH = flags.DEFINE_integer(
  "batch", 1024, "Number of games.", 1, limits.BATCH
)
_RESPONSES = flags.DEFINE_integer(
  "responses", 100, "Responses of each game.", 2, limits.RESPONSES
)
_CHUNK = flags.DEFINE_integer(
  "chunk", 16, "Games that move in turns.", 1, limits.BATCH
)
_SECONDS = limits.define_float(
  "seconds", 2.0, "Wall seconds to spend on each figure.", 0.01
)
_LONG_RUN = flags.DEFINE_integer(
  "long_run",
  10_000,
  "Updates of the whole run that is timed last; 0 for none.",
  0,
  limits.UPDATES,
)
_QUICK = flags.DEFINE_bool(
  "quick", False, "A smaller batch and short runs, for continuous integration."
)
_FLOOR = limits.define_float(
  "floor",
  0.0,
  "Exit with status 1 if a solver in turns makes fewer updates "
  "than this fraction of what the products together would allow.",
)
_JSON = flags.DEFINE_string("json", None, "Also write the table here.")


def _wall_rate(step, seconds):
  # Not CPU seconds, which count every core.
  return timing.rate(step, seconds, time.perf_counter)


def our_solvers():
  """Returns the solvers that are timed, and their products per update."""
  from mdrl.solvers import (
    egpo,
    nash_md,
    nash_mirror_prox,
    preference_variants,
  )

  eta, tau = 1.0, 0.1
  return {
    "sppo": (preference_variants.sppo(eta), 1),
    "nash_md": (nash_md.NashMD(step_size=eta, temperature=tau), 1),
    "egpo": (egpo.EGPO(step_size=eta, temperature=tau), 2),
    "nash_mirror_prox": (
      nash_mirror_prox.NashMirrorProx(step_size=eta, temperature=tau),
      2,
    ),
  }


def numpy_steps(size: int):
  """Returns updates of one game in NumPy, and with scipy's log_softmax."""
  from scipy import special

  reference = np.full(size, -np.log(size), np.float32)
  eta, near_reference = np.float32(1.0), np.float32(0.1)
  weight = np.float32(1 / 1.1)

  def normalized(logits):
    logits = logits - logits.max()
    return logits - np.log(np.exp(logits).sum())

  def sppo(matrix, logits, normalized=normalized):
    return normalized(logits + eta * (matrix @ np.exp(logits)))

  def mirror_prox(matrix, logits, normalized=normalized):
    near = logits + near_reference * reference
    half = normalized((near + matrix @ np.exp(logits)) * weight)
    return normalized((near + matrix @ np.exp(half)) * weight)

  return {
    "sppo": sppo,
    "nash_mirror_prox": mirror_prox,
    "sppo (scipy's log_softmax)": functools.partial(
      sppo, normalized=special.log_softmax
    ),
    "nash_mirror_prox (scipy's log_softmax)": functools.partial(
      mirror_prox, normalized=special.log_softmax
    ),
  }


def numpy_rates(matrices, seconds: float) -> dict[str, float]:
  """Returns rates of NumPy loops, from as many games as the time allows."""
  start = np.full(matrices.shape[1], -np.log(matrices.shape[1]), np.float32)
  rates = {}
  for name, update in numpy_steps(matrices.shape[1]).items():

    def step(count, update=update):
      """Makes updates one by one, over the games in the inner loop."""
      logits = [start] * len(matrices)
      for _ in range(count):
        logits = [update(m, x) for m, x in zip(matrices, logits, strict=True)]

    def turns(count, update=update):
      """Makes updates game by game."""
      for m in matrices:
        x = start
        for _ in range(count):
          x = update(m, x)

    for inner, loop in (("games", step), ("updates", turns)):
      label = f"NumPy, {inner} in the inner loop: {name}"
      rates[label] = _wall_rate(loop, seconds)
  return rates


def runs(chunk: int):
  """Returns `(thing, games, count) -> x` of both orders of work, compiled."""
  import jax
  import jax.numpy as jnp

  def solved(solver, game, count):
    state = jax.lax.fori_loop(
      0, count, lambda _, s: solver.update(game, s), solver.init(game)
    )
    return solver.policies(game, state)[0]

  def multiplied(_, game, count):
    """The products of the games with a policy, and nothing else."""
    first = jnp.full(game.num_responses, 1 / game.num_responses, game.dtype)
    return jax.lax.fori_loop(
      0,
      count,
      lambda _, x: jnp.einsum("ab,b->a", game.advantage[0], x),
      first,
    )

  def together(one, thing, games, count):
    return jax.vmap(lambda game: one(thing, game, count))(games)

  def in_turns(one, thing, games, count):
    return jax.lax.map(
      lambda game: one(thing, game, count), games, batch_size=chunk
    )

  return {
    f"{name}, {order.__name__.replace('_', ' ')}": functools.partial(order, one)
    for name, one in (("products", multiplied), ("", solved))
    for order in (together, in_turns)
  }


def our_rates(games, seconds: float) -> dict[str, float]:
  """Returns the rates of products and solvers on one device."""
  import jax

  rates = {}
  for label, updates in runs(_CHUNK.value).items():
    compiled = jax.jit(updates)
    things: dict[str, Any] = our_solvers()
    if "products" in label:
      things = {"": (0.0, 1)}
    for name, (thing, _) in things.items():

      def step(count, compiled=compiled, thing=thing):
        jax.block_until_ready(compiled(thing, games, count))

      rates[f"{name}{label}"] = _wall_rate(step, seconds)
  return rates


def shared_rates(games, seconds: float) -> dict[str, float]:
  """Returns the rates where each device has its share of the games."""
  import jax

  devices = jax.device_count()
  shares = jax.tree.map(lambda x: x.reshape(devices, -1, *x.shape[1:]), games)
  updates = runs(_CHUNK.value)[", in turns"]
  rates = {}
  for name, (solver, _) in our_solvers().items():
    compiled = jax.pmap(updates, in_axes=(None, 0, None))

    def step(count, compiled=compiled, solver=solver):
      jax.block_until_ready(compiled(solver, shares, count))

    rates[f"{name}, in turns, on {devices} cores"] = _wall_rate(step, seconds)
  return rates


def measure() -> dict[str, float]:
  """Returns updates of all games per second, by what makes them."""
  from mdrl.games import preference_game
  from mdrl.preferences import models

  seconds = 0.3 if _QUICK.value else _SECONDS.value
  batch = 64 if _QUICK.value else _BATCH.value
  matrices = np.stack(
    [models.uniform(_RESPONSES.value, seed) for seed in range(batch)]
  ).astype(np.float32)
  games = preference_game.stack(
    [preference_game.preference_game(m, dtype=np.float32) for m in matrices]
  )
  cores = sorted(os.sched_getaffinity(0))
  os.sched_setaffinity(0, {cores[0]})
  rates = our_rates(games, seconds)
  rates |= numpy_rates(matrices, seconds)
  os.sched_setaffinity(0, set(cores))
  if batch % len(cores) == 0 and len(cores) > 1:
    rates |= shared_rates(games, seconds)
  if _LONG_RUN.value and not _QUICK.value:
    rates |= whole_run(games)
  return rates


def whole_run(games) -> dict[str, float]:
  """Returns the rate of one long run, with compilation in its time."""
  import jax

  solver, _ = our_solvers()["nash_mirror_prox"]
  updates = jax.jit(lambda *a: runs(_CHUNK.value)[", in turns"](*a))
  start = time.perf_counter()
  jax.block_until_ready(updates(solver, games, _LONG_RUN.value))
  spent = time.perf_counter() - start
  label = f"nash_mirror_prox, {_LONG_RUN.value:,} updates with compilation"
  return {label: _LONG_RUN.value / spent}


def ratios(rates: dict[str, float]) -> dict[str, float]:
  """Returns rates over those of what they are compared to."""
  found = {}
  for name, (_, products) in our_solvers().items():
    for order in ("together", "in turns"):
      bare = rates[f"products, {order}"] / products
      found[f"{name}, {order} / its products {order}"] = (
        rates[f"{name}, {order}"] / bare
      )
    bare = rates["products, together"] / products
    found[f"{name}, in turns / its products together"] = (
      rates[f"{name}, in turns"] / bare
    )
    best = max(v for k, v in rates.items() if k.startswith(f"{name}, in turns"))
    for label, value in rates.items():
      if label.startswith("NumPy") and label.partition(": ")[2].startswith(
        name
      ):
        found[f"{name}, best / {label}"] = best / value
  return found


def show(rows: dict[str, float], head: str) -> None:
  """Prints one line per figure."""
  print(f"\n{head}")
  wide = max(map(len, rows))
  for label, value in rows.items():
    print(f"  {label:{wide}}  {value:10,.2f}")


def main(argv: Sequence[str]) -> None:
  """Measures and prints."""
  del argv
  # JAX tells at this level which accelerators it did not find.
  logging.getLogger("jax._src.xla_bridge").setLevel(logging.WARNING)
  import jax

  jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))
  rates = measure()
  compared = ratios(rates)
  batch = 64 if _QUICK.value else _BATCH.value
  show(
    rates,
    f"updates of {batch:,} games of {_RESPONSES.value} responses, per second",
  )
  show(compared, "ratios")
  if _JSON.value:
    text = json.dumps({"rates": rates, "ratios": compared}, indent=2)
    pathlib.Path(_JSON.value).write_text(text)
  slow = [
    label
    for label, value in compared.items()
    if label.endswith("in turns / its products together")
    and value < _FLOOR.value
  ]
  if slow:
    sys.exit(f"below --floor={_FLOOR.value}: {slow}")


if __name__ == "__main__":
  program.run("benchmarks.preferences", __doc__, main, program.parse)
