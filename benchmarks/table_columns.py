"""The columns of the table of solvers, and how their cells are measured."""

from collections.abc import Iterator, Mapping, Sequence
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any, NamedTuple

from benchmarks import game_set, peer_liteefg, peer_noregret, run_one

_LINE = 300  # Characters of an error; some list all of OpenSpiel's games.
_ROOT = pathlib.Path(__file__).resolve().parents[1]


class Column(NamedTuple):
  """A program that solves games.

  Attributes:
    title: Its name in the table.
    arguments: The module and its flags.
    solvers: What it runs.
    max_histories: The largest tree that is not left out.
    matrices: Whether it also runs on random matrices.
    warm: Whether to start it again with what it compiled on disk.
    peer: Whether it is somebody else's member of the CFR family.
    environment: The name of its interpreter, if it has one of its own.
  """

  title: str
  arguments: tuple[str, ...]
  solvers: tuple[str, ...]
  max_histories: float = math.inf
  matrices: bool = False
  warm: bool = False
  peer: bool = False
  environment: str | None = None


def _here(title: str, engine: str, *flags: str, **fields: Any) -> Column:
  """Returns a column that runs in our environment."""
  arguments = ("benchmarks.run_one", f"--engine={engine}", *flags)
  return Column(title, arguments, run_one.ENGINES[engine], **fields)


def _ours(precision: str) -> Column:
  flag = f"--precision={precision}"
  return _here(f"ours, {precision}", "ours", flag, matrices=True, warm=True)


COLUMNS = {
  "ours_float32": _ours("float32"),
  "ours_float64": _ours("float64"),
  "c_double": _here("C, double", "c", "--precision=float64", matrices=True),
  "c_float": _here("C, float", "c", "--precision=float32", matrices=True),
  "openspiel_cpp": _here("OpenSpiel, C++", "openspiel_cpp", peer=True),
  # It takes minutes to build larger games.
  "openspiel_jax_cfr": _here(
    "JaxCFR", "openspiel_jax_cfr", max_histories=100_000, peer=True
  ),
  # It makes six updates a second on Leduc poker, and has a dense matrix.
  "openspiel_mmd": _here("mmd_dilated", "openspiel_mmd", max_histories=10_000),
  # Of 919,105 histories it makes three updates in two seconds, after half a
  # minute of building and in 1.5 GB.
  "liteefg": Column(
    "LiteEFG",
    ("benchmarks.peer_liteefg",),
    tuple(peer_liteefg.SOLVERS),
    max_histories=800_000,
    peer=True,
    environment="liteefg",
  ),
  "noregret": Column(
    "noregret",
    ("benchmarks.peer_noregret",),
    tuple(peer_noregret.SOLVERS),
    peer=True,
    environment="noregret",
  ),
  # Of 919,105 histories it was not done after 100 CPU seconds; of a random
  # matrix of half the size after 23, of a quarter after two.
  "highs": _here("HiGHS, LP", "highs", max_histories=800_000),
}
# What a check on every change can wait for.
QUICK = {
  "ours_float32": ("cfr_plus", "magnetic"),
  "c_double": ("cfr_plus",),
  "openspiel_cpp": ("cfr_plus",),
}
FULL = {name: column.solvers for name, column in COLUMNS.items()}


class Settings(NamedTuple):
  """How to measure.

  Attributes:
    seconds: Wall seconds to spend on each rate.
    budget: Wall seconds of each way to the targets.
    limit: Wall seconds after which a cell is left out.
    interpreters: Those of columns with environments of their own.
    columns: The columns to measure, and the solvers of each.
    warm: Whether to start our solvers again with compiled programs on disk.
  """

  seconds: float
  budget: float
  limit: float
  interpreters: Mapping[str, str]
  columns: Mapping[str, Sequence[str]]
  warm: bool = True


