"""Tests that a module of the programs has one name wherever it is imported."""

import ast
from collections.abc import Iterator
import textwrap

from absl.testing import absltest

from tests import source_tree

_FOLDERS = ("experiments", "benchmarks", "tests")


def _names(tree: ast.Module) -> Iterator[tuple[str, str]]:
  """Yields the modules of programs that are imported, and their names here."""
  for node in ast.walk(tree):
    if isinstance(node, ast.ImportFrom) and node.module:
      if node.module.split(".")[0] in ("experiments", "benchmarks"):
        for alias in node.names:
          yield f"{node.module}.{alias.name}", alias.asname or alias.name


def _several(trees: dict[str, ast.Module]) -> dict[str, dict[str, str]]:
  """Returns the modules with several names, each with a file that has it."""
  found: dict[str, dict[str, str]] = {}
  for path, tree in trees.items():
    for module, name in _names(tree):
      found.setdefault(module, {}).setdefault(name, path)
  return {module: names for module, names in found.items() if len(names) > 1}


class AliasesTest(absltest.TestCase):
  def test_modules_have_one_name_each(self):
    modules = source_tree.read_modules(_FOLDERS)
    trees = {module.path: module.tree for module in modules}
    self.assertGreater(len([x for t in trees.values() for x in _names(t)]), 100)
    self.assertEmpty(_several(trees))

  def test_two_names_are_found(self):
    sources = {
      "a.py": "from experiments.runs import folder as folder_lib, tables",
      "b.py": """
        def f():
          from experiments.runs import folder
          from mdrl import run as x
        """,
      "c.py": "from experiments.runs import tables\nfrom mdrl import run",
    }
    trees = {k: ast.parse(textwrap.dedent(v)) for k, v in sources.items()}
    self.assertEqual(
      _several(trees),
      {"experiments.runs.folder": {"folder_lib": "a.py", "folder": "b.py"}},
    )


if __name__ == "__main__":
  absltest.main()
