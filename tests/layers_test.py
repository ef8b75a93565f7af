"""Tests that the tree keeps to its layers and to its style.

Each rule is a function from a module to the lines that break it, and is shown
to find a planted fault.
"""

import ast
from collections.abc import Callable, Iterator

from absl.testing import absltest, parameterized

from tests import source_tree

_FOLDERS = ("mdrl", "experiments", "benchmarks", "notebooks")
_MAX_LINES = 400
# Of a function, its docstring not counted.
_MAX_FUNCTION_LINES = 45

# A module imports what has its own layer or a lower one. A package stands for
# all of its modules that are not listed themselves.
_LAYERS = {
  # Only the package's own `__init__`, which imports none of the modules: who
  # wants one of them need not wait for the others.
  "mdrl": -1,
  "mdrl.checks": 0,
  "mdrl.inputs": 0,
  "mdrl.jax_internals": 0,
  "mdrl.methods": 0,
  "mdrl.run": 0,
  "mdrl.struct": 0,
  "mdrl.tiers": 0,
  "mdrl.trees": 1,
  "mdrl.geometry": 2,
  "mdrl.games": 3,
  "mdrl.compile": 4,
  "mdrl.preferences": 5,
  "mdrl.evaluation": 6,
  "mdrl.solvers": 6,
  "mdrl.operators": 6,
  "mdrl.envs": 7,
  "mdrl.policies": 8,
  "mdrl.learning": 9,
  "mdrl.judges": 11,
  "mdrl.batching": 12,
  "mdrl.parallel": 13,
  "experiments": 14,
  "notebooks": 14,
  "benchmarks": 14,
  # For people who add games or solvers: it imports anything, and the library
  # proper must not import it.
  "mdrl.testing": 14,
}

_SHARED_BY_SOLVERS = (
  "mdrl.solvers.average_play",
  "mdrl.solvers.base",
  "mdrl.solvers.descent",
  "mdrl.solvers.magnet",
  "mdrl.solvers.hyper_parameters",
  "mdrl.solvers.one_iterate",
  "mdrl.solvers.pairwise_fit",
  "mdrl.solvers.regret_rules",
  "mdrl.solvers.schedules",
)
# Names for solvers that other modules implement.
_VARIANTS = "mdrl.solvers.preference_variants"
_OPENSPIEL_MODULES = (
  "mdrl.compile.openspiel",
  "mdrl.compile.policy_bridge",
  "mdrl.testing",
  "benchmarks",
)
_SHARED_BY_PROGRAMS = ("experiments.registry", "experiments.runs")
_FLOAT_DTYPES = ("bfloat16", "float16", "float32", "float64")
_VAGUE_NAMES = ("common", "helper", "helpers", "util", "utils")

# The line and what is wrong with it.
Violations = Iterator[tuple[int, str]]
Rule = Callable[[source_tree.Module], Violations]


def layers(module: source_tree.Module) -> Violations:
  """Yields imports of higher layers, and of what has no layer."""
  layer = _layer(module.name)
  if layer is None:
    yield 1, "has no layer: give it one in this test"
    return
  for imported in _first_party_imports(module):
    target = _layer(imported.target)
    if target is None:
      yield imported.line, f"imports `{imported.target}`, which has no layer"
    elif target > layer:
      yield imported.line, f"imports `{imported.target}` from a higher layer"


def openspiel(module: source_tree.Module) -> Violations:
  """Yields imports of OpenSpiel outside the modules that are for it."""
  if not _is_inside(module.name, *_OPENSPIEL_MODULES):
    for imported in module.imports():
      if _is_inside(imported.module, "pyspiel", "open_spiel"):
        yield imported.line, f"imports `{imported.module}`"


def flags(module: source_tree.Module) -> Violations:
  """Yields imports of absl, which is for programs, in the library."""
  for imported in module.imports():
    if _is_library(module) and _is_inside(imported.module, "absl"):
      yield imported.line, f"imports `{imported.module}`"


