"""Exact best responses to a policy of a compiled game."""

from collections.abc import Callable, Mapping
import time
from typing import Any, BinaryIO, NamedTuple

import jax

from experiments.judging import subjects
from experiments.solving import policy_file
from mdrl.compile import openspiel
from mdrl.games import index as index_lib
from mdrl.judges import best_response
from mdrl.policies import base as policy_lib
from mdrl.policies import evaluation, infostates
from mdrl.trees import quantities


class Exact(NamedTuple):
  """An exact judgement.

  Attributes:
    result: As `result.json` holds it.
    game: The string by which OpenSpiel loads the game.
    names: Of its rows.
    policies: What was judged.
    responses: The best responses to it.
  """

  result: dict[str, Any]
  game: str
  names: index_lib.Index
  policies: quantities.Policies
  responses: quantities.Policies

  def files(self, title: str) -> Mapping[str, Callable[[BinaryIO], object]]:
    """Returns what writes each file, the result aside."""
    # Importing it takes longer than the judgement.
    from experiments.judging import exploitability_plot
    from experiments.runs import figures

    figure = exploitability_plot.draw_exact(self.result, title)
    iterates = {"response": self.responses, "judged": self.policies}
    return {
      "response.npz": lambda file: policy_file.write(
        file, self.game, self.names, iterates, "response"
      ),
      "exploitability.png": lambda file: figures.save(file, figure),
    }


def judge(policy: policy_lib.Policy, stage: subjects.Stage) -> Exact:
  """Returns the best responses to a policy, and what they gain.

  Args:
    policy: For the players of the stage.
    stage: A compiled game.

  Raises:
    ValueError: If the game is none, or the policy is made for other sizes.
  """
  if stage.game is None or stage.names is None:
    raise ValueError(f"`stage` must be a compiled game, got {stage.name}")
  start = time.perf_counter()
  places = infostates.of_game(stage.game, stage.names)
  policies = evaluation.to_policies(policy, places)
  found = best_response.judge(stage.game, policies)
  numbers = jax.device_get(found._replace(responses=None))
  return Exact(
    result={
      "method": "exact",
      "lower_bound": False,
      "exploitability": float(numbers.exploitability),
      "nash_conv": float(numbers.nash_conv),
      "seats": [
        {"value": value, "best": best, "gain": gain}
        for value, best, gain in zip(
          numbers.values.tolist(),
          numbers.best.tolist(),
          numbers.gains.tolist(),
          strict=True,
        )
      ],
      "seconds": time.perf_counter() - start,
    },
    game=openspiel.game_string(stage.name),
    names=stage.names,
    policies=policies,
    responses=found.responses,
  )
