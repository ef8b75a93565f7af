"""Cuts runs of binaries short, and says what is left of them."""

from collections.abc import Iterator, Sequence
import contextlib
import csv
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any
from unittest import mock

import numpy as np

from experiments.runs import host_loop
from experiments.runs import trace as trace_lib
from tests import source_tree

_PATIENCE = 120
# Of a run, these differ from time to time.
_TIMES = ("seconds", "cpu_seconds", "compile_seconds")


class Died(BaseException):
  """Stands for the death of the process."""


@contextlib.contextmanager
def dying(pieces: int) -> Iterator[None]:
  """Lets a run die after so many pieces of updates, in this process."""
  advance, left = host_loop._Run._advance, [pieces]

  def advanced(run, count):
    if not left[0]:
      raise Died
    left[0] -= 1
    advance(run, count)

  with (
    mock.patch.object(host_loop._Run, "_advance", advanced),
    contextlib.suppress(Died),
  ):
    yield
    raise AssertionError(f"the run ended before it died, {left[0]} are left")


def left(folder: pathlib.Path) -> dict[str, Any]:
  """Returns what a run leaves, without what differs from time to time."""
  found: dict[str, Any] = {}
  for path in sorted(folder.iterdir()):
    if path.name == "trace.jsonl":
      found[path.name] = [
        {k: v for k, v in row.items() if k not in _TIMES}
        for row in trace_lib.read(path)
      ]
    elif path.suffix == ".csv":
      with open(path, encoding="utf-8", newline="") as file:
        found[path.name] = [
          {k: v for k, v in row.items() if "seconds" not in k}
          for row in csv.DictReader(file)
        ]
    elif path.suffix == ".npz":
      with np.load(path) as arrays:
        found[path.name] = {
          name: (array.dtype, array.shape, array.tobytes())
          for name, array in arrays.items()
        }
    elif path.suffix == ".png":
      found[path.name] = path.read_bytes()
    else:
      found[path.name] = None
  return found


def start(program: str, *arguments: str) -> subprocess.Popen:
  """Starts a binary in a process of its own."""
  return subprocess.Popen(
    [sys.executable, "-m", f"experiments.{program}", *arguments],
    cwd=source_tree.ROOT,
    # The suite runs with these, and programs must be the same.
    env={**os.environ, "JAX_NUM_CPU_DEVICES": "4"},
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


def finish(program: str, *arguments: str) -> tuple[int, str, str]:
  """Runs a binary to its end; returns status, stdout and stderr."""
  process = start(program, *arguments)
  stdout, stderr = process.communicate(timeout=_PATIENCE)
  return process.returncode, stdout, stderr


def survive(
  program: str,
  arguments: Sequence[str],
  folder: pathlib.Path,
  kills: int,
  seed: int,
) -> tuple[int, str, list[int]]:
  """Kills a run at random moments and then ends it by SIGTERM.

  Returns:
    The status and stderr of the last process, and the rows that each left.
  """
  random, rows = np.random.default_rng(seed), []
  status, stderr = 0, ""
  for number in range(kills + 1):
    process = start(
      program, *arguments, f"--out={folder}", "--resume", "--save_seconds=0"
    )
    _wait_for_rows(process, folder, rows[-1] if rows else 0)
    # Short, as a fast machine would be done before the last signal.
    time.sleep(random.uniform(0, 0.3))
    process.send_signal(signal.SIGKILL if number < kills else signal.SIGTERM)
    _, stderr = process.communicate(timeout=_PATIENCE)
    status = process.returncode
    rows.append(_count(folder))
  return status, stderr, rows


def _wait_for_rows(process, folder, rows):
  deadline = time.monotonic() + _PATIENCE
  while _count(folder) <= rows:
    if process.poll() is not None or time.monotonic() > deadline:
      process.kill()
      raise AssertionError(f"no row came: {process.communicate()[1]}")
    time.sleep(0.02)


def _count(folder):
  path = folder / "trace.jsonl"
  return path.read_bytes().count(b"\n") if path.exists() else 0
