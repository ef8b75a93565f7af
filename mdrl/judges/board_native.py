"""Exact exploitability of phantom games on boards, by C++ on many cores.

`board_native.cc` is compiled when it is first asked for, and says how it works.
Neither the rest of the library nor its tests need a compiler.
"""

import ctypes
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import weakref

import numpy as np

from mdrl.judges import board_sequences, board_values

_FOLDER = pathlib.Path(__file__).parent
_SOURCES = (_FOLDER / "board_native.cc", _FOLDER / "board_native.h")
_FLAGS = ("-O3", "-march=native", "-std=c++17", "-fopenmp", "-shared", "-fPIC")
_COMPILERS = ("c++", "g++", "clang++")


def compiler() -> str | None:
  """Returns the C++ compiler on the path, or None."""
  return next(filter(None, map(shutil.which, _COMPILERS)), None)


@functools.cache
def load(cache_dir: str | os.PathLike[str] | None = None) -> ctypes.CDLL:
  """Returns the compiled program.

  Args:
    cache_dir: A folder that keeps it for later runs; nowhere if None.

  Raises:
    ValueError: If there is no C++ compiler, or it fails.
  """
  if cache_dir is None:
    with tempfile.TemporaryDirectory() as folder:
      return _declare(ctypes.CDLL(str(_compile(pathlib.Path(folder)))))
  folder = pathlib.Path(cache_dir)
  folder.mkdir(parents=True, exist_ok=True)
  target = folder / f"board_native-{_digest()}.so"
  if not target.exists():
    with tempfile.TemporaryDirectory(dir=folder) as part:
      # Another process sees the whole file, or none.
      os.replace(_compile(pathlib.Path(part)), target)
  return _declare(ctypes.CDLL(str(target)))


def _digest():
  """Returns what tells programs apart: sources, flags, compiler, processor."""
  parts = [path.read_bytes() for path in _SOURCES]
  parts.append(" ".join(_FLAGS).encode())
  command = [_needed(), "-march=native", "-Q", "--help=target"]
  for arguments in (command, [command[0], "--version"]):
    result = subprocess.run(arguments, capture_output=True, check=False)
    parts.append(result.stdout)
  return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _needed():
  found = compiler()
  if found is None:
    raise ValueError(
      "`method` must be one that runs here, got native, which needs a C++ "
      f"compiler on the path, one of {', '.join(_COMPILERS)}; install one, or "
      "use the device"
    )
  return found


def _compile(folder):
  target = folder / "board_native.so"
  command = [_needed(), *_FLAGS, str(_SOURCES[0]), "-o", str(target)]
  result = subprocess.run(command, capture_output=True, text=True, check=False)
  if result.returncode:
    raise ValueError(
      "`method` must be one that runs here, got native, which cannot be "
      f"compiled; {' '.join(command)} says:\n{result.stderr}"
    )
  return target


def _declare(library):
  pointer, count = ctypes.c_void_p, ctypes.c_int
  library.board_open.restype = pointer
  library.board_open.argtypes = (count,) * 3 + (pointer,) * 2 + (count,)
  library.board_close.restype = None
  library.board_close.argtypes = (pointer,)
  library.board_size.restype = ctypes.c_int64
  library.board_size.argtypes = (pointer, count)
  library.board_histories.restype = ctypes.c_double
  library.board_histories.argtypes = (pointer,)
  library.board_words.restype = None
  library.board_words.argtypes = (pointer, count, pointer)
  for evaluate in (library.board_evaluate_double, library.board_evaluate_float):
    evaluate.restype = count
    evaluate.argtypes = (*(pointer,) * 5, count, pointer)
  return library


class NativeBoard:
  """A phantom game whose infostates have been found, ready for policies.

  Attributes:
    rules: The game.
    num_infostates: How many infostates each player has.
    num_histories: How many histories the game has, ends of play included.
  """

  def __init__(
    self,
    rules: board_sequences.BoardRules,
    *,
    num_threads: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
  ):
    """Finds the infostates of a game.

    Args:
      rules: The game.
      num_threads: How many threads work; by default one for each core that the
        process may use.
      cache_dir: A folder that keeps the compiled program; nowhere if None.

    Raises:
      MemoryError: If memory is not enough.
      ValueError: If the rules are wrong, there are no threads, or the program
        cannot be compiled.
    """
    board_sequences.check(rules)
    if num_threads is None:
      num_threads = len(os.sched_getaffinity(0))
    if num_threads < 1:
      raise ValueError(f"`num_threads` must be at least 1, got {num_threads}")
    self.rules = rules
    self._threads = num_threads
    self._library = load(cache_dir)
    stones = np.asarray(rules.stones, np.uint32)
    wins = np.ascontiguousarray(rules.wins, np.uint8)
    tables = (array.ctypes.data for array in (stones, wins))
    self._game = self._library.board_open(
      rules.num_cells, rules.abrupt, rules.mover, *tables, num_threads
    )
    if not self._game:
      raise MemoryError("out of memory while infostates were searched for")
    weakref.finalize(self, self._library.board_close, self._game)
    sizes = (self._library.board_size(self._game, i) for i in range(2))
    self.num_infostates: tuple[int, int] = tuple(sizes)
    self.num_histories = int(self._library.board_histories(self._game))

  def places(self, player: int) -> np.ndarray:
    """Returns the places of a player's infostates, in order of their rows."""
    size = self.rules.board.offsets[-1]
    words = np.empty(size // 64 + 1, "<u8")
    self._library.board_words(self._game, player, words.ctypes.data)
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    return np.flatnonzero(bits)

  def evaluate(self, policies: board_values.Tables) -> board_values.BoardValues:
    """Returns the exact values of policies.

    Args:
      policies: For each player, the probability of each cell at each of its
        infostates, `[I, cells]`, in single or double precision. What is said
        of cells that may not be tried is ignored.

    Raises:
      MemoryError: If memory is not enough.
      ValueError: If the policies have other shapes or types.
    """
    shapes = [(size, self.rules.num_cells) for size in self.num_infostates]
    board_values.check_policies(policies, shapes)
    dtype = np.result_type(*(policy.dtype for policy in policies))
    if dtype != np.float32:
      dtype = np.float64
    tables = [np.ascontiguousarray(policy, dtype) for policy in policies]
    gains = [np.zeros(shape) for shape in shapes]
    values = np.empty(3)
    evaluate = self._library.board_evaluate_double
    if dtype == np.float32:
      evaluate = self._library.board_evaluate_float
    arrays = (array.ctypes.data for array in (*tables, *gains))
    if not evaluate(self._game, *arrays, self._threads, values.ctypes.data):
      raise MemoryError("out of memory while a policy was evaluated")
    return board_values.of(float(values[0]), values[1:])
