"""The loop of all binaries: pieces of updates, measures, rows, saved states.

A binary says what is to be done as jobs, which are run one after the other. All
of them leave rows in one trace, and a saved state each, so that a run that is
killed goes on with the job, and in the job with the update, where it was. A job
that is finished leaves its result and gives up its state.
"""

from collections.abc import Callable, Mapping, Sequence
import contextlib
import dataclasses
import hashlib
import sys
import time
from typing import Any, NamedTuple
import urllib.parse

import jax

from experiments.runs import folder as folder_lib
from experiments.runs import interrupts as interrupts_lib
from experiments.runs import progress, states
from experiments.runs import trace as trace_lib

_LONGEST_NAME = 200


class Clock(NamedTuple):
  """What the host has counted of a job.

  Attributes:
    step: Updates made.
    seconds: Spent in updates.
    cpu_seconds: Likewise, of all threads.
    compile_seconds: Until the first update, in the first process whose state
      was saved: later ones may find programs that are compiled.
  """

  step: int = 0
  seconds: float = 0.0
  cpu_seconds: float = 0.0
  compile_seconds: float = 0.0


def _on_first_device(state):
  return jax.device_put(state, jax.devices()[0])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
  """Something that is updated, and measured at points.

  Attributes:
    title: What progress and messages call it.
    labels: Columns of all of its rows, and of no other job's; empty for the
      only job of a run.
    points: Numbers of updates after which it is measured, increasing.
    init: Returns the first state: arrays in a pytree.
    advance: Returns the state after more updates. n and then m updates must be
      n + m updates bit for bit, and any number must be the same program.
    measure: Returns the rows of a state, as JSON holds them; each has `step`.
    result: Returns what is kept of the last state.
    enough: Whether rows show that no more updates are needed.
    note: What progress says of the latest rows.
    piece_seconds: Pieces of a long interval between points take about as many,
      at least and at most, so that progress shows and a signal is soon heard.
      They change no numbers.
    place: Puts a state where `advance` wants it; restored states are on the
      first device.
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
    """The folder of its states, below that of the run's."""
    text = ",".join(f"{name}={value}" for name, value in self.labels.items())
    quoted = urllib.parse.quote(text, safe=" ,=()")
    if len(quoted) <= _LONGEST_NAME:
      return quoted
    # A file system has its limit, and two names must not become one.
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return f"{quoted[:_LONGEST_NAME]}...{digest[:16]}"


class Finished(NamedTuple):
  """What came of a job.

  Attributes:
    job: The job.
    result: What it kept of its last state.
    rows: Its part of the trace.
    clock: At its end.
    compile_seconds: Until the first update of this process; zero where none
      was left to make.
  """

  job: Job
  result: Any
  rows: list[trace_lib.Row]
  clock: Clock
  compile_seconds: float


def drive(
  jobs: Sequence[Job],
  folder: folder_lib.Folder,
  fingerprint: str,
  interrupts: interrupts_lib.Interrupts,
  *,
  save_seconds: float,
  save_apart: bool = False,
  updates_flag: str = "updates",
  compiled: Callable[[Job, float], None] = lambda job, seconds: None,
) -> list[Finished]:
  """Runs all jobs, or what is left of them, and returns what came of them.

  Args:
    jobs: Run in this order.
    folder: Of the run, which has begun; one that is gone on with gets its new
      flags once its states and rows are found in order.
    fingerprint: Of what decides the run's numbers.
    interrupts: Ends the run in good order.
    save_seconds: Time between saved states.
    save_apart: Whether updates wait while a state is saved, for the sake of
      the seconds that they take.
    updates_flag: The flag that the last point comes from.
    compiled: Told of each job how long compilation took.

  Raises:
    Stopped: By a signal, once the state is saved.
    ValueError: If files of the run are damaged or cannot be written, or numbers
      ceased to be finite.
  """
  with contextlib.ExitStack() as stack:
    todo = []
    for job in jobs:
      saved = states.States(
        folder.path / folder_lib.STATES / job.name, fingerprint, save_seconds
      )
      todo.append(_Run(job, saved, folder, updates_flag, save_apart))
    trace = stack.enter_context(_restored(todo, folder, interrupts))
    for run in todo:
      # Before the trace, which the last state has to follow.
      stack.callback(run.close)
    finished = []
    for run in todo:
      interrupts.remark = _remark(todo)
      if not run.finished:
        run.compile()
        with interrupts.noted():
          compiled(run.job, run.compile_seconds)
          try:
            run.go(trace, interrupts)
          finally:
            interrupts.remark = _remark(todo)
      finished.append(run.finish())
    with interrupts.noted():
      # A part that was made again has left its rows behind those of others.
      trace.arrange([row for run in finished for row in run.rows])
    return finished


