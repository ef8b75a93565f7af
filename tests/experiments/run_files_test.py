"""Tests of the files of a run: what is kept, cut off and refused."""

import pathlib
import tempfile

from absl.testing import absltest

from experiments import run_files


class RunFilesTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.files = run_files.RunFiles(pathlib.Path(folder) / "run")

  def test_new_folder_is_made(self):
    self.assertIsNone(self.files.claim(resume=False, overwrite=False))
    self.assertEmpty(list(self.files.folder.iterdir()))

  def test_flags_come_back_on_resumption(self):
    self.files.claim(resume=False, overwrite=False)
    self.files.write_flags({"flags": {"seed": 3}})
    self.assertEqual(
        self.files.claim(resume=True, overwrite=False), {"flags": {"seed": 3}}
    )
    self.assertEqual(list(self.files.folder.iterdir()), [self.files.flags])

  def test_resumption_of_nothing_starts_anew(self):
    self.assertIsNone(self.files.claim(resume=True, overwrite=False))

  def test_overwriting_deletes_a_run_and_nothing_else(self):
    self.files.states.mkdir(parents=True)
    notes = self.files.folder / "notes.txt"
    for path in (self.files.flags, self.files.trace, notes):
      path.write_text("{}")
    self.assertIsNone(self.files.claim(resume=False, overwrite=True))
    self.assertEqual(list(self.files.folder.iterdir()), [notes])

  def test_states_without_flags_are_refused(self):
    self.files.states.mkdir(parents=True)
    for resume in (False, True):
      with self.assertRaisesRegex(ValueError, "without its flags.json"):
        self.files.claim(resume=resume, overwrite=False)

  def test_flags_that_are_not_json_are_refused(self):
    self.files.folder.mkdir()
    self.files.flags.write_text("{")
    with self.assertRaisesRegex(ValueError, "is not JSON.*--overwrite"):
      self.files.claim(resume=True, overwrite=False)


if __name__ == "__main__":
  absltest.main()
