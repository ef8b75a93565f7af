"""Tests that BUILD follows from the imports, and that its generator notices."""

import ast
import collections
import contextlib
import io
import pathlib
import tempfile
import textwrap
import tokenize

from absl.testing import absltest, parameterized

from tools import build_file

_ROOT = pathlib.Path(__file__).resolve().parents[2]

_TREE = {
  "mdrl/__init__.py": "",
  "mdrl/games/__init__.py": "from mdrl.games.trees import SIZE",
  "mdrl/checks.py": "if __name__ == '__main__':\n  print('no program')\n",
  "mdrl/games/trees.py": "SIZE = 1",
  "mdrl/run.py": "def run():\n  from mdrl import games\n",
  "mdrl/struct.py": "import jax",
  "experiments/solve.py": "from experiments import output\n"
  "from mdrl import checks\nfrom mdrl.games import SIZE, trees\n"
  "if __name__ == '__main__':\n  print(SIZE)\n",
  "experiments/output.py": "import mdrl.struct as s",
  "benchmarks/peers.py": "import mdrl.games.trees as t\nFILE = 'data/a.csv'",
  "benchmarks/peers.c": "",
  "benchmarks/data/a.csv": "",
  "benchmarks/data/b.csv": "",
  "tests/run_test.py": "from mdrl import run\n"
  "if __name__ == '__main__':\n  run.run()\n",
}


def _calls(text):
  """Returns the rules of a BUILD file: their kinds and their attributes."""
  return [
    (node.func.id, {k.arg: ast.literal_eval(k.value) for k in node.keywords})
    for node in ast.walk(ast.parse(text))
    if isinstance(node, ast.Call) and node.func.id.startswith("py_")
  ]


def _imported_paths(source):
  """Returns the dotted paths that a file imports, read from its tokens."""
  skipped = (tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT)
  line, paths = [], set()
  for token in tokenize.generate_tokens(io.StringIO(source).readline):
    if token.type not in (*skipped, tokenize.NEWLINE):
      line.append(token.string)
    elif token.type == tokenize.NEWLINE:
      words = " ".join(line).replace(" . ", ".").replace(" .", ".")
      if line[0] == "from":
        module, _, what = words.removeprefix("from ").partition(" import ")
        for name in what.strip("() ").rstrip(", ").split(","):
          paths.add(f"{module}.{name.split()[0]}")
      elif line[0] == "import":
        for name in words.removeprefix("import ").split(","):
          paths.add(name.split()[0])
      line = []
  return paths


class CommittedTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.text = (_ROOT / "BUILD").read_text(encoding="utf-8")
    self.rules = [attributes for _, attributes in _calls(self.text)]
    self.modules = {
      str(path.relative_to(_ROOT).with_suffix("")).replace("/", "."): path
      for folder in build_file.SOURCE_FOLDERS
      for path in (_ROOT / folder).rglob("*.py")
    }

  def test_it_is_what_the_generator_writes(self):
    generated = build_file.render(build_file.targets(_ROOT))
    self.assertEqual(build_file.difference(self.text, generated), "")

  def test_every_module_is_in_exactly_one_target(self):
    sources = collections.Counter(
      s for rule in self.rules for s in rule["srcs"]
    )
    expected = {str(p.relative_to(_ROOT)): 1 for p in self.modules.values()}
    self.assertEqual(sources, expected)
    names = collections.Counter(rule["name"] for rule in self.rules)
    self.assertEqual(set(names.values()), {1})

  def test_dependencies_are_the_imports(self):
    owners = {rule["srcs"][0]: rule["name"] for rule in self.rules}
    for rule in self.rules:
      (source,) = rule["srcs"]
      deps = set()
      for path in _imported_paths((_ROOT / source).read_text("utf-8")):
        # The longest prefix that is a module; a package is its `__init__`.
        parts = path.split(".")
        prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
        for module in (m for p in prefixes for m in (p, f"{p}.__init__")):
          if module in self.modules:
            owner = owners[str(self.modules[module].relative_to(_ROOT))]
            deps |= {f":{owner}"} - {f":{rule['name']}"}
            break
      with self.subTest(source):
        self.assertEqual(sorted(deps), rule.get("deps", []))

  def test_programs_and_tests_can_be_run(self):
    for kind, rule in _calls(self.text):
      with self.subTest(rule["name"]):
        is_test = rule["srcs"][0].endswith("_test.py")
        self.assertEqual(kind == "py_test", is_test)
        main = None if kind == "py_library" else rule["srcs"][0]
        self.assertEqual(rule.get("main"), main)

  def test_data_exists(self):
    data = [path for rule in self.rules for path in rule.get("data", [])]
    self.assertEqual([p for p in data if not (_ROOT / p).is_file()], [])


class GeneratorTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = tempfile.TemporaryDirectory()
    self.addCleanup(folder.cleanup)
    self.root = pathlib.Path(folder.name)
    for path, text in _TREE.items():
      self._write(path, text)

  def _write(self, path, text):
    (self.root / path).parent.mkdir(parents=True, exist_ok=True)
    (self.root / path).write_text(text, encoding="utf-8")

  def _targets(self, **kwargs):
    built = build_file.targets(self.root, **{"smoke_tests": (), **kwargs})
    return {target.name: target for target in built}

  def _run(self, *argv):
    """Returns the exit status and everything that was printed."""
    printed = io.StringIO()
    with (
      contextlib.redirect_stdout(printed),
      contextlib.redirect_stderr(printed),
    ):
      status = build_file.main(argv, self.root, smoke_tests=())
    return status, printed.getvalue()

  @parameterized.parameters(
    ("mdrl", "py_library", ()),
    ("checks", "py_library", ()),
    ("games", "py_library", (":games_trees",)),
    ("games_trees", "py_library", ()),
    ("run", "py_library", (":games",)),
    ("struct", "py_library", ()),
    (
      "experiments_solve",
      "py_binary",
      (":checks", ":experiments_output", ":games", ":games_trees"),
    ),
    ("experiments_output", "py_library", (":struct",)),
    ("benchmarks_peers", "py_library", (":games_trees",)),
    ("tests_run_test", "py_test", (":run",)),
  )
  def test_a_module_is_a_target(self, name, rule, deps):
    target = self._targets()[name]
    self.assertEqual((target.rule, target.deps), (rule, deps))

  def test_there_are_no_other_targets(self):
    sources = {target.src for target in self._targets().values()}
    self.assertEqual(sources, {p for p in _TREE if p.endswith(".py")})

  def test_data_belongs_to_who_names_it(self):
    data = {n: t.data for n, t in self._targets().items() if t.data}
    expected = ("benchmarks/data/a.csv", "benchmarks/peers.c")
    self.assertEqual(data, {"benchmarks_peers": expected})

  def test_caches_and_hidden_folders_are_left_out(self):
    names = set(self._targets())
    self._write("mdrl/__pycache__/left_over.py", "")
    self._write("mdrl/.ipynb_checkpoints/left_over.py", "")
    self.assertEqual(set(self._targets()), names)

  def test_relative_imports(self):
    self._write("mdrl/games/__init__.py", "from . import trees, __doc__")
    self._write("mdrl/games/boards.py", "from .trees import SIZE")
    self._write("mdrl/games/cards.py", "from .. import struct")
    targets = self._targets()
    self.assertEqual(targets["games"].deps, (":games_trees",))
    self.assertEqual(targets["games_boards"].deps, (":games_trees",))
    self.assertEqual(targets["games_cards"].deps, (":struct",))

  def test_the_text_is_laid_out(self):
    target = build_file.Target(
      rule="py_test",
      name="run_test",
      src="tests/run_test.py",
      data=("tests/a.npz", "tests/b.npz"),
      tags=("smoke",),
      deps=(":games", ":run"),
    )
    expected = textwrap.dedent("""\
        py_test(
            name = "run_test",
            srcs = ["tests/run_test.py"],
            data = [
                "tests/a.npz",
                "tests/b.npz",
            ],
            main = "tests/run_test.py",
            tags = ["smoke"],
            deps = [
                ":games",
                ":run",
            ],
        )
        """)
    self.assertEndsWith(build_file.render([target]), "\n\n" + expected)

  def test_what_was_written_passes_the_check(self):
    self.assertEqual(self._run("--write"), (0, ""))
    self.assertEqual(self._run(), (0, ""))

  def test_a_missing_file_is_noticed(self):
    status, printed = self._run()
    self.assertEqual(status, 1)
    self.assertIn('+    name = "games_trees",', printed)

  @parameterized.named_parameters(
    (
      "missing_dependency",
      "mdrl/struct.py",
      "from mdrl.games import trees",
      '+    deps = [":games_trees"],',
    ),
    ("stale_dependency", "mdrl/run.py", "", '-    deps = [":games"],'),
    ("missing_module", "mdrl/new.py", "", '+    name = "new",'),
    ("stale_target", "mdrl/struct.py", None, '-    name = "struct",'),
  )
  def test_a_change_is_noticed(self, path, text, expected):
    self._write("experiments/output.py", "")
    self._run("--write")
    if text is None:
      (self.root / path).unlink()
    else:
      self._write(path, text)
    status, printed = self._run()
    self.assertEqual(status, 1)
    self.assertIn(f"\n{expected}\n", printed)
    self.assertIn("python -m tools.build_file --write", printed)
    self.assertEqual(self._run("--write"), (0, ""))
    self.assertEqual(self._run(), (0, ""))

  @parameterized.named_parameters(
    (
      "absent_module",
      "mdrl/struct.py",
      "\nimport mdrl.absent",
      "mdrl/struct.py:2 imports `mdrl.absent`",
    ),
    (
      "cycle",
      "mdrl/games/trees.py",
      "from mdrl import run",
      "mdrl.games -> mdrl.games.trees -> mdrl.run -> mdrl.games",
    ),
    (
      "two_targets_of_one_name",
      "mdrl/games_trees.py",
      "",
      "mdrl/games/trees.py and mdrl/games_trees.py would both be the target",
    ),
    (
      "two_modules_of_one_name",
      "mdrl/games.py",
      "",
      "mdrl/games.py and mdrl/games/__init__.py are both `mdrl.games`",
    ),
    (
      "idle_test",
      "tests/idle_test.py",
      "def test_nothing():\n  pass\n",
      "tests/idle_test.py has no `if __name__ == '__main__'`",
    ),
    ("syntax", "mdrl/struct.py", "import", "mdrl/struct.py:1: "),
  )
  def test_an_error_is_explained(self, path, text, expected):
    self._write(path, text)
    status, printed = self._run("--write")
    self.assertEqual(status, 1)
    self.assertIn(expected, printed)
    self.assertFalse((self.root / "BUILD").exists())

  def test_smoke_tests_are_tagged(self):
    targets = self._targets(smoke_tests=("tests/run_test.py",))
    tagged = {name: t.tags for name, t in targets.items() if t.tags}
    self.assertEqual(tagged, {"tests_run_test": ("smoke",)})

  def test_smoke_tests_must_exist(self):
    with self.assertRaisesRegex(ValueError, "absent files: .*absent_test.py"):
      self._targets(smoke_tests=("tests/absent_test.py",))


if __name__ == "__main__":
  absltest.main()
