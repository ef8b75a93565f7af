"""Tests of the binary that sweeps over hyper-parameters."""

import csv
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
from typing import Any
from unittest import mock

from absl import flags
from absl.testing import absltest, parameterized
import jax
import numpy as np
import pytest

from experiments import sweep_game
from experiments.registry import game_factory, game_solvers
from experiments.sweeping import batch as batch_lib
from experiments.sweeping import grid as grid_lib
from experiments.sweeping import heat_map, run_grid
from mdrl import run
from mdrl.compile import openspiel
from mdrl.evaluation import gaps, payoff_norm
from mdrl.games import base as game_lib
from tests import source_tree
from tests.experiments import binary, interruption


def _call(*arguments):
  """Returns the exit status, standard output and standard error."""
  return binary.call_main(sweep_game, sweep_game.define, *arguments)


def _alone(solver, values, seed, steps):
  """Returns the exploitabilities of one run, without a batch."""
  game, _ = openspiel.compile_game("kuhn_poker")
  norm = payoff_norm.payoff_norm(game)
  averaged = game_factory.make(
    solver, game_solvers.resolve(solver, values), norm
  )
  reports = game_solvers.SOLVERS[solver].reports
  chosen = averaged.solver if reports == "last" else averaged
  policies = (
    game_lib.random_policies(game, jax.random.key(seed)) if seed else None
  )
  state = run.init(chosen, game, policies)
  return run.run(chosen, game, run.of_plans(gaps.exploitability), steps, state)[
    1
  ].metrics


class SweepGameTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.parent = pathlib.Path(folder)
    self.out = self.parent / "sweep"

  def test_the_largest_tree_is_that_of_the_library(self):
    values = flags.FlagValues()
    sweep_game.define(values)
    self.assertEqual(values["max_histories"].default, openspiel.MAX_HISTORIES)

  def test_steps_far_above_any_bound_are_called_out(self):
    status, stdout, stderr = _call(
      "--game=kuhn_poker",
      "--grid=step_size=1e5,1",
      "--updates=20",
      "--fixed=mirror_map=entropy",
      f"--out={self.out}",
    )
    self.assertEqual(status, 0, stderr)
    self.assertRegex(stdout, r"steps of 100000 are far above .*`--grid`")

  @parameterized.parameters(
    ("dcfr", "positive_power=1,2;average_power=0,1,2"),
    ("magnetic_refreshed", "period=1,3;step_size=0.1,0.2,0.4"),
  )
  def test_every_run_is_that_of_its_setting(self, solver, grid):
    status, stdout, stderr = _call(
      "--game=kuhn_poker",
      f"--solver={solver}",
      f"--grid={grid}",
      "--seeds=2",
      "--updates=20",
      "--checkpoints=3",
      f"--out={self.out}",
    )
    self.assertEqual(status, 0, stderr)
    with open(self.out / "table.csv", newline="") as file:
      rows = list(csv.DictReader(file))
    steps = [0, 1, 4, 20]
    self.assertLen(rows, 6 * 2 * len(steps))
    found = {}
    for row in rows:
      gap, seed = float(row.pop("exploitability")), int(row.pop("seed"))
      step = int(row.pop("step"))
      values = {
        name: game_solvers.FIELDS[name].type(value)
        for name, value in row.items()
      }
      found.setdefault((seed, *values.items()), []).append((step, gap))
    self.assertLen(found, 12)
    for (seed, *items), trace in found.items():
      self.assertEqual([step for step, _ in trace], steps)
      np.testing.assert_allclose(
        [gap for _, gap in trace],
        _alone(solver, dict(items), seed, steps),
        rtol=1e-9,
      )
    best = min(
      np.median(
        [trace[-1][1] for key, trace in found.items() if key[1:] == items]
      )
      for items in {key[1:] for key in found}
    )
    self.assertIn(f"{best:.3e}", stdout.splitlines()[1])
    self.assertIn("12 runs in", stdout)
    record = json.loads((self.out / "flags.json").read_text())
    self.assertEqual(record["flags"]["grid"], grid)
    self.assertGreater((self.out / "heatmap.png").stat().st_size, 10_000)

  def test_settings_that_diverge_are_not_among_the_best(self):
    status, stdout, stderr = _call(
      "--game=kuhn_poker",
      "--grid=step_size=5e307,0.5,1",
      "--fixed=temperature=0",
      "--updates=3",
      "--checkpoints=1",
      f"--out={self.out}",
    )
    self.assertEqual(status, 0, stderr)
    lines = stdout.splitlines()
    self.assertEqual(lines[3], "  1 setting ended in no finite number")
    self.assertNotIn("5e+307", stdout)
    self.assertIn("step_size=", lines[2])

  def test_bad_input(self):
    for arguments, message in (
      (["--grid=step_size=-1"], "`step_size` must lie in"),
      (["--grid=size=1"], "no hyper-parameter"),
      (["--game=kuhn"], "did you mean"),
      (["--game=kuhn_poker", "--max_histories=3"], "max_histories"),
    ):
      status, _, stderr = _call(f"--out={self.out}", *arguments)
      self.assertEqual(status, 1)
      self.assertRegex(stderr, message)
      self.assertLen(stderr.strip().splitlines(), 1)
      self.assertFalse(self.out.exists())

  def _small(self, *arguments, out="sweep"):
    return _call(
      "--game=kuhn_poker",
      "--grid=step_size=0.25,0.5,1",
      "--fixed=temperature=0",
      "--seeds=2",
      "--updates=30",
      "--checkpoints=4",
      "--save_seconds=0",
      f"--out={self.parent / out}",
      *arguments,
    )

  def test_keeps_what_is_there(self):
    self.assertEqual(self._small().status, 0)
    before = (self.out / "table.csv").read_bytes()
    result = self._small()
    self.assertEqual(result.status, 1)
    self.assertRegex(result.stderr, "--resume.*--overwrite")
    self.assertEqual((self.out / "table.csv").read_bytes(), before)
    self.assertEqual(self._small("--overwrite", "--updates=3").status, 0)
    self.assertNotEqual((self.out / "table.csv").read_bytes(), before)

  @parameterized.parameters(2, 5)
  def test_a_sweep_that_died_goes_on(self, pieces):
    self.assertEqual(self._small(out="whole").status, 0)
    with interruption.dying(pieces):
      self._small()
    self.assertFalse((self.out / "table.csv").exists())
    result = self._small("--resume")
    self.assertEqual(result.status, 0, result.stderr)
    self.assertIn("compiling 6 runs", result.stderr)
    found = interruption.left(self.out)
    self.assertEqual(found, interruption.left(self.parent / "whole"))
    # What is finished is read, not run.
    (self.out / "heatmap.png").unlink()
    result = self._small("--resume")
    self.assertNotIn("compiling", result.stderr)
    self.assertEqual(interruption.left(self.out), found)

  def test_a_sweep_that_died_before_any_row_blocks_nothing(self):
    with (
      mock.patch.object(
        run_grid.host_loop, "drive", side_effect=interruption.Died
      ),
      self.assertRaises(interruption.Died),
    ):
      self._small()
    self.assertTrue((self.out / "flags.json").exists())
    self.assertEqual(self._small("--updates=3").status, 0)

  def test_more_updates_extend_a_sweep(self):
    grid = "--grid=step_size=0.25,0.5,5e307"
    self.assertEqual(self._small(grid, "--updates=30").status, 0)
    self.assertEqual(self._small(grid, "--updates=60", "--resume").status, 0)
    self.assertEqual(self._small(grid, "--updates=60", out="whole").status, 0)
    rows, whole = (
      {row["step"]: row for row in interruption.left(path)["trace.jsonl"]}
      for path in (self.out, self.parent / "whole")
    )
    self.assertEqual(rows[60], whole[60])
    self.assertEqual(rows[60]["exploitability"][2], [None, None])

  def test_foreign_sweeps_are_refused(self):
    self.assertEqual(self._small().status, 0)
    before = interruption.left(self.out)
    for arguments, message in (
      (["--grid=step_size=0.25"], "must keep --grid=step_size=0.25,0.5,1"),
      (["--seeds=1"], "must keep --seeds=2"),
      (["--fixed="], "must keep --fixed=temperature=0"),
      (["--precision=float32"], "must keep --precision=float64"),
      (["--checkpoints=5"], "must keep --checkpoints=4"),
      (["--game=leduc_poker"], "must keep --game=kuhn_poker"),
      (["--updates=29"], "`--updates` must be at least the 30"),
      (["--overwrite"], "exclude each other"),
    ):
      result = self._small("--resume", *arguments)
      self.assertEqual(result.status, 1)
      self.assertRegex(result.stderr, f"^sweep_game: .*{message}")
      self.assertLen(result.stderr.splitlines(), 1)
    with mock.patch.object(batch_lib, "num_devices", return_value=3):
      result = self._small("--resume")
    self.assertRegex(result.stderr, r"number of devices .*, ., got 3")
    self.assertEqual(interruption.left(self.out), before)

  def test_an_edited_game_is_refused(self):
    path = self.parent / "game.efg"
    text = 'EFG 2 R "" { "a" "b" }\np "" 1 1 "" { "x" "y" } 0\n'
    text += 't "" 1 "" { 1 -1 }\nt "" 2 "" { 0 0 }\n'
    path.write_text(text)
    self.assertEqual(self._small(f"--game={path}").status, 0)
    path.write_text(text + " ")
    result = self._small(f"--game={path}", "--resume")
    self.assertRegex(result.stderr, "must find the file .*game.efg of the run")

  @pytest.mark.slow
  def test_killed_sweeps_end_with_the_same_numbers(self):
    parts, whole = self.out, self.parent / "whole"
    arguments = [
      "--game=kuhn_poker",
      "--grid=step_size=0.25,0.5,1",
      "--seeds=2",
      "--updates=600000",
      "--checkpoints=60",
      "--cpu_devices=4",
      "--cache_dir=",
    ]
    status, stderr, rows = interruption.survive(
      "sweep_game", arguments, parts, kills=2, seed=5
    )
    self.assertEqual(status, 128 + signal.SIGTERM, stderr)
    self.assertRegex(stderr, "stopped by SIGTERM after .* go on by --resume")
    self.assertLess(rows[-1], len(run.log_checkpoints(600_000, 60)))
    for folder in (parts, whole):
      status, _, stderr = interruption.finish(
        "sweep_game", *arguments, f"--out={folder}", "--resume"
      )
      self.assertEqual(status, 0, stderr)
    self.assertEqual(interruption.left(parts), interruption.left(whole))

  def test_help_answers_without_jax(self):
    program = (
      "import sys\nfrom experiments import sweep_game\n"
      "assert 'jax' not in sys.modules"
    )
    subprocess.run(
      [sys.executable, "-c", program], check=True, cwd=source_tree.ROOT
    )


