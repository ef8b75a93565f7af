"""Tables by the names of their infostates, as they are saved.

The order of a table's rows is that of the treeplexes, which may change; the
names of infostates are the game's.
"""

import pathlib
import struct
from typing import Any, NamedTuple
import zipfile
import zlib

import jax
import jax.numpy as jnp
import numpy as np

from mdrl.games import index as index_lib
from mdrl.policies import saved_arrays, table

# How damage to an archive shows when it is read.
_DAMAGE = (
  AttributeError,
  EOFError,
  IndexError,
  KeyError,
  NotImplementedError,
  OSError,
  RuntimeError,
  TypeError,
  ValueError,
  struct.error,
  zipfile.BadZipFile,
  zlib.error,
)
_NPZ_ARRAYS = ("game", "infostate", "player", "action", "probability")
# How far a sum of probabilities may be from one: people round them.
_ROUNDED = 1e-6


class Rows(NamedTuple):
  """The rows of a table, in any order.

  Attributes:
    game: What it is a policy of.
    player: Whose infostate each row is.
    infostate: The name of each.
    logits: Of each action by the game's numbers, minus infinity where it is not
      taken.
  """

  game: str
  player: np.ndarray
  infostate: list[str]
  logits: np.ndarray


def pack(policy: table.TablePolicy, index: index_lib.Index) -> dict[str, Any]:
  """Returns a table as arrays, with the names of its rows.

  Raises:
    ValueError: If the index is that of another game.
  """
  sizes = [len(own.infostates) for own in index.players]
  shape = (sum(sizes), _num_actions(index))
  if policy.logits.shape != shape:
    raise ValueError(
      f"`policy` must be a table of the game of `index`, of shape {shape}, got "
      f"{policy.logits.shape}"
    )
  names = [name.encode() for own in index.players for name in own.infostates]
  logits = np.asarray(policy.logits)
  # What stands at illegal actions means nothing.
  legal = legal_actions(index)
  return {
    "logits": np.where(legal, logits, np.array(-np.inf, logits.dtype)),
    "player": np.repeat(np.arange(len(sizes), dtype=np.int32), sizes),
    "name_length": np.array([len(name) for name in names], np.int32),
    # Never empty, which Orbax would refuse.
    "names": np.frombuffer(b"".join(names) + b"\n", np.uint8),
  }


def unpack(game: str, arrays: Any) -> Rows:
  """Returns the rows of the arrays that `pack` returns.

  Raises:
    ValueError: If they are other arrays.
  """
  try:
    text, ends = arrays["names"].tobytes(), np.cumsum(arrays["name_length"])
    starts = ends - arrays["name_length"]
    return Rows(
      game,
      arrays["player"],
      [text[a:b].decode() for a, b in zip(starts, ends, strict=True)],
      arrays["logits"],
    )
  except (KeyError, TypeError, UnicodeDecodeError) as error:
    raise ValueError(f"its arrays are not those of a table: {error}") from error


def read_npz(file: pathlib.Path) -> Rows:
  """Returns the rows of a `policy.npz`, the result of a run of `solve_game`.

  Raises:
    ValueError: If it is another file, or a damaged one.
  """
  try:
    # By its path, NumPy would leave a damaged file open.
    with open(file, "rb") as opened, np.load(opened) as arrays:
      game, infostate, player, action, probability = (
        arrays[name] for name in _NPZ_ARRAYS
      )
    if not (len(infostate) == len(player) == len(action)):
      raise ValueError("its arrays are of several lengths")
    legal = action >= 0
    width = 1 + max(int(action.max(initial=0)), 0)
    logits = np.full((len(action), width), -np.inf)
    rows = np.broadcast_to(np.arange(len(action))[:, None], action.shape)
    total = np.where(legal, probability, 0).sum(axis=1)
    if (probability < 0).any() or not (np.abs(total - 1) <= _ROUNDED).all():
      raise ValueError("its probabilities do not add up to one")
    with np.errstate(divide="ignore"):
      logits[rows[legal], action[legal]] = np.log(probability[legal])
    return Rows(str(game), player, [str(name) for name in infostate], logits)
  except _DAMAGE as error:
    raise ValueError(
      f"`path` must be a {file.name} as `solve_game` writes it, and "
      f"{str(file)!r} cannot be read: {error}"
    ) from error


def to_table(
  rows: Rows, index: index_lib.Index, dtype: jax.typing.DTypeLike | None
) -> table.TablePolicy:
  """Returns the table of a compiled game.

  Args:
    rows: Of that game.
    index: Names of its rows.
    dtype: Of the logits; by default that of the rows.

  Raises:
    ValueError: If an infostate of the game is missing.
  """
  place = {
    (int(player), name): k
    for k, (player, name) in enumerate(
      zip(rows.player, rows.infostate, strict=True)
    )
  }
  keys = [
    (player, name)
    for player, own in enumerate(index.players)
    for name in own.infostates
  ]
  missing = next((key for key in keys if key not in place), None)
  if missing is not None:
    raise _of_another(
      rows.game, f"it lacks infostate {missing[1]!r} of player {missing[0]}"
    )
  order = np.array([place[key] for key in keys], int)
  legal = legal_actions(index)
  width = min(legal.shape[1], rows.logits.shape[1])
  logits = np.full(legal.shape, -np.inf, rows.logits.dtype)
  logits[:, :width] = rows.logits[order, :width]
  cut = (rows.logits[order, width:] > -np.inf).any()
  wrong = ((logits > -np.inf) & ~legal).any(axis=1)
  if cut or wrong.any():
    row = keys[int(np.argmax(wrong))]
    raise _of_another(
      rows.game, f"other actions are legal at {row[1]!r} of player {row[0]}"
    )
  sizes = [len(own.infostates) for own in index.players]
  return table.TablePolicy(
    logits=saved_arrays.on_device(logits, dtype),
    first_row=jnp.asarray(np.cumsum([0, *sizes[:-1]]), jnp.int32),
  )


def _of_another(game, found):
  return ValueError(
    f"it is of another game than {game} as it is compiled here: {found}"
  )


def legal_actions(index: index_lib.Index) -> np.ndarray:
  """Returns which actions are legal at each row of a table of the game."""
  tables = [own.actions_table() for own in index.players]
  legal = np.zeros((sum(map(len, tables)), _num_actions(index)), bool)
  first = 0
  for actions in tables:
    rows = np.broadcast_to(np.arange(len(actions))[:, None], actions.shape)
    legal[first + rows[actions >= 0], actions[actions >= 0]] = True
    first += len(actions)
  return legal


def _num_actions(index):
  return 1 + max(int(own.action.max(initial=0)) for own in index.players)
