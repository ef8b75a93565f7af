"""Tests of what signals do: before, within and after what is noted."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

from absl.testing import absltest, parameterized

from experiments.runs import interrupts as interrupts_lib

_BOTH = (signal.SIGTERM, signal.SIGINT)


class InterruptsTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.ended = threading.Event()
    self.status = 0

  def _end(self, status):
    self.status = status
    self.ended.set()

  @parameterized.parameters(*_BOTH)
  def test_ends_at_once_with_one_line(self, number):
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
      with interrupts_lib.Interrupts("program", self._end):
        os.kill(os.getpid(), number)
        self.assertTrue(self.ended.wait(10))
    self.assertEqual(self.status, 128 + number)
    self.assertEqual(
      stderr.getvalue(),
      f"program: stopped by {number.name} before the first update\n",
    )

  @parameterized.parameters(*_BOTH)
  def test_what_is_noted_ends_in_good_order(self, number):
    steps = []
    with interrupts_lib.Interrupts("program", self._end) as signals:
      with self.assertRaisesRegex(
        interrupts_lib.Stopped, f"stopped by {number.name} after all"
      ) as raised:
        with signals.noted():
          os.kill(os.getpid(), number)
          while not signals.received:
            time.sleep(0.001)
          steps.append("saved")
          signals.remark = "after all"
    self.assertEqual(raised.exception.status, 128 + number)
    self.assertEqual(steps, ["saved"])
    self.assertEqual(self.status, 0)

  def test_the_second_one_ends_at_once(self):
    with contextlib.redirect_stderr(io.StringIO()):
      with interrupts_lib.Interrupts("program", self._end) as signals:
        with self.assertRaises(interrupts_lib.Stopped):
          with signals.noted():
            os.kill(os.getpid(), signal.SIGTERM)
            while not signals.received:
              time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGINT)
            self.assertTrue(self.ended.wait(10))
    self.assertEqual(self.status, 128 + signal.SIGINT)

  def test_errors_come_before_signals(self):
    with interrupts_lib.Interrupts("program", self._end) as signals:
      with self.assertRaisesRegex(ValueError, "no number"):
        with signals.noted():
          os.kill(os.getpid(), signal.SIGTERM)
          raise ValueError("no number")

  def test_handlers_are_put_back(self):
    before = [signal.getsignal(number) for number in _BOTH]
    with interrupts_lib.Interrupts("program", self._end):
      self.assertNotEqual(before, [signal.getsignal(n) for n in _BOTH])
    self.assertEqual(before, [signal.getsignal(n) for n in _BOTH])

  def test_signals_that_were_ignored_stay_so(self):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    self.addCleanup(signal.signal, signal.SIGINT, before)
    with interrupts_lib.Interrupts("program", self._end):
      os.kill(os.getpid(), signal.SIGINT)
      self.assertFalse(self.ended.wait(0.1))

  def test_children_end_as_well(self):
    child = subprocess.Popen(["sleep", "60"])
    self.addCleanup(child.kill)
    with contextlib.redirect_stderr(io.StringIO()):
      with interrupts_lib.Interrupts("program", self._end):
        os.kill(os.getpid(), signal.SIGTERM)
        self.assertTrue(self.ended.wait(10))
    self.assertEqual(child.wait(10), -signal.SIGKILL)

  def test_ends_while_compiled_code_keeps_the_main_thread(self):
    # Python's own handlers would wait for the sleep, which is one call of C.
    code = textwrap.dedent("""
        import ctypes, sys
        from experiments.runs import interrupts as interrupts_lib
        with interrupts_lib.Interrupts("program"):
          print("ready", flush=True)
          libc = ctypes.CDLL(None)
          for _ in range(100):
            # It is woken by the signal, and goes back to sleep.
            libc.usleep(900_000)
        """)
    process = subprocess.Popen(
      [sys.executable, "-c", code],
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
    )
    self.addCleanup(process.kill)
    assert process.stdout
    self.assertEqual(process.stdout.readline(), "ready\n")
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=10)
    self.assertEqual(process.returncode, 128 + signal.SIGTERM)
    self.assertRegex(stderr, "^program: stopped by SIGTERM .*\n$")


if __name__ == "__main__":
  absltest.main()
