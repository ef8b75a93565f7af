"""Exact best responses on boards that are too large to compile."""

from collections.abc import Callable, Mapping
import time
from typing import Any, BinaryIO, NamedTuple

import jax

from mdrl.envs import base as env_lib
from mdrl.envs import board_games
from mdrl.judges import board_exploitability, board_native
from mdrl.policies import base as policy_lib

# The evaluators number tries of so many cells.
_MOST_CELLS = 9


class Exact(NamedTuple):
  """An exact judgement; `result` is as `result.json` holds it."""

  result: dict[str, Any]

  def files(self, title: str) -> Mapping[str, Callable[[BinaryIO], object]]:
    """Returns what writes each file, the result aside."""
    from experiments.judging import exploitability_plot
    from experiments.runs import figures

    figure = exploitability_plot.draw_exact(self.result, title)
    return {"exploitability.png": lambda file: figures.save(file, figure)}


def fits(env: env_lib.Environment) -> bool:
  """Returns whether an environment is a board that can be judged exactly."""
  return (
    isinstance(env, board_games.PhantomBoard) and env.num_cells <= _MOST_CELLS
  )


def judge(policy: policy_lib.Policy, env: board_games.PhantomBoard) -> Exact:
  """Returns what best responses gain, by C++ on CPUs that have a compiler.

  Raises:
    ValueError: If the policy carries something between decisions.
  """
  start = time.perf_counter()
  native = jax.default_backend() == "cpu" and board_native.compiler()
  found = board_exploitability.exact_board_exploitability(
    env, policy, method="native" if native else "device"
  )
  seats = zip(found.values, found.best_responses, found.gains, strict=True)
  return Exact(
    {
      "method": "exact",
      "lower_bound": False,
      "exploitability": found.exploitability,
      "nash_conv": sum(found.gains),
      "seats": [
        {"value": value, "best": best, "gain": gain}
        for value, best, gain in seats
      ],
      "seconds": time.perf_counter() - start,
    }
  )
