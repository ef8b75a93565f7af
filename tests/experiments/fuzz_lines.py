"""Command lines that somebody might type, most of them with a mistake."""

import json
import pathlib

from hypothesis import strategies as st
import numpy as np

from experiments.preferences import named_games
from experiments.registry import game_solvers, preference_solvers

_MISTAKES = (
  "",
  " ",
  "x",
  "nan",
  "inf",
  "-inf",
  "-1",
  "0",
  "1e400",
  "1e308",
  "1e-308",
  "99999999999999999999",
  "1e3",
  "0x10",
  "1_0",
  "½",
  "$x",
  "%",
  "'",
  "[1]",
  "None",
  "true",
  "0.5",
  "-0.0",
  ",",
  ";",
  "=",
  "(",
  ")",
  "\n",
  "é" * 300,
  "\udcff",
)
_GAMES = (
  "kuhn_poker",
  "kuhn_poker",
  "matrix_rps",
  "matrix_mp",
  "matrix_bos",
  "kuhn_poker(players=3)",
  "blotto(players=2,coins=3,fields=2)",
  "misere(game=kuhn_poker())",
  "start_at(history=0;1,game=kuhn_poker())",
  "repeated_game(stage_game=matrix_rps(),num_repetitions=2)",
  "turn_based_simultaneous_game(game=matrix_rps())",
)
_BAD_GAMES = (
  "",
  "no_such_game",
  "kuhn",
  "kuhn_poker(",
  "kuhn_poker)",
  "kuhn_poker()()",
  "kuhn_poker(players=99)",
  "kuhn_poker(players=x)",
  "kuhn_poker(players)",
  "kuhn_poker(no_such=1)",
  "kuhn_poker;",
  "misere(game=)",
  "misere(game=x)",
  "efg_game(filename=nothing.efg)",
  "nfg_game(filename=nothing.nfg)",
  "mfg_crowd_modelling",
  "pathfinding",
  "chess",
  "nothing.efg",
  "good.csv",
  "bad.efg",
  "folder",
  "start_at(history=9,game=kuhn_poker())",
  "repeated_game(stage_game=kuhn_poker(),num_repetitions=2)",
  "turn_based_simultaneous_game(game=kuhn_poker())",
  "file://x",
  "~",
  "*",
)
_FILES = (
  "good.csv",
  "GOOD.CSV",
  "percent.csv",
  "two.npy",
  "contexts.npy",
  "bad.csv",
  "empty.csv",
  "nan.csv",
  "names.csv",
  "bytes.csv",
  "bad.npy",
  "words.npy",
  "complex.npy",
  "huge.npy",
  "none.csv",
  "none.npy",
  "folder",
)
_FOLDERS = (
  "new",
  "new",
  "new",
  "deep/er",
  "run",
  "run",
  "file",
  "file/x",
  "",
  "/dev/null/x",
  "/proc/x",
  "n" * 300,
  "folder",
  "$x",
  "\udcff",
)


def write_files(folder: pathlib.Path) -> None:
  """Writes the files that command lines name."""
  rates = np.array([[0.5, 0.9, 0.2], [0.1, 0.5, 0.7], [0.8, 0.3, 0.5]])
  text = "\n".join(",".join(map(str, row)) for row in rates.tolist())
  for name, content in {
    "good.csv": text,
    "GOOD.CSV": text,
    "percent.csv": "a $,b\n50%,60%\n40%,50%",
    "bad.csv": "1,2\n3",
    "empty.csv": "",
    "nan.csv": "0.5,nan\nnan,0.5",
    "names.csv": "a,a\n0.5,0.6\n0.4,0.5",
    "bad.efg": 'EFG 2 R "x" { "1" "2" }\np "" 1 1 "" { "a" "b" } 0\nt "" 1',
    "bad.npy": "no array",
    "file": "a file",
  }.items():
    (folder / name).write_text(content)
  (folder / "bytes.csv").write_bytes(b"\xff\xfe\x00")
  np.save(folder / "two.npy", rates)
  np.save(folder / "contexts.npy", np.stack([rates, rates.T]))
  np.save(folder / "words.npy", np.array([["a"]]))
  np.save(folder / "complex.npy", rates + 1j)
  np.save(folder / "huge.npy", rates * 1e300)
  np.savez(folder / "kuhn.npz", **_kuhn_policy())
  (folder / "saved").mkdir()
  (folder / "saved" / "policy.json").write_text('{"format": 1}')
  (folder / "folder").mkdir()
  (folder / "run").mkdir()
  (folder / "run" / "flags.json").write_text(json.dumps({"flags": {}}))


