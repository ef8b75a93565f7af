"""Reads trees in a process of their own.

Some games of OpenSpiel crash the process or never return, which then does no
harm.
"""

from collections.abc import Callable
import json
import os
import pathlib
import queue
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

from mdrl.compile import cache, plain_text, tree_limits
from mdrl.games import tree_tables

Walk = Callable[[str, int, tree_limits.Progress], tree_tables.TreeTables]

# Names of the files that hold the result of a walk, and what it printed.
_TREE = "tree"
_REFUSAL = "refusal.txt"
_PRINTED = "printed.txt"
# A walk over its time that reports nothing for so many seconds is hanging; one
# that is starved of processor time still reports its progress.
_SILENT = 120.0
# Processor time that a call which never returns may take beyond the walk.
_SPARE_SECONDS = 5
# Memory that OpenSpiel and Python themselves take.
_SPARE_BYTES = 2**30
# Moves within which senseless parameters show.
_FIRST_MOVES = 100
# Seconds between two reports if the walk gives none.
_PERIOD = 1.0


def enumerate_tree(
  walk: str,
  game: str,
  max_histories: int,
  progress: tree_limits.Progress | None = None,
) -> tree_tables.TreeTables:
  """Visits every history of a game in a process of its own.

  Args:
    walk: The module and the function, as `module:function`, that enumerates a
      game, given its string, the limit and what to tell the progress.
    game: The game's string.
    max_histories: The largest tree to enumerate.
    progress: Called now and then with how far the walk is.

  Returns:
    What the function returns.

  Raises:
    ValueError: If the function does, or its process crashes or hangs.
  """
  tree_limits.check_histories(max_histories)
  with tempfile.TemporaryDirectory(prefix="mdrl-tree-") as name:
    folder = pathlib.Path(name)
    with (folder / _PRINTED).open("wb") as printed:
      process = _start(walk, game, max_histories, folder, printed)
    lines = queue.Queue()
    reader = threading.Thread(target=_read, args=(process.stdout, lines))
    reader.start()
    try:
      reason = _follow(process, lines, max_histories, progress)
    finally:
      process.kill()
      process.wait()
      reader.join()
    refusal = folder / _REFUSAL
    if refusal.exists():
      raise ValueError(refusal.read_text(encoding="utf-8"))
    tables = cache.load(folder, _TREE)
    if tables is None:
      last = (folder / _PRINTED).read_text(errors="replace").splitlines()[-1:]
      words = plain_text.line(": ".join(["", *last]))
      raise ValueError(
        "`game` must be a game whose tree can be read, and OpenSpiel "
        f"{reason or 'fails'} in {plain_text.title(game)}{words}; choose "
        "another game"
      )
    return tables


def fails_early(game: Any) -> bool:
  """Returns whether a game raises on its first moves, of which it says nothing.

  Args:
    game: An OpenSpiel game.
  """
  try:
    with plain_text.without_messages():
      state = game.new_initial_state()
      for _ in range(_FIRST_MOVES):
        if state.is_terminal():
          break
        state.apply_action(state.legal_actions()[0])
  except Exception:
    # Games written in Python may raise any exception.
    return True
  return False


def serve(walk: Walk) -> None:
  """Does what `enumerate_tree` of another process asks for."""
  game, max_histories, name = json.loads(sys.argv[1])
  folder = pathlib.Path(name)
  channel = os.fdopen(os.dup(1), "w", buffering=1)
  # OpenSpiel's output must not mix with what the other process reads.
  os.dup2(2, 1)
  _limit(max_histories)

  def tell(reading):
    channel.write(json.dumps(reading) + "\n")

  tell(tree_limits.Reading(0, None, 0.0))
  try:
    tables = walk(game, max_histories, tell)
  except ValueError as error:
    (folder / _REFUSAL).write_text(str(error), encoding="utf-8")
  else:
    cache.save(folder, _TREE, tables)


def _start(walk, game, max_histories, folder, printed):
  module, function = walk.split(":")
  code = (
    f"import {module}, mdrl.compile.apart\n"
    f"mdrl.compile.apart.serve({module}.{function})"
  )
  environment = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
    # It needs no accelerator, and must not take that of this process.
    "JAX_PLATFORMS": "cpu",
  }
  return subprocess.Popen(
    [
      sys.executable,
      "-c",
      code,
      json.dumps([game, max_histories, str(folder)]),
    ],
    stdin=subprocess.DEVNULL,
    stdout=subprocess.PIPE,
    stderr=printed,
    env=environment,
    text=True,
  )


def _follow(process, lines, max_histories, progress):
  """Waits for the process to end; returns what went wrong, or None."""
  start = heard = time.monotonic()
  seconds = tree_limits.seconds_allowed(max_histories)
  reading = tree_limits.Reading(0, None, 0.0)
  while True:
    try:
      line = lines.get(timeout=_PERIOD)
    except queue.Empty:
      now = time.monotonic()
      if now - start > seconds and now - heard > _SILENT:
        return f"gives no answer for {now - heard:.0f} s"
    else:
      if line is None:
        break
      reading = tree_limits.Reading(*json.loads(line))
      heard = time.monotonic()
    if progress is not None:
      progress(reading._replace(seconds=time.monotonic() - start))
  code = process.wait()
  if code == -signal.SIGXCPU:
    return f"gives no answer in {seconds:.0f} s"
  return f"crashes ({signal.Signals(-code).name})" if code < 0 else None


def _read(pipe, lines):
  with pipe:
    for line in pipe:
      lines.put(line)
  lines.put(None)


def _limit(max_histories):
  """Bounds the resources of the process, even if it hangs or is orphaned."""
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
  seconds = int(tree_limits.seconds_allowed(max_histories))
  _lower(resource.RLIMIT_CPU, seconds + _SPARE_SECONDS)
  held = tree_limits.address_space()
  if held:
    allowed = tree_limits.bytes_allowed(max_histories)
    _lower(resource.RLIMIT_AS, held + allowed + _SPARE_BYTES)


def _lower(kind, limit):
  _, hard = resource.getrlimit(kind)
  if hard != resource.RLIM_INFINITY:
    limit = min(limit, hard)
  resource.setrlimit(kind, (limit, hard))
