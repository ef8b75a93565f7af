"""Tests that BUILD declares the files and the dependencies that there are."""

import collections
import glob
import itertools

from absl.testing import absltest, parameterized

from tests import source_tree

_BUILD = source_tree.ROOT / "BUILD"
_SOURCES = ("mdrl", "experiments", "benchmarks", "tests")


def _glob(include, exclude=(), allow_empty=False):
  """Returns what Bazel's `glob` does, but for hidden files.

  Raises:
    ValueError: If there is no file, unless that is allowed.
  """
  found, left_out = (
    {
      path
      for pattern in patterns
      for path in glob.glob(pattern, root_dir=source_tree.ROOT, recursive=True)
      if (source_tree.ROOT / path).is_file() and "__pycache__" not in path
    }
    for patterns in (include, exclude)
  )
  if not found - left_out and not allow_empty:
    raise ValueError(f"no files are called {include}")
  return sorted(found - left_out)


def _targets():
  """Returns the attributes of every target by its name.

  BUILD is written in a subset of Python, so that it can be run as such.
  """
  targets = {}

  def rule(kind):
    def declare(name, **attributes):
      if name in targets:
        raise ValueError(f"two targets are called {name}")
      targets[name] = {"rule": kind, "srcs": [], "deps": []} | attributes

    return declare

  names = {kind: rule(kind) for kind in ("py_binary", "py_library", "py_test")}
  names |= {"glob": _glob, "load": lambda *_: None}
  names["package"] = lambda **_: None
  # Adding the keys of a dictionary to a list is not Python's.
  text = _BUILD.read_text().replace("LIBRARY.keys()", "list(LIBRARY)")
  exec(compile(text, _BUILD, "exec"), names)
  return targets


_TARGETS = _targets()


class BuildTest(parameterized.TestCase):
  def test_it_can_be_read_in_one_sitting(self):
    self.assertLess(len(_BUILD.read_text().splitlines()), 200)

  def test_every_file_has_one_target(self):
    count = collections.Counter(
      itertools.chain.from_iterable(
        target["srcs"]
        for target in _TARGETS.values()
        if target["rule"] != "py_binary"
      )
    )
    files = {module.path for module in source_tree.read_modules(_SOURCES)}
    self.assertEqual(set(count), files)
    self.assertEqual({n for n in count.values() if n != 1}, set())

  def test_dependencies_are_the_imports(self):
    owner = {
      path: name
      for name, target in _TARGETS.items()
      for path in target["srcs"]
      if target["rule"] == "py_library"
    }
    modules = source_tree.read_modules(("mdrl",))
    home = {m.name: owner[m.path] for m in modules}
    used = collections.defaultdict(set)
    for module in modules:
      for imported in module.imports():
        for name in (imported.target, imported.module):
          if name in home:
            used[home[module.name]].add(home[name])
            break
    for name in set(home.values()):
      with self.subTest(name):
        self.assertCountEqual(_TARGETS[name]["deps"], used[name] - {name})

  def test_programs_are_those_that_run(self):
    programs = {
      source
      for target in _TARGETS.values()
      for source in target["srcs"]
      if target["rule"] == "py_binary"
    }
    modules = source_tree.read_modules(("experiments", "benchmarks"))
    self.assertEqual(programs, {m.path for m in modules if m.has_main()})

  def test_tests_run_as_programs(self):
    # Bazel runs a test as a program: without this it passes, and tests nothing.
    tests = [
      module
      for module in source_tree.read_modules(("tests",))
      if module.path.endswith("_test.py")
    ]
    self.assertEqual([m.path for m in tests if not m.has_main()], [])

  def test_smoke_tests_exist(self):
    smoke = [t for t in _TARGETS.values() if t.get("tags")]
    self.assertLen(smoke, 7)

  def test_a_target_is_asked_for_by_a_name_that_exists(self):
    for name, target in _TARGETS.items():
      self.assertLessEqual(set(target["deps"]), set(_TARGETS), name)


if __name__ == "__main__":
  absltest.main()