def _kuhn_policy():
  """Returns uniform play in Kuhn poker, as `policy.npz` holds it."""
  histories = {0: ["", "pb"], 1: ["p", "b"]}
  names, players = [], []
  for player, behind in histories.items():
    for card in "012":
      names += [card + moves for moves in behind]
      players += [player] * len(behind)
  return {
    "game": np.array("kuhn_poker()"),
    "infostate": np.array(names),
    "player": np.array(players),
    "action": np.tile([0, 1], (len(names), 1)),
    "probability": np.full((len(names), 2), 0.5),
  }


def _either(good, bad=_MISTAKES, often=4):
  """Draws a good value, often, or a bad one."""
  return st.one_of(*[good] * often, st.sampled_from(bad))


def _whole(low, high):
  return _either(st.integers(low, high).map(str))


def _number(*good):
  return _either(st.sampled_from(good))


def _lists(values, separator=","):
  return st.lists(values, min_size=1, max_size=3).map(separator.join)


def _line(required, optional):
  """Draws the flags of a command line: each once, some of them, junk too."""
  return st.tuples(
    st.fixed_dictionaries(required, optional=optional),
    st.sampled_from([()] * 12 + [("--no_such=1",), ("--",), ("-",)]),
  ).map(lambda drawn: (*(f"--{k}={v}" for k, v in drawn[0].items()), *drawn[1]))


_BOOL = st.sampled_from(["true", "false", "maybe"])
_PRECISION = _either(st.sampled_from(["float64", "float32"]), often=8)
_GAME = _either(st.sampled_from(_GAMES), _BAD_GAMES, often=2)
_OUT = st.sampled_from(_FOLDERS)
_CACHE = st.sampled_from(["", "cache", "/dev/null/x", "file", "/proc/x"])
_SOLVER = _either(st.sampled_from(list(game_solvers.SOLVERS)), often=12)
_SHARED = {
  "checkpoints": _whole(1, 6),
  "precision": _PRECISION,
  "cache_dir": _CACHE,
  "overwrite": _BOOL,
  "resume": _BOOL,
  "out": _OUT,
}
_FIELD_VALUES = _either(
  st.sampled_from(
    [
      "0.1",
      "1",
      "2",
      "0",
      "0.5",
      "10",
      "true",
      "false",
      "entropy",
      "euclidean",
      "tsallis",
      "q",
      "counterfactual",
      "sequence",
    ]
  ),
  often=3,
)
_FIELD = st.sampled_from([*game_solvers.FIELDS, "no_such", ""])
_ITEM = st.tuples(_FIELD, _lists(_FIELD_VALUES)).map("=".join)

