"""Tests of who may write in a folder, and what is deleted there."""

import json
import os
import pathlib
import tempfile

from absl.testing import absltest, parameterized

from experiments.runs import folder as folder_lib

_RECORD = {
  "flags": {"seed": 3},
  "decisive": {"flags": {}, "contents": {}},
  "earlier": [],
}


class FolderTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    parent = self.enterContext(tempfile.TemporaryDirectory())
    self.path = pathlib.Path(parent) / "runs" / "run"

  def _folder(self, *, resume=False, overwrite=False, program="solve_game"):
    return folder_lib.Folder(
      self.path, program, ["policy.npz"], resume=resume, overwrite=overwrite
    )

  def _run(self, record=None):
    """Leaves a run, with some of its files and one that is not its own."""
    with self._folder() as folder:
      folder.begin(record or _RECORD)
    for name in ("trace.jsonl", "policy.npz", "notes.txt"):
      (self.path / name).write_text(name)

  def _names(self):
    return sorted(path.name for path in self.path.iterdir())

  def test_nothing_is_left_where_no_run_began(self):
    with self._folder() as folder:
      self.assertIsNone(folder.recorded)
      self.assertTrue(self.path.is_dir())
    self.assertFalse(self.path.parent.exists())

  def test_folders_that_were_there_stay(self):
    self.path.mkdir(parents=True)
    with self._folder():
      pass
    self.assertEqual(self._names(), [])

  def test_flags_come_back_on_resumption(self):
    self._run()
    with self._folder(resume=True) as folder:
      self.assertEqual(folder.recorded["flags"], {"seed": 3})

  def test_flags_of_a_run_stay_until_it_is_gone_on_with(self):
    self._run()
    before = (self.path / "flags.json").read_bytes()
    with self._folder(resume=True) as folder:
      folder.begin({**_RECORD, "flags": {"seed": 4}})
      self.assertEqual((self.path / "flags.json").read_bytes(), before)
      folder.go_on()
      self.assertIn('"seed": 4', (self.path / "flags.json").read_text())
      folder.begin({**_RECORD, "flags": {"seed": 5}})
      folder.go_on()
    self.assertIn('"seed": 5', (self.path / "flags.json").read_text())

  def test_what_a_kill_has_cut_off_is_deleted(self):
    self._run()
    for name in ("flags.json", "policy.npz", "trace.jsonl"):
      (self.path / f".{name}.partial").write_text("cut off")
    before = {name for name in self._names() if "partial" not in name}
    with self._folder(resume=True) as folder:
      folder.begin(_RECORD)
    self.assertEqual(set(self._names()), before)

  def test_resumption_of_nothing_starts_anew(self):
    with self._folder(resume=True) as folder:
      self.assertIsNone(folder.recorded)

  def test_both_ways_exclude_each_other(self):
    with self.assertRaisesRegex(ValueError, "exclude each other"):
      self._folder(resume=True, overwrite=True)

  def test_a_run_is_neither_touched_nor_taken_by_another_program(self):
    self._run()
    with self.assertRaisesRegex(ValueError, "already.*--resume.*--overwrite"):
      self._folder()
    for choice in ({"resume": True}, {"overwrite": True}):
      with self.assertRaisesRegex(ValueError, "a run of solve_game"):
        self._folder(program="sweep_game", **choice)

  def test_a_run_that_left_nothing_but_flags_may_be_run_again(self):
    for _ in range(2):
      with self._folder() as folder:
        self.assertIsNone(folder.recorded)
        folder.begin(_RECORD)
    (self.path / "trace.jsonl").touch()
    with self._folder() as folder:
      folder.begin(_RECORD)

  def test_overwriting_deletes_a_run_once_the_next_begins(self):
    self._run()
    before = self._names()
    with self._folder(overwrite=True) as folder:
      self.assertIsNone(folder.recorded)
      self.assertEqual(set(self._names()), {*before, ".lock"})
      folder.begin(_RECORD)
      self.assertEqual(self._names(), [".lock", "flags.json", "notes.txt"])
      (self.path / "trace.jsonl").touch()
      folder.begin({**_RECORD, "compile_seconds": 1.0})
    self.assertEqual(self._names(), ["flags.json", "notes.txt", "trace.jsonl"])

  @parameterized.parameters("checkpoint", "trace.jsonl", "policy.npz")
  def test_files_that_no_run_is_known_to_have_made(self, name):
    (self.path / name).mkdir(parents=True)
    for choice in ({}, {"resume": True}, {"overwrite": True}):
      with self.assertRaisesRegex(ValueError, f"{name}, which no run"):
        self._folder(**choice)
    self.assertEqual(self._names(), [name])

  def test_a_folder_of_states_that_are_not_ours_is_left(self):
    self._run()
    model = self.path / "checkpoint" / "100" / "model.pt"
    model.parent.mkdir(parents=True)
    model.write_text("mine")
    with self.assertRaisesRegex(ValueError, "checkpoint/100"):
      with self._folder(overwrite=True) as folder:
        folder.begin(_RECORD)
    self.assertEqual(model.read_text(), "mine")
    self.assertEqual((self.path / "policy.npz").read_text(), "policy.npz")

  def test_only_names_in_the_folder_are_deleted(self):
    self._run()
    outside = self.path.parent / "outside.txt"
    outside.write_text("mine")
    flags = self.path / "flags.json"
    record = json.loads(flags.read_text())
    for name in ("../outside.txt", str(outside), "..", ".", "", 3, None):
      flags.write_text(json.dumps({**record, "files": [name]}))
      with self.assertRaisesRegex(ValueError, "is damaged"):
        self._folder(overwrite=True)
    self.assertEqual(outside.read_text(), "mine")

  @parameterized.parameters(
    *(text.encode() for text in ("", "{", "{}", "[]", "null", "3", '"a"')),
    b"\xff\xfe{}",
    b'{"flags": "\xe9"}',
    b"[" * 100_000,
    json.dumps({"format": 2, "flags": {}}).encode(),
    json.dumps({**_RECORD, "format": 2, "program": "x"}).encode(),
    json.dumps(
      {**_RECORD, "format": 2, "program": "x", "files": [], "earlier": [1]}
    ).encode(),
    json.dumps(
      {**_RECORD, "format": 2, "program": "x", "files": [], "decisive": {}}
    ).encode(),
  )
  def test_flags_that_no_run_wrote(self, data):
    self.path.mkdir(parents=True)
    (self.path / "flags.json").write_bytes(data)
    for choice in ({"resume": True}, {"overwrite": True}):
      with self.assertRaisesRegex(ValueError, "damaged, or no run made it"):
        self._folder(**choice)
    with self.assertRaisesRegex(ValueError, "holds a run already|damaged"):
      self._folder()
    self.assertEqual((self.path / "flags.json").read_bytes(), data)

  def test_runs_of_an_earlier_version(self):
    self.path.mkdir(parents=True)
    text = json.dumps({"flags": {}, "versions": {}, "earlier": []})
    (self.path / "flags.json").write_text(text)
    with self.assertRaisesRegex(ValueError, "format 2, got None, of another"):
      self._folder(resume=True)

  def test_flags_that_cannot_be_read(self):
    (self.path / "flags.json").mkdir(parents=True)
    with self.assertRaisesRegex(ValueError, "flags.json cannot be read: it is"):
      self._folder(resume=True)
    (self.path / "flags.json").rmdir()
    # Which nobody writes to.
    os.mkfifo(self.path / "flags.json")
    with self.assertRaisesRegex(ValueError, "flags.json cannot be read: it is"):
      self._folder(resume=True)

  def test_folder_that_cannot_be_made(self):
    self.path.parent.mkdir()
    self.path.write_text("in the way")
    with self.assertRaisesRegex(ValueError, "`--out` must be a folder.*exists"):
      with self._folder():
        pass

  def test_name_that_is_too_long(self):
    self.path = self.path.parents[1] / ("x" * 300)
    with self.assertRaisesRegex(ValueError, "`--out` must be.*name too long"):
      self._folder()

  def test_a_folder_in_the_place_of_a_file(self):
    with self._folder() as folder:
      folder.begin(_RECORD)
      (self.path / "policy.npz").mkdir()
      with self.assertRaisesRegex(
        ValueError, "Is a directory; move away what is there or .* --resume$"
      ):
        folder.write("policy.npz", lambda file: file.write(b"text"))

  def test_a_write_that_fails_leaves_what_was_there(self):
    def fail(file):
      file.write(b"new")
      raise OSError(28, "No space left on device")

    self._run()
    with self._folder(resume=True) as folder:
      with self.assertRaisesRegex(ValueError, "policy.npz.*No space.*--resume"):
        folder.write("policy.npz", fail)
    self.assertEqual((self.path / "policy.npz").read_text(), "policy.npz")
    self.assertNotIn(".policy.npz.partial", os.listdir(self.path))


if __name__ == "__main__":
  absltest.main()