def _cells(axes) -> Any:
  return axes.images[0].get_array()


class SweepPlotsTest(absltest.TestCase):
  def test_cells_are_where_their_values_are(self):
    grid = grid_lib.read(
      "magnetic", "step_size=1,0.5;temperature=0.3,0.1,0.2", ""
    )
    last = np.array([1e-1, 1e-2, 1e-3, np.nan, np.inf, 1e-4])
    fig = heat_map.draw(grid, last, "a game")
    axes = fig.axes[0]
    image = np.ma.filled(_cells(axes), np.nan)
    np.testing.assert_array_equal(
      image, [[np.nan, 1e-4, np.nan], [1e-2, 1e-3, 1e-1]]
    )
    self.assertEqual(axes.images[0].origin, "lower")
    labels = [text.get_text() for text in axes.get_xticklabels()]
    self.assertEqual(labels, ["0.1", "0.2", "0.3"])
    labels = [text.get_text() for text in axes.get_yticklabels()]
    self.assertEqual(labels, ["0.5", "1"])
    self.assertEqual(axes.get_xlabel(), "temperature")
    self.assertEqual(axes.get_ylabel(), "step_size")
    self.assertEqual(
      {
        text.get_position(): (text.get_text(), text.get_color())
        for text in axes.texts
      },
      {
        (1, 0): ("1.0e-04", "black"),
        (0, 1): ("1.0e-02", "white"),
        (1, 1): ("1.0e-03", "black"),
        (2, 1): ("1.0e-01", "white"),
      },
    )

  def test_all_may_be_zero(self):
    grid = grid_lib.read("magnetic", "step_size=1,2;temperature=1", "")
    fig = heat_map.draw(grid, np.zeros(2), "a game")
    self.assertGreater(fig.axes[0].images[0].norm.vmin, 0)

  def test_a_third_hyperparameter_has_panels(self):
    grid = grid_lib.read(
      "magnetic",
      "step_size=1,2;temperature=0.1,0.2;magnet_rate=0,0.1;step_power=0,1",
      "",
    )
    fig = heat_map.draw(grid, np.geomspace(1e-4, 1, 16), "a game")
    titled = [axes for axes in fig.axes if axes.get_title()]
    self.assertEqual(
      [axes.get_title() for axes in titled],
      ["magnet_rate = 0", "magnet_rate = 0.1"],
    )
    # Of the fourth, the better of its two values, which is the first.
    np.testing.assert_allclose(
      _cells(titled[1])[1, 1], np.geomspace(1e-4, 1, 16)[14]
    )

  def test_panels_without_a_value_are_hidden(self):
    grid = grid_lib.read(
      "magnetic",
      "step_size=1,2;temperature=1;magnet_rate=0,0.1,0.2,0.3",
      "",
    )
    fig = heat_map.draw(grid, np.geomspace(1e-4, 1, 8), "a game")
    self.assertEqual(
      [axes.axison for axes in fig.axes[:6]], [True] * 4 + [False] * 2
    )

  def test_one_hyperparameter_is_a_line(self):
    grid = grid_lib.read("magnetic", "step_size=2,1", "")
    fig = heat_map.draw(grid, np.array([0.5, np.inf]), "a game")
    line = fig.axes[0].lines[0]
    np.testing.assert_array_equal(line.get_xdata(), [1, 2])
    np.testing.assert_array_equal(line.get_ydata(), [np.nan, 0.5])


if __name__ == "__main__":
  absltest.main()
