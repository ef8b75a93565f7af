"""Tests of flags that all runs have."""

import pathlib
from unittest import mock

from absl.testing import absltest, parameterized

from experiments.runs import run_flags


class FolderTest(parameterized.TestCase):
  @parameterized.parameters(None, "")
  def test_is_the_default_where_none_is_named(self, out):
    self.assertEqual(
      run_flags.folder(out, "runs/a"), pathlib.Path("runs") / "a"
    )

  def test_may_be_below_a_home(self):
    with mock.patch.dict("os.environ", {"HOME": "/home/me"}):
      self.assertEqual(
        run_flags.folder("~/runs", "x"), pathlib.Path("/home/me/runs")
      )

  def test_below_the_home_of_no_one(self):
    with self.assertRaisesRegex(ValueError, "`--out` must be a folder, got ~"):
      run_flags.folder("~no-such-user/runs", "x")


if __name__ == "__main__":
  absltest.main()
