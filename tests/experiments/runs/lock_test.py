"""Tests that one process at a time has a folder."""

import fcntl
import multiprocessing
import pathlib
import signal
import tempfile
from unittest import mock

from absl.testing import absltest

from experiments.runs import lock as lock_lib


def _hold(folder, connection):
  lock_lib.Lock(folder).acquire()
  connection.send("held")
  connection.recv()


class LockTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.folder = pathlib.Path(folder)

  def _start(self):
    context = multiprocessing.get_context("spawn")
    mine, other = context.Pipe()
    process = context.Process(target=_hold, args=(self.folder, other))
    process.start()
    self.addCleanup(process.kill)
    self.assertEqual(mine.recv(), "held")
    return process

  def test_another_process_is_named_and_its_death_frees_the_folder(self):
    process = self._start()
    second = lock_lib.Lock(self.folder)
    with self.assertRaisesRegex(ValueError, f"by process {process.pid}; wait"):
      second.acquire()
    process.kill()
    process.join()
    self.assertEqual(process.exitcode, -signal.SIGKILL)
    second.acquire()
    second.release()
    self.assertEmpty(list(self.folder.iterdir()))

  def test_twice_in_one_process(self):
    first, second = lock_lib.Lock(self.folder), lock_lib.Lock(self.folder)
    first.acquire()
    with self.assertRaisesRegex(ValueError, "one run at a time"):
      second.acquire()
    first.release()
    second.acquire()
    second.release()
    second.release()

  def test_a_file_that_was_deleted_is_no_lock(self):
    first, second, third = (lock_lib.Lock(self.folder) for _ in range(3))
    first.acquire()
    flock = fcntl.flock

    def late(file, how):
      """Locks what `first` has deleted since it was opened."""
      patched.stop()
      first.release()
      flock(file, how)
      third.acquire()

    patched = mock.patch.object(fcntl, "flock", side_effect=late)
    patched.start()
    with self.assertRaisesRegex(ValueError, "one run at a time"):
      second.acquire()
    third.release()
    second.acquire()
    second.release()


if __name__ == "__main__":
  absltest.main()
