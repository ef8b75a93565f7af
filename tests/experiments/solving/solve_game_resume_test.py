"""Tests that a killed run goes on to the numbers of an uninterrupted one."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from absl.testing import absltest, parameterized
import numpy as np
import pytest

from experiments.runs import trace as trace_lib
from tests import source_tree
from tests.experiments import binary

_RUN = ("--game=kuhn_poker", "--checkpoints=12")


class ResumeTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.folder = pathlib.Path(folder)

  def _start(self, out, *arguments):
    return subprocess.Popen(
      [
        *(sys.executable, "-m", "experiments.solve_game", *_RUN),
        *(f"--out={out}", "--cache_dir=", *arguments),
      ],
      cwd=source_tree.ROOT,
      # The suite runs with these, and programs must be the same.
      env={**os.environ, "JAX_NUM_CPU_DEVICES": "4"},
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
    )

  def _wait(self, process, reached):
    deadline = time.monotonic() + 60
    while not reached() and time.monotonic() < deadline:
      self.assertIsNone(process.poll(), "the run ended before the signal")
      time.sleep(0.01)

  def _numbers(self, out):
    rows = trace_lib.read(out / "trace.jsonl")
    for row in rows:
      del row["seconds"]
    with np.load(out / "policy.npz") as policy:
      return rows, dict(policy)

  # Long enough that signals arrive in the middle.
  @parameterized.parameters(("magnetic", 400_000), ("pcfr_plus", 2_000_000))
  @pytest.mark.slow
  def test_killed_runs_end_with_the_same_numbers(self, solver, updates):
    whole, parts = self.folder / "whole", self.folder / "parts"
    arguments = (f"--solver={solver}", f"--updates={updates}", "--seed=3")
    result = binary.call(*_RUN, f"--out={whole}", *arguments)
    self.assertEqual(result.status, 0, result.stderr)

    process = self._start(parts, *arguments, "--save_seconds=0")
    self._wait(process, lambda: _latest(parts) > 20_000)
    process.kill()
    process.communicate(timeout=60)
    # A kill leaves rows that are later than the state, and parts of lines.
    with open(parts / "trace.jsonl", "a", encoding="utf-8") as file:
      file.write(f'{{"step": {updates}}}\n{{"step": 39')

    # Now only the signal saves a state.
    saved = _latest(parts)
    process = self._start(parts, *arguments, "--save_seconds=1e6", "--resume")
    self._wait(process, lambda: _has_restarted(parts))
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    self.assertEqual(process.returncode, 128 + signal.SIGTERM)
    self.assertRegex(stderr, "stopped by SIGTERM after .* go on by --resume")
    self.assertGreater(_latest(parts), saved)
    self.assertFalse((parts / "policy.npz").exists())

    result = binary.call(*_RUN, f"--out={parts}", *arguments, "--resume")
    self.assertEqual(result.status, 0, result.stderr)
    (rows, policy), (other_rows, other) = map(self._numbers, (whole, parts))
    self.assertEqual(rows, other_rows)
    for name in policy:
      np.testing.assert_array_equal(policy[name], other[name])

  @pytest.mark.slow
  def test_kills_at_any_moment(self):
    whole, parts = self.folder / "whole", self.folder / "parts"
    arguments = ("--updates=300000", "--seed=2", "--checkpoints=40")
    result = binary.call(*_RUN, f"--out={whole}", *arguments)
    self.assertEqual(result.status, 0, result.stderr)
    drawn = np.random.default_rng(0)
    for _ in range(6):
      process = self._start(parts, *arguments, "--save_seconds=0", "--resume")
      # From the import of JAX to the middle of the run.
      self._wait(process, (parts / ".lock").exists)
      with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(drawn.uniform(0, 5))
      process.kill()
      _, stderr = process.communicate(timeout=60)
      self.assertNotIn("Traceback", stderr)
    result = binary.call(*_RUN, f"--out={parts}", *arguments, "--resume")
    self.assertEqual(result.status, 0, result.stderr)
    (rows, policy), (other_rows, other) = map(self._numbers, (whole, parts))
    self.assertEqual(rows, other_rows)
    for name in policy:
      np.testing.assert_array_equal(policy[name], other[name])
    self.assertEqual(*(sorted(os.listdir(out)) for out in (whole, parts)))

  @parameterized.parameters(signal.SIGTERM, signal.SIGINT)
  def test_signals_before_the_first_update(self, number):
    out = self.folder / "out"
    process = self._start(out)
    self._wait(process, (out / ".lock").exists)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    self.assertEqual((process.returncode, stdout), (128 + number, ""))
    self.assertEqual(
      stderr,
      f"solve_game: stopped by {number.name} before the first update\n",
    )
    # What is left over blocks nothing.
    result = binary.call(*_RUN, f"--out={out}", "--updates=10")
    self.assertEqual(result.status, 0, result.stderr)

  def test_more_updates_extend_a_finished_run(self):
    out, whole = self.folder / "out", self.folder / "whole"
    small = ("--game=kuhn_poker", "--solver=cfr", "--checkpoints=4")
    for arguments in (
      (f"--out={out}", "--updates=10"),
      (f"--out={out}", "--updates=30", "--resume"),
      (f"--out={whole}", "--updates=30"),
    ):
      self.assertEqual(binary.call(*small, *arguments).status, 0)
    (rows, policy), (other_rows, other) = map(self._numbers, (whole, out))
    self.assertEqual(rows[-1], other_rows[-1])
    steps = [row["step"] for row in other_rows]
    self.assertEqual(steps, sorted(set(steps)))
    record = json.loads((out / "flags.json").read_text())
    self.assertEqual(record["flags"]["updates"], 30)
    self.assertLen(record["earlier"], 1)
    self.assertIn("commit", record["earlier"][0])
    np.testing.assert_array_equal(policy["average"], other["average"])

  def test_finished_run_is_not_run_again(self):
    out = self.folder / "out"
    small = (f"--out={out}", "--game=kuhn_poker", "--updates=10")
    self.assertEqual(binary.call(*small).status, 0)
    before = (out / "trace.jsonl").read_bytes()
    (out / "policy.npz").unlink()
    result = binary.call(*small, "--resume")
    self.assertIn("after 10 updates", result.stdout)
    self.assertEqual((out / "trace.jsonl").read_bytes(), before)
    self.assertTrue((out / "policy.npz").exists())


def _latest(out):
  """The number of updates of the latest state that is whole."""
  names = (path.name for path in (out / "checkpoint").glob("*"))
  return max((int(name) for name in names if name.isdigit()), default=0)


def _has_restarted(out):
  """Whether the second process of a run has compiled and listens."""
  record = json.loads((out / "flags.json").read_text())
  return bool(record["earlier"]) and "compile_seconds" in record


if __name__ == "__main__":
  absltest.main()
