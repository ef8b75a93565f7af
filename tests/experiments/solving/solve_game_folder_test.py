"""Tests that folders of runs are neither mixed, nor shared, nor emptied."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from absl.testing import absltest, parameterized
import pytest

from experiments.runs import lock as lock_lib
from experiments.runs import trace as trace_lib
from tests import source_tree
from tests.experiments import binary

_SMALL = ("--game=kuhn_poker", "--updates=20", "--checkpoints=4")
_RESUME = ("--resume", "--updates=30")
# Payoffs of a game of one decision each.
_EFG = """EFG 2 R "pennies" { "A" "B" }
p "" 1 1 "" { "h" "t" } 0
p "" 2 1 "" { "h" "t" } 0
t "" 1 "" { FIRST -FIRST }
t "" 2 "" { -1 1 }
p "" 2 1 "" { "h" "t" } 0
t "" 3 "" { -1 1 }
t "" 4 "" { 1 -1 }
"""


class FolderTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.folder = pathlib.Path(folder)
    self.out = self.folder / "run"

  def _solve(self, *arguments, out=None, small=_SMALL):
    result = binary.call(*small, f"--out={out or self.out}", *arguments)
    self.assertEqual(result.status, 0, result.stderr)
    return result

  def _refused(self, pattern, *arguments, small=_SMALL):
    """Asserts that a command ends in one line and changes nothing."""
    before = _contents(self.out)
    result = binary.call(*small, f"--out={self.out}", *arguments)
    self.assertEqual((result.status, result.stdout), (1, ""))
    last = result.stderr.splitlines()[-1]
    self.assertRegex(last, f"^solve_game: .*{pattern}")
    self.assertNotIn("Traceback", result.stderr)
    # Without a message: these are long.
    self.assertTrue(_contents(self.out) == before)

  def test_an_edited_file_is_another_game(self):
    path = self.folder / "pennies.efg"
    small = (f"--game={path}", *_SMALL[1:])
    path.write_text(_EFG.replace("FIRST", "1"))
    self._solve(small=small)
    for text in (
      _EFG.replace("FIRST", "3"),
      # The same tree, and yet other labels in the policy's file.
      _EFG.replace("FIRST", "1").replace('"h"', '"heads"'),
    ):
      path.write_text(text)
      self._refused(r"file .*pennies.efg.* as it was", *_RESUME, small=small)
    path.write_text(_EFG.replace("FIRST", "1"))
    self._solve(*_RESUME, small=small)

  @parameterized.parameters(
    ("game",),
    ("names of its infostates",),
    ("version of mdrl",),
  )
  def test_what_was_compiled_is_compared(self, name):
    self._solve()
    record = self._record()
    contents = record["decisive"]["contents"]
    [key] = [key for key in contents if key.endswith(name)]
    contents[key] = "another"
    (self.out / "flags.json").write_text(json.dumps(record))
    self._refused(f"must find the {key}.* as it was, another, got", *_RESUME)

  def test_another_jax_and_commit_are_said_once(self):
    self._solve()
    record = self._record()
    record["versions"]["jax"] = "0.1"
    record["commit"] = "0" * 40
    (self.out / "flags.json").write_text(json.dumps(record))
    stderr = self._solve(*_RESUME).stderr
    [line] = [x for x in stderr.splitlines() if x.startswith("note: ")]
    self.assertRegex(line, "^note: commit .*, was 0{40}, jax .*, was 0.1$")
    self.assertNotIn("note: ", self._solve(*_RESUME).stderr)

  @parameterized.parameters(
    "--config.step_size=0.3",
    "--precision=float32",
    "--seed=1",
    "--checkpoints=5",
    "--config.average_power=1",
    "--config.normalize=false",
    "--game=kuhn_poker(players=2)",
  )
  def test_states_of_another_run_are_refused(self, change):
    other = self.folder / "other"
    self._solve()
    self._solve(change, out=other)
    shutil.rmtree(self.out / "checkpoint")
    shutil.copytree(other / "checkpoint", self.out / "checkpoint")
    self._refused("must find states of this run.*--overwrite", *_RESUME)

  def test_the_newest_state_is_damaged(self):
    self._solve("--save_seconds=0")
    whole = self._numbers()
    self.assertLen(list((self.out / "checkpoint").iterdir()), 2)
    _damage(self.out / "checkpoint" / "20" / "state.bin")
    result = self._solve("--resume")
    self.assertRegex(
      result.stderr, "checkpoint/20 cannot be read: state.bin is not as it wa"
    )
    self.assertEqual(self._numbers(), whole)
    for path in (self.out / "checkpoint").iterdir():
      _damage(path / "state.bin")
    self._refused("must find a state that can be read.*--overwrit", "--resume")
    self._solve("--overwrite")
    self.assertEqual(self._numbers(), whole)

  @parameterized.parameters(b"{}", b"[]", b'{"flags": {}}', b"\xff\xfe", b"")
  def test_flags_that_no_run_wrote(self, data):
    self._solve()
    (self.out / "flags.json").write_bytes(data)
    for choice in ("--resume", "--overwrite"):
      self._refused("flags.json is damaged, or no run made it", choice)

  @parameterized.parameters(
    (b'{"step": 1, "se\n', "line 2 of .*trace.jsonl is damaged"),
    (b"\xff\n", "line 2 of .*trace.jsonl is damaged"),
    (b'{"step": 1}\n', "must begin with the rows that the saved state"),
    (b"", "must begin with the rows that the saved state"),
  )
  def test_a_damaged_line_of_the_trace(self, line, pattern):
    self._solve()
    path = self.out / "trace.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], line, *lines[2:]]))
    self._refused(pattern, *_RESUME)

  def test_a_folder_of_states_that_no_run_made(self):
    model = self.out / "checkpoint" / "model.pt"
    model.parent.mkdir(parents=True)
    model.write_text("mine")
    for choice in ("--resume", "--overwrite", "--seed=0"):
      self._refused("checkpoint, which no run in it is known to have", choice)
    model.rename(self.folder / "model.pt")
    model.parent.rmdir()
    self._solve()
    (self.folder / "model.pt").rename(model)
    self._refused("deletes saved states alone, got .*model.pt", "--overwrite")

  def test_one_run_at_a_time(self):
    self._solve()
    held = lock_lib.Lock(self.out)
    held.acquire()
    self.addCleanup(held.release)
    for choice in ("--resume", "--overwrite"):
      self._refused(f"one run at a time.*by process {os.getpid()}", choice)

  def test_a_mistake_deletes_nothing(self):
    self._solve()
    self._refused("unknown_game", "--overwrite", "--game=unknown_game")

  # In KiB: the flags, the trace, a figure.
  @parameterized.parameters((1, "flags.json"), (3, "trace.jsonl"), (20, "png"))
  def test_a_limit_on_the_size_of_files(self, limit, name):
    result = _run(f"--out={self.out}", *_SMALL, "--checkpoints=20", limit=limit)
    self.assertEqual(result.returncode, 1)
    self.assertRegex(
      result.stderr, rf"solve_game: .*{name}.* File too large; free.*\n$"
    )
    self.assertLess(result.stderr.count("\n"), 4)
    partial = [p for p in self.folder.rglob("*") if "partial" in p.name]
    self.assertEmpty(partial)
    # With more room, the run goes on.
    self._solve("--resume", "--checkpoints=20")

  @pytest.mark.skipif(os.geteuid() != 0, reason="Only root can mount.")
  def test_a_full_disk(self):
    self.out.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(self.out)]
    if subprocess.run(mount, capture_output=True).returncode:
      self.skipTest("This machine lets nothing be mounted.")
    self.addCleanup(subprocess.run, ["umount", str(self.out)], check=True)
    result = binary.call(*_SMALL, f"--out={self.out}/run", "--save_seconds=0")
    self.assertEqual(result.status, 1)
    self.assertRegex(result.stderr, "No space left on device; free space")
    self.assertLess(result.stderr.count("\n"), 4)

  def _record(self):
    return json.loads((self.out / "flags.json").read_text())

  def _numbers(self):
    rows = trace_lib.read(self.out / "trace.jsonl")
    return [{**row, "seconds": 0} for row in rows]


# A limit that is set after a fork is a warning of JAX.
_LIMITED = """
import resource, runpy, sys
limit = 1024 * int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
runpy.run_module("experiments.solve_game", run_name="__main__")
"""


def _run(*arguments, limit):
  """Runs the binary in a process whose files have at most so many KiB."""
  return subprocess.run(
    [sys.executable, "-c", _LIMITED, str(limit), "--cache_dir=", *arguments],
    cwd=source_tree.ROOT,
    env={**os.environ, "JAX_COMPILATION_CACHE_DIR": ""},
    capture_output=True,
    text=True,
  )


def _damage(path):
  data = bytearray(path.read_bytes())
  data[-1] ^= 1
  path.write_bytes(bytes(data))


def _contents(folder):
  return {
    path: path.read_bytes() for path in folder.rglob("*") if path.is_file()
  }


if __name__ == "__main__":
  absltest.main()
