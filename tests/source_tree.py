"""Reads the Python files of the repository and what they import."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


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
  """A Python file of the repository.

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

  def has_main(self) -> bool:
    """Returns whether the file can be run as a program."""
    return any(
      isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
      for node in self.tree.body
    )


def parse(path: str, text: str) -> Module:
  """Returns the module of a path from the root, by forward slashes."""
  stem = path.removesuffix(".py").removesuffix("/__init__")
  return Module(stem.replace("/", "."), path, text, ast.parse(text, path))


def read_modules(folders: Sequence[str], root: Path = ROOT) -> list[Module]:
  """Returns the modules below the folders, without caches and hidden files."""
  paths = [
    path.relative_to(root)
    for folder in folders
    for path in sorted((root / folder).rglob("*.py"))
  ]
  return [
    parse(path.as_posix(), (root / path).read_text(encoding="utf-8"))
    for path in paths
    if not any(part.startswith(".") for part in path.parts)
  ]


def _absolute(node: ast.ImportFrom, package: str) -> str:
  """Returns the module of a `from` import, read inside `package`."""
  if not node.level:
    return node.module or ""
  parents = package.split(".")
  parents = parents[: len(parents) + 1 - node.level]
  return ".".join([*parents, *filter(None, [node.module])])
