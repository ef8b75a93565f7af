"""The tables of solvers in the documentation, made from the registry.

  python -m experiments.registry.tables
  python -m experiments.registry.tables --write

The first prints the tables; the second writes them into the pages, between the
two comments that name each, and prints the names of the pages that changed.
"""

from collections.abc import Mapping
import pathlib
import re
import sys
from typing import NamedTuple

from experiments.registry import entries, game_solvers, preference_solvers

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_LINKS = {
  r"arXiv:([\w.]+\d)": "https://arxiv.org/abs/",
  r"doi:([^\s;,]+)": "https://doi.org/",
}


class _Table(NamedTuple):
  """A table on a page.

  Attributes:
    page: The file that it stands in.
    head: Of its columns.
    solvers: Those listed.
  """

  page: str
  head: tuple[str, ...]
  solvers: Mapping[str, entries.Entry]


def _row(name, entry):
  return (
    f"`{name}`",
    entry.title,
    linked(entry.paper),
    entry.approaches,
    entry.rate,
    entry.reports,
  )


TABLES = {
  "solvers of games": _Table(
    "docs/solvers.md",
    (
      "`--solver`",
      "method",
      "paper",
      "approaches equilibrium",
      "proved rate",
      "result",
    ),
    game_solvers.SOLVERS,
  ),
  "solvers of preference games": _Table(
    "docs/preferences.md",
    ("`--solver`", "method", "paper", "approaches", "proved rate", "result"),
    preference_solvers.SOLVERS,
  ),
}


def linked(paper: str) -> str:
  """Returns a citation in Markdown, linked to the paper where it says which."""
  parts = []
  for part in paper.split("; "):
    for pattern, address in _LINKS.items():
      match = re.search(rf",? {pattern}", part)
      if match:
        cited = part[: match.start()] + part[match.end() :]
        part = f"[{cited}]({address}{match[1]})"
        break
    parts.append(part)
  return "; ".join(parts)


def text(name: str) -> str:
  """Returns a table in Markdown."""
  table = TABLES[name]
  rows = [_row(*item) for item in table.solvers.items()]
  lines = [table.head, ("---",) * len(table.head), *rows]
  return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def filled(page: str) -> str:
  """Returns a page's text, its tables as the registry has them.

  Raises:
    ValueError: If the page lacks the comments around a table.
  """
  found = (_ROOT / page).read_text(encoding="utf-8")
  for name, table in TABLES.items():
    if table.page != page:
      continue
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, opened, rest = found.partition(start)
    _, closed, after = rest.partition(end)
    if not opened or not closed:
      raise ValueError(
        f"`{page}` must have the lines {start.strip()} and {end.strip()} "
        "around the table; put them back"
      )
    found = f"{before}{start}\n{text(name)}\n{end}{after}"
  return found


def main(argv: list[str]) -> None:
  """Prints the tables, or writes them."""
  if argv not in ([], ["--write"]):
    sys.exit(f"tables: unexpected arguments: {' '.join(argv)}; try --write")
  if not argv:
    print("\n".join(text(name) for name in TABLES), end="")
    return
  for page in dict.fromkeys(table.page for table in TABLES.values()):
    try:
      new = filled(page)
      if new != (_ROOT / page).read_text(encoding="utf-8"):
        (_ROOT / page).write_text(new, encoding="utf-8")
        print(page)
    except (OSError, ValueError) as error:
      sys.exit(f"tables: {error}")


if __name__ == "__main__":
  main(sys.argv[1:])
