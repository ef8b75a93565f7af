"""The loop of all binaries: updates, measurements, rows and saved states.

A binary describes its work as jobs, which are done one after the other. All of
them add rows to one trace, and each saves its state from time to time. A run
that is killed goes on with the job that it was at, from the last saved state. A
job that has ended leaves its result, and its state is dropped.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
import contextlib
import sys
import time
from typing import Any

import jax

from experiments.runs import fingerprint as fingerprint_lib
from experiments.runs import folder as folder_lib
from experiments.runs import interrupts as interrupts_lib
from experiments.runs import jobs as jobs_lib
from experiments.runs import progress, provenance, states
from experiments.runs import trace as trace_lib


def begin(
  folder: folder_lib.Folder,
  decisive: fingerprint_lib.Decisive,
  interrupts: interrupts_lib.Interrupts,
  flags: Mapping[str, Any],
  **details: Any,
) -> dict[str, Any]:
  """Writes `flags.json`, or checks that the run in the folder is this one.

  It comes first: a folder without flags is not one of a run.

  Args:
    folder: Of the run.
    decisive: What decides the run's numbers.
    interrupts: Wait until the file is written.
    flags: Values of the flags, by name.
    **details: What else the file holds, by name.

  Returns:
    What the file holds.

  Raises:
    ValueError: If the folder has a run with other numbers, or cannot be
      written.
  """
  if folder.recorded is not None:
    decisive.check_same(folder.recorded["decisive"], folder.path)
  record = {
    "flags": flags,
    "decisive": decisive.as_json(),
    **details,
    **provenance.record(folder.recorded),
  }
  with interrupts.noted():
    folder.begin(record)
  return record


def drive(
  jobs: Sequence[jobs_lib.Job],
  folder: folder_lib.Folder,
  fingerprint: str,
  interrupts: interrupts_lib.Interrupts,
  *,
  save_seconds: float,
  save_apart: bool = False,
  updates_flag: str = "updates",
  compiled: Callable[[jobs_lib.Job, float], None] = lambda job, seconds: None,
) -> list[jobs_lib.Finished]:
  """Does all jobs, or what is left of them.

  Args:
    jobs: In the order in which they are done.
    folder: Of the run, which has begun. A run that is continued gets its new
      flags once its states and rows have been checked.
    fingerprint: Of what decides the run's numbers.
    interrupts: Signals that end the run in good order.
    save_seconds: Time between saved states.
    save_apart: Whether updates wait until a state is saved, so that saving does
      not slow down updates that are timed.
    updates_flag: The flag that the last point comes from.
    compiled: Called with each job and its compilation time.

  Raises:
    Stopped: By a signal, once the state is saved.
    ValueError: If files of the run are damaged or cannot be written, or a
      measurement is not finite.
  """
  runs = []
  for job in jobs:
    path = folder.path / folder_lib.STATES / job.name
    saved = states.States(path, fingerprint, save_seconds)
    runs.append(_Run(job, saved, folder, updates_flag, save_apart))
  with contextlib.ExitStack() as stack:
    trace = stack.enter_context(_restored(runs, folder, interrupts))
    for run in runs:
      # Before the trace is closed, whose rows the last state follows.
      stack.callback(run.close)
    finished = [
      _finished(run, runs, trace, interrupts, compiled) for run in runs
    ]
    with interrupts.noted():
      # Rows of a job that was done again stand behind those of later jobs.
      trace.arrange([row for run in finished for row in run.rows])
    return finished


def _finished(run, runs, trace, interrupts, compiled):
  """Does what is left of one job."""
  interrupts.remark = _remark(runs)
  if not run.finished:
    run.compile()
    with interrupts.noted():
      compiled(run.job, run.compile_seconds)
      try:
        run.go(trace, interrupts)
      finally:
        interrupts.remark = _remark(runs)
  return run.finish()


@contextlib.contextmanager
def _restored(runs, folder, interrupts):
  """Opens the trace with the rows that came before the saved states."""
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
  """A job in progress."""

  def __init__(self, job, saved, folder, updates_flag, save_apart):
    self.job = job
    self.rows: list[trace_lib.Row] = []
    self._saved, self._folder, self._flag = saved, folder, updates_flag
    self._save_apart = save_apart
    self._state: Any = None
    self._result: Any = None
    self.clock = jobs_lib.Clock()
    self.compile_seconds = 0.0
    self._piece = 1
    self._points = list(job.points)

  @property
  def finished(self):
    """Whether all updates are made and all rows written."""
    last = self.job.points[-1]
    return bool(self.rows) and (
      self.rows[-1]["step"] == self.clock.step == last
      or self.job.enough(self.rows)
    )

  def restore(self, rows):
    """Continues from the latest state that an earlier process saved."""
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
    self.clock = jobs_lib.Clock(
      *(found.clock[name] for name in jobs_lib.Clock._fields)
    )
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
    """Adds the points of rows that an earlier, shorter run had elsewhere."""
    last = self.job.points[-1]
    steps = {row["step"] for row in rows if row["step"] <= last}
    self._points = sorted({*self._points, *steps})

  def compile(self):
    """Compiles the programs, so that the time of updates is theirs alone."""
    _say(f"compiling {self.job.title}")
    if self._state is None:
      # On a device, as restored arrays are, so that both run one program.
      self._state = self.job.place(self.job.init())
    start = time.perf_counter()
    # Side by side, as XLA compiles outside of Python's lock. Zero updates
    # compile the program that makes any number of them.
    with futures.ThreadPoolExecutor(1) as beside:
      measured = beside.submit(self.job.measure, self._state, self.clock)
      jax.block_until_ready(self.job.advance(self._state, 0))
      measured.result()
    self.compile_seconds = time.perf_counter() - start
    if not self.clock.compile_seconds:
      self.clock = self.clock._replace(compile_seconds=self.compile_seconds)

  def go(self, trace, interrupts):
    """Makes the updates and rows that are missing, until a signal comes."""
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
    """Returns the finished job, and drops its state."""
    if self._state is not None:
      self._result = self.job.result(self._state)
      self._state = None
    return jobs_lib.Finished(
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
      # At a point the row is written first: a saved state follows its rows.
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
  """Returns what a signal's message says of the first unfinished job."""
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
