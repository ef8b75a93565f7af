"""Tests of numbers that papers print, beside ours."""

from absl.testing import absltest, parameterized
import pytest

from benchmarks import paper_numbers
from tests import source_tree

_TREES = ("poker", "Kuhn", "Leduc", "liar's dice", "goofspiel")
_QUICK, _SLOW = [], []
for _row in paper_numbers.ROWS:
  _of_trees = any(name in _row.what for name in _TREES)
  (_SLOW if _of_trees else _QUICK).append(_row)


class PaperNumbersTest(parameterized.TestCase):
  def _check(self, row):
    ours, agree = paper_numbers.measured(row)
    # Those that differ say why, and are near nonetheless.
    self.assertEqual(agree, not row.note, ours)
    for printed, number in zip(row.printed.split(), ours):
      if row.note:
        self.assertAlmostEqual(number, float(printed), delta=2e-3)

  @parameterized.parameters(*((row,) for row in _QUICK))
  def test_ours_are_those_that_are_printed(self, row):
    self._check(row)

  @parameterized.parameters(*((row,) for row in _SLOW))
  @pytest.mark.slow
  def test_ours_are_those_that_are_printed_of_trees(self, row):
    self._check(row)

  @parameterized.parameters(
    ("1/3", 1 / 3, True),
    ("1/3", 0.3333, False),
    ("0.33", 0.3349, True),
    ("0.33", 0.3351, False),
    ("-0.330", -0.3304, True),
    ("-0.330", -0.3306, False),
    ("<=0.4", 0.39, True),
    ("<=0.4", 0.41, False),
    ("1", 1 + 1e-12, True),
    ("1", 1.1, False),
  )
  def test_agrees_where_it_rounds_to_what_is_printed(self, printed, ours, yes):
    self.assertEqual(paper_numbers.agrees(printed, ours), yes)

  def test_the_page_has_the_table(self):
    page = (source_tree.ROOT / "docs" / "errata.md").read_text()
    for row in paper_numbers.ROWS:
      printed = ", ".join(row.printed.split())
      self.assertIn(f"| {row.source} | {row.what} | {printed} | ", page)
      if row.note:
        self.assertIn(f"| {row.note} |", page)


if __name__ == "__main__":
  absltest.main()
