"""Tests that jobs, however often they are cut short, leave the same results."""

import contextlib
import io
import itertools
import os
import pathlib
import shutil
import signal
import tempfile
import time
from typing import NamedTuple

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp

from experiments.runs import folder as folder_lib
from experiments.runs import host_loop
from experiments.runs import interrupts as interrupts_lib
from experiments.runs import jobs as jobs_lib
from experiments.runs import trace as trace_lib
from mdrl import methods, run, struct

_RECORD = {
  "flags": {},
  "decisive": {"flags": {}, "contents": {}},
  "earlier": [],
}


class _Killed(BaseException):
  """Stands for the death of the process."""


class _WalkState(NamedTuple):
  step: jax.Array
  key: jax.Array
  place: dict[str, jax.Array]


@struct.dataclass
class _Walk:
  """A random walk towards its problem, a point: a method, and no solver."""

  step_size: float

  def init(self, target, place=None):
    del place
    key = jax.random.key(3)
    return _WalkState(methods.zero_step(), key, {"x": jnp.zeros_like(target)})

  def update(self, target, state):
    key, draw = jax.random.split(state.key)
    noise = jax.random.normal(draw, target.shape)
    x = state.place["x"]
    x = x + self.step_size * (target - x + noise)
    return _WalkState(state.step + 1, key, {"x": x})


@jax.jit
def _advanced(state, count):
  return jax.lax.fori_loop(0, count, lambda _, x: x * 0.75 + jnp.sin(x), state)


class HostLoopTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    parent = self.enterContext(tempfile.TemporaryDirectory())
    self.parent = pathlib.Path(parent)
    self.calls = []

  def _job(self, number, updates=9, event=None, **changes):
    def advance(state, count):
      self.calls.append((number, count))
      if event is not None:
        event(number, count)
      return _advanced(state, count)

    def row(state, clock):
      return {"step": clock.step, "value": float(state)}

    return jobs_lib.Job(
      **{
        "title": f"job {number}",
        "labels": {"solver": f"s/{number}"},
        "points": [p for p in (0, 1, 3, 9, 27) if p <= updates],
        "init": lambda: jnp.asarray(number / 3),
        "advance": advance,
        "measure": lambda state, clock: [row(state, clock)],
        "result": float,
        **changes,
      }
    )

  def _drive(self, name, jobs, *, fingerprint="mine", save_seconds=0.0):
    """Runs jobs in a folder; returns what came of them, and stderr."""
    with (
      contextlib.redirect_stderr(io.StringIO()) as stderr,
      interrupts_lib.Interrupts("program") as signals,
      folder_lib.Folder(
        self.parent / name, "program", [], resume=True, overwrite=False
      ) as folder,
    ):
      folder.begin(_RECORD)
      found = host_loop.drive(
        jobs, folder, fingerprint, signals, save_seconds=save_seconds
      )
    self.signals = signals
    return found, stderr.getvalue()

  def _rows(self, name):
    return trace_lib.read(self.parent / name / "trace.jsonl")

  def test_rows_results_and_clocks(self):
    found, _ = self._drive("run", [self._job(1), self._job(2)])
    rows = self._rows("run")
    self.assertEqual([row["step"] for row in rows], [0, 1, 3, 9] * 2)
    self.assertEqual([row["solver"] for row in rows], ["s/1"] * 4 + ["s/2"] * 4)
    for number, job in enumerate(found, start=1):
      value = float(_advanced(jnp.asarray(number / 3), 9))
      self.assertEqual(job.result, value)
      self.assertEqual(job.rows[-1]["value"], value)
      self.assertEqual(job.clock.step, 9)
      self.assertGreater(job.clock.seconds, 0)
      self.assertGreater(job.compile_seconds, 0)
    self.assertEqual([row for job in found for row in job.rows], rows)

  def _walk(self, event=None):
    """Returns the job of a method that knows neither games nor policies."""
    target = jnp.array([1.0, 2.0])

    def measure(state, clock):
      if event is not None:
        event(clock)
      distance = float(jnp.sum((state.place["x"] - target) ** 2))
      return [{"step": clock.step, "distance": distance}]

    return jobs_lib.of_method(
      _Walk(step_size=0.1),
      target,
      measure,
      title="a walk",
      points=[0, 1, 10, 50],
      result=lambda state: state.place["x"].tolist(),
    )

  def test_any_method_is_interrupted_and_goes_on(self):
    [whole], _ = self._drive("whole", [self._walk()])
    state = run.init(_Walk(step_size=0.1), jnp.array([1.0, 2.0]))
    state = run.advance(_Walk(step_size=0.1), jnp.array([1.0, 2.0]), state, 50)
    self.assertEqual(whole.result, state.place["x"].tolist())

    def interrupt(clock):
      if clock.step == 10:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)

    with self.assertRaisesRegex(
      interrupts_lib.Stopped, "SIGINT after 10 of 50 up"
    ):
      self._drive("run", [self._walk(interrupt)], save_seconds=1e6)
    self.assertLen(self._rows("run"), 3)
    [resumed], _ = self._drive("run", [self._walk()])
    self.assertEqual(resumed.result, whole.result)
    self.assertEqual(self._rows("run"), self._rows("whole"))

  def test_any_method_that_dies_goes_on(self):
    [whole], _ = self._drive("whole", [self._walk()])

    def die(clock):
      if clock.step == 50:
        raise _Killed

    with self.assertRaises(_Killed):
      self._drive("run", [self._walk(die)])
    [resumed], _ = self._drive("run", [self._walk()])
    self.assertEqual(resumed.result, whole.result)
    self.assertEqual(self._rows("run"), self._rows("whole"))

  @parameterized.parameters(*range(10))
  def test_a_run_that_dies_at_any_call_ends_the_same(self, calls):
    whole, _ = self._drive("whole", [self._job(1), self._job(2)])
    left = itertools.count(calls, -1)

    def event(number, count):
      if next(left) == 0:
        raise _Killed

    with self.assertRaises(_Killed):
      self._drive("run", [self._job(1, event=event), self._job(2, event=event)])
    found, _ = self._drive("run", [self._job(1), self._job(2)])
    self.assertEqual(self._rows("run"), self._rows("whole"))
    self.assertEqual(
      [job.result for job in found], [job.result for job in whole]
    )

  def test_finished_jobs_make_no_updates_and_keep_their_results(self):
    first, _ = self._drive("run", [self._job(1), self._job(2)])
    before = (self.parent / "run" / "trace.jsonl").read_bytes()
    self.calls.clear()
    again, stderr = self._drive("run", [self._job(1), self._job(2)])
    self.assertEmpty(self.calls)
    self.assertEmpty(stderr)
    for job, other in zip(first, again, strict=True):
      self.assertEqual(job[1:4], other[1:4])
      self.assertEqual(other.compile_seconds, 0)
    self.assertEqual((self.parent / "run" / "trace.jsonl").read_bytes(), before)

  def test_more_updates_go_on_with_all_jobs(self):
    whole, _ = self._drive("whole", [self._job(1, 27), self._job(2, 27)])
    self._drive("run", [self._job(1), self._job(2)])
    found, _ = self._drive("run", [self._job(1, 27), self._job(2, 27)])
    self.assertEqual(
      [job.result for job in found], [job.result for job in whole]
    )
    # In the order of the jobs again, though rows of both came later.
    self.assertEqual(self._rows("run"), self._rows("whole"))
    with self.assertRaisesRegex(ValueError, "`--updates` must be at least the"):
      self._drive("run", [self._job(1), self._job(2)])

  def test_enough_ends_a_job_before_its_last_point(self):
    enough = {"enough": lambda rows: rows[-1]["step"] >= 3}
    for _ in range(2):
      [job], _ = self._drive("run", [self._job(1, **enough)])
      self.assertEqual(job.clock.step, 3)
      self.assertEqual([row["step"] for row in self._rows("run")], [0, 1, 3])

  def test_pieces_grow_and_change_no_numbers(self):
    whole, _ = self._drive("whole", [self._job(1, points=[0, 1000])])
    counts = [count for _, count in self.calls]
    self.assertEqual(counts[:5], [0, 1, 2, 4, 8])
    self.assertEqual(sum(counts), 1000)
    self.assertEqual(
      whole[0].result, float(_advanced(jnp.asarray(1 / 3), 1000))
    )

  def test_slow_pieces_shrink(self):
    def event(number, count):
      del number
      if count == 4:
        time.sleep(1.1)

    slow = self._job(1, event=event, points=[0, 11], piece_seconds=(1.0, 1.0))
    self._drive("run", [slow])
    counts = [count for _, count in self.calls]
    self.assertEqual(counts, [0, 1, 2, 4, 2, 2])

  def test_a_signal_saves_the_state(self):
    def event(number, count):
      if (number, count) == (2, 2):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)

    whole, _ = self._drive("whole", [self._job(1), self._job(2)])
    jobs = [self._job(1), self._job(2, event=event)]
    with self.assertRaisesRegex(
      interrupts_lib.Stopped,
      "SIGTERM after 3 of 9 updates of job 2, part 2 of 2; go on by --resume",
    ):
      self._drive("run", jobs, save_seconds=1e6)
    self.calls.clear()
    found, stderr = self._drive("run", [self._job(1), self._job(2)])
    self.assertEqual({number for number, _ in self.calls}, {2})
    self.assertEqual(sum(count for _, count in self.calls), 6)
    self.assertEqual(self._rows("run"), self._rows("whole"))
    self.assertEqual(found[1].result, whole[1].result)
    self.assertEqual(stderr, "compiling job 2\n")

  def test_errors_leave_what_was_done(self):
    def measure(state, clock):
      if clock.step == 3:
        raise ValueError("no number")
      return [{"step": clock.step}]

    with self.assertRaisesRegex(ValueError, "no number"):
      self._drive("run", [self._job(1), self._job(2, measure=measure)])
    self.calls.clear()
    self._drive("run", [self._job(1), self._job(2)])
    # The state after one update was being saved when the error came.
    self.assertEqual(self.calls[:2], [(2, 0), (2, 1)])
    self.assertEqual(sum(count for _, count in self.calls), 9 - 1)

  def test_states_of_another_fingerprint(self):
    self._drive("run", [self._job(1)])
    with self.assertRaisesRegex(ValueError, "of this run.*--overwrite"):
      self._drive("run", [self._job(1)], fingerprint="another")

  def test_an_earlier_state_is_taken_where_the_last_is_damaged(self):
    self._drive("run", [self._job(1), self._job(2)])
    before = self._rows("run")
    states = self.parent / "run" / "checkpoint" / "solver=s%2F1"
    (states / "9" / "manifest.json").write_text("{}")
    self.calls.clear()
    found, stderr = self._drive("run", [self._job(1), self._job(2)])
    self.assertRegex(stderr, "9 cannot be read.*; an earlier state is taken\n")
    self.assertRegex(stderr, "job 1: goes on after .* 1 later rows are made ag")
    self.assertEqual({number for number, _ in self.calls}, {1})
    self.assertEqual(self._rows("run"), before)
    self.assertEqual(
      [job.result for job in found],
      [row["value"] for row in before if row["step"] == 9],
    )

  @parameterized.parameters(("checkpoint/solver=s%2F1/5",), ("checkpoint",))
  def test_rows_at_points_of_a_shorter_run_are_made_again(self, lost):
    shorter = {"points": [0, 2, 5]}
    self._drive("run", [self._job(1, **shorter)])
    shutil.copytree(self.parent / "run", self.parent / "whole")
    self._drive("whole", [self._job(1)])
    shutil.rmtree(self.parent / "run" / lost)
    self._drive("run", [self._job(1)])
    steps = [row["step"] for row in self._rows("run")]
    self.assertContainsSubset([0, 2, 5, 9], steps)
    for row in self._rows("whole"):
      self.assertIn(row, self._rows("run"))

  def test_rows_that_are_made_again_are_said(self):
    self._drive("run", [self._job(1)])
    shutil.rmtree(self.parent / "run" / "checkpoint")
    before = self._rows("run")
    _, stderr = self._drive("run", [self._job(1)])
    self.assertIn("job 1: no state was saved; 4 rows are made again", stderr)
    self.assertEqual(self._rows("run"), before)

  @parameterized.parameters(
    lambda lines: lines[:-1],
    lambda lines: lines[1:],
    lambda lines: [],
    lambda lines: [lines[1], lines[0], *lines[2:]],
    lambda lines: [lines[0].replace("0.3", "0.4"), *lines[1:]],
    lambda lines: [*lines[:2], *lines[1:]],
  )
  def test_rows_that_the_state_did_not_follow(self, change):
    self._drive("run", [self._job(1)])
    path = self.parent / "run" / "trace.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(change(lines)))
    with self.assertRaisesRegex(ValueError, "must begin with the rows"):
      self._drive("run", [self._job(1)])

  def test_rows_of_no_job(self):
    self._drive("run", [self._job(1), self._job(2)])
    with self.assertRaisesRegex(ValueError, "line 5 of .* must be of this run"):
      self._drive("run", [self._job(1)])

  def test_names_of_folders_are_those_of_files(self):
    jobs = [
      self._job(1, labels={"game": text})
      for text in (
        "a/b",
        "a_b",
        "../a",
        "x" * 300,
        "x" * 299 + "y",
        "ä(b=1,c)",
        "a\0",
      )
    ]
    names = [job.name for job in jobs]
    self.assertLen(set(names), len(names))
    for name in names:
      (self.parent / name).mkdir()
      self.assertEqual(pathlib.Path(name).name, name)
    self.assertEqual(self._job(1, labels={}).name, "")


if __name__ == "__main__":
  absltest.main()
