"""Tests of the binary that solves a game: what it writes, says and refuses."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap

from absl.testing import absltest, parameterized
import jax
import numpy as np
from open_spiel.python import policy
from open_spiel.python.algorithms import exploitability
import pyspiel

from experiments import solve_game
from experiments.registry import game_solvers
from experiments.runs import trace as trace_lib
from experiments.solving import policy_file
from mdrl import run
from mdrl.compile import openspiel
from mdrl.evaluation import gaps
from mdrl.geometry import mirror_maps
from mdrl.solvers import averaged, magnetic, schedules
from mdrl.trees import quantities
from tests import source_tree
from tests.experiments import binary

_SMALL = ("--game=kuhn_poker", "--updates=40", "--checkpoints=5")
_GOOFSPIEL = "goofspiel(num_cards=3,imp_info=True,points_order=descending)"


def _new_folder(test):
  return pathlib.Path(test.enterContext(tempfile.TemporaryDirectory()))


def _snippet():
  """The lines of documentation that load a policy into OpenSpiel."""
  assert policy_file.__doc__
  lines = [
    line for line in policy_file.__doc__.splitlines() if line.startswith("  ")
  ]
  return textwrap.dedent("\n".join(lines))


def _loaded(folder):
  names = {"np": np, "policy": policy, "pyspiel": pyspiel}
  code = _snippet().replace('"policy.npz"', repr(str(folder / "policy.npz")))
  exec(code, names)
  names["data"].close()
  return names["table"]


def _read_policy(folder):
  with np.load(folder / "policy.npz") as data:
    return dict(data)


class FilesTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.out = _new_folder(self) / "run"

  def _solve(self, *arguments):
    result = binary.call(*_SMALL, f"--out={self.out}", *arguments)
    self.assertEqual(result.status, 0, result.stderr)
    return result

  def _flags(self):
    return json.loads((self.out / "flags.json").read_text())

  def _rows(self):
    return trace_lib.read(self.out / "trace.jsonl")

  def test_leaves_all_files_and_prints_one_line(self):
    result = self._solve("--solver=mirror_prox")
    names = {path.name for path in self.out.iterdir()}
    self.assertEqual(
      names,
      {
        "flags.json",
        "trace.jsonl",
        "policy.npz",
        "convergence.png",
        "checkpoint",
      },
    )
    rows = self._rows()
    gap = rows[-1]["exploitability_last"]
    self.assertLen(result.stdout.splitlines(), 1)
    self.assertIn(f"exploitability {gap:.3e} (last iterate;", result.stdout)
    self.assertIn("after 40 updates", result.stdout)
    self.assertStartsWith(
      (self.out / "convergence.png").read_bytes(), b"\x89PNG"
    )
    self.assertNotEmpty(list((self.out / "checkpoint").iterdir()))

  def test_trace_has_a_row_for_each_checkpoint(self):
    self._solve("--solver=cfr")
    rows = self._rows()
    steps = [row["step"] for row in rows]
    self.assertEqual(steps, run.log_checkpoints(40, 5).tolist())
    seconds = [row["seconds"] for row in rows]
    self.assertEqual(seconds, sorted(seconds))
    self.assertEqual(seconds[0], 0)
    for row in rows:
      for name in ("last", "average"):
        self.assertAlmostEqual(
          row[f"nash_conv_{name}"], 2 * row[f"exploitability_{name}"]
        )
        self.assertAlmostEqual(sum(row[f"values_{name}"]), 0)
    # Uniform play in Kuhn poker: exploitability 11/24 and value 1/8.
    self.assertAlmostEqual(rows[0]["exploitability_last"], 11 / 24)
    self.assertAlmostEqual(rows[0]["values_last"][0], 1 / 8)

  def test_divergence_from_an_equilibrium(self):
    status = self._solve(
      "--equilibrium=aqre",
      "--config.feedback=q",
      "--config.normalize=false",
      "--config.magnet_rate=0",
      "--config.mirror_map=entropy",
      "--config.temperature=0.1",
      "--config.step_size=0.1",
      "--updates=5000",
      "--checkpoints=6",
    )
    rows = self._rows()
    found = [row["divergence_last"] for row in rows]
    self.assertGreater(found[0], 0.1)
    self.assertLess(abs(found[-1]), 1e-12)
    # The published agent equilibrium.
    self.assertAlmostEqual(rows[-1]["exploitability_last"], 0.018894877, 6)
    self.assertGreater(rows[-1]["divergence_average"], 1e-9)
    self.assertIn("from the agent equilibrium", status.stdout)
    self.assertIn("the agent equilibrium at temperature 0.1\n", status.stderr)

  def test_infinite_divergences_are_no_numbers(self):
    # The Euclidean map's first policies have zeros.
    self._solve(
      "--equilibrium=nash",
      "--config.step_size=50",
      "--config.temperature=0.01",
      "--updates=1",
    )
    self.assertIsNone(self._rows()[1]["divergence_last"])

  def test_flags_say_what_ran_on_what(self):
    self._solve("--config.step_size=0.25")
    record = self._flags()
    self.assertEqual(record["flags"]["game"], "kuhn_poker")
    self.assertEqual(record["flags"]["config"]["step_size"], 0.25)
    self.assertEqual(record["flags"]["config"]["magnet_rate"], 0.3)
    self.assertEqual(record["flags"]["seed"], 0)
    self.assertEqual(record["game"]["infostates"], [6, 6])
    self.assertEqual(record["game"]["sequences"], [13, 13])
    self.assertEqual(record["versions"]["jax"], jax.__version__)
    self.assertContainsSubset(
      {"python", "jaxlib", "numpy", "open_spiel", "mdrl"}, record["versions"]
    )
    self.assertIn("cpu", record["device"])
    self.assertIn("commit", record)
    self.assertGreater(record["compile_seconds"], 0)
    self.assertAlmostEqual(record["payoff_norm"], 0.4534, places=3)

  @parameterized.parameters(
    ("kuhn_poker", "magnetic"),
    ("kuhn_poker(players=3)", "cfr_plus"),
    (_GOOFSPIEL, "optimistic"),
    (
      str(source_tree.ROOT / "tests" / "data" / "three_players.efg"),
      "cfr_plus",
    ),
  )
  def test_documented_lines_load_the_policy_into_openspiel(self, game, solver):
    self._solve(f"--game={game}", f"--solver={solver}")
    table = _loaded(self.out)
    row = self._rows()[-1]
    reports = game_solvers.SOLVERS[solver].reports
    np.testing.assert_allclose(
      exploitability.nash_conv(table.game, table),
      row[f"nash_conv_{reports}"],
      atol=1e-10,
    )

  def test_policy_of_a_file_holds_labels(self):
    path = self.out.parent / "odd.efg"
    path.write_text("""EFG 2 R "Odd" { "A" "B" }
