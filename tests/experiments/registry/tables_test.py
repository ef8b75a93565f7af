"""Tests that the documentation's tables of solvers are the registry's."""

import contextlib
import io
import pathlib
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized

from experiments.registry import game_solvers, preference_solvers, tables
from tests import source_tree

_PAGES = sorted({table.page for table in tables.TABLES.values()})


class TablesTest(parameterized.TestCase):
  @parameterized.parameters(*_PAGES)
  def test_pages_hold_them(self, page):
    held = (source_tree.ROOT / page).read_text(encoding="utf-8")
    self.assertEqual(
      held, tables.filled(page), "run experiments.registry.tables --write"
    )

  @parameterized.parameters(
    ("solvers of games", game_solvers.SOLVERS),
    ("solvers of preference games", preference_solvers.SOLVERS),
  )
  def test_have_a_row_for_every_solver(self, name, solvers):
    head, _, *rows = tables.text(name).splitlines()
    self.assertLen(rows, len(solvers))
    for row, (solver, entry) in zip(rows, solvers.items(), strict=True):
      self.assertTrue(row.startswith(f"| `{solver}` | {entry.title} | "))
      self.assertEqual(row.count(" | "), head.count(" | "))
      self.assertNotIn("arXiv:", row)
      self.assertNotIn("doi:", row)

  @parameterized.parameters(
    ("Zinkevich et al. (2007)", "Zinkevich et al. (2007)"),
    (
      "Popov (1980), doi:10.1007/BF01141092; Lee (2021), arXiv:2106.14326",
      "[Popov (1980)](https://doi.org/10.1007/BF01141092); "
      "[Lee (2021)](https://arxiv.org/abs/2106.14326)",
    ),
  )
  def test_papers_are_linked(self, paper, expected):
    self.assertEqual(tables.linked(paper), expected)

  def test_a_page_without_a_place_for_them_is_refused(self):
    table = tables.TABLES["solvers of games"]._replace(page="CONTRIBUTING.md")
    with mock.patch.dict(tables.TABLES, {"solvers of games": table}):
      with self.assertRaisesRegex(ValueError, "must have the lines <!-- sol"):
        tables.filled("CONTRIBUTING.md")

  def test_the_program_prints_them_or_writes_them(self):
    with contextlib.redirect_stdout(io.StringIO()) as out:
      tables.main([])
    self.assertEqual(out.getvalue().count("\n| --- "), len(tables.TABLES))
    with contextlib.ExitStack() as stack:
      folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
      stack.enter_context(mock.patch.object(tables, "_ROOT", folder))
      out = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
      (folder / "docs").mkdir()
      for name, table in tables.TABLES.items():
        (folder / table.page).write_text(
          f"before\n<!-- {name} -->\nold\n<!-- end of {name} -->\nafter\n"
        )
      tables.main(["--write"])
      tables.main(["--write"])
      for name, table in tables.TABLES.items():
        held = (folder / table.page).read_text()
        self.assertTrue(held.startswith("before\n"))
        self.assertTrue(held.endswith("after\n"))
        self.assertIn(tables.text(name), held)
        self.assertNotIn("old", held)
    # Each page once, as the second time changes nothing.
    self.assertEqual(out.getvalue().split(), _PAGES[::-1])
    with self.assertRaisesRegex(SystemExit, "unexpected arguments: --x"):
      tables.main(["--x"])


if __name__ == "__main__":
  absltest.main()
