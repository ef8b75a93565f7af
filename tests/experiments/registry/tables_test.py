"""Tests that the documentation's tables of solvers are the registry's."""

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


if __name__ == "__main__":
  absltest.main()
