"""Tests of binaries whose cache cannot be written, or is damaged."""

import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

from absl.testing import absltest, parameterized

from experiments.runs import program_cache
from tests import source_tree


def _solve(folder, cache):
  """Runs `solve_game` as a shell does, without the tests' own cache."""
  environment = {
    **os.environ,
    "PYTHONPATH": str(source_tree.ROOT),
    "JAX_PLATFORMS": "cpu",
    # Whatever it is, figures need no window.
    "MPLBACKEND": "no such backend",
  }
  environment.pop("JAX_COMPILATION_CACHE_DIR", None)

  return subprocess.run(
    [
      sys.executable,
      "-m",
      "experiments.solve_game",
      "--game=kuhn_poker",
      "--updates=10",
      "--checkpoints=2",
      f"--out={folder / 'run'}",
      f"--cache_dir={cache}",
      "--overwrite",
    ],
    cwd=folder,
    env=environment,
    capture_output=True,
    text=True,
    check=False,
  )


class CacheTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

  def _warnings(self, result):
    self.assertEqual(result.returncode, 0, result.stderr)
    self.assertNotIn("Traceback", result.stderr)
    lines = result.stderr.splitlines()
    return [line for line in lines if "warning" in line.lower()]

  def test_a_file_in_the_place_of_the_folder(self):
    path = self.folder / "file"
    path.write_text("text")
    for cache in (path, path / "below"):
      (line,) = self._warnings(_solve(self.folder, cache))
      self.assertRegex(
        line,
        "^solve_game: warning: nothing is kept for later runs, as "
        "`--cache_dir` must be a folder that can be written, or '' for none: "
        ".*(File exists|Not a directory)",
      )
    self.assertEqual(path.read_text(), "text")

  def test_below_the_home_of_no_one(self):
    (line,) = self._warnings(_solve(self.folder, "~no-such-user/cache"))
    self.assertIn("`--cache_dir` must be a folder that can be written", line)

  def test_damaged_programs_are_made_again(self):
    cache = self.folder / "cache"
    self.assertEmpty(self._warnings(_solve(self.folder, cache)))
    programs = sorted((cache / "programs").glob("*-cache"))
    self.assertNotEmpty(programs)
    sizes = [path.stat().st_size for path in programs]
    for path in programs:
      path.write_bytes(path.read_bytes()[:50])
    (line,) = self._warnings(_solve(self.folder, cache))
    self.assertRegex(
      line, "^solve_game: warning: compiled programs are not all kept in .*"
    )
    # What compiles fast is kept or not, as the machine is busy or not.
    again = [path for path in programs if path.exists()]
    self.assertNotEmpty(again)
    for path, size in zip(programs, sizes, strict=True):
      if path.exists():
        self.assertGreater(path.stat().st_size, size / 2)
    self.assertEmpty(self._warnings(_solve(self.folder, cache)))

  def test_half_a_program_is_deleted_and_said_once(self):
    half, other = self.folder / "jit_f-12-cache", self.folder / "jit_g-12-cache"
    half.write_text("half")
    other.write_text("whole")
    with warnings.catch_warnings():
      warnings.simplefilter("always")
      shown = []
      warnings.showwarning = lambda message, *_: shown.append(str(message))
      program_cache._tend(self.folder)
      for reason in ("No space left", "File too large"):
        warnings.warn(
          "Error writing persistent compilation cache entry for 'jit_f': "
          f"OSError: {reason}",
          stacklevel=1,
        )
      warnings.warn("something else", stacklevel=1)
    self.assertEqual(
      shown,
      [
        f"compiled programs are not all kept in {self.folder}: "
        "OSError: No space left",
        "something else",
      ],
    )
    self.assertEqual(list(self.folder.iterdir()), [other])

  def test_a_folder_that_is_a_file_below_the_cache(self):
    cache = self.folder / "cache"
    cache.mkdir()
    (cache / "programs").write_text("text")
    (cache / "games").write_text("text")
    lines = self._warnings(_solve(self.folder, cache))
    # One for each: neither is known to be unusable before it is used.
    self.assertLen(lines, 2)
    self.assertRegex(lines[0] + lines[1], "compiled programs are not all kept")
    self.assertRegex(lines[0] + lines[1], "this tree is not kept")


if __name__ == "__main__":
  absltest.main()
