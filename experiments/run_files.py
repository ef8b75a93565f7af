"""The files of a run, and their formats.

`flags.json` holds what was asked, what it resolved to and on what it ran.
`trace.jsonl` holds one object per line and evaluation. `policy.npz` holds one
row per infostate; these two lines make it a policy of OpenSpiel:

  data = np.load("policy.npz"); table = policy.TabularPolicy(pyspiel.load_game(str(data["game"])))
  for s, a, p in zip(data["infostate"], data["action"], data["probability"]): table.policy_for_key(s)[a[a >= 0]] = p[a >= 0]

Of an `.efg` file it also holds `label`, the texts of the actions. The two lines
hold as far as OpenSpiel reads the file as Gambit means it, which it does not
where a set repeats labels, leaves out what it was described as, or pays before
the end; rows are named `player-player-number-name`, players from 0.
"""  # noqa: E501

from collections.abc import Iterable, Mapping
import json
import os
import pathlib
import shutil
from typing import Any

import numpy as np

from mdrl.games import base
from mdrl.games import index as index_lib

Row = dict[str, Any]


class RunFiles:
  """The folder of one run."""

  def __init__(self, folder: pathlib.Path, resumable: bool = True):
    self.folder = folder
    self._resumable = resumable
    self.flags = folder / "flags.json"
    self.trace = folder / "trace.jsonl"
    self.policy = folder / "policy.npz"
    self.plot = folder / "convergence.png"
    self.states = folder / "checkpoint"

  def claim(self, *, resume: bool, overwrite: bool) -> dict[str, Any] | None:
    """Makes the folder ready and returns the flags of the run in it, if any.

    Raises:
      ValueError: If there is a run in it that neither is resumed nor may be
        overwritten, or it cannot be written.
    """
    if resume and overwrite:
      raise ValueError(
          "`--resume` and `--overwrite` exclude each other, got both"
      )
    try:
      if overwrite:
        self._delete()
      recorded = self._recorded()
      if recorded is not None and not resume:
        raise ValueError(
            f"`--out` holds a run already: {self.folder}; "
            + ("go on with it by --resume, " if self._resumable else "")
            + "delete it by --overwrite, or choose another --out"
        )
      self.folder.mkdir(parents=True, exist_ok=True)
      probe = self.folder / ".writable"
      probe.touch()
      probe.unlink()
    except OSError as error:
      raise ValueError(
          f"`--out` must be a folder that can be written, got {self.folder}: "
          f"{error.strerror}"
      ) from error
    return recorded

  def _delete(self):
    for path in (self.flags, self.trace, self.policy, self.plot):
      path.unlink(missing_ok=True)
    if self.states.exists():
      shutil.rmtree(self.states)

  def _recorded(self):
    if not self.flags.exists():
      if self.states.exists():
        raise ValueError(
            "`--out` holds states of a run without its flags.json: "
            f"{self.folder}; use --overwrite or another --out"
        )
      return None
    try:
      return json.loads(self.flags.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
      raise ValueError(
          f"`--out` holds a run whose {self.flags} is not JSON: {error}; "
          "use --overwrite or another --out"
      ) from error

  def write_flags(self, record: Mapping[str, Any]) -> None:
    """Writes `flags.json`; a reader never sees a part of it."""
    text = json.dumps(record, indent=2) + "\n"
    self._replace(self.flags, lambda file: file.write(text.encode("utf-8")))

  def write_policy(
      self,
      game: str,
      index: index_lib.Index,
      iterates: Mapping[str, base.Policies],
      reports: str,
  ) -> None:
    """Writes `policy.npz`.

    Args:
      game: The string by which OpenSpiel loads the game.
      index: Names of the rows.
      iterates: The policies of the `last` and the `average` iterate.
      reports: Which of them is `probability`, the result.
    """
    tables = [player.actions_table() for player in index.players]
    widest = max((table.shape[1] for table in tables), default=0)
    arrays = {
        "game": np.array(game),
        "infostate": np.array(
            [name for player in index.players for name in player.infostates],
            dtype=np.str_,
        ),
        "player": np.repeat(
            np.arange(len(tables)), [len(table) for table in tables]
        ),
        "action": _stack(tables, widest, -1),
    }
    if all(player.labels for player in index.players):
      labels = [player.labels_table() for player in index.players]
      arrays["label"] = _stack(labels, widest, "").astype(np.str_)
    for name, policies in iterates.items():
      rows = [
          _rows(player, np.asarray(policy))
          for player, policy in zip(index.players, policies, strict=True)
      ]
      arrays[name] = _stack(rows, widest, 0)
    arrays["probability"] = arrays[reports]
    self._replace(self.policy, lambda file: np.savez(file, **arrays))

  def _replace(self, path, write):
    partial = path.with_name(f".{path.name}.partial")
    with open(partial, "wb") as file:
      write(file)
    os.replace(partial, path)


class TraceWriter:
  """Appends rows to `trace.jsonl`, each whole as soon as it is written."""

  def __init__(self, path: pathlib.Path, rows: Iterable[Row]):
    """Starts the file over with rows that were written before."""
    self.rows = list(rows)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text("".join(map(_line, self.rows)), encoding="utf-8")
    os.replace(partial, path)
    self._file = open(path, "a", buffering=1, encoding="utf-8")

  def write(self, row: Row) -> None:
    """Appends a row."""
    self.rows.append(row)
    self._file.write(_line(row))

  def close(self) -> None:
    """Closes the file."""
    self._file.close()


def read_trace(path: pathlib.Path, last_step: int | None = None) -> list[Row]:
  """Returns the rows of a trace, up to a step; nothing where there is none.

  A last line that was cut off by a kill is left out.
  """
  if not path.exists():
    return []
  rows = []
  for line in path.read_text(encoding="utf-8").splitlines():
    try:
      row = json.loads(line)
    except json.JSONDecodeError:
      break
    if last_step is not None and row["step"] > last_step:
      break
    rows.append(row)
  return rows


def _line(row):
  return json.dumps(row) + "\n"


def _rows(player, policy):
  table = np.zeros((len(player.start), player.width.max(initial=0)))
  for row in range(len(player.start)):
    table[row, : player.width[row]] = policy[player.slots(row)]
  return table


def _stack(tables, widest, fill):
  return np.concatenate([
      np.pad(
          table,
          ((0, 0), (0, widest - table.shape[1])),
          constant_values=fill,
      )
      for table in tables
  ])
