"""Moves per second of environments, beside those of other programs.

  python -m benchmarks.environments
  python -m benchmarks.environments --games=leduc_poker --cores=1 \
    --nashbench_python=nashbench/bin/python --pgx_python=pgx/bin/python \
    --jaxmarl_python=jaxmarl/bin/python --json=rates.json

`benchmarks/playing.py` says what is measured: random legal actions, and a new
game in the step that ends one, with observations of the player to move and
without. Each figure is that of a process bound to one core; on several cores,
one process plays on each, and their rates are added up. The default device of
JAX plays: on an accelerator, `--cores=1 --sizes=1024,65536,1048576`.

Ours is measured with the games as the first axis of all arrays, and as the last
(`jax.vmap(..., in_axes=-1, out_axes=-1)`), which CPUs prefer where states are
small. OpenSpiel has a loop in Python, and its vector environment, which always
observes. The peers live in environments of their own, which
`benchmarks/peer_nashbench.py`, `peer_pgx.py` and `peer_jaxmarl.py` say how to
make; without, they are skipped.
"""

from collections.abc import Iterator, Sequence
import importlib
import json
import logging
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any, NamedTuple

from absl import flags

from benchmarks import peer_flags, play_one
from experiments.runs import command_line, game_strings, limits, program, tables

GAMES = (
  "kuhn_poker;leduc_poker;phantom_ttt;phantom_ttt(gameversion=abrupt);dark_hex;"
  "dark_hex(gameversion=adh);goofspiel(imp_info=True,num_cards=6);"
  "goofspiel(imp_info=True);liars_dice(numdice=2,dice_sides=5);"
  "liars_dice(numdice=5);hanabi"
)
PEERS = ("nashbench", "pgx", "jaxmarl")
# A loop in Python is not faster with more games.
_LOOPS = ("openspiel", "openspiel_vector")
_MOST_IN_LOOPS = 64


class Cell(NamedTuple):
  """What is measured by one process at a time.

  Attributes:
    game: Its name.
    engine: What plays it.
    observe: Whether it makes observations.
    sizes: Numbers of games.
  """

  game: str
  engine: str
  observe: bool
  sizes: tuple[int, ...]


class Settings(NamedTuple):
  """How to measure.

  Attributes:
    seconds: Of each measurement, of which there are three.
    limit: Wall seconds that a process may take.
    interpreters: Of the peers, by name.
  """

  seconds: float
  limit: float
  interpreters: dict[str, str]


def define(values: flags.FlagValues) -> None:
  """Defines the flags, as those of the program that runs."""
  command_line.define_key_flags(values, _define)


def _define(values):
  flags.DEFINE_string(
    "games",
    GAMES,
    "OpenSpiel game strings, separated by semicolons outside of brackets.",
    flag_values=values,
  )
  flags.DEFINE_list(
    "sizes",
    ["1", "64", "1024", "16384"],
    "Numbers of games that are played at once.",
    flag_values=values,
  )
  flags.DEFINE_list(
    "cores",
    ["1", "all"],
    "Numbers of cores, or all that there are.",
    flag_values=values,
  )
  flags.DEFINE_list(
    "engines",
    [*play_one.ENGINES, *PEERS],
    "What plays.",
    flag_values=values,
  )
  for name, default, meaning in (
    ("seconds", 0.5, "Seconds of each measurement, the best of three."),
    ("limit", 900.0, "Wall seconds that a process may take, then it is ended."),
  ):
    limits.define_float(name, default, meaning, 0.001, values=values)
  peer_flags.define(values, PEERS)


def _interpreters(given):
  """Returns the paths of the peers' interpreters."""
  out = {}
  for name in PEERS:
    path = given[f"{name}_python"]
    if path:
      found = shutil.which(path)
      if not found:
        raise ValueError(
          f"`--{name}_python` must be an interpreter, and there is none at "
          f"{path!r}"
        )
      # Not resolved, for a link is how an environment knows itself.
      out[name] = str(pathlib.Path(found).absolute())
  return out


def _whole(name, texts, most=None):
  """Returns positive whole numbers of a flag; `all` is the most."""
  found = []
  for text in texts:
    number = most if text == "all" and most else text
    if not str(number).isdecimal() or not 1 <= int(number) <= (most or 1 << 24):
      raise ValueError(
        f"`--{name}` must be numbers from 1 to {most or 1 << 24}, got {text!r}"
      )
    found.append(int(number))
  return tuple(dict.fromkeys(found))


def why_not(cell: Cell, interpreters: dict[str, str]) -> str | None:
  """Returns why an engine does not play a game, or None if it does."""
  if cell.engine not in PEERS:
    return None
  peer = importlib.import_module(f"benchmarks.peer_{cell.engine}")
  if cell.game not in peer.GAMES:
    return f"{cell.engine} has no {cell.game}"
  if cell.engine not in interpreters:
    return f"no --{cell.engine}_python is given"
  return None


