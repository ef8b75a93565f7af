"""The yardstick of the benchmarks: CFR+ in a hundred lines of plain C.

`plain_c.c` is alternating CFR+ with linear averaging [1]_ for two-player
zero-sum games in sequence form, on one thread and without intrinsics. It is
compiled when a benchmark asks for it and works on the tables of a game, of
which it reads these fields:

- `parent` and `width`, for each player an integer for each of their infostates,
  parents first: the player's own sequence under which the infostate lies, and
  its number of actions. Sequence zero is the empty one, and the others are
  numbered infostate by infostate;
- `sequence`, the last sequence of each player at each terminal;
- `chance` and `utility`, the probability that chance plays to each terminal and
  the payoffs there.

References:
  .. [1] Tammelin. Solving Large Imperfect Information Games Using CFR+.
     arXiv:1407.5042, 2014.
"""

import ctypes
import functools
import pathlib
import shutil
import subprocess
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.sparse

_SOURCE = pathlib.Path(__file__).with_suffix(".c")
# Loops go over the few actions of an infostate or the few entries of a row, so
# vectorising them costs more than it gives.
_FLAGS = ("-O3", "-march=native", "-fno-tree-vectorize", "-shared", "-fPIC")
_DTYPES = {"double": np.float64, "float": np.float32}
_INDICES = ("parent", "first", "indptr", "indices")
_REALS = ("data", "gain", "regret", "policy", "plan", "sum")


class _Player(ctypes.Structure):
  """The counterpart of `struct player`."""

  _fields_ = (
    ("num_infostates", ctypes.c_int32),
    ("num_sequences", ctypes.c_int32),
    *((name, ctypes.c_void_p) for name in (*_INDICES, *_REALS)),
  )


@functools.cache
def compile_library(real: str = "double") -> ctypes.CDLL:
  """Compiles `plain_c.c` and loads it.

  Args:
    real: The floating-point type, `"double"` or `"float"`.

  Returns:
    The library, with the functions `start` and `cfr_plus`.

  Raises:
    RuntimeError: When there is no C compiler called `cc`, or it fails.
    ValueError: When `real` is neither type.
  """
  if real not in _DTYPES:
    raise ValueError(f"`real` must be one of {list(_DTYPES)}, got {real!r}")
  compiler = shutil.which("cc")
  if compiler is None:
    raise RuntimeError(
      "the plain C program needs a C compiler, cc, on the path"
    )
  with tempfile.TemporaryDirectory() as directory:
    # The loader tells libraries apart by their paths, and this one is new.
    target = str(pathlib.Path(directory) / "plain_c.so")
    command = [compiler, *_FLAGS, f"-DREAL={real}", str(_SOURCE), "-o", target]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
      raise RuntimeError(f"{' '.join(command)} failed:\n{result.stderr}")
    library = ctypes.CDLL(target)
  players = ctypes.POINTER(_Player)
  library.start.argtypes = (players,)
  library.start.restype = None
  library.cfr_plus.argtypes = (players, ctypes.c_int64, ctypes.c_int64)
  library.cfr_plus.restype = None
  return library


def _payoffs(tables: Any) -> tuple[Any, Any]:
  """Returns sparse rows of each player's payoffs, times the chance reach."""
  shape = tuple(1 + int(np.sum(width)) for width in tables.width)
  rows, columns = np.asarray(tables.sequence).T
  data = np.asarray(tables.chance) * np.asarray(tables.utility)[:, 0]
  payoffs = scipy.sparse.coo_array((data, (rows, columns)), shape=shape).tocsr()
  payoffs.sum_duplicates()
  payoffs.eliminate_zeros()
  return payoffs, (-payoffs.T).tocsr()


def _arrays(parent: Any, width: Any, payoffs: Any, real: str) -> dict[str, Any]:
  """Returns what the fields of a player point to, with regrets of zero."""
  parent, width = np.asarray(parent), np.asarray(width)
  first = 1 + np.concatenate(([0], np.cumsum(width)))
  if np.any(width < 1) or np.any(parent < 0) or np.any(parent >= first[:-1]):
    raise ValueError("infostates need actions, and their parents before them")
  arrays = {
    "parent": parent,
    "first": first,
    "indptr": payoffs.indptr,
    "indices": payoffs.indices,
    "data": payoffs.data,
  }
  dtypes = dict.fromkeys(_INDICES, np.int32)
  dtypes |= dict.fromkeys(_REALS, _DTYPES[real])
  zeros = np.zeros(first[-1])
  return {
    name: np.array(arrays.get(name, zeros), dtype, order="C")
    for name, dtype in dtypes.items()
  }


def _player(arrays: dict[str, Any]) -> _Player:
  """Returns a structure that points to arrays, which must outlive it."""
  pointers = {name: array.ctypes.data for name, array in arrays.items()}
  return _Player(len(arrays["parent"]), len(arrays["sum"]), **pointers)


class Solver:
  """CFR+ in C on one game, from uniform policies.

  A benchmark times `run`, which makes all of its updates in a single call of
  the library.

  Attributes:
    num_updates: The number of updates so far, each of player 0 and then 1.
  """

  def __init__(self, tables: Any, real: str = "double"):
    """Compiles the library and lays out the arrays.

    Args:
      tables: The tables of a two-player zero-sum game.
      real: The floating-point type, `"double"` or `"float"`.

    Raises:
      RuntimeError: When the library cannot be compiled.
      ValueError: When the tables are not those of such a game.
    """
    num_players = len(tables.width)
    if num_players != 2:
      raise ValueError(f"`tables` must have two players, got {num_players}")
    if not np.allclose(np.sum(tables.utility, axis=-1), 0):
      raise ValueError("`tables` must be those of a zero-sum game")
    self.num_updates = 0
    self._library = compile_library(real)
    self._arrays = [
      _arrays(tables.parent[i], tables.width[i], payoffs, real)
      for i, payoffs in enumerate(_payoffs(tables))
    ]
    self._players = (_Player * 2)(*map(_player, self._arrays))
    self._library.start(self._players)

  def run(self, num_updates: int) -> None:
    """Makes some more updates."""
    self._library.cfr_plus(self._players, self.num_updates, num_updates)
    self.num_updates += num_updates

  def average_plans(self) -> tuple[NDArray, NDArray]:
    """Returns the average plan of each player, by sequence."""
    if self.num_updates == 0:
      raise ValueError("there is no average before the first update")
    sums = [arrays["sum"] for arrays in self._arrays]
    return sums[0] / sums[0][0], sums[1] / sums[1][0]


def cfr_plus(
  tables: Any, num_updates: int, real: str = "double"
) -> tuple[NDArray, NDArray]:
  """Returns the average plans after updates from uniform policies.

  Args:
    tables: The tables of a two-player zero-sum game.
    num_updates: The number of updates, each of player 0 and then 1.
    real: The floating-point type, `"double"` or `"float"`.

  Returns:
    The average plan of each player by sequence, from the empty one on.
  """
  solver = Solver(tables, real)
  solver.run(num_updates)
  return solver.average_plans()