def solvers(module: source_tree.Module) -> Violations:
  """Yields what a solver imports of evaluation and of other solvers."""
  if module.name.startswith("mdrl.solvers.") and module.name != _VARIANTS:
    for imported in _first_party_imports(module):
      if _is_inside(imported.target, *_SHARED_BY_SOLVERS):
        continue
      if _is_inside(imported.target, "mdrl.evaluation", "mdrl.solvers"):
        yield imported.line, f"a solver imports `{imported.target}`"


def length(module: source_tree.Module) -> Violations:
  """Yields the last line of a library file that is too long."""
  lines = len(module.text.splitlines())
  if _is_library(module) and lines > _MAX_LINES:
    yield lines, f"is longer than {_MAX_LINES} lines"


def function_length(module: source_tree.Module) -> Violations:
  """Yields the library's functions that are too long."""
  for node in ast.walk(module.tree):
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
      lines = _num_lines(node)
      if ast.get_docstring(node, clean=False) is not None:
        lines -= _num_lines(node.body[0])
      if _is_library(module) and lines > _MAX_FUNCTION_LINES:
        yield (
          node.lineno,
          f"`{node.name}` has {lines} lines, more than {_MAX_FUNCTION_LINES}",
        )


def _num_lines(node: ast.stmt) -> int:
  return (node.end_lineno or node.lineno) - node.lineno + 1


def prints(module: source_tree.Module) -> Violations:
  """Yields the library's calls of `print`."""
  for node in ast.walk(module.tree):
    match node:
      case ast.Call(func=ast.Name(id="print")) if _is_library(module):
        yield node.lineno, "prints"


def asserts(module: source_tree.Module) -> Violations:
  """Yields assertions, which `python -O` drops, outside `mdrl.testing`."""
  if _is_library(module) and not _is_inside(module.name, "mdrl.testing"):
    for node in ast.walk(module.tree):
      if isinstance(node, ast.Assert):
        yield node.lineno, "asserts: raise an error instead"


def dtypes(module: source_tree.Module) -> Violations:
  """Yields the library's floating-point types of JAX: games decide those."""
  if not _is_library(module):
    return
  aliases: set[str | None] = {"jax.numpy"}
  for node in ast.walk(module.tree):
    match node:
      case ast.Import():
        aliases |= {a.asname for a in node.names if a.name == "jax.numpy"}
      case ast.ImportFrom(module="jax"):
        aliases |= {a.asname or a.name for a in node.names if a.name == "numpy"}
      case ast.ImportFrom(module="jax.numpy"):
        for alias in node.names:
          if alias.name in _FLOAT_DTYPES:
            yield node.lineno, f"imports `{alias.name}`"
  for node in ast.walk(module.tree):
    match node:
      case ast.Attribute(attr=dtype) if dtype in _FLOAT_DTYPES:
        if ast.unparse(node.value) in aliases:
          yield node.lineno, f"says `{ast.unparse(node)}`"


def names(module: source_tree.Module) -> Violations:
  """Yields names of library modules that do not say what is inside."""
  for part in module.name.split("."):
    if _is_library(module) and part in _VAGUE_NAMES:
      yield 1, f"`{part}` says nothing of what is inside"


def binaries(module: source_tree.Module) -> Violations:
  """Yields what a benchmark imports of binaries and of their parts.

  Benchmarks are programs as well, and share with binaries how those start; the
  registry holds the defaults that one of them checks.
  """
  if _is_inside(module.name, "benchmarks"):
    for imported in _first_party_imports(module):
      shared = _is_inside(imported.target, *_SHARED_BY_PROGRAMS)
      if _is_inside(imported.target, "experiments") and not shared:
        yield imported.line, f"a benchmark imports `{imported.target}`"


_RULES: tuple[Rule, ...] = (
  layers,
  openspiel,
  flags,
  solvers,
  length,
  function_length,
  prints,
  asserts,
  dtypes,
  names,
  binaries,
)


def _layer(name: str) -> int | None:
  """Returns the layer of the longest listed prefix, if there is one."""
  if name == "mdrl":
    return _LAYERS[name]
  listed = [p for p in _LAYERS if p != "mdrl" and _is_inside(name, p)]
  return _LAYERS[max(listed, key=len)] if listed else None


def _is_inside(name: str, *modules: str) -> bool:
  return any(f"{name}.".startswith(f"{module}.") for module in modules)


def _is_library(module: source_tree.Module) -> bool:
  return _is_inside(module.name, "mdrl")


