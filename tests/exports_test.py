"""Tests of the names that packages offer."""

import importlib
import inspect
import pkgutil
import subprocess
import sys

from absl.testing import absltest, parameterized

from mdrl import (
  evaluation,
  games,
  geometry,
  judges,
  operators,
  policies,
  solvers,
)
from tests import source_tree

_PACKAGES = (evaluation, games, geometry, operators, solvers)
# What no solver needs, and takes long to import.
_HEAVY = ("chex", "matplotlib", "pyspiel", "rich", "scipy")


def _methods(package):
  """Returns the names of the package's classes that `run` can drive."""
  found = set()
  for info in pkgutil.iter_modules(package.__path__):
    module = importlib.import_module(f"{package.__name__}.{info.name}")
    for name, value in inspect.getmembers(module, inspect.isclass):
      if value.__module__ == module.__name__ and not name.startswith("_"):
        if hasattr(value, "update") and not inspect.isabstract(value):
          found.add(name)
  return found


class ExportsTest(parameterized.TestCase):
  @parameterized.parameters(operators, solvers)
  def test_every_method_is_exported(self, package):
    self.assertGreater(len(_methods(package)), 5)
    self.assertEqual(_methods(package) - set(vars(package)), set())

  @parameterized.parameters(*_PACKAGES, judges, policies)
  def test_names_are_defined_in_the_package(self, package):
    exported = {
      name: value
      for name, value in vars(package).items()
      if not name.startswith("_") and not inspect.ismodule(value)
    }
    self.assertNotEmpty(exported)
    for name, value in exported.items():
      self.assertStartsWith(value.__module__, f"{package.__name__}.", name)
      self.assertNotEmpty(inspect.getdoc(value), name)

  def test_importing_them_is_quick(self):
    names = ", ".join(package.__name__ for package in _PACKAGES)
    script = f"import sys, {names}\nprint(*sys.modules)"
    result = subprocess.run(
      [sys.executable, "-c", script],
      cwd=source_tree.ROOT,
      capture_output=True,
      text=True,
      check=True,
    )
    loaded = set(result.stdout.split())
    self.assertIn("mdrl.solvers.magnetic", loaded)
    self.assertEqual(loaded & set(_HEAVY), set())


if __name__ == "__main__":
  absltest.main()
