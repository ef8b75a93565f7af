"""The size of a game's tree, estimated before it is enumerated.

Donald E. Knuth, Estimating the efficiency of backtrack programs (1975),
https://doi.org/10.1090/S0025-5718-1975-0373371-6. A probe plays uniformly at
random and adds up the products of the numbers of moves that it has met; its
expectation is the number of histories, whatever the shape of the tree.
"""

from typing import Any, NamedTuple

import numpy as np

_GROUPS = 100
_PROBES = 40
# The mean of a group exceeds four times its expectation at most once in four
# times, by Markov's inequality; that half of 100 do has a chance below 1e-6.
_MARGIN = 4
# A probe ends once it is this many times as large as what is allowed.
_ENOUGH = 1000
# What compiling takes at its peak, in bytes per history: from 65 in battleship
# over 100 in liar's dice to 190 where every history has its own name.
_BYTES = 200


class Estimate(NamedTuple):
  """The number of histories of a game.

  Attributes:
    mean: The unbiased estimate.
    error: Its standard error.
    at_least: What the number exceeds, but for a chance below one in a million
      that holds for every tree.
    complete: Whether no probe was cut short; else the mean is too small.
  """

  mean: float
  error: float
  at_least: float
  complete: bool


def estimate(game: Any, enough: int) -> Estimate:
  """Estimates the number of histories of an OpenSpiel game.

  Args:
    game: The game.
    enough: A probe that exceeds it is cut short.
  """
  rng = np.random.default_rng(0)
  sizes = np.array([
      [probe(game.new_initial_state(), rng, enough) for _ in range(_PROBES)]
      for _ in range(_GROUPS)
  ])
  means = sizes.mean(axis=1)
  return Estimate(
      mean=float(means.mean()),
      error=float(means.std(ddof=1) / np.sqrt(_GROUPS)),
      at_least=float(np.median(means) / _MARGIN),
      complete=bool((sizes <= enough).all()),
  )


def probe(state: Any, rng: np.random.Generator, enough: int) -> int:
  """Plays a game to its end; returns an unbiased estimate of its histories.

  Args:
    state: The initial state; it is moved.
    rng: What the moves are drawn from.
    enough: Play stops once the estimate exceeds it.
  """
  size = width = 1
  while size <= enough and not state.is_terminal():
    actions = state.legal_actions()
    width *= len(actions)
    size += width
    state.apply_action(actions[rng.integers(len(actions))])
  return size


def check(game: Any, max_histories: int, known: int) -> None:
  """Refuses a tree that is too large, or is bound to be.

  Args:
    game: An OpenSpiel game.
    max_histories: The largest tree to enumerate.
    known: The number of histories that were met so far.

  Raises:
    ValueError: If the tree has more than `max_histories`.
  """
  found = estimate(game, _ENOUGH * max_histories)
  if max(known, found.at_least) <= max_histories:
    return
  more = "" if found.complete else " or more"
  memory = max(found.mean * _BYTES / 2**30, 0.1)
  raise ValueError(
      f"`max_histories` is {max_histories}, and {game} has more: about "
      f"{found.mean:.3g}{more} histories by {_GROUPS * _PROBES} random probes, "
      f"with a standard error of {found.error:.2g}, in up to {memory:,.1f} "
      f"GiB of memory; stopped at {known}; choose a smaller game, or raise the "
      "limit if there is as much memory"
  )
