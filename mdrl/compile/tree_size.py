"""Estimates the size of a game's tree before it is enumerated.

Donald E. Knuth, Estimating the efficiency of backtrack programs (1975),
https://doi.org/10.1090/S0025-5718-1975-0373371-6. A probe plays uniformly at
random and adds up the products of the numbers of moves that it has met; its
expectation is the number of histories, whatever the shape of the tree.
"""

import math
import time
from typing import Any, NamedTuple

import numpy as np

_GROUPS = 100
_PROBES = 40
# The mean of a group exceeds four times its expectation at most once in four
# times, by Markov's inequality; that half of 100 do has a chance below 1e-7.
_MARGIN = 4
# Estimates err upwards by huge probes, which make the standard error large too;
# where it is small, the number is not as many of them below the estimate.
_ERRORS = 5
# All of k probes exceed c times their expectation with a chance of at most
# c**-k; for c as below that is 1e-8, and 1e-6 over all k below 100.
_RARE = 1e8


class Estimate(NamedTuple):
  """The number of histories of a game.

  Attributes:
    mean: The unbiased estimate.
    error: Its standard error.
    at_least: What the number exceeds, but for a chance of a few in a million.
    complete: Whether no probe was cut short; else the mean is too small.
    probes: Number of probes.
  """

  mean: float
  error: float
  at_least: float
  complete: bool
  probes: int


def estimate(game: Any, enough: int, seconds: float = math.inf) -> Estimate:
  """Estimates the number of histories of an OpenSpiel game.

  Args:
    game: The game.
    enough: A probe that exceeds it is cut short.
    seconds: Processor time after which probes stop.
  """
  rng = np.random.default_rng(0)
  end = time.thread_time() + seconds
  sizes, in_time = [], True
  while in_time and len(sizes) < _GROUPS * _PROBES:
    sizes.append(probe(game.new_initial_state(), rng, enough, end))
    in_time = time.thread_time() <= end
  # Probes take turns in the groups, which thus have the same number of them.
  rounds = max(1, len(sizes) // _GROUPS)
  sizes = np.array(sizes[: rounds * _GROUPS], float)
  means = sizes.reshape(rounds, -1).mean(axis=0)
  mean = float(means.mean())
  error = math.inf
  if len(means) > 1:
    error = float(means.std(ddof=1) / np.sqrt(len(means)))
  at_least = float(means.min() / _RARE ** (1 / len(means)))
  if len(means) == _GROUPS:
    at_least = max(float(np.median(means) / _MARGIN), mean - _ERRORS * error)
  return Estimate(
    mean=mean,
    error=error,
    at_least=at_least,
    complete=in_time and bool((sizes <= enough).all()),
    probes=len(sizes),
  )


def probe(
  state: Any,
  rng: np.random.Generator,
  enough: int,
  end: float = math.inf,
) -> int:
  """Plays a game to its end; returns an unbiased estimate of its histories.

  Args:
    state: The initial state; it is moved.
    rng: What the moves are drawn from.
    enough: Play stops once the estimate exceeds it.
    end: Play stops once the thread's processor time exceeds it.
  """
  size = width = 1
  while size <= enough and not state.is_terminal():
    actions = state.legal_actions()
    width *= len(actions)
    size += width
    if not actions or time.thread_time() > end:
      break
    state.apply_action(actions[rng.integers(len(actions))])
  return size
