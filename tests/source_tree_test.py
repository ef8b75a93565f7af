"""Tests of reading the repository's imports."""

import pathlib
import tempfile

from absl.testing import absltest, parameterized

from tests import source_tree


class SourceTreeTest(parameterized.TestCase):
  @parameterized.parameters(
    ("import a.b as c", ["a.b"]),
    ("from a import b, c as d", ["a.b", "a.c"]),
    ("def f():\n  from a.b import c", ["a.b.c"]),
    ("from . import b", ["mdrl.games.b"]),
    ("from .b import c", ["mdrl.games.b.c"]),
    ("from ..b import c", ["mdrl.b.c"]),
    ("'import a'  # import b", []),
  )
  def test_imports_are_absolute(self, text, expected):
    module = source_tree.parse("mdrl/games/tree.py", text)
    self.assertEqual([i.target for i in module.imports()], expected)

  def test_a_package_is_the_parent_of_its_relative_imports(self):
    module = source_tree.parse("mdrl/games/__init__.py", "from .tree import A")
    self.assertEqual(module.name, "mdrl.games")
    self.assertEqual(
      [i.target for i in module.imports()], ["mdrl.games.tree.A"]
    )

  @parameterized.parameters(
    ("if __name__ == '__main__':\n  print()", True),
    ("if 1:\n  print('__name__')", False),
    ("x = __name__", False),
  )
  def test_programs_are_known(self, text, expected):
    self.assertEqual(source_tree.parse("a.py", text).has_main(), expected)

  def test_caches_and_hidden_folders_are_left_out(self):
    root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
    for path in ("a/b.py", "a/.left/over.py", "a/c/d.py", "other/e.py"):
      (root / path).parent.mkdir(parents=True, exist_ok=True)
      (root / path).write_text("")
    modules = source_tree.read_modules(["a"], root)
    self.assertEqual([m.path for m in modules], ["a/b.py", "a/c/d.py"])


if __name__ == "__main__":
  absltest.main()