def _first_party_imports(
  module: source_tree.Module,
) -> Iterator[source_tree.Import]:
  for imported in module.imports():
    if _is_inside(imported.module, *_FOLDERS):
      yield imported


class TreeTest(parameterized.TestCase):
  @parameterized.named_parameters((rule.__name__, rule) for rule in _RULES)
  def test_the_tree_keeps_the_rule(self, rule):
    modules = source_tree.read_modules(_FOLDERS)
    self.assertIn("mdrl.struct", [module.name for module in modules])
    violations = [
      f"{module.path}:{line}: {what}"
      for module in modules
      for line, what in rule(module)
    ]
    self.assertEqual(violations, [], "\n" + "\n".join(violations))


class RuleTest(parameterized.TestCase):
  def _assert_lines(self, rule, path, source, lines):
    module = source_tree.parse(path, source)
    self.assertEqual([line for line, _ in rule(module)], lines)

  @parameterized.parameters(
    ("mdrl/struct.py", "from mdrl.trees import segments"),
    ("mdrl/trees/simplex.py", "import mdrl.games.tree_game as t"),
    ("mdrl/games/tree_game.py", "from mdrl.compile.openspiel import load_game"),
    ("mdrl/games/tree_game.py", "from ..compile import openspiel"),
    ("mdrl/compile/openspiel.py", "from mdrl.preferences import models"),
    ("mdrl/trees/segments.py", "from ..geometry import dilated"),
    ("mdrl/trees/treeplex.py", "from mdrl.geometry import dilated"),
    ("mdrl/geometry/dilated.py", "from mdrl.solvers import base"),
    ("mdrl/run.py", "from mdrl.solvers import base"),
    ("mdrl/solvers/cfr.py", "from mdrl.batching import lanes"),
    ("mdrl/run.py", "def f():\n  from mdrl.parallel import meshes"),
    ("mdrl/parallel/meshes.py", "from experiments import solve_game"),
    ("mdrl/solvers/cfr.py", "from mdrl.testing import oracles"),
    ("mdrl/trees/treeplex.py", "from mdrl import unheard_of"),
    ("mdrl/__init__.py", "from mdrl import struct"),
  )
  def test_layers_finds_upward_imports(self, path, source):
    self._assert_lines(layers, path, source, [source.count("\n") + 1])

  @parameterized.parameters(
    ("mdrl/__init__.py", "import jax"),
    ("mdrl/compile/cache.py", "import mdrl"),
    ("mdrl/trees/segments.py", "from mdrl.trees import simplex"),
    ("mdrl/trees/treeplex.py", "from mdrl.trees.segments import Segments"),
    ("mdrl/geometry/dilated.py", "from mdrl.trees import treeplex"),
    ("mdrl/parallel/sweep.py", "import mdrl.run"),
    ("mdrl/testing/contracts.py", "from mdrl.parallel import meshes"),
    ("experiments/solve_game.py", "from mdrl.parallel import meshes"),
  )
  def test_layers_allows_other_imports(self, path, source):
    self._assert_lines(layers, path, source, [])

  def test_layers_asks_for_a_layer(self):
    self._assert_lines(layers, "mdrl/unheard_of.py", "import jax", [1])

  @parameterized.parameters(
    ("mdrl/games/tree_game.py", [1, 2]),
    ("mdrl/compile/openspiel_names.py", [1, 2]),
    ("experiments/solve_game.py", [1, 2]),
    ("notebooks/kuhn.py", [1, 2]),
    ("mdrl/compile/openspiel.py", []),
    ("mdrl/testing/oracles.py", []),
    ("benchmarks/solvers.py", []),
  )
  def test_openspiel_has_its_places(self, path, lines):
    source = "import pyspiel\nfrom open_spiel.python import policy\n"
    self._assert_lines(openspiel, path, source, lines)

  @parameterized.parameters(
    ("mdrl/run.py", [1, 2]),
    ("mdrl/testing/contracts.py", [1, 2]),
    ("experiments/solve_game.py", []),
  )
  def test_flags_are_for_programs(self, path, lines):
    source = "from absl import flags\nimport absl.logging\nimport absltract\n"
    self._assert_lines(flags, path, source, lines)

  @parameterized.parameters(
    ("from mdrl.evaluation import gaps", [1]),
    ("from mdrl.solvers import magnetic", [1]),
    ("from mdrl.solvers.magnetic import MagneticMirrorDescent", [1]),
    ("from mdrl.solvers import base, cfr, schedules", [1]),
    ("from mdrl.solvers import base, schedules", []),
    ("from mdrl.solvers.base import Solver", []),
    ("from mdrl.geometry import dilated", []),
  )
  def test_solvers_stand_alone(self, source, lines):
    self._assert_lines(solvers, "mdrl/solvers/averaged.py", source, lines)
    for path in ("__init__.py", "preference_variants.py"):
      self._assert_lines(solvers, f"mdrl/solvers/{path}", source, [])

  @parameterized.parameters(
    ("mdrl/run.py", 400, []),
    ("mdrl/run.py", 401, [401]),
    ("benchmarks/solvers.py", 401, []),
  )
  def test_length_has_a_limit(self, path, lines, expected):
    self._assert_lines(length, path, "x = 1\n" * lines, expected)

  @parameterized.parameters(
    ("mdrl/run.py", 44, "", []),
    ("mdrl/run.py", 45, "", [2]),
    ("mdrl/run.py", 44, '    """One.\n\n    Two."""\n', []),
    ("mdrl/run.py", 45, '    """One.\n\n    Two."""\n', [2]),
    ("benchmarks/solvers.py", 45, "", []),
  )
  def test_functions_have_a_limit(self, path, lines, docstring, expected):
    source = "class A:\n  def f():\n" + docstring + "    x = 1\n" * lines
    self._assert_lines(function_length, path, source, expected)

  @parameterized.parameters(
    ("mdrl/run.py", [1, 3]),
    ("mdrl/testing/contracts.py", [1, 3]),
    ("experiments/solve_game.py", []),
  )
  def test_prints_are_for_programs(self, path, lines):
    source = "print(1)\nx = 'print(2)'\ny = [print(x)]\npprint(y)\n"
    self._assert_lines(prints, path, source, lines)

  @parameterized.parameters(
    ("mdrl/run.py", [2]),
    ("mdrl/testing/contracts.py", []),
    ("benchmarks/solvers.py", []),
  )
  def test_asserts_are_not_for_the_library(self, path, lines):
    source = "def f(x):\n  assert x > 0, x\n"
    self._assert_lines(asserts, path, source, lines)

  @parameterized.parameters(
    ("import jax.numpy as jnp\nx = jnp.float32(1)", [2]),
    ("import jax.numpy as xnp\nx = xnp.zeros(3, xnp.float64)", [2]),
    ("import jax\nx = jax.numpy.bfloat16", [2]),
    ("from jax import numpy\nx = numpy.float16", [2]),
    ("from jax.numpy import float32", [1]),
    ("import jax.numpy as jnp\nx = jnp.int32(1)", []),
    ("import numpy as np\nx = np.float64(1)", []),
  )
  def test_dtypes_come_from_the_game(self, source, lines):
    self._assert_lines(dtypes, "mdrl/run.py", source, lines)
    self._assert_lines(dtypes, "benchmarks/solvers.py", source, [])

  @parameterized.parameters(
    ("mdrl/utils.py", [1]),
    ("mdrl/games/helpers.py", [1]),
    ("mdrl/common/trees.py", [1]),
    ("mdrl/games/commons.py", []),
    ("benchmarks/common.py", []),
  )
  def test_names_say_something(self, path, lines):
    self._assert_lines(names, path, "x = 1\n", lines)

  @parameterized.parameters(
    ("from experiments import solve_game", [1]),
    ("from experiments.solving import problem", [1]),
    ("import experiments.preferences.solve", [1]),
    ("from experiments.runs import limits", []),
    ("from experiments.registry import game_solvers", []),
    ("from mdrl import run", []),
  )
  def test_benchmarks_import_no_binaries(self, source, lines):
    self._assert_lines(binaries, "benchmarks/solvers.py", source, lines)
    self._assert_lines(binaries, "experiments/sweep_game.py", source, [])


if __name__ == "__main__":
  absltest.main()
