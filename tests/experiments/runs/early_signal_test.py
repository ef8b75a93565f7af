"""A signal that comes while a binary still imports its modules."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from absl.testing import absltest, parameterized

from tests import source_tree

_STAND_IN = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"


class EarlySignalTest(parameterized.TestCase):
  @parameterized.parameters(
    "solve_game",
    "sweep_game",
    "compare_solvers",
    "solve_preference",
    "preference_league",
    "exploit_policy",
    "play_match",
  )
  def test_ctrl_c_ends_without_a_traceback(self, name):
    folder = self.enterContext(tempfile.TemporaryDirectory())
    # Every binary imports it first.
    (pathlib.Path(folder) / "absl.py").write_text(_STAND_IN, encoding="utf-8")
    result = subprocess.run(
      [sys.executable, "-m", f"experiments.{name}"],
      cwd=source_tree.ROOT,
      env={**os.environ, "PYTHONPATH": folder},
      capture_output=True,
      text=True,
      check=False,
    )
    self.assertEqual(result.returncode, -signal.SIGINT, result.stderr)
    self.assertEmpty(result.stderr)


if __name__ == "__main__":
  absltest.main()
