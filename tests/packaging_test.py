"""Tests of what `pip install .` would install, without a network."""

import email
import importlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from absl.testing import absltest, parameterized

import mdrl
from tests import source_tree


def _built(folder, **environment):
  """Returns the metadata, the entry points and the modules of a build."""
  source = pathlib.Path(folder) / "source"
  source.mkdir()
  for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
    shutil.copy(source_tree.ROOT / name, source)
  for name in ("mdrl", "experiments"):
    shutil.copytree(source_tree.ROOT / name, source / name)
  variables = {k: v for k, v in os.environ.items() if k != "MDRL_REPOSITORY"}
  result = subprocess.run(
    [sys.executable, "setup.py", "-q", "build", "egg_info"],
    cwd=source,
    env=variables | environment,
    capture_output=True,
    text=True,
    check=False,
  )
  assert result.returncode == 0, result.stderr
  info = source / "mdrl.egg-info"
  library = source / "build" / "lib"
  modules = {str(p.relative_to(library)) for p in library.rglob("*.*")}
  metadata = email.message_from_string((info / "PKG-INFO").read_text("utf-8"))
  return metadata, (info / "entry_points.txt").read_text(), modules


class BuiltTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    folder = cls.enterClassContext(tempfile.TemporaryDirectory())
    cls.metadata, cls.commands, cls.modules = _built(folder)

  def test_has_every_module_and_the_marker_of_types(self):
    wanted = {
      str(path.relative_to(source_tree.ROOT))
      for name in ("mdrl", "experiments")
      for path in (source_tree.ROOT / name).rglob("*.py")
    }
    self.assertEqual(wanted | {"mdrl/py.typed"}, self.modules)

  def test_every_binary_is_a_command(self):
    commands = dict(re.findall(r"(?m)^(\S+) = (\S+)$", self.commands))
    binaries = {
      path.stem
      for path in (source_tree.ROOT / "experiments").glob("*.py")
      if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    }
    self.assertEqual(
      set(commands), {f"mdrl-{b.replace('_', '-')}" for b in binaries}
    )
    for target in commands.values():
      module, _, name = target.partition(":")
      self.assertTrue(callable(getattr(importlib.import_module(module), name)))

  def test_version_is_that_of_the_package_and_of_the_citation(self):
    self.assertEqual(self.metadata["Version"], mdrl.__version__)
    citation = (source_tree.ROOT / "CITATION.cff").read_text(encoding="utf-8")
    self.assertIn(f"\nversion: {mdrl.__version__}\n", citation)

  def test_says_whom_it_is_for(self):
    self.assertIn("\nClassifier: Typing :: Typed\n", str(self.metadata))
    self.assertIn("mirror descent", self.metadata["Keywords"])

  def test_without_an_address_pictures_give_way_to_words(self):
    text = self.metadata.get_payload()
    self.assertNotIn("![", text)
    self.assertIn("*Figure: Paths of eight solvers over the simplex", text)
    self.assertIsNone(self.metadata.get_all("Project-URL"))


class RepositoryTest(parameterized.TestCase):
  @parameterized.parameters(
    "https://example.org/a/mdrl", "git@example.org:a/mdrl.git"
  )
  def test_pictures_have_absolute_addresses(self, address):
    with tempfile.TemporaryDirectory() as folder:
      metadata, _, _ = _built(folder, MDRL_REPOSITORY=address)
    pictures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", str(metadata))
    self.assertNotEmpty(pictures)
    for picture in pictures:
      start = "https://example.org/a/mdrl/raw/HEAD/"
      self.assertStartsWith(picture, start)
      self.assertTrue(
        (source_tree.ROOT / picture.removeprefix(start)).is_file()
      )
    self.assertIn(
      "\nProject-URL: Source, https://example.org/a/mdrl\n", str(metadata)
    )


if __name__ == "__main__":
  absltest.main()
