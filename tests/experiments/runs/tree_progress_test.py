"""Tests of what binaries say while they read a tree."""

import contextlib
import io
import time
from unittest import mock

from absl.testing import absltest

from experiments.runs import tree_progress
from mdrl.compile import tree_limits


class LinesTest(absltest.TestCase):
  def test_a_line_every_five_seconds(self):
    with (
      mock.patch.object(time, "monotonic") as now,
      contextlib.redirect_stderr(io.StringIO()) as stderr,
    ):
      now.return_value = 100.0
      tell = tree_progress.lines("kuhn_poker")
      for seconds, histories, about in (
        (4.9, 10, None),
        (5.0, 2_000, None),
        (9.9, 3_000, None),
        (10.1, 4_000, 1_234_567.0),
      ):
        now.return_value = 100.0 + seconds
        tell(tree_limits.Reading(histories, about, seconds))
    self.assertEqual(
      stderr.getvalue().splitlines(),
      [
        "reading kuhn_poker: 2,000 histories  5 s",
        "reading kuhn_poker: 4,000 of about 1.23e+06 histories  10 s",
      ],
    )


if __name__ == "__main__":
  absltest.main()
