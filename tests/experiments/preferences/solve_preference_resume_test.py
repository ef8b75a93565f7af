"""Tests that runs on preference games, cut short, go on to the same results."""

import json
import pathlib
import signal
import tempfile

from absl.testing import absltest, parameterized
import numpy as np
import pytest

from experiments.preferences import trace_rows
from tests.experiments import interruption
from tests.experiments.preferences import preference_binary

_SMALL = (
  "--solver=spo_queue,egpo",
  "--temperature=0.1,0.3",
  "--updates=30",
  "--checkpoints=4",
  "--save_seconds=0",
)
# Three responses, which are drawn; and a batch, in chunks that leave one over.
_HANDS = ("--game=rock_paper_scissors",)
_BATCH = ("--game=uniform", "--responses=4", "--batch=3", "--chunk=2")


class PreferenceResumeTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.parent = pathlib.Path(folder)
    self.out, self.whole = self.parent / "run", self.parent / "whole"

  def _call(self, *arguments, out=None, league=False):
    return preference_binary.call(
      *_SMALL, f"--out={out or self.out}", *arguments, league=league
    )

  @parameterized.parameters(
    (_HANDS, 3, False), (_BATCH, 3, True), (_BATCH, 8, False)
  )
  def test_a_run_that_died_goes_on(self, game, pieces, league):
    first = self._call(*game, out=self.whole, league=league)
    self.assertEqual(first.status, 0, first.stderr)
    with interruption.dying(pieces):
      self._call(*game, league=league)
    before = interruption.left(self.out)
    self.assertNotIn("policy.npz", before)
    solvers = {row["solver"] for row in before["trace.jsonl"]}
    self.assertLen(solvers, 1 if pieces == 3 else 2)
    result = self._call(*game, "--resume", league=league)
    self.assertEqual(result.status, 0, result.stderr)
    self.assertEqual(
      "compiling spo_queue" in result.stderr.splitlines(), pieces == 3
    )
    found, whole = map(interruption.left, (self.out, self.whole))
    self.assertEqual(found.keys(), whole.keys())
    for name in found:
      self.assertEqual(found[name], whole[name], name)

  def test_what_is_finished_is_not_run_again(self):
    first = self._call(*_HANDS)
    before = interruption.left(self.out)
    (self.out / "comparison.png").unlink()
    again = self._call(*_HANDS, "--resume")
    self.assertEqual(again.status, 0)
    self.assertNotIn("compiling", again.stderr)
    # Seconds are in the table, and stay as well.
    self.assertEqual(again.stdout, first.stdout)
    self.assertEqual(interruption.left(self.out), before)

  def test_more_updates_extend_a_run(self):
    self._call(*_BATCH)
    self.assertEqual(self._call(*_BATCH, "--updates=50", "--resume").status, 0)
    self._call(*_BATCH, "--updates=50", out=self.whole)
    found, whole = map(interruption.left, (self.out, self.whole))
    self.assertEqual(found["policy.npz"], whole["policy.npz"])

  def test_foreign_runs_are_refused(self):
    self._call(*_BATCH)
    before = interruption.left(self.out)
    for arguments, message in (
      (["--solver=egpo"], "must keep --solver=.*'spo_queue', 'egpo'"),
      (["--temperature=0.1"], "must keep --temperature="),
      (["--step_size=0.1"], "must keep --step_size="),
      (["--seed=1"], "must keep --seed=0"),
      (["--reference=uniform"], "must keep --reference=skewed"),
      (["--flip=0.1"], "must keep --flip=0.0"),
      (["--chunk=3"], "must keep --chunk=2"),
      (["--precision=float32"], "must keep --precision=float64"),
      (["--queue_length=9"], "hyper-parameter.spo_queue"),
      (["--updates=29"], "`--updates` must be at least the 30"),
    ):
      result = self._call(*_BATCH, "--resume", *arguments)
      self.assertEqual(result.status, 1)
      self.assertRegex(result.stderr, f"^solve_preference: .*{message}")
      self.assertLen(result.stderr.splitlines(), 1)
    result = self._call(*_BATCH, "--resume", league=True)
    self.assertRegex(result.stderr, "holds a run of solve_preference")
    self.assertEqual(interruption.left(self.out), before)

  def test_edited_win_rates_are_refused(self):
    path = self.parent / "rates.csv"
    path.write_text("0.5,0.7\n0.3,0.5\n")
    self.assertEqual(self._call(f"--game={path}").status, 0)
    path.write_text("0.5,0.7\n0.3,0.50\n")
    result = self._call(f"--game={path}", "--resume")
    self.assertRegex(result.stderr, "must find the file .*rates.csv of the run")

  def test_what_is_no_number_is_said_again(self):
    # The steps of one solver overflow, at one temperature of two.
    bad = ("--solver=egpo,sppo", "--step_size=1e308", "--temperature=1e-308")
    first = self._call(*_HANDS, *bad)
    self.assertEqual(first.status, 1)
    before = interruption.left(self.out)
    again = self._call(*_HANDS, *bad, "--resume")
    self.assertEqual(again.status, 1)
    self.assertEqual(again.stdout, first.stdout)
    self.assertEqual(
      again.stderr.splitlines()[-1], first.stderr.splitlines()[-1]
    )
    self.assertIn("ceased to be numbers", again.stderr)
    self.assertEqual(interruption.left(self.out), before)

  @parameterized.parameters(False, True)
  @pytest.mark.slow
  def test_killed_runs_end_with_the_same_numbers(self, league):
    program = "preference_league" if league else "solve_preference"
    arguments = [
      *_BATCH,
      "--solver=spo_queue,egpo,comal",
      "--updates=300000",
      "--checkpoints=60",
      "--cache_dir=",
    ]
    status, stderr, _ = interruption.survive(
      program, arguments, self.out, kills=1, seed=3 + league
    )
    self.assertEqual(status, 128 + signal.SIGTERM, stderr)
    self.assertRegex(stderr, "by SIGTERM after .* of 3; go on by --resume")
    for folder in (self.out, self.whole):
      status, _, stderr = interruption.finish(
        program, *arguments, f"--out={folder}", "--resume"
      )
      self.assertEqual(status, 0, stderr)
    self.assertEqual(interruption.left(self.out), interruption.left(self.whole))


class PreferenceRowsTest(absltest.TestCase):
  def test_rows_hold_all_numbers(self):
    odd = np.array([0.1, np.inf, 1e-17])
    none = np.array([0.1, np.nan, 0.3])
    measured = {
      "divergence": odd,
      "regularized_gap": none,
      "duality_gap": odd[::-1],
    }
    policy = np.array([[0.25, 0.5, 0.25]])
    row = trace_rows.make({"step": 3}, measured, policy)
    self.assertEqual(row["undefined"], ["regularized_gap"])
    row = json.loads(json.dumps(row, allow_nan=False))
    found = trace_rows.metrics([row, row], np.float64)
    for name, values in measured.items():
      np.testing.assert_array_equal(found[name], [values, values])
    path = trace_rows.path([row], np.float64)
    np.testing.assert_array_equal(path, [policy])

  def test_one_game_and_single_precision(self):
    measured = {
      name: np.array([0.1], np.float32) for name in trace_rows.METRICS
    }
    row = trace_rows.make({}, measured, np.ones((1, 2)))
    found = trace_rows.metrics([row], np.float32)
    self.assertEqual(found["divergence"].tolist(), [[np.float32(0.1)]])
    self.assertIsNone(trace_rows.path([row], np.float32))


if __name__ == "__main__":
  absltest.main()
