"""Tests of what a run says in a log and on a terminal."""

import contextlib
import io
from unittest import mock

from absl.testing import absltest
import rich.console

from experiments.runs import progress


class ProgressTest(absltest.TestCase):
  def test_log_gets_a_line_every_few_seconds(self):
    clock = self.enter_context(mock.patch.object(progress.time, "monotonic"))
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
      with progress.Progress("kuhn_poker cfr", 2000) as bar:
        for second in range(12):
          clock.return_value = 100.0 + second
          bar.measured("exploitability 2.5e-01 last, 1.2e-01 average")
          bar.advanced(100 * second, float(second))
    self.assertEqual(
      stderr.getvalue().splitlines(),
      [
        f"kuhn_poker cfr  {step}/2,000 updates  {second}.0 s"
        "  exploitability 2.5e-01 last, 1.2e-01 average"
        for step, second in (("500", 5), ("1,000", 10))
      ],
    )

  def test_terminal_shows_the_current_state(self):
    terminal = io.StringIO()
    console = rich.console.Console(file=terminal, force_terminal=True, width=80)
    with mock.patch.object(progress.rich.console, "Console") as make:
      make.return_value = console
      with progress.Progress("leduc_poker magnetic", 10_000_000) as bar:
        bar.measured("exploitability 2.5e-01 last, 1.2e-01 average")
        bar.advanced(9_999_999, 1234.5)
    self.assertIn("9,999,999/10,000,000 updates  1234.5 s", terminal.getvalue())
    self.assertIn("2.5e-01 last, 1.2e-01", terminal.getvalue())


if __name__ == "__main__":
  absltest.main()
