"""Measures how many moves a program makes per second, in random games.

It needs the standard library, and JAX where that plays, since peers run in
environments of their own. Every program chooses legal actions uniformly, begins
a new game in the step that ends one, and, with `--observe`, makes the
observation of the player to move in each step. Rates are the best of three, by
the CPU seconds of a process that is bound to one core, or by wall seconds on an
accelerator.
"""

import argparse
from collections.abc import Callable, Sequence
import json
import os
import time
from typing import Any, NamedTuple

from benchmarks import timing

# Steps of one call, for all games together; a call has no fewer and no more.
_STEPS = 1 << 18
_FEWEST, _MOST = 8, 1024
# A prime that no number of actions reaches: a remainder by it changes nothing,
# and XLA does not compute what it takes for expensive in each of its uses.
_PRIME = 2_147_483_647


class Player(NamedTuple):
  """What plays many games.

  Attributes:
    advance: Plays on, by a number of calls, and waits until they are played.
    steps: Moves of players in a call, in all games.
    device: Where it plays: `cpu`, or the name of an accelerator.
    version: Of the library that plays.
  """

  advance: Callable[[int], Any]
  steps: int
  device: str
  version: str


Builder = Callable[[str, int, bool], Player]


def choose(legal: Any, number: Any) -> Any:
  """Returns a random legal action, the same for all programs.

  Args:
    legal: Which actions are legal.
    number: A number from [0, 1).
  """
  import jax
  import jax.numpy as jnp

  count = legal.sum(dtype=jnp.int32)
  left = (number * count.astype(number.dtype)).astype(jnp.int32)
  left = jnp.minimum(left, count - 1)
  size = legal.shape[0]
  if size > 31:
    order = jnp.cumsum(legal, dtype=jnp.int32)
    return (order <= left).sum(dtype=jnp.int32)
  bits = jnp.zeros((), jnp.int32)
  for i in range(size):
    bits |= legal[i].astype(jnp.int32) << i
  action = jnp.zeros((), jnp.int32)
  width = 1 << (size - 1).bit_length() >> 1
  while width:
    low = bits & ((1 << width) - 1)
    below = jax.lax.population_count(low)
    up = left >= below
    left = jnp.where(up, left - below, left)
    bits = jnp.where(up, bits >> width, low)
    action = jnp.where(up, action + width, action)
    width >>= 1
  return jax.lax.rem(action, jnp.full_like(action, _PRIME))


def jax_player(
  init: Callable[[Any, Any], Any],
  step: Callable[[Any, Any, Any], Any],
  numbers: int,
  size: int,
  version: str,
  shared: Any = (),
  axis: int = 0,
) -> Player:
  """Returns what plays in JAX.

  Args:
    init: Returns one game, and whatever else is carried on, from what is shared
      and a key.
    step: Returns the same after a step, from what is shared, a game, and
      numbers from [0, 1).
    numbers: How many of them.
    size: Number of games.
    version: Of the library that plays.
    shared: What all games share.
    axis: Of the games in all arrays: 0 or -1.
  """
  import jax

  steps = max(_FEWEST, min(_MOST, _STEPS // size))
  shape = (size, numbers) if axis == 0 else (numbers, size)

  @jax.jit
  def rollout(shared, games, key):
    moved = jax.vmap(step, (None, axis, axis), axis)

    def body(games, key):
      # Numbers of one step stay in the cache; those of all steps would not.
      luck = jax.random.uniform(key, shape, "float32")
      return moved(shared, games, luck), None

    return jax.lax.scan(body, games, jax.random.split(key, steps))[0]

  keys = jax.random.split(jax.random.key(0), size)
  games = jax.jit(jax.vmap(init, (None, 0), axis))(shared, keys)
  key = jax.random.key(1)

  def advance(count):
    nonlocal games, key
    for _ in range(count):
      key, now = jax.random.split(key)
      games = rollout(shared, games, now)
    jax.block_until_ready(games)

  device = jax.devices()[0]
  name = "cpu" if device.platform == "cpu" else device.device_kind
  return Player(advance, steps * size, name, version)


def measure(player: Player, seconds: float) -> float:
  """Returns moves per second, the best of three."""
  clock = time.process_time if player.device == "cpu" else time.perf_counter
  # The first call compiles, and the second settles types.
  player.advance(2)
  rates = [timing.rate(player.advance, seconds, clock) for _ in range(3)]
  return player.steps * max(rates)


def main(build: Builder, games: Sequence[str] | None, argv: list[str]) -> None:
  """Measures, and prints a line of JSON for each number of games.

  Args:
    build: Returns what plays a game in so many copies, with observations or
      without.
    games: Those that there are; any if None.
    argv: Arguments of the command line.
  """
  parser = argparse.ArgumentParser()
  parser.add_argument("--game", required=True, choices=games)
  parser.add_argument("--sizes", default="1,64,1024,16384")
  parser.add_argument("--observe", action="store_true")
  parser.add_argument("--seconds", type=float, default=0.5)
  parser.add_argument("--core", type=int, help="Where the process is bound.")
  given = parser.parse_args(argv)
  if given.core is not None:
    os.sched_setaffinity(0, {given.core})
  for size in map(int, given.sizes.split(",")):
    player = build(given.game, size, given.observe)
    row = {
      "games": size,
      "steps_per_second": measure(player, given.seconds),
      "device": player.device,
      "version": player.version,
    }
    print(json.dumps(row), flush=True)