def _command(cell: Cell, settings: Settings, core: int) -> list[str]:
  if cell.engine in PEERS:
    start = [settings.interpreters[cell.engine], "-m"]
    start += [f"benchmarks.peer_{cell.engine}"]
  else:
    start = [sys.executable, "-m", "benchmarks.play_one"]
    start += [f"--engine={cell.engine}"]
  most = _MOST_IN_LOOPS if cell.engine in _LOOPS else max(cell.sizes)
  sizes = dict.fromkeys(min(size, most) for size in cell.sizes)
  command = [
    *start,
    f"--game={cell.game}",
    f"--sizes={','.join(map(str, sizes))}",
    f"--seconds={settings.seconds}",
    f"--core={core}",
  ]
  return [*command, *(["--observe"] if cell.observe else [])]


def play(
  cell: Cell, settings: Settings, cores: Sequence[int]
) -> list[dict[str, Any]]:
  """Returns the lines of a process on each core, with their rates added up.

  Raises:
    RuntimeError: If a process fails, with the last line of what it says.
  """
  running = [
    subprocess.Popen(
      _command(cell, settings, core),
      stdout=subprocess.PIPE,
      stderr=subprocess.PIPE,
      text=True,
    )
    for core in cores
  ]
  try:
    said = [process.communicate(timeout=settings.limit) for process in running]
  except subprocess.TimeoutExpired:
    raise RuntimeError(f"it took more than {settings.limit:g} s") from None
  finally:
    for process in running:
      process.kill()
  for process, (_, errors) in zip(running, said, strict=True):
    if process.returncode:
      last = errors.strip().splitlines()[-1:] or ["it said nothing"]
      raise RuntimeError(last[0])
  by_core = [
    [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    for out, _ in said
  ]
  return [
    rows[0] | {"steps_per_second": sum(row["steps_per_second"] for row in rows)}
    for rows in zip(*by_core, strict=True)
  ]


def measure(
  cells: Sequence[Cell], settings: Settings, counts: Sequence[int]
) -> Iterator[dict[str, Any]]:
  """Yields a row for each figure, and for what was not measured, why not."""
  available = sorted(os.sched_getaffinity(0))
  for cell in cells:
    about = {"game": cell.game, "engine": cell.engine, "observe": cell.observe}
    reason = why_not(cell, settings.interpreters)
    if reason:
      yield about | {"reason": reason}
      continue
    for count in counts:
      try:
        rows = play(cell, settings, available[:count])
      except RuntimeError as error:
        yield about | {"cores": count, "reason": f"failed: {error}"}
        continue
      yield from (about | {"cores": count} | row for row in rows)


def show(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> None:
  """Prints a table of each number of cores, and what was not measured."""
  found = [row for row in rows if "steps_per_second" in row]
  for cores in dict.fromkeys(row["cores"] for row in found):
    for observe in (False, True):
      lines: dict[tuple[str, str], dict[int, float]] = {}
      for row in found:
        if (row["cores"], row["observe"]) == (cores, observe):
          rates = lines.setdefault((row["game"], row["engine"]), {})
          rates[row["games"]] = row["steps_per_second"]
      what = "with observations" if observe else "without observations"
      print(f"\nMillion moves per second, {what}, cores: {cores}")
      head = ["game", "engine", *(f"{size:,}" for size in sizes)]
      table = [
        [*names, *(_millions(rates.get(size)) for size in sizes)]
        for names, rates in lines.items()
      ]
      print(tables.text(head, table, tables.page_width(), num_keys=2))
  for reason in dict.fromkeys(
    f"{row['game']}, {row['engine']}: {row['reason']}"
    for row in rows
    if "reason" in row
  ):
    print(reason)


def _millions(rate):
  return "-" if rate is None else f"{rate / 1e6:.3g}"


def parse(argv: Sequence[str]) -> list[str]:
  """Defines the flags and parses them."""
  define(flags.FLAGS)
  return program.parse(argv)


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Measures and prints."""
  del argv
  logging.getLogger("jax._src.xla_bridge").setLevel(logging.WARNING)
  given = values.flag_values_dict()
  rows: list[dict[str, Any]] = []
  try:
    sizes = _whole("sizes", given["sizes"])
    counts = _whole("cores", given["cores"], len(os.sched_getaffinity(0)))
    names = game_strings.split(given["games"])
    engines = given["engines"]
    unknown = set(engines) - {*play_one.ENGINES, *PEERS}
    if unknown:
      raise ValueError(
        f"`--engines` must be among {', '.join((*play_one.ENGINES, *PEERS))}, "
        f"got {', '.join(sorted(unknown))}"
      )
    settings = Settings(given["seconds"], given["limit"], _interpreters(given))
    _check(names)
  except ValueError as error:
    command_line.fail("environments", str(error))
  for name in names:
    cells = [
      Cell(name, engine, observe, sizes)
      for engine in engines
      for observe in (False, True)
    ]
    rows += measure(cells, settings, counts)
    print(f"measured {name}", file=sys.stderr, flush=True)
    if given["json"]:
      pathlib.Path(given["json"]).write_text(json.dumps(rows, indent=2))
  show(rows, sizes)
  failed = [row["reason"] for row in rows if "failed" in row.get("reason", "")]
  if failed:
    command_line.fail("environments", failed[0])


def _check(names):
  """Raises ValueError if there is no environment of a name."""
  # JAX takes a second to import, and whoever asked for help does not wait.
  from mdrl import envs

  for name in names:
    envs.load(name)


if __name__ == "__main__":
  program.run("benchmarks.environments", __doc__, main, parse)
