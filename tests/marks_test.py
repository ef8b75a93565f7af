"""Tests that marks of tests are where pytest finds them."""

import ast
import pathlib

from absl.testing import absltest

_MARKED_ABOVE = """
class SomeTest:
  @pytest.mark.slow
  @parameterized.parameters(1, 2)
  def test_it(self, number):
    pass
"""


def _lost(text):
  """Yields tests marked above their parameters, which then have no mark."""
  for node in ast.walk(ast.parse(text)):
    if isinstance(node, ast.FunctionDef):
      names = [ast.unparse(item) for item in node.decorator_list]
      marks = [i for i, x in enumerate(names) if x.startswith("pytest.mark")]
      lists = [i for i, x in enumerate(names) if x.startswith("parameterized")]
      if marks and lists and min(marks) < max(lists):
        yield node.name


class MarksTest(absltest.TestCase):
  def test_marks_stand_below_parameters(self):
    for path in pathlib.Path(__file__).parent.rglob("*_test.py"):
      with self.subTest(str(path)):
        self.assertEqual(list(_lost(path.read_text())), [])

  def test_a_lost_mark_is_found(self):
    self.assertEqual(list(_lost(_MARKED_ABOVE)), ["test_it"])


if __name__ == "__main__":
  absltest.main()
