"""Tests of tables: they fit, and no cell is cut."""

from unittest import mock

from absl.testing import absltest, parameterized
import numpy as np

from experiments.runs import tables

_HEAD = ["solver", "step", "dual\ngap", "queries"]
_ROWS = [["cfr", "0.5", "1e-3", "12"], ["magnetic", "own", "-", "1,000"]]


class TextTest(parameterized.TestCase):
  def test_a_wide_page_has_one_block(self):
    self.assertEqual(
      tables.text(_HEAD, _ROWS, 80),
      "                dual\n"
      "solver    step   gap  queries\n"
      "-----------------------------\n"
      "cfr        0.5  1e-3       12\n"
      "magnetic   own     -    1,000",
    )

  def test_what_does_not_fit_goes_on_below(self):
    shown = tables.text(_HEAD, _ROWS, 28)
    first, second = shown.split("\n\n")
    self.assertIn("dual", first)
    self.assertEqual(
      second,
      "solver    queries\n-----------------\ncfr            12\n"
      "magnetic    1,000",
    )

  @parameterized.parameters(*range(12))
  def test_fits_and_keeps_every_cell(self, seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 5), rng.integers(2, 12)
    cells = [
      [f"{x:.{rng.integers(0, 9)}f}" for x in row]
      for row in rng.normal(size=shape)
    ]
    width = int(rng.integers(5, 60))
    shown = tables.text([f"h{k}" for k in range(shape[1])], cells, width)
    words = shown.split()
    for row in cells:
      for cell in row:
        self.assertIn(cell, words)
    pair = max(len(row[0]) for row in cells) + 2 + 11
    self.assertLessEqual(max(map(len, shown.split("\n"))), max(width, pair))

  def test_a_table_without_rows_is_its_head(self):
    self.assertStartsWith(tables.text(["a", "b"], [], 80), "a  b")


class PageWidthTest(absltest.TestCase):
  def test_is_that_of_a_terminal_alone(self):
    with mock.patch.dict("os.environ", COLUMNS="200"):
      self.assertEqual(tables.page_width(), 80)
      with mock.patch("sys.stdout") as stdout:
        stdout.isatty.return_value = True
        self.assertEqual(tables.page_width(), 200)


if __name__ == "__main__":
  absltest.main()
