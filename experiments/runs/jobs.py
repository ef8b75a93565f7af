"""Jobs of the host loop: what is updated, when it is measured, what is kept."""

from collections.abc import Callable, Mapping, Sequence
import dataclasses
import hashlib
from typing import Any, NamedTuple
import urllib.parse

import jax

from experiments.runs import trace as trace_lib
from mdrl import methods, run

_LONGEST_NAME = 200


class Clock(NamedTuple):
  """Updates and seconds of a job, over all processes that worked on it.

  Attributes:
    step: Updates made.
    seconds: Time spent in updates.
    cpu_seconds: Processor time of all threads in updates.
    compile_seconds: Time until the first update in the first process that saved
      a state; later processes may find compiled programs in a cache.
  """

  step: int = 0
  seconds: float = 0.0
  cpu_seconds: float = 0.0
  compile_seconds: float = 0.0


def _on_first_device(state):
  return jax.device_put(state, jax.devices()[0])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
  """A state that is updated, and measured at points.

  Attributes:
    title: What progress and messages call it.
    labels: Columns that all of its rows have, and no other job's rows; empty
      for the only job of a run.
    points: Numbers of updates after which it is measured, increasing.
    init: Returns the first state: arrays in a pytree.
    advance: Returns the state after more updates. n and then m updates must be
      n + m updates bit for bit, and any number must be the same program.
    measure: Returns the rows of a state, on the host: values that JSON can
      hold, with the number of updates in `step`.
    result: Returns what is kept of the last state.
    enough: Returns whether the rows show that no more updates are needed.
    note: Returns what the progress line says of the latest rows.
    piece_seconds: The least and the most that a piece of updates should take.
      A long interval between points is made in pieces, so that progress shows
      and a signal is soon noticed; they change no numbers.
    place: Puts a state on the devices where `advance` wants it; restored states
      are on the first device.
  """

  title: str
  labels: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  points: Sequence[int]
  init: Callable[[], Any]
  advance: Callable[[Any, int], Any]
  measure: Callable[[Any, Clock], Sequence[trace_lib.Row]]
  result: Callable[[Any], Any] = lambda state: None
  enough: Callable[[Sequence[trace_lib.Row]], bool] = lambda rows: False
  note: Callable[[Sequence[trace_lib.Row]], str] = lambda rows: ""
  piece_seconds: tuple[float, float] = (0.1, 0.4)
  place: Callable[[Any], Any] = _on_first_device

  @property
  def name(self) -> str:
    """The name of the folder of its states, inside that of all states."""
    text = ",".join(f"{name}={value}" for name, value in self.labels.items())
    quoted = urllib.parse.quote(text, safe=" ,=()")
    if len(quoted) <= _LONGEST_NAME:
      return quoted
    # File systems limit the length of names, and names must stay apart.
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f"{quoted[:_LONGEST_NAME]}...{digest[:16]}"


class Finished(NamedTuple):
  """A job that has ended.

  Attributes:
    job: The job.
    result: What it kept of its last state.
    rows: Its rows of the trace.
    clock: At its end.
    compile_seconds: Time until the first update of this process; zero if no
      update was left to make.
  """

  job: Job
  result: Any
  rows: list[trace_lib.Row]
  clock: Clock
  compile_seconds: float


def of_method(
  method: methods.Method,
  problem: Any,
  measure: Callable[[Any, Clock], Sequence[trace_lib.Row]],
  *,
  title: str,
  points: Sequence[int],
  start: Any = None,
  planned: int | None = None,
  **others: Any,
) -> Job:
  """Returns the job of running a method on a problem.

  Args:
    method: A solver, an operator's method, or a learner.
    problem: What it is about.
    measure: Returns the rows of a state.
    title: What progress and messages call it.
    points: Numbers of updates after which it is measured, increasing.
    start: Where the method begins; by default where it chooses.
    planned: Updates that will be made in all, if they are known.
    **others: Other attributes of the job.
  """
  return Job(
    title=title,
    points=points,
    init=lambda: run.init(method, problem, start),
    advance=run.Advance(method, problem, planned),
    measure=measure,
    **others,
  )