p "" 1 7 "me" { "x" "x" "" } 1 "" { 1 -1 }
t "" 0
p "" 2 3 "" { "only" } 0
t "" 1
t "" 0
""")
    self._solve(f"--game={path}", "--solver=cfr_plus")
    data = _read_policy(self.out)
    self.assertEqual(data["game"], f"efg_game(filename={path})")
    self.assertEqual(data["infostate"].tolist(), ["0-0-7-me", "1-1-3-"])
    self.assertEqual(data["label"].tolist(), [["x", "x", ""], ["only", "", ""]])
    self.assertEqual(data["action"].tolist(), [[0, 1, 2], [3, -1, -1]])
    self.assertGreater(data["probability"][0, 1], 0.9)

  def test_policy_of_a_game_of_openspiel_has_no_labels(self):
    self._solve("--solver=cfr_plus")
    self.assertNotIn("label", _read_policy(self.out))

  def test_policy_holds_both_iterates(self):
    self._solve("--solver=dcfr")
    data = _read_policy(self.out)
    game, index = openspiel.compile_game("kuhn_poker")
    row = self._rows()[-1]
    for name in ("last", "average"):
      probabilities = [{}, {}]
      for infostate, player, actions, values in zip(
        *(data[key].tolist() for key in ("infostate", "player", "action")),
        data[name].tolist(),
        strict=True,
      ):
        probabilities[player][infostate] = {
          a: p for a, p in zip(actions, values, strict=True) if a >= 0
        }
      policies = quantities.Policies(
        index[i].policy(probabilities[i]) for i in range(2)
      )
      np.testing.assert_allclose(
        gaps.exploitability(game, game.plans(policies)),
        row[f"exploitability_{name}"],
        atol=1e-14,
      )
    np.testing.assert_array_equal(data["probability"], data["average"])

  def test_numbers_are_those_of_the_library(self):
    self._solve(
      "--config.step_size=0.7",
      "--config.step_power=0.5",
      "--config.step_delay=10",
      "--config.temperature=0.3",
      "--config.magnet_rate=0.2",
      "--config.mirror_map=entropy",
      "--config.normalize=false",
      "--config.average_power=2",
    )
    solver = averaged.Averaged(
      solver=magnetic.MagneticMirrorDescent(
        step_size=schedules.PowerDecay(initial=0.7, power=0.5, delay=10.0),
        temperature=0.3,
        magnet_rate=0.2,
        mirror_map=mirror_maps.NegativeEntropy(),
      ),
      power=2.0,
    )
    game, _ = openspiel.compile_game("kuhn_poker")
    _, measured = run.run(
      solver,
      game,
      run.of_plans(gaps.exploitability),
      run.log_checkpoints(40, 5),
    )
    found = [row["exploitability_average"] for row in self._rows()]
    np.testing.assert_allclose(found, measured.metrics, atol=1e-14)

  def test_step_size_is_in_units_of_the_payoff_norm(self):
    self._solve("--config.step_size=0.5", "--config.temperature=0.1")
    norm = self._flags()["payoff_norm"]
    scaled = self._rows()
    self._solve(
      f"--config.step_size={0.5 / norm!r}",
      f"--config.temperature={0.1 * norm!r}",
      "--config.normalize=false",
      "--overwrite",
    )
    for old, new in zip(scaled, self._rows(), strict=True):
      np.testing.assert_allclose(
        old["exploitability_last"], new["exploitability_last"], atol=1e-14
      )

  def test_seed_draws_the_first_policies(self):
    traces = []
    for seed in (1, 1, 2):
      self._solve("--solver=cfr", f"--seed={seed}", "--overwrite")
      self.assertEqual(self._flags()["flags"]["seed"], seed)
      traces.append([row["exploitability_last"] for row in self._rows()])
    self.assertEqual(traces[0], traces[1])
    self.assertNotEqual(traces[0][0], traces[2][0])
    self.assertNotAlmostEqual(traces[0][0], 11 / 24)

  def test_precision_is_that_of_the_game(self):
    self._solve("--precision=float32", "--solver=cfr_plus")
    data = _read_policy(self.out)
    single = data["probability"].astype(np.float32)
    np.testing.assert_array_equal(data["probability"], single)

  def test_compiled_games_are_kept(self):
    cache_dir = _new_folder(self)
    gaps_found = []
    for _ in range(2):
      arguments = (*_SMALL, f"--out={self.out}", "--solver=cfr", "--overwrite")
      result = binary.call(*arguments, cache_dir=str(cache_dir))
      self.assertEqual(result.status, 0, result.stderr)
      self.assertLen(list((cache_dir / "games").glob("*.npz")), 1)
      gaps_found.append(self._rows()[-1]["exploitability_average"])
    self.assertEqual(*gaps_found)

  @parameterized.parameters(*game_solvers.SOLVERS)
  def test_every_solver_converges_by_default(self, solver):
    self._solve(f"--solver={solver}", "--updates=2000", "--checkpoints=1")
    row = self._rows()[-1]
    reports = game_solvers.SOLVERS[solver].reports
    self.assertLess(row[f"exploitability_{reports}"], 5e-3)

  def test_simultaneous_updates_differ_from_alternating_ones(self):
    gaps_found = []
    for value in ("true", "false"):
      self._solve(
        "--solver=cfr", f"--config.alternating={value}", "--overwrite"
      )
      gaps_found.append(self._rows()[-1]["exploitability_average"])
    self.assertNotAlmostEqual(*gaps_found)


class RefusalsTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.out = _new_folder(self) / "run"

  def _refused(self, *arguments):
    result = binary.call(*_SMALL, f"--out={self.out}", *arguments)
    self.assertEqual(result.status, 1)
    self.assertEmpty(result.stdout)
    line = result.stderr.strip().splitlines()[-1]
    self.assertStartsWith(line, "solve_game: ")
    self.assertNotIn("Traceback", result.stderr)
    return line

  def test_the_largest_tree_is_that_of_the_library(self):
    limit = solve_game._MAX_HISTORIES.default
    self.assertEqual(limit, openspiel.MAX_HISTORIES)

  @parameterized.parameters(
    (["--game=leduk_poker"], "'leduk_poker': did you mean leduc_poker"),
    (["--game=missing.efg"], "no file 'missing.efg'"),
    (["--game=liars_dice_ir"], "`game` must have perfect recall"),
    (["--max_histories=10"], "`max_histories` is 10.*raise the limit"),
    (["--game=connect_four"], r"connect_four.* has more: about \d.* GiB"),
    (["--config.step_size=-1"], r"`step_size` must lie in \(0.*got -1"),
    (["--config.step_size=1e308"], "`step_size` must be.*got 1e\\+308 times"),
    (["--config.temperature=-1"], r"`temperature` must lie in \[0.*got -1"),
    (["--config.step_power=-1"], r"`step_power` must lie in \[0.*got -1"),
    (["--config.step_power=1e308"], r"in \[0, 10\], got 1e\+308"),
    (["--config.average_power=-1"], r"`power` must lie in \[0.*got -1"),
    (["--config.mirror_map=round"], "`mirror_map` must be .*got 'round'"),
    (["--config.tsallis_order=0.3"], "tsallis_order.*mirror_map=tsallis"),
    (["--config.feedback=x"], "`feedback` must be sequence.*got 'x'"),
    (["--equilibrium=qre"], "`--equilibrium_temperature` must be given"),
    (["--equilibrium_temperature=1"], "is read with.*got equilibrium=None"),
    (
      ["--equilibrium=qre", "--equilibrium_temperature=0"],
      "must be positive, got 0.0",
    ),
    (["--reference=qre"], "`--reference` is called `--equilibrium` now"),
    (
      ["--reference_temperature", "0.1"],
      "`--reference_temperature` is called `--equilibrium_temperature` now",
    ),
    (["--equilibrium=nash", "--precision=float32"], "needs.*got float32"),
    (
      ["--equilibrium=nash", "--game=kuhn_poker(players=3)"],
      "must be two-player zero-sum, got 3 players",
    ),
    (["--config.step_delay=3"], "step_delay.*does nothing.*step_power"),
    (["--config.stepsize=1"], "`--config.stepsize` is no hyper-parameter"),
    (
      ["--solver=cfr", "--config.step_size=1"],
      "step_size` is no hyper-parameter of cfr, which has alternating",
    ),
    (["--resume", "--overwrite"], "exclude each other"),
  )
  def test_bad_input_ends_with_one_line(self, arguments, pattern):
    self.assertRegex(self._refused(*arguments), pattern)
    self.assertFalse(self.out.exists())

  def test_folder_that_cannot_be_made(self):
    file = _new_folder(self) / "file"
    file.touch()
    result = binary.call(*_SMALL, f"--out={file}/run")
    self.assertEqual(result.status, 1)
    self.assertRegex(result.stderr, "`--out` must be a folder.*Not a directory")

  def test_numbers_that_are_not_finite_stop_the_run(self):
    line = self._refused("--config.step_size=5e307", "--config.temperature=0")
    self.assertRegex(line, "must be finite, got nan for .* after 1 updates")

  def test_folder_of_another_run(self):
    binary.call(*_SMALL, f"--out={self.out}", "--solver=cfr")
    before = (self.out / "trace.jsonl").read_bytes()
    line = self._refused("--solver=cfr")
    self.assertRegex(line, "holds a run already.*--resume.*--overwrite")
    self.assertEqual((self.out / "trace.jsonl").read_bytes(), before)
    for change, pattern in (
      ("--solver=cfr_plus", "must keep --solver=cfr .*got cfr_plus"),
      ("--game=leduc_poker", "must keep --game=kuhn_poker .*got leduc"),
      ("--precision=float32", "must keep --precision=float64"),
      ("--checkpoints=6", "must keep --checkpoints=5"),
      ("--seed=1", "must keep --seed=0"),
      ("--config.average_power=1", "--config.average_power=0.0.*got 1.0"),
      ("--updates=39", "`--updates` must be at least the 40"),
    ):
      line = self._refused("--solver=cfr", "--resume", change)
      self.assertRegex(line, pattern)
    self.assertEqual((self.out / "trace.jsonl").read_bytes(), before)

  def test_wrong_flags_end_with_status_one(self):
    for argument in ("--solver=newton", "--updates=0", "--precision=float16"):
      with self.subTest(argument):
        command = [sys.executable, "-m", "experiments.solve_game", argument]
        result = subprocess.run(
          command, cwd=source_tree.ROOT, capture_output=True, text=True
        )
        self.assertEqual(result.returncode, 1)
        self.assertIn(argument.split("=")[0][2:], result.stderr)
        self.assertNotIn("Traceback", result.stderr)


class HelpTest(absltest.TestCase):
  def test_help_names_everything_before_jax_is_imported(self):
    result = subprocess.run(
      [
        sys.executable,
        *("-X", "importtime"),
        *("-m", "experiments.solve_game", "--help"),
      ],
      cwd=source_tree.ROOT,
      capture_output=True,
      text=True,
      env={**os.environ, "COLUMNS": "500"},
    )
    for name in (*game_solvers.SOLVERS, *game_solvers.FIELDS, "--out"):
      self.assertIn(name, result.stdout.replace("\n    ", ""))
    modules = {
      line.rsplit("|", 1)[1].strip() for line in result.stderr.splitlines()
    }
    self.assertIn("experiments.registry.game_solvers", modules)
    self.assertEmpty(modules & {"jax", "numpy", "pyspiel", "matplotlib"})

  def test_list_of_solvers(self):
    result = binary.call("--list_solvers")
    self.assertEqual(result.status, 0)
    for name in game_solvers.SOLVERS:
      self.assertRegex(result.stdout, rf"(?m)^{name}: ")
    self.assertLessEqual(max(map(len, result.stdout.splitlines())), 80)


if __name__ == "__main__":
  absltest.main()
