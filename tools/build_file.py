"""Checks or writes the root BUILD file, which follows from the imports.

Every Python file below the source folders is one target, whose dependencies are
the first-party modules that the file imports, at the top or inside a function.
A module's target is called after its dotted path, with underscores for dots and
without the leading `mdrl`.

The `__init__.py` of a package is a target like any other, called after the
package, and only those depend on it who import names that it defines. Importing
`mdrl.games.treeplex` does not: where nothing in a program's closure asks for
`mdrl/games/__init__.py`, Bazel puts an empty one (or, from version 8, none) in
its place, and where something does, the dependencies of that file come along. A
package must therefore not rely on what importing its `__init__.py` does.

A file that is not Python belongs to the modules of the same source folder that
name it in a string, and to the module beside it with the same stem.

Usage: `python -m tools.build_file` prints the difference and exits with status
1 where there is one; `python -m tools.build_file --write` removes it.
"""

import argparse
import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
import difflib
import graphlib
from pathlib import Path
import sys
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]

# In the order of their targets in BUILD.
SOURCE_FOLDERS = ("mdrl", "experiments", "benchmarks", "tools", "tests")

# Other files of `tools` belong to Bazel itself.
_DATA_FOLDERS = tuple(f for f in SOURCE_FOLDERS if f != "tools")

# The tests that Bazel runs in continuous integration: quick ones from each
# layer, enough to show that the targets and the toolchain work. All others have
# targets as well, and pytest runs them.
SMOKE_TESTS: tuple[str, ...] = (
  "tests/benchmarks/reference_test.py",
  "tests/games/segments_test.py",
  "tests/games/preference_order_test.py",
  "tests/solvers/mirror_prox_test.py",
  "tests/solvers/nash_md_test.py",
  "tests/solvers/regret_rules_test.py",
  "tests/struct_test.py",
)

_HEADER = """\
# Written by `python -m tools.build_file --write`; edit that, not this.

load("@rules_python//python:defs.bzl", "py_binary", "py_library", "py_test")

package(default_visibility = ["//visibility:public"])
"""


class Import(NamedTuple):
  """One imported name.

  Attributes:
    line: Where the statement stands.
    module: The dotted module of `import module` or `from module import name`.
    name: What is imported from the module, or None for `import module`.
  """

  line: int
  module: str
  name: str | None = None

  @property
  def target(self) -> str:
    """The dotted path of what is imported: a module or a name in one."""
    return f"{self.module}.{self.name}" if self.name else self.module


class Module(NamedTuple):
  """A Python file of the tree.

  Attributes:
    name: Dotted name; that of the package for an `__init__.py`.
    path: Path from the root, with forward slashes.
    text: The file's contents.
    tree: The parsed contents.
  """

  name: str
  path: str
  text: str
  tree: ast.Module

  def imports(self) -> Iterator[Import]:
    """Yields every import of the file, relative ones made absolute."""
    is_package = self.path.endswith("/__init__.py")
    package = self.name if is_package else self.name.rpartition(".")[0]
    for node in ast.walk(self.tree):
      if isinstance(node, ast.Import):
        for alias in node.names:
          yield Import(node.lineno, alias.name)
      elif isinstance(node, ast.ImportFrom):
        module = _absolute(node, package)
        for alias in node.names:
          yield Import(node.lineno, module, alias.name)


class Target(NamedTuple):
  """A rule of the BUILD file; all paths are from the root."""

  rule: str
  name: str
  src: str
  data: tuple[str, ...] = ()
  tags: tuple[str, ...] = ()
  deps: tuple[str, ...] = ()


def parse(path: str, text: str) -> Module:
  """Returns the module of a path from the root, by forward slashes."""
  stem = path.removesuffix(".py").removesuffix("/__init__")
  try:
    tree = ast.parse(text, path)
  except SyntaxError as error:
    raise ValueError(f"{path}:{error.lineno}: {error.msg}.") from error
  return Module(stem.replace("/", "."), path, text, tree)


def read_modules(
  root: Path, folders: Sequence[str] = SOURCE_FOLDERS
) -> dict[str, Module]:
  """Returns the modules below the folders, by their dotted names."""
  modules: dict[str, Module] = {}
  for path in (p for p in _files(root, folders) if p.endswith(".py")):
    module = parse(path, (root / path).read_text(encoding="utf-8"))
    if module.name in modules:
      twin = modules[module.name].path
      raise ValueError(f"{twin} and {path} are both `{module.name}`.")
    modules[module.name] = module
  return modules


def targets(
  root: Path, smoke_tests: Iterable[str] = SMOKE_TESTS
) -> list[Target]:
  """Returns the targets that the tree below `root` calls for."""
  modules = read_modules(root)
  names = _target_names(modules)
  deps = {name: _dependencies(m, modules) for name, m in modules.items()}
  _raise_on_cycle(deps)
  absent = set(smoke_tests) - {module.path for module in modules.values()}
  if absent:
    raise ValueError(f"SMOKE_TESTS lists absent files: {sorted(absent)}.")
  files = [p for p in _files(root, _DATA_FOLDERS) if not p.endswith(".py")]
  return [
    Target(
      rule=_rule(module),
      name=names[name],
      src=module.path,
      data=_data(module, files),
      tags=("smoke",) if module.path in smoke_tests else (),
      deps=tuple(sorted(f":{names[dep]}" for dep in deps[name])),
    )
    for name, module in modules.items()
  ]


