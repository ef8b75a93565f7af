"""Learned responses to a policy: what they gain is a lower bound."""

from collections.abc import Callable, Mapping
import statistics
import sys
import time
from typing import Any, BinaryIO, NamedTuple

from experiments.runs import folder as folder_lib
from experiments.runs import trace as trace_lib
from mdrl.envs import base as env_lib
from mdrl.judges import estimates, exploiters, responses
from mdrl.policies import base as policy_lib


class Learned(NamedTuple):
  """A judgement by learned responses.

  Attributes:
    result: As `result.json` holds it.
    rows: Points of the learning curves, as `trace.jsonl` holds them.
  """

  result: dict[str, Any]
  rows: list[trace_lib.Row]

  def files(self, title: str) -> Mapping[str, Callable[[BinaryIO], object]]:
    """Returns what writes each file, the result and the trace aside."""
    # Importing it takes a while, and not every judgement ends here.
    from experiments.judging import exploitability_plot
    from experiments.runs import figures

    figure = exploitability_plot.draw_learned(self.result, self.rows, title)
    return {"exploitability.png": lambda file: figures.save(file, figure)}


def check(given: Mapping[str, Any]) -> None:
  """Raises ValueError if there are more checkpoints than steps."""
  if given["checkpoints"] > given["steps"]:
    raise ValueError(
      f"`--checkpoints` must be at most the {given['steps']:,} --steps, got "
      f"{given['checkpoints']:,}"
    )


def judge(
  policy: policy_lib.Policy,
  env: env_lib.Environment,
  given: Mapping[str, Any],
  folder: folder_lib.Folder,
) -> Learned:
  """Returns what responses gain that are learned for a budget.

  Args:
    policy: What is judged.
    env: Where it plays.
    given: Flags by name.
    folder: Where the learning curves are written as they come.

  Raises:
    ValueError: If the file cannot be written.
  """
  rows: list[trace_lib.Row] = []

  def tell(seat: int, learner: str, point: responses.Point):
    value = as_json(point.value, given["confidence"])
    rows.append(
      {
        "step": point.decisions,
        "seconds": point.seconds,
        "seat": seat,
        "learner": learner,
        "value": value,
      }
    )
    text = "".join(map(trace_lib.line, rows))
    folder.write(
      folder_lib.TRACE, lambda file: file.write(text.encode("utf-8"))
    )
    print(
      f"seat {seat}  {learner}  {point.decisions:,}/{given['steps']:,} "
      f"decisions  {point.seconds:.1f} s  earns {value['mean']:+.4f}",
      file=sys.stderr,
      flush=True,
    )

  start = time.perf_counter()
  found = exploiters.exploit(
    env,
    policy,
    num_decisions=given["steps"],
    num_games=given["games"],
    num_checkpoints=given["checkpoints"],
    seed=given["seed"],
    progress=tell,
  )
  return Learned(_result(found, given, time.perf_counter() - start), rows)


def _result(found, given, seconds):
  confidence = given["confidence"]
  return {
    "method": "learned",
    "lower_bound": True,
    "confidence": confidence,
    "exploitability": as_json(found.exploitability, confidence),
    "nash_conv": as_json(found.nash_conv, confidence),
    "seats": [
      {
        "learner": response.learner,
        "value": as_json(response.value, confidence),
        "best": as_json(response.best, confidence),
        "gain": as_json(response.gain, confidence),
      }
      for response in found.responses
    ],
    "decisions": found.decisions,
    "games": found.games,
    "seconds": seconds,
  }


def as_json(found: estimates.Estimate, confidence: float) -> dict[str, float]:
  """Returns an estimate with its interval, by the normal approximation."""
  quantile = statistics.NormalDist().inv_cdf((1 + confidence) / 2)
  size = quantile * found.error
  return {
    "mean": found.mean,
    "low": found.mean - size,
    "high": found.mean + size,
  }
