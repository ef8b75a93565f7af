"""Tests of the binary that times solvers to targets."""

import csv
import pathlib
import subprocess
import sys
import tempfile

from absl.testing import absltest, parameterized

from experiments import compare_solvers, comparison, game_strings
from mdrl import run
from mdrl.evaluation import gaps
from mdrl.games import openspiel
from mdrl.solvers import averaged, regret_matching, regret_rules
from tests.experiments import binary

_ROOT = pathlib.Path(__file__).resolve().parents[2]


def _call(*arguments):
  """Returns the exit status, standard output and standard error."""
  return binary.call_main(compare_solvers, compare_solvers.define, *arguments)


class CompareSolversTest(parameterized.TestCase):

  def test_reports_when_targets_are_reached(self):
    folder = self.enterContext(tempfile.TemporaryDirectory())
    path = pathlib.Path(folder) / "table.csv"
    status, stdout, stderr = _call(
        "--games=kuhn_poker;goofspiel(num_cards=3,imp_info=True,"
        "points_order=descending)",
        "--solvers=cfr_plus,optimistic",
        "--targets=0.1,0.01",
        "--max_updates=200",
        f"--out={path}",
    )
    self.assertEqual(status, 0, stderr)
    self.assertIn("kuhn_poker", stdout)
    with open(path, newline="") as file:
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
        solver, game, gaps.exploitability, [updates // 2, updates]
    )
    self.assertGreater(float(trace.metrics[0]), 0.01)
    self.assertLessEqual(float(trace.metrics[1]), 0.01)
    self.assertAlmostEqual(
        float(row["exploitability"]), float(trace.metrics[1]), places=12
    )
    self.assertLessEqual(int(row["updates_0.1"]), updates)

  def test_gives_up(self):
    (row,) = comparison.compare(
        "kuhn_poker", ["cfr"], [0.1, 1e-9], 20, 1.5, "float64", ""
    )
    self.assertEqual(row["updates"], 20)
    self.assertIsNone(row["updates_1e-09"])
    self.assertIsNotNone(row["updates_0.1"])

  @parameterized.parameters(
      ("`--solvers` must be all", "--solvers=cfr,chess"),
      ("each solver once", "--solvers=cfr,cfr"),
      ("must be positive numbers", "--targets=0"),
      ("must be positive numbers", "--targets=x"),
      ("must name a game", "--games=;"),
      ("`game` must be", "--games=no_such_game"),
  )
  def test_refuses(self, message, *arguments):
    status, stdout, stderr = _call(*arguments)
    self.assertEqual(status, 1)
    self.assertEqual(stdout, "")
    self.assertRegex(stderr, f"^compare_solvers: .*{message}")

  def test_help_does_not_import_jax(self):
    code = (
        "import sys; from experiments import compare_solvers; "
        "sys.exit('jax' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=_ROOT)

  def test_splits_outside_of_brackets(self):
    self.assertEqual(
        game_strings.split("kuhn_poker; battleship(ship_sizes=[2;2]);x"),
        ["kuhn_poker", "battleship(ship_sizes=[2;2])", "x"],
    )


if __name__ == "__main__":
  absltest.main()
