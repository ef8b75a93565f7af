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

# Modules of packages that are called otherwise.
_MODULES = {
  "absl-py": "absl",
  "open_spiel": "pyspiel",
  "orbax-checkpoint": "orbax",
}
# What shows that a package is used which nothing imports.
_COMMANDS = {
  "ipykernel": "jupyter execute",
  "myst-nb": "myst_nb",
  "nbmake": "--nbmake",
  "pytest-xdist": "--numprocesses",
}
# Not absl and ml_collections, which OpenSpiel imports, nor rich, which Flax
# does.
_OF_BINARIES = (
  "matplotlib",
  "mpltern",
  "orbax",
)


def _imported(folders):
  """Returns the packages of others that the modules of folders import."""
  ours = {"mdrl", "experiments", "benchmarks", "tests"}
  found = {
    imported.module.partition(".")[0]
    for module in source_tree.read_modules(folders)
    for imported in module.imports()
  }
  # Who has `pyspiel` has the rest of OpenSpiel; who has `jax`, `jaxlib`.
  return found - set(sys.stdlib_module_names) - ours - {"jaxlib", "open_spiel"}


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
      for path in (source_tree.ROOT / name).rglob("*.*")
      if path.suffix in (".py", ".cc", ".h")
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

  def test_without_an_address_pictures_and_links_give_way_to_words(self):
    text = self.metadata.get_payload()
    self.assertNotIn("![", text)
    self.assertNotIn("](docs/", text)
    self.assertIn("*Figure: Exploitability of the last and the average", text)
    self.assertIn("| Solvers | Mirror descent", text)
    self.assertIsNone(self.metadata.get_all("Project-URL"))


class RequirementsTest(absltest.TestCase):
  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    folder = cls.enterClassContext(tempfile.TemporaryDirectory())
    metadata, _, _ = _built(folder)
    cls.always, cls.dev = set(), set()
    for line in metadata.get_all("Requires-Dist") or ():
      requirement, _, condition = line.partition(";")
      name = re.split(r"[<>=!~\[ ]", requirement, maxsplit=1)[0]
      if not condition:
        cls.always.add(_MODULES.get(name, name))
      elif '"dev"' in condition:
        cls.dev.add(name)

  def test_installing_is_enough_for_every_binary_and_no_more(self):
    self.assertEqual(self.always, _imported(("mdrl", "experiments")))

  def test_what_developers_install_is_used(self):
    places = [
      source_tree.ROOT / name
      for name in (
        ".ci/run",
        "CONTRIBUTING.md",
        "docs/conf.py",
        "pyproject.toml",
      )
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in places)
    imported = _imported(("tests", "benchmarks", "notebooks")) | {"setuptools"}
    used = {
      name
      for name in self.dev
      if name in imported or _COMMANDS.get(name, name) in text
    }
    self.assertNotEmpty(used)
    self.assertEqual(self.dev - used, set())

  def test_the_library_needs_no_packages_of_the_binaries(self):
    modules = [module.name for module in source_tree.read_modules(("mdrl",))]
    script = (
      "import importlib, sys\n"
      f"for name in {_OF_BINARIES}: sys.modules[name] = None\n"
      f"for name in {modules}: importlib.import_module(name)\n"
    )
    result = subprocess.run(
      [sys.executable, "-c", script],
      cwd=source_tree.ROOT,
      capture_output=True,
      text=True,
      check=False,
    )
    self.assertEqual(result.returncode, 0, result.stderr)


class RepositoryTest(parameterized.TestCase):
  @parameterized.parameters(
    "https://example.org/a/mdrl", "git@example.org:a/mdrl.git"
  )
  def test_pictures_and_links_have_absolute_addresses(self, address):
    with tempfile.TemporaryDirectory() as folder:
      metadata, _, _ = _built(folder, MDRL_REPOSITORY=address)
    text = str(metadata)
    pictures = re.findall(r"!\[[^]]*\]\(([^)]*)\)", text)
    pages = re.findall(r"(?<!!)\[[^]]*\]\(([^)]*(?:\.md|LICENSE))\)", text)
    for kind, targets in (("raw", pictures), ("blob", pages)):
      self.assertNotEmpty(targets)
      for target in targets:
        start = f"https://example.org/a/mdrl/{kind}/HEAD/"
        self.assertStartsWith(target, start)
        path = source_tree.ROOT / target.removeprefix(start)
        self.assertTrue(path.is_file(), path)
    self.assertIn(
      "\nProject-URL: Source, https://example.org/a/mdrl\n", str(metadata)
    )


if __name__ == "__main__":
  absltest.main()