def render(built: Iterable[Target]) -> str:
  """Returns the text of a BUILD file, as buildifier would lay it out."""
  return "\n".join([_HEADER, *(_render_target(t) for t in built)])


def difference(committed: str, generated: str) -> str:
  """Returns a unified diff from the committed text to the generated one."""
  lines = difflib.unified_diff(
    committed.splitlines(),
    generated.splitlines(),
    "BUILD (committed)",
    "BUILD (from the imports)",
    lineterm="",
  )
  return "\n".join(lines)


def _files(root: Path, folders: Sequence[str]) -> list[str]:
  """Returns the files below the folders, without caches and hidden files."""
  found = []
  for folder in folders:
    paths = (p.relative_to(root) for p in (root / folder).rglob("*"))
    found += sorted(
      path.as_posix()
      for path in paths
      if (root / path).is_file() and not _is_ignored(path)
    )
  return found


def _absolute(node: ast.ImportFrom, package: str) -> str:
  """Returns the module of a `from` import, read inside `package`."""
  if not node.level:
    return node.module or ""
  parents = package.split(".")
  parents = parents[: len(parents) + 1 - node.level]
  return ".".join([*parents, *filter(None, [node.module])])


def _is_ignored(path: Path) -> bool:
  return any(p.startswith(".") or p == "__pycache__" for p in path.parts)


def _target_names(modules: Mapping[str, Module]) -> dict[str, str]:
  names: dict[str, str] = {}
  owners: dict[str, str] = {}
  for name, module in modules.items():
    target = name.removeprefix("mdrl.").replace(".", "_")
    if target in owners:
      raise ValueError(
        f"{owners[target]} and {module.path} would both be the target"
        f" `{target}`; rename one."
      )
    owners[target] = module.path
    names[name] = target
  return names


def _dependencies(module: Module, modules: Mapping[str, Module]) -> list[str]:
  found = set()
  for imported in module.imports():
    if imported.module.partition(".")[0] not in SOURCE_FOLDERS:
      continue
    if imported.target in modules:
      found.add(imported.target)
    elif imported.module in modules:
      found.add(imported.module)
    else:
      raise ValueError(
        f"{module.path}:{imported.line} imports `{imported.target}`, which is"
        " in no file of the tree."
      )
  return sorted(found - {module.name})


def _raise_on_cycle(deps: Mapping[str, Iterable[str]]) -> None:
  try:
    graphlib.TopologicalSorter(deps).prepare()
  except graphlib.CycleError as error:
    cycle = " -> ".join(reversed(error.args[1]))
    raise ValueError(
      f"Bazel has no cycles, but the imports do: {cycle}."
    ) from None


def _rule(module: Module) -> str:
  folder = module.path.partition("/")[0]
  if folder == "tests" and module.path.endswith("_test.py"):
    if not _has_main(module.tree):
      raise ValueError(
        f"{module.path} has no `if __name__ == '__main__'`: run as a program,"
        " as Bazel does, it would pass without a test."
      )
    return "py_test"
  if folder not in ("mdrl", "tests") and _has_main(module.tree):
    return "py_binary"
  return "py_library"


def _has_main(tree: ast.Module) -> bool:
  return any(
    isinstance(node, ast.If)
    and any(
      isinstance(n, ast.Name) and n.id == "__name__"
      for n in ast.walk(node.test)
    )
    for node in tree.body
  )


def _data(module: Module, files: Iterable[str]) -> tuple[str, ...]:
  strings = {
    node.value.rpartition("/")[-1]
    for node in ast.walk(module.tree)
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
  }
  folder = module.path.partition("/")[0]
  stem = module.path.removesuffix(".py")
  return tuple(
    path
    for path in files
    if path.startswith(f"{stem}.")
    or (path.startswith(f"{folder}/") and path.rpartition("/")[-1] in strings)
  )


def _render_target(target: Target) -> str:
  lines = [f"{target.rule}(", f'    name = "{target.name}",']
  lines += _render_list("srcs", [target.src])
  lines += _render_list("data", target.data)
  if target.rule != "py_library":
    lines.append(f'    main = "{target.src}",')
  lines += _render_list("tags", target.tags)
  lines += _render_list("deps", target.deps)
  return "\n".join([*lines, ")", ""])


def _render_list(attribute: str, values: Sequence[str]) -> list[str]:
  if not values:
    return []
  if len(values) == 1:
    return [f'    {attribute} = ["{values[0]}"],']
  quoted = [f'        "{value}",' for value in values]
  return [f"    {attribute} = [", *quoted, "    ],"]


def main(
  argv: Sequence[str] | None = None,
  root: Path = ROOT,
  smoke_tests: Iterable[str] = SMOKE_TESTS,
) -> int:
  """Runs the program and returns its exit status."""
  parser = argparse.ArgumentParser(
    prog="python -m tools.build_file",
    description="Checks that BUILD follows from the imports of the tree.",
  )
  parser.add_argument("--write", action="store_true", help="write it instead")
  write = parser.parse_args(argv).write
  path = root / "BUILD"
  committed = path.read_text(encoding="utf-8") if path.exists() else ""
  try:
    generated = render(targets(root, smoke_tests))
  except ValueError as error:
    print(f"BUILD cannot be made: {error}", file=sys.stderr)
    return 1
  if write:
    path.write_text(generated, encoding="utf-8")
  elif diff := difference(committed, generated):
    print(diff)
    print(
      "BUILD does not follow from the imports; run"
      " `python -m tools.build_file --write`.",
      file=sys.stderr,
    )
    return 1
  return 0


if __name__ == "__main__":
  sys.exit(main())
