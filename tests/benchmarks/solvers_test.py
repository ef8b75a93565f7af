"""Tests of the command that measures solvers."""

import contextlib
import io
import json
import os
import pathlib
import shutil
import tempfile
from unittest import mock

from absl import flags
from absl.testing import absltest
import pytest

from benchmarks import solvers, table_columns

_COLUMNS = {
  "ours_float32": ("cfr_plus",),
  "c_double": ("cfr_plus",),
  "openspiel_cpp": ("cfr_plus",),
}

needs_cc = pytest.mark.skipif(
  shutil.which("cc") is None,
  reason="the plain C program needs a C compiler, cc",
)


class SolversTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    # The command binds its process to a core, and others test here as well.
    cores = os.sched_getaffinity(0)
    self.addCleanup(os.sched_setaffinity, 0, cores)

  def _run(self, *argv):
    """Returns what the command prints, its errors and its exit code."""
    values = flags.FlagValues()
    solvers.define(values)
    rest = values(["program", "--seconds=0.01", *argv])
    code = 0
    with (
      contextlib.redirect_stdout(io.StringIO()) as stdout,
      contextlib.redirect_stderr(io.StringIO()) as stderr,
    ):
      try:
        solvers.main(rest, values)
      except SystemExit as error:
        code = error.code
    return stdout.getvalue(), stderr.getvalue(), code

  @needs_cc
  def test_table_and_file(self):
    folder = self.enterContext(tempfile.TemporaryDirectory())
    path = pathlib.Path(folder) / "rates.json"
    with mock.patch.object(table_columns, "QUICK", _COLUMNS):
      stdout, stderr, code = self._run(
        "--quick", "--games=kuhn_poker", f"--json={path}", "--floor=1e9"
      )
    self.assertEqual(code, 1)
    self.assertIn("below --floor=1e+09 of the C program", stderr)
    for text in ("kuhn_poker", "58 histories", "C, double", "CFR+, updates/s"):
      self.assertIn(text, stdout)
    report = json.loads(path.read_text())
    self.assertEqual(report["cores"], 1)
    self.assertIn("jax", report["versions"])
    (row,) = report["rows"]
    self.assertEqual((row["game"], row["histories"]), ("kuhn_poker", 58))
    self.assertEqual(set(row["cells"]), set(_COLUMNS))
    rates = {
      name: by_solver["cfr_plus"]["updates_per_cpu_second"]
      for name, by_solver in row["cells"].items()
    }
    ours = rates["ours_float32"]
    self.assertAlmostEqual(row["ratio_to_c"], ours / rates["c_double"])
    self.assertAlmostEqual(
      row["ratio_to_fastest_peer"], ours / rates["openspiel_cpp"]
    )
    # The same algorithm from the same start, whoever runs it.
    for by_solver in row["cells"].values():
      self.assertEqual(by_solver["cfr_plus"]["updates_to_0.01"], 16)
      self.assertIn("peak_megabytes", by_solver["cfr_plus"])

  def test_mistakes_take_one_line(self):
    for argument, text in (
      ("--games=kuhn", "did you mean"),
      ("--games=random_matrix(size=0,seed=0)", "size, from 1 to"),
      ("--liteefg_python=/no/such/python", "`--liteefg_python` must be"),
      ("--cores=100000", "`--cores` must be at most"),
    ):
      with self.subTest(argument):
        stdout, stderr, code = self._run(argument)
        self.assertEqual((stdout, code), ("", 1))
        last = stderr.strip().splitlines()[-1]
        self.assertStartsWith(last, "solvers: ")
        self.assertIn(text, last)


if __name__ == "__main__":
  absltest.main()
