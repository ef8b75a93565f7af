"""Tests that the README and the pages say what is so."""

import collections
import os
import re
import subprocess
import sys
import tempfile

from absl.testing import absltest, parameterized
import pytest

from tests import source_tree

_ROOT = source_tree.ROOT
_PAGES = {
  str(path.relative_to(_ROOT)): path.read_text(encoding="utf-8")
  for path in (
    *_ROOT.glob("*.md"),
    *(_ROOT / "docs").glob("*.md"),
  )
}
_PYTHON = {
  name: re.findall(r"(?ms)^```python\n(.*?)^```$", text)
  for name, text in _PAGES.items()
}
_COMMAND = re.compile(
  r"python -m ((?:experiments|benchmarks)(?:\.\w+)+)((?: --\S+)*)"
)

_TESTS = re.compile(r"-m pytest -n 0 (tests/\S+?\.py)(?: -k (\w+|\"[^\"]+\"))?")


def _run(*arguments, cwd):
  """Runs Python as somebody would who has installed the package."""
  return subprocess.run(
    [sys.executable, *arguments],
    cwd=cwd,
    env=os.environ | {"PYTHONPATH": str(_ROOT)},
    capture_output=True,
    text=True,
    check=False,
  )


def _text(path):
  return path.read_text(encoding="utf-8")


def _commands():
  """Returns the flags that pages give to each program, with the page."""
  used = collections.defaultdict(set)
  for page, text in _PAGES.items():
    for module, arguments in _COMMAND.findall(text):
      flags = re.findall(r"--([a-z_]+)", arguments.split(";")[0])
      used[module] |= {(flag, page) for flag in flags}
  return dict(used)


class DocsTest(parameterized.TestCase):
  def test_the_readme_can_be_read_in_one_sitting(self):
    self.assertLessEqual(len(_PAGES["README.md"].splitlines()), 160)

  def test_the_first_snippet_has_three_imports(self):
    first = _PYTHON["README.md"][0]
    self.assertLen(re.findall(r"(?m)^(?:from|import) ", first), 3)

  @parameterized.parameters(name for name, blocks in _PYTHON.items() if blocks)
  @pytest.mark.slow
  def test_snippets_run(self, page):
    with tempfile.TemporaryDirectory() as folder:
      if "policy.npz" in "".join(_PYTHON[page]):
        result = _run(
          *("-m", "experiments.solve_game", "--game=kuhn_poker"),
          *("--updates=1", "--checkpoints=1", "--out=runs/leduc"),
          cwd=folder,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
      result = _run("-W", "error", "-c", "\n".join(_PYTHON[page]), cwd=folder)
    self.assertEqual(result.returncode, 0, result.stderr)

  @parameterized.parameters(*_PAGES)
  def test_links_lead_to_files(self, page):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", _PAGES[page])
    folder = (_ROOT / page).parent
    missing = [t for t in targets if not (folder / t).exists()]
    self.assertEqual(missing, [])

  @parameterized.parameters(*_PAGES)
  def test_files_that_pages_name_exist(self, page):
    named = re.findall(
      r"`((?:mdrl|experiments|tests|benchmarks|docs)/[\w/]+\.\w+)`",
      _PAGES[page],
    )
    self.assertEqual(
      [path for path in named if not (_ROOT / path).exists()], []
    )

  @parameterized.parameters(*_commands().items())
  def test_programs_have_the_flags_of_their_commands(self, module, used):
    path = _ROOT / (module.replace(".", "/") + ".py")
    self.assertTrue(path.is_file(), path)
    if used:
      help_text = _run("-m", module, "--help", cwd=_ROOT).stdout
      known = set(re.findall(r"(?m)^ +--(?:\[no\])?([a-z_]+)", help_text))
      # Of programs without flags of absl, which say them in their docstring.
      known |= set(re.findall(rf"{re.escape(module)} --([a-z_]+)", _text(path)))
      self.assertEqual({u for u in used if u[0] not in known}, set())

  @parameterized.parameters(*_PAGES)
  def test_tests_that_pages_name_exist(self, page):
    for path, chosen in _TESTS.findall(_PAGES[page]):
      with self.subTest(f"{path} {chosen}"):
        names = re.findall(r"def (test_\w+)", _text(_ROOT / path))
        for word in chosen.replace('"', "").split(" or "):
          self.assertTrue(any(word in name for name in names), word)

  def test_every_page_is_found(self):
    self.assertIn("docs/solvers.md", _PAGES)
    self.assertNotEmpty(_PYTHON["docs/binaries.md"])
    self.assertIn("experiments.sweep_game", _commands())


if __name__ == "__main__":
  absltest.main()