@contextlib.contextmanager
def _restored(runs, folder, interrupts):
  """Opens the trace, with the rows that the runs' states have followed."""
  path = folder.path / folder_lib.TRACE
  rows = trace_lib.read(path) if folder.recorded else []
  for number, row in enumerate(rows, start=1):
    if not any(trace_lib.matches(row, run.job.labels) for run in runs):
      raise ValueError(
        f"line {number} of {path} must be of this run, got one of another; "
        "start anew by --overwrite"
      )
  for run in runs:
    run.restore([r for r in rows if trace_lib.matches(r, run.job.labels)])
    if run.finished:
      # One state at a time, as they may be large.
      run.finish()
  with interrupts.noted():
    folder.go_on()
    trace = trace_lib.Trace(path, [row for run in runs for row in run.rows])
  with contextlib.closing(trace):
    yield trace


class _Run:
  """A job, as far as it is made."""

  def __init__(self, job, saved, folder, updates_flag, save_apart):
    self.job = job
    self.rows: list[trace_lib.Row] = []
    self._saved, self._folder, self._flag = saved, folder, updates_flag
    self._save_apart = save_apart
    self._state: Any = None
    self._result: Any = None
    self.clock = Clock()
    self.compile_seconds = 0.0
    self._piece = 1
    self._points = list(job.points)

  @property
  def finished(self):
    """Whether no update and no row is missing."""
    last = self.job.points[-1]
    return bool(self.rows) and (
      self.rows[-1]["step"] == self.clock.step == last
      or self.job.enough(self.rows)
    )

  def restore(self, rows):
    """Takes up what an earlier process has left, if anything."""
    found = self._saved.restore(jax.eval_shape(self.job.init))
    if found is None:
      self._make_again(rows)
      if rows:
        _say(
          f"{self.job.title}: no state was saved; {len(rows)} rows are made "
          "again"
        )
      return
    for damage in found.damaged:
      _say(f"{damage}; an earlier state is taken")
    count = found.clock["rows"]
    if trace_lib.digest(rows[:count]) != found.clock["digest"]:
      raise ValueError(
        f"{self._folder.path / folder_lib.TRACE} must begin with the rows "
        f"that the saved state followed, got others or fewer than {count}; "
        "put back the file as it was, or start anew by --overwrite"
      )
    self.rows = rows[:count]
    self._make_again(rows[count:])
    self.clock = Clock(*(found.clock[name] for name in Clock._fields))
    self._state = self.job.place(found.state)
    if self.clock.step > self.job.points[-1]:
      raise ValueError(
        f"`--{self._flag}` must be at least the {self.clock.step} that the "
        f"run in {self._folder.path} has made, got {self.job.points[-1]}"
      )
    if len(rows) > count:
      _say(
        f"{self.job.title}: goes on after {self.clock.step:,} updates; "
        f"{len(rows) - count} later rows are made again"
      )

  def _make_again(self, rows):
    """Adds points of a run that was to be shorter, and had others."""
    last = self.job.points[-1]
    steps = {row["step"] for row in rows if row["step"] <= last}
    self._points = sorted({*self._points, *steps})

  def compile(self):
    """Makes the programs, so that updates are timed without them."""
    _say(f"compiling {self.job.title}")
    if self._state is None:
      # First arrays are bound to a device, as restored ones are, so that both
      # run the same program.
      self._state = self.job.place(self.job.init())
    start = time.perf_counter()
    # No updates, but the program that makes any number of them.
    jax.block_until_ready(self.job.advance(self._state, 0))
    self.job.measure(self._state, self.clock)
    self.compile_seconds = time.perf_counter() - start
    if not self.clock.compile_seconds:
      self.clock = self.clock._replace(compile_seconds=self.compile_seconds)

  def go(self, trace, interrupts):
    """Makes all updates and rows that are missing, until a signal comes."""
    done = {row["step"] for row in self.rows}
    with progress.Progress(self.job.title, self.job.points[-1]) as bar:
      for point in self._points:
        if point < self.clock.step or point in done:
          continue
        if not self._go_to(point, trace, interrupts, bar):
          break
        self._measure(trace, bar)
        self._save(trace, only_if_due=True)
        if self.job.enough(self.rows):
          break
      self._save(trace)
      self._saved.wait()

  def finish(self):
    """Gives up the state for the result, unless that was done before."""
    if self._state is not None:
      self._result = self.job.result(self._state)
      self._state = None
    return Finished(
      self.job, self._result, self.rows, self.clock, self.compile_seconds
    )

  def close(self):
    """Waits until all states are on disk."""
    self._saved.close()

  def _go_to(self, point, trace, interrupts, bar):
    """Makes the updates up to a point; False if a signal came before it."""
    while self.clock.step < point:
      if interrupts.received:
        return False
      self._advance(min(self._piece, point - self.clock.step))
      # At a point, the row comes first: a saved state has all of its rows.
      if self.clock.step < point:
        bar.advanced(self.clock.step, self.clock.seconds)
        self._save(trace, only_if_due=True)
    return True

  def _advance(self, count):
    start, cpu = time.perf_counter(), time.process_time()
    self._state = jax.block_until_ready(self.job.advance(self._state, count))
    spent = time.perf_counter() - start
    self.clock = self.clock._replace(
      step=self.clock.step + count,
      seconds=self.clock.seconds + spent,
      cpu_seconds=self.clock.cpu_seconds + time.process_time() - cpu,
    )
    low, high = self.job.piece_seconds
    if spent < low:
      self._piece *= 2
    elif spent > high:
      self._piece = max(1, self._piece // 2)

  def _measure(self, trace, bar):
    rows = [
      {**self.job.labels, **row}
      for row in self.job.measure(self._state, self.clock)
    ]
    trace.add(rows)
    self.rows += rows
    bar.measured(self.job.note(rows))
    bar.advanced(self.clock.step, self.clock.seconds)

  def _save(self, trace, only_if_due=False):
    if only_if_due and not self._saved.due:
      return
    clock = self.clock._asdict()
    clock |= {"rows": len(self.rows), "digest": trace_lib.digest(self.rows)}
    self._saved.save(self.clock.step, self._state, clock, trace.sync)
    if self._save_apart:
      self._saved.wait()


def _remark(runs):
  """What is said of the first run that is not finished, after a signal."""
  number, run = next(
    ((k, run) for k, run in enumerate(runs) if not run.finished),
    (len(runs) - 1, runs[-1]),
  )
  part = f" of {run.job.title}, part {number + 1} of {len(runs)}"
  last = run.job.points[-1]
  if not any(run.rows for run in runs):
    return "before the first update"
  return (
    f"after {run.clock.step:,} of {last:,} updates"
    f"{part if len(runs) > 1 else ''}; go on by --resume"
  )


def _say(text):
  print(text, file=sys.stderr, flush=True)
