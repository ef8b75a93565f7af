"""Tests of the binary that times solvers to targets."""

import csv
import itertools
import pathlib
import signal
import subprocess
import sys
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized
import numpy as np
import pytest

from experiments import compare_solvers
from experiments.comparing import compare
from experiments.runs import game_strings
from mdrl import run
from mdrl.compile import openspiel
from mdrl.evaluation import gaps
from mdrl.solvers import averaged, regret_matching, regret_rules
from tests import source_tree
from tests.experiments import binary, interruption


def _call(*arguments):
  """Returns the exit status, standard output and standard error."""
  return binary.call_main(compare_solvers, compare_solvers.define, *arguments)


class CompareSolversTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.parent = pathlib.Path(folder)
    self.out = self.parent / "run"

  def test_reports_when_targets_are_reached(self):
    status, stdout, stderr = _call(
      "--games=kuhn_poker;goofspiel(num_cards=3,imp_info=True,"
      "points_order=descending)",
      "--solvers=cfr_plus,optimistic",
      "--targets=0.1,0.01",
      "--max_updates=200",
      f"--out={self.out}",
    )
    self.assertEqual(status, 0, stderr)
    self.assertIn("kuhn_poker", stdout)
    with open(self.out / "table.csv", newline="") as file:
      rows = list(csv.DictReader(file))
    self.assertLen(rows, 4)
    row = rows[0]
    self.assertEqual((row["game"], row["solver"]), ("kuhn_poker", "cfr_plus"))
    # What was reached at the second target, by the library itself.
    game, _ = openspiel.compile_game("kuhn_poker")
    solver = averaged.Averaged(
      solver=regret_matching.AlternatingRegretMatching(
        rule=regret_rules.Plus()
      ),
      power=1.0,
    )
    updates = int(row["updates_0.01"])
    _, trace = run.run(
      solver, game, run.of_plans(gaps.exploitability), [updates // 2, updates]
    )
    self.assertGreater(float(trace.metrics[0]), 0.01)
    self.assertLessEqual(float(trace.metrics[1]), 0.01)
    self.assertAlmostEqual(
      float(row["exploitability"]), float(trace.metrics[1]), places=12
    )
    self.assertLessEqual(int(row["updates_0.1"]), updates)

  def test_gives_up(self):
    result = self._small()
    self.assertEqual(result.status, 0, result.stderr)
    with open(self.out / "table.csv", newline="") as file:
      row, _ = csv.DictReader(file)
    self.assertEqual(row["updates"], "20")
    self.assertEqual(row["updates_1e-09"], "")
    self.assertNotEqual(row["updates_0.1"], "")

  @parameterized.parameters((20, 1.5), (1, 1.1), (1000, 1.1), (7, 1000.0))
  def test_points_are_a_ratio_apart(self, last, ratio):
    points = compare.points(last, ratio)
    self.assertEqual((points[0], points[1], points[-1]), (0, 1, last))
    for step, further in itertools.pairwise(points):
      self.assertLess(step, further)
      self.assertLessEqual(further, max(step + 1, ratio * step))

  def _small(self, *arguments, out="run"):
    return _call(
      "--games=kuhn_poker",
      "--solvers=cfr,optimistic",
      "--targets=0.1,1e-9",
      "--max_updates=20",
      "--evaluation_ratio=1.5",
      "--save_seconds=0",
      f"--out={self.parent / out}",
      *arguments,
    )

  @parameterized.parameters(3, 14)
  def test_a_comparison_that_died_goes_on(self, pieces):
    self.assertEqual(self._small(out="whole").status, 0)
    with interruption.dying(pieces):
      self._small()
    before = interruption.left(self.out)["trace.jsonl"]
    self.assertNotEmpty(before)
    result = self._small("--resume")
    self.assertEqual(result.status, 0, result.stderr)
    if before[-1]["solver"] == "optimistic":
      self.assertNotIn("compiling kuhn_poker cfr\n", result.stderr)
    self.assertIn("compiling kuhn_poker optimistic\n", result.stderr)
    found = interruption.left(self.out)
    self.assertEqual(found, interruption.left(self.parent / "whole"))
    # Of what is finished, also the seconds stay.
    table = (self.out / "table.csv").read_bytes()
    result = self._small("--resume")
    self.assertNotIn("compiling", result.stderr)
    self.assertEqual((self.out / "table.csv").read_bytes(), table)

  def test_shows_what_a_solver_ends_with(self):
    # Which need not be the least of what was seen.
    result = self._small("--targets=1e-9", "--max_updates=40")
    self.assertEqual(result.status, 0, result.stderr)
    with open(self.out / "table.csv", newline="") as file:
      rows = list(csv.DictReader(file))
    self.assertIn("at the end\n", result.stdout)
    self.assertNotIn("lowest", result.stdout)
    for row in rows:
      gap = f"{float(row['exploitability']):.1e} at {int(row['updates']):,}\n"
      self.assertIn(gap, result.stdout)

  def test_lower_targets_and_more_updates_go_on(self):
    self.assertEqual(self._small("--targets=0.3").status, 0)
    steps = [row["step"] for row in interruption.left(self.out)["trace.jsonl"]]
    self.assertLess(max(steps), 20)
    self.assertEqual(self._small("--resume").status, 0)
    self.assertEqual(self._small(out="whole").status, 0)
    self.assertEqual(
      interruption.left(self.out), interruption.left(self.parent / "whole")
    )

  def test_foreign_comparisons_are_refused(self):
    self.assertEqual(self._small().status, 0)
    before = interruption.left(self.out)
    for arguments, message in (
      ([], "holds a run already.*--resume.*--overwrite"),
      (["--resume", "--games=kuhn_poker;leduc_poker"], "must keep --games="),
      (["--resume", "--solvers=cfr"], "must keep --solvers="),
      (["--resume", "--precision=float32"], "must keep --precision=float64"),
      (["--resume", "--evaluation_ratio=2"], "must keep --evaluation_ratio="),
      (["--resume", "--max_updates=19"], "`--max_updates` must be at least"),
    ):
      result = self._small(*arguments)
      self.assertEqual(result.status, 1)
      self.assertRegex(result.stderr, f"^compare_solvers: .*{message}")
      self.assertLen(result.stderr.splitlines(), 1)
    self.assertEqual(interruption.left(self.out), before)

  def test_what_is_no_number_loses_no_other_result(self):
    measured = compare._exploitability

    def broken(solver, game, state, last):
      return np.nan if last else measured(solver, game, state, last)

    with mock.patch.object(compare, "_exploitability", broken):
      result = self._small("--solvers=optimistic,cfr", "--targets=1e-9")
    self.assertEqual(result.status, 1)
    self.assertRegex(
      result.stderr.splitlines()[-1],
      "^compare_solvers: optimistic on kuhn_poker ceased to be numbers",
    )
    with open(self.out / "table.csv", newline="") as file:
      bad, good = csv.DictReader(file)
    self.assertEqual(bad["exploitability"], "")
    self.assertEqual(good["updates"], "20")
    self.assertRegex(result.stdout, "no number at 0\n")

  def test_the_folder_is_checked_before_any_work(self):
    file = self.parent / "file"
    file.touch()
    for out, message in (
      ("file/run", "`--out` must be a folder"),
      ("a.csv", "leave .csv out"),
    ):
      result = self._small(out=out)
      self.assertEqual(result.status, 1)
      self.assertRegex(result.stderr, f"^compare_solvers: .*{message}")
      self.assertLen(result.stderr.splitlines(), 1)

  @pytest.mark.slow
  def test_killed_comparisons_end_with_the_same_numbers(self):
    arguments = [
      "--games=kuhn_poker",
      "--solvers=cfr,magnetic,mirror_prox",
      "--targets=1e-300",
      "--max_updates=150000",
      "--evaluation_ratio=1.2",
      "--cache_dir=",
    ]
    whole = self.parent / "whole"
    status, stderr, _ = interruption.survive(
      "compare_solvers", arguments, self.out, kills=2, seed=7
    )
    self.assertEqual(status, 128 + signal.SIGTERM, stderr)
    self.assertRegex(stderr, "by SIGTERM after .*part . of 3; go on by --resu")
    for folder in (self.out, whole):
      status, _, stderr = interruption.finish(
        "compare_solvers", *arguments, f"--out={folder}", "--resume"
      )
      self.assertEqual(status, 0, stderr)
    self.assertEqual(interruption.left(self.out), interruption.left(whole))

  @parameterized.parameters(
    ("`--solvers` must be all", "--solvers=cfr,chess"),
    ("each solver once", "--solvers=cfr,cfr"),
    ("must be positive numbers", "--targets=0"),
    ("must be positive numbers", "--targets=x"),
    ("must differ within six digits", "--targets=0.1,0.1000000001"),
    ("must name a game", "--games=;"),
    ("each game once", "--games=kuhn_poker;kuhn_poker"),
    ("`game` must be", "--games=no_such_game"),
  )
  def test_refuses(self, message, *arguments):
    status, stdout, stderr = _call(f"--out={self.out}", *arguments)
    self.assertEqual(status, 1)
    self.assertEqual(stdout, "")
    self.assertFalse(self.out.exists())
    self.assertRegex(stderr, f"^compare_solvers: .*{message}")

  def test_help_does_not_import_jax(self):
    code = (
      "import sys; from experiments import compare_solvers; "
      "sys.exit('jax' in sys.modules)"
    )
    subprocess.run(
      [sys.executable, "-c", code], check=True, cwd=source_tree.ROOT
    )

  def test_splits_outside_of_brackets(self):
    self.assertEqual(
      game_strings.split("kuhn_poker; battleship(ship_sizes=[2;2]);x"),
      ["kuhn_poker", "battleship(ship_sizes=[2;2])", "x"],
    )


if __name__ == "__main__":
  absltest.main()
