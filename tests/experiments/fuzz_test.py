"""Command lines at random: none may end in a traceback, hang or be silent.

Takes two minutes; by hand, MDRL_FUZZ_SECONDS says how long instead:

  MDRL_FUZZ_SECONDS=3600 python -m pytest -n 0 tests/experiments/fuzz_test.py
"""

import collections
import contextlib
import gc
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings

from absl.testing import absltest, parameterized
import hypothesis
import jax
import pytest

from experiments import (
  compare_solvers,
  exploit_policy,
  play_match,
  preference_league,
  solve_game,
  solve_preference,
  sweep_game,
)
from experiments.preferences import settings as settings_lib
from tests import source_tree
from tests.experiments import binary, fuzz_lines

_SECONDS = float(os.environ.get("MDRL_FUZZ_SECONDS", "120"))
_SEED = int(os.environ.get("MDRL_FUZZ_SEED", "0"))
# Far above what these small runs take, compilation included, on a machine that
# does much else.
_HANGS = 240
# What programs of earlier lines occupy is let go this often.
_FORGET = 200

_BINARIES = {
  "solve_game": (solve_game, None, fuzz_lines.SOLVE_GAME),
  "sweep_game": (sweep_game, sweep_game.define, fuzz_lines.SWEEP_GAME),
  "compare_solvers": (
    compare_solvers,
    compare_solvers.define,
    fuzz_lines.COMPARE_SOLVERS,
  ),
  "exploit_policy": (
    exploit_policy,
    exploit_policy.define,
    fuzz_lines.EXPLOIT_POLICY,
  ),
  "play_match": (play_match, play_match.define, fuzz_lines.PLAY_MATCH),
  "solve_preference": (
    solve_preference,
    settings_lib.define,
    fuzz_lines.PREFERENCES,
  ),
  "preference_league": (
    preference_league,
    settings_lib.define,
    fuzz_lines.PREFERENCES,
  ),
}


class _HangError(BaseException):
  """Passes all handlers of errors."""


def _on_alarm(number, frame):
  del number, frame
  raise _HangError


@contextlib.contextmanager
def _limited(seconds):
  before = signal.signal(signal.SIGALRM, _on_alarm)
  signal.alarm(seconds)
  try:
    yield
  finally:
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def _fault(status, stdout, stderr) -> str | None:
  """Says what is wrong with how a process ended, if anything."""
  lines = stderr.strip().splitlines()
  if "Traceback" in stderr:
    return f"a traceback: {lines[-1]}"
  if status not in (0, 1):
    return f"status {status}"
  if status == 0 and not stdout.strip():
    return "silence"
  if status and not (lines and re.search(r"\w", lines[-1].partition(":")[2])):
    return "a failure without a word"
  if status == 0 and re.search(r"\bnan\b", stdout):
    return "a result that is no number"
  return None


def _called(name, line) -> str | None:
  """Calls a binary within this process; says what is wrong, if anything."""
  module, define, _ = _BINARIES[name]
  try:
    with warnings.catch_warnings(), _limited(_HANGS):
      warnings.simplefilter("ignore")
      if define is None:
        result = binary.call(*line)
      else:
        result = binary.call_main(module, define, *line)
  except _HangError:
    return f"no end within {_HANGS} s"
  except Exception as error:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename}:{last.lineno}: {error}"
  return _fault(*result)


def _share(line):
  """Numbers and names in faults would make the same one many."""
  return re.sub(r"[\d'\"].*", "", line)


def _drawn(strategy, seed):
  """Returns fifty command lines."""
  lines = []

  @hypothesis.seed(seed)
  @hypothesis.settings(
    max_examples=50,
    database=None,
    deadline=None,
    phases=[hypothesis.Phase.generate],
    suppress_health_check=list(hypothesis.HealthCheck),
  )
  @hypothesis.given(strategy)
  def draw(line):
    lines.append(line)

  draw()
  # The simplest line is always drawn first.
  random.Random(seed).shuffle(lines)
  return lines


class FaultTest(parameterized.TestCase):
  @parameterized.parameters(
    (1, "", "", "without a word"),
    (1, "", "program: ", "without a word"),
    (0, "", "", "silence"),
    (0, "exploitability nan", "", "no number"),
    (1, "", "Traceback (most recent call last)\nE: x", "a traceback: E: x"),
    (-11, "", "", "status -11"),
  )
  def test_finds(self, status, stdout, stderr, message):
    self.assertIn(message, _fault(status, stdout, stderr) or "")

  def test_passes_what_is_well(self):
    self.assertIsNone(_fault(0, "solved", "compiling"))
    self.assertIsNone(_fault(1, "", "program: `--game` must be a game"))

  def test_an_endless_program_is_found(self):
    with self.assertRaises(_HangError):
      with _limited(1):
        while True:
          time.sleep(0.01)


@pytest.mark.slow
class FuzzTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    fuzz_lines.write_files(pathlib.Path(folder))
    self.enterContext(contextlib.chdir(folder))

  def _lines(self, strategy, seconds):
    """Yields drawn lines until time is up, and one even on a busy machine."""
    end, seed, drawn = time.monotonic() + seconds, _SEED, 0
    while True:
      for line in _drawn(strategy, seed):
        if drawn and time.monotonic() >= end:
          return
        drawn += 1
        yield line
      seed += 1

  @parameterized.parameters(*_BINARIES)
  def test_within_this_process(self, name):
    faults, count = {}, 0
    share = 0.85 * _SECONDS / len(_BINARIES)
    for line in self._lines(_BINARIES[name][2], share):
      count += 1
      fault = _called(name, line)
      if fault is not None:
        faults.setdefault(_share(fault), f"{fault}\n    {name} {line}")
      if count % _FORGET == 0:
        jax.clear_caches()
        gc.collect()
    print(f"{name}: {count} command lines, {len(faults)} kinds of faults")
    self.assertGreater(count, 0)
    self.assertEmpty(faults, "\n" + "\n".join(faults.values()))

  def test_as_processes(self):
    share = 0.15 * _SECONDS / len(_BINARIES)
    faults, counts = [], collections.Counter()
    for name, (_, _, strategy) in _BINARIES.items():
      for line in self._lines(strategy, share):
        counts[name] += 1
        # No system passes such characters on.
        line = [argument.replace("\0", "") for argument in line]
        faults += self._faults_of_process(name, line)
    print(f"as processes: {dict(counts)}, {len(faults)} faults")
    self.assertEqual(set(counts), set(_BINARIES))
    self.assertEmpty(faults, "\n" + "\n".join(faults))

  def _faults_of_process(self, name, line):
    try:
      result = subprocess.run(
        [sys.executable, "-m", f"experiments.{name}", *line],
        env={**os.environ, "PYTHONPATH": str(source_tree.ROOT)},
        capture_output=True,
        timeout=_HANGS,
        check=False,
      )
    except subprocess.TimeoutExpired:
      yield f"no end within {_HANGS} s\n    {name} {line}"
      return
    texts = [
      stream.decode(errors="replace")
      for stream in (result.stdout, result.stderr)
    ]
    fault = _fault(result.returncode, *texts)
    if fault is not None:
      yield f"{fault}\n    {name} {line}"


if __name__ == "__main__":
  absltest.main()