SOLVE_GAME = _line(
  {"game": _GAME, "updates": _whole(1, 20)},
  {
    **_SHARED,
    "solver": _SOLVER,
    "seed": _whole(0, 5),
    "max_histories": _whole(1, 10_000),
    "save_seconds": _number("0", "1", "5.0"),
    "equilibrium": _either(st.sampled_from(["qre", "aqre", "nash"])),
    "equilibrium_temperature": _number("0.1", "1", "1e-6"),
    "list_solvers": _BOOL,
    **{f"config.{name}": _FIELD_VALUES for name in game_solvers.FIELDS},
  },
)
SWEEP_GAME = _line(
  {"game": _GAME, "updates": _whole(1, 20)},
  {
    **_SHARED,
    "solver": _SOLVER,
    "grid": _either(
      st.one_of(st.just("step_size=0.1,0.2"), _lists(_ITEM, ";")), often=6
    ),
    "fixed": _either(_lists(_ITEM, ";"), often=6),
    "seeds": _whole(1, 3),
    "cpu_devices": _whole(0, 3),
    "max_histories": _whole(1, 10_000),
  },
)
COMPARE_SOLVERS = _line(
  {
    "games": _lists(_GAME, ";"),
    "solvers": _lists(_SOLVER),
    "max_updates": _whole(1, 20),
  },
  {
    "targets": _either(_lists(_number("0.1", "1e-3", "10"))),
    "evaluation_ratio": _number("1.5", "2", "1.001"),
    "precision": _PRECISION,
    "cache_dir": _CACHE,
    "max_histories": _whole(1, 10_000),
    "overwrite": _BOOL,
    "resume": _BOOL,
    "save_seconds": _number("0", "1", "5.0"),
    "out": _OUT,
  },
)
_POLICY = _either(
  st.sampled_from(["uniform", "uniform", "kuhn.npz", "bad.npz", "saved"]),
  (*_MISTAKES, *_FOLDERS),
)
_JUDGED = {
  "game": _GAME,
  "precision": _PRECISION,
  "cache_dir": _CACHE,
  "max_histories": _whole(1, 10_000),
  "confidence": _number("0.9", "0.5", "0.999999"),
  "seed": _whole(0, 5),
  "overwrite": _BOOL,
  "out": _OUT,
}
# Responses are learned for as long in the shortest of budgets as in others.
EXPLOIT_POLICY = _line(
  {"exact": _either(st.sampled_from(["auto", "always"]), often=8)},
  {
    **_JUDGED,
    "policy": _POLICY,
    "games": _whole(2, 50),
    "steps": _whole(1, 50),
    "checkpoints": _whole(1, 3),
  },
)
PLAY_MATCH = _line(
  {"policies": _lists(_POLICY), "games": _whole(2, 500)},
  {
    **_JUDGED,
    "batch": _whole(1, 100),
    "resume": _BOOL,
    "save_seconds": _number("0", "1", "5.0"),
  },
)
_PARAMETERS = st.tuples(
  st.sampled_from(
    [
      "num_responses",
      "win",
      "epsilon",
      "sharpness",
      "raters",
      "rank",
      "scale",
      "seed",
      "no_such",
    ]
  ),
  _number("1", "3", "0.5", "5"),
).map("=".join)
_PREFERENCES = st.one_of(
  st.sampled_from(list(named_games.GAMES)),
  st.tuples(st.sampled_from(list(named_games.GAMES)), _lists(_PARAMETERS)).map(
    lambda drawn: f"{drawn[0]}({drawn[1]})"
  ),
  st.sampled_from(_FILES),
  st.sampled_from(_GAMES + _BAD_GAMES).map("openspiel:{}".format),
  st.sampled_from(_MISTAKES),
)
PREFERENCES = _line(
  {
    "game": _PREFERENCES,
    "solver": _lists(
      _either(st.sampled_from(list(preference_solvers.SOLVERS)), often=12)
    ),
    "updates": _whole(1, 20),
  },
  {
    **_SHARED,
    "batch": _whole(1, 3),
    "responses": _whole(2, 5),
    "contexts": _whole(1, 3),
    "seed": _whole(0, 5),
    "reference": _either(
      st.sampled_from(["uniform", "skewed", "random"]), often=8
    ),
    "flip": _number("0.1", "0", "0.5"),
    "comparisons": _whole(1, 20),
    "temperature": _lists(_number("0.1", "1", "0.01")),
    "step_size": _lists(_number("0.1", "1", "0.01")),
    "chunk": _whole(1, 3),
    "list_games": _BOOL,
    **{
      name: _number("0.1", "1", "3", "0") for name in preference_solvers.FIELDS
    },
  },
)
