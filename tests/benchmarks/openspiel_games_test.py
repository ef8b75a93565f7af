"""Tests of the table of OpenSpiel's games."""

import subprocess
import sys
from unittest import mock

from absl.testing import absltest, parameterized

from benchmarks import openspiel_games

_SOLVED = openspiel_games.Outcome(
  "kuhn_poker", 1.5, 2.5, 300, (58, 12), (0.45833, 0.0101), "", False
)
_REFUSED = openspiel_games.Outcome(
  "maedn", 3.0, 4.0, 700, None, None, "has | more\nof it", False
)


class TableTest(parameterized.TestCase):
  def test_rows(self):
    page = openspiel_games.table([_SOLVED, _REFUSED])
    self.assertIn(
      "2 games with default parameters: 1 solved, 1 refused, 0 crashed", page
    )
    self.assertIn("processor time: none.\n", page)
    self.assertIn("before a refusal: none.\n", page)
    self.assertNotIn("What went wrong", page)
    self.assertIn(
      "| kuhn_poker | 58 | 12 | 1.5 | 2.5 | 300 | 0.46 | 0.01 |\n", page
    )
    self.assertIn("| maedn | 3.0 | 4.0 | 700 | has \\| more of it |\n", page)

  def test_broken_promises_are_named(self):
    page = openspiel_games.table(
      [
        _SOLVED._replace(game="slow", processor=60.1),
        _SOLVED._replace(game="large", mebibytes=3_000),
        _REFUSED._replace(game="heavy", mebibytes=2_049),
        _REFUSED._replace(game="broken", fault=True, reason="crashes"),
      ]
    )
    self.assertIn("processor time: slow.\n", page)
    self.assertIn("before a refusal: heavy.\n", page)
    self.assertIn("## What went wrong\n\n- broken: crashes\n", page)
    self.assertNotIn("| broken |", page)

  def test_what_was_not_tried_is_named(self):
    page = openspiel_games.table([_SOLVED], ["kuhn_poker", "go", "chess"])
    self.assertIn("Not tried: chess, go.\n", page)
    self.assertIn("Not tried: none.\n", openspiel_games.table([_SOLVED]))


class TryTest(parameterized.TestCase):
  def test_games_are_solved_or_refused(self):
    solved = openspiel_games.work_on("matrix_rps")
    self.assertEqual(solved["size"], [13, 2])
    self.assertAlmostEqual(solved["gaps"][0], 0)
    self.assertEqual(solved["reason"], "")
    refused = openspiel_games.work_on("coin_game")
    self.assertIsNone(refused["size"])
    self.assertRegex(refused["reason"], "must give information-state strings")

  @parameterized.parameters(
    (-11, "", "", "ends with status -11"),
    (0, "", "", "ends with status 0"),
    (0, "{}", "a traceback\n", "prints a traceback"),
    (0, "a word\n{}", "", "prints a word"),
  )
  def test_crashes_and_prints_are_faults(self, status, stdout, stderr, reason):
    found = (
      '{"size": null, "gaps": null, "reason": "", "seconds": 1.0, '
      '"processor": 1.0, "mebibytes": 1}'
    )
    done = subprocess.CompletedProcess(
      [sys.executable], status, stdout.replace("{}", found), stderr
    )
    with mock.patch.object(subprocess, "run", return_value=done):
      outcome = openspiel_games.try_game("kuhn_poker")
    self.assertTrue(outcome.fault)
    self.assertIn(reason, outcome.reason)

  def test_a_hang_is_a_fault(self):
    with mock.patch.object(
      subprocess, "run", side_effect=subprocess.TimeoutExpired("x", 1)
    ):
      outcome = openspiel_games.try_game("kuhn_poker")
    self.assertTrue(outcome.fault)
    self.assertEqual(outcome.reason, "hangs")


if __name__ == "__main__":
  absltest.main()
