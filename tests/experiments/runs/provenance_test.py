"""Tests of what a run records about the machine it ran on."""

import os
import pathlib
import re
import subprocess
import tempfile
from unittest import mock

from absl.testing import absltest

from experiments.runs import provenance

_GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]


class CommitTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.folder = pathlib.Path(folder)

  def _git(self, *arguments):
    subprocess.run(
      [*_GIT, *arguments], cwd=self.folder, check=True, capture_output=True
    )

  def test_none_without_git(self):
    with mock.patch.dict(os.environ, {"PATH": str(self.folder)}):
      self.assertIsNone(provenance.commit(self.folder))

  def test_none_outside_a_repository_and_before_the_first_commit(self):
    self.assertIsNone(provenance.commit(self.folder))
    self._git("init")
    self.assertIsNone(provenance.commit(self.folder))

  def test_says_whether_files_differ(self):
    file = self.folder / "file"
    file.write_text("a")
    self._git("init")
    self._git("add", "file")
    self._git("commit", "-m", "Add a file")
    clean = provenance.commit(self.folder)
    assert clean is not None
    self.assertIsNotNone(re.fullmatch("[0-9a-f]{40}", clean))
    file.write_text("b")
    self.assertEqual(provenance.commit(self.folder), f"{clean}-dirty")

  def test_none_for_a_package_within_the_repository_of_another(self):
    self._git("init")
    self._git("commit", "--allow-empty", "-m", "Start")
    installed = self.folder / "site-packages"
    installed.mkdir()
    self.assertIsNotNone(provenance.commit(self.folder))
    self.assertIsNone(provenance.commit(installed))


class VersionsTest(absltest.TestCase):
  def test_packages_that_are_not_installed_have_none(self):
    found = provenance.versions(["numpy", "no-such-package"])
    self.assertIsNone(found["no-such-package"])
    self.assertRegex(found["numpy"] or "", r"^\d+\.")
    self.assertRegex(found["python"] or "", r"^3\.")


if __name__ == "__main__":
  absltest.main()