def cells(
  settings: Settings, game: str, histories: float
) -> Iterator[tuple[str, str]]:
  """Yields the column and solver of each cell that has to be measured."""
  matrix = game_set.is_matrix(game)
  for name, solvers in settings.columns.items():
    column = COLUMNS[name]
    absent = column.environment and (
      column.environment not in settings.interpreters
    )
    large = histories > column.max_histories
    if absent or large or (matrix and not column.matrices):
      continue
    for solver in solvers:
      yield name, solver


def cell(
  settings: Settings, game: str, name: str, solver: str
) -> dict[str, Any]:
  """Measures a cell in processes of its own.

  Raises:
    ValueError: If it fails or takes too long; in one line.
  """
  column = COLUMNS[name]
  python = settings.interpreters.get(column.environment or "", sys.executable)
  command = [
    python,
    "-m",
    *column.arguments,
    f"--game={game}",
    f"--solver={solver}",
    f"--seconds={settings.seconds}",
    f"--budget={settings.budget}",
  ]
  with tempfile.TemporaryDirectory() as cache:
    figures = _measured(command, settings.limit, cache)
    if settings.warm and column.warm and solver == "cfr_plus":
      again = _measured([*command, "--start_only"], settings.limit, cache)
      for name in ("compile_cpu_seconds", "compile_wall_seconds"):
        figures[f"warm_{name}"] = again[name]
  return figures


def _measured(command, limit, cache):
  """Returns what a process prints last."""
  environment = os.environ | {
    "JAX_COMPILATION_CACHE_DIR": cache,
    # Peers run where this package is not installed.
    "PYTHONPATH": os.pathsep.join(
      filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")])
    ),
  }
  try:
    done = subprocess.run(
      [*command, f"--started={time.time()}"],
      capture_output=True,
      text=True,
      timeout=limit,
      env=environment,
    )
  except subprocess.TimeoutExpired:
    raise ValueError(f"took more than {limit:g} seconds") from None
  lines = [x for x in done.stdout.splitlines() if x.startswith("{")]
  if done.returncode or not lines:
    said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
    raise ValueError(said[-1][:_LINE])
  return json.loads(lines[-1])


def measure(game: str, settings: Settings) -> dict[str, Any]:
  """Returns the figures of a game by column and solver.

  A cell that fails is left out, and standard error says why.

  Raises:
    ValueError: If our first solver fails.
  """
  found: dict[str, dict[str, Any]] = {}
  row: dict[str, Any] = {"game": game, "histories": 0, "cells": found}
  # The number of histories comes with our first cell, and decides on others.
  first = next(cells(settings, game, 0))
  found[first[0]] = {first[1]: cell(settings, game, *first)}
  row["histories"] = found[first[0]][first[1]]["histories"]
  for name, solver in cells(settings, game, row["histories"]):
    if (name, solver) == first:
      continue
    try:
      figures = cell(settings, game, name, solver)
    except ValueError as error:
      print(f"{game}: no {name} {solver}: {error}", file=sys.stderr)
      continue
    found.setdefault(name, {})[solver] = figures
  return row | ratios(found)


def ratios(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
  """Returns how our CFR+ in single precision compares, where it can be.

  Args:
    found: Figures by column and solver.

  Returns:
    Its updates per CPU second divided by those of the C program in double
    precision and of the fastest peer's CFR+, and that peer's column.
  """

  def rate(name):
    cfr_plus = found.get(name, {}).get("cfr_plus", {})
    return cfr_plus.get("updates_per_cpu_second")

  ours, plain = rate("ours_float32"), rate("c_double")
  peers = {n: rate(n) for n, column in COLUMNS.items() if column.peer}
  peers = {n: value for n, value in peers.items() if value}
  out: dict[str, Any] = {}
  if ours and plain:
    out["ratio_to_c"] = ours / plain
  if ours and peers:
    fastest = max(peers, key=lambda n: peers[n])
    out["ratio_to_fastest_peer"] = ours / peers[fastest]
    out["fastest_peer"] = fastest
  return out
