"""Tests of the binary that compares solvers of preference games."""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.preferences import league_table, named_games
from experiments.registry import preference_solvers
from mdrl.evaluation import linear_program, preferences
from mdrl.games import preference_game
from mdrl.preferences import models
from mdrl.trees import quantities
from tests import source_tree
from tests.experiments.preferences import preference_binary

_QUICK = ("--updates=50", "--checkpoints=4")


class SolvePreferenceTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.folder = pathlib.Path(folder)
    self.out = self.folder / "run"

  def _solve(self, *arguments, league=False):
    result = preference_binary.call(
      *_QUICK, f"--out={self.out}", *arguments, league=league
    )
    self.assertEqual(result.status, 0, result.stderr)
    return result

  def _assert_refuses(self, message, *arguments):
    result = preference_binary.call(f"--out={self.out}", *arguments)
    self.assertNotEqual(result.status, 0)
    self.assertRegex(result.stderr, message)
    self.assertLen(result.stderr.strip().splitlines(), 1)
    self.assertEqual(result.stdout, "")
    self.assertFalse(self.out.exists())

  def _rows(self):
    lines = (self.out / "trace.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]

  def _policies(self):
    with np.load(self.out / "policy.npz") as data:
      return dict(data)

  def test_the_command_of_the_readme(self):
    result = self._solve(
      "--game=cyclic_dice",
      "--solver=nash_mirror_prox",
      "--temperature=0.1",
      "--reference=skewed",
      "--updates=200",
    )
    names = {path.name for path in self.out.iterdir()}
    self.assertEqual(
      names,
      {
        "flags.json",
        "trace.jsonl",
        "policy.npz",
        "comparison.png",
        "simplex.png",
        "checkpoint",
      },
    )
    self.assertIn("not transitive, without a Condorcet winner", result.stdout)
    self.assertIn("nash_mirror_prox", result.stdout)
    saved = self._policies()
    expected = [0.697734, 0.180430, 0.121836]
    np.testing.assert_allclose(saved["policy_0"][0, 0], expected, atol=1e-6)
    np.testing.assert_allclose(
      saved["preferences"][0, 0], models.dice(), atol=1e-15
    )
    row = self._rows()[-1]
    self.assertEqual((row["step"], row["queries"]), (200, 400))
    for metric in ("divergence", "regularized_gap"):
      self.assertLess(max(map(abs, row[metric])), 1e-14)
    record = json.loads((self.out / "flags.json").read_text())
    self.assertLess(record["game"]["equilibrium_residual"], 1e-14)
    self.assertEqual(record["flags"]["solvers"], ["nash_mirror_prox"])
    for name in ("comparison.png", "simplex.png"):
      self.assertStartsWith((self.out / name).read_bytes(), b"\x89PNG")

  @pytest.mark.slow
  def test_all_solvers_run_by_default(self):
    result = self._solve("--game=three_raters(epsilon=0.1)", "--updates=5")
    for name in preference_solvers.SOLVERS:
      self.assertRegex(result.stdout, rf"(?m)^{name} ")
    table = result.stdout.splitlines()[1:-1]
    self.assertLessEqual(max(map(len, table)), 80)
    saved = self._policies()
    self.assertLen(saved["results"], len(preference_solvers.SOLVERS))
    for number in range(len(preference_solvers.SOLVERS)):
      np.testing.assert_allclose(
        saved[f"policy_{number}"].sum(axis=-1), 1, atol=1e-12
      )

  def test_measures_are_those_of_the_library(self):
    self._solve(
      "--game=uniform",
      "--responses=4",
      "--contexts=2",
      "--batch=3",
      "--seed=5",
      "--reference=random",
      "--solver=egpo",
      "--temperature=0.2",
      "--updates=6",
    )
    saved, row = self._policies(), self._rows()[-1]
    for metric in ("duality_gap", "regularized_gap", "divergence"):
      each = row[f"{metric}_by_game"]
      self.assertLen(set(each), 3)
      self.assertEqual(row[metric], sorted(each))
    measured = {"duality_gap": [], "regularized_gap": [], "divergence": []}
    for k in range(3):
      matrices = np.stack([models.uniform(4, 5 + 2 * k + x) for x in range(2)])
      np.testing.assert_allclose(saved["preferences"][k], matrices, atol=1e-15)
      game = preference_game.preference_game(matrices, saved["reference"][k])
      policy = game.slots(jnp.asarray(saved["policy_0"][k]))
      plans = game.plans(quantities.Policies((policy,)))
      target = game.plans(preferences.equilibrium(game, 0.2))
      measured["duality_gap"].append(preferences.duality_gap(game, plans))
      measured["regularized_gap"].append(
        preferences.regularized_gap(game, plans, 0.2)
      )
      measured["divergence"].append(preferences.divergence(game, target, plans))
    for metric, values in measured.items():
      means = np.mean(values, axis=1)
      np.testing.assert_allclose(
        row[metric],
        [means.min(), np.median(means), means.max()],
        atol=1e-12,
      )

  def test_sweeps_make_a_line_each(self):
    self._solve(
      "--solver=egpo,nash_md",
      "--temperature=0.2,0.1",
      "--step_size=0.5,1.0",
    )
    settings = {
      (r["solver"], r["temperature"], r["step_size"]) for r in self._rows()
    }
    self.assertEqual(
      settings,
      {
        ("egpo", 0.2, 0.5),
        ("egpo", 0.2, 1.0),
        ("egpo", 0.1, 0.5),
        ("egpo", 0.1, 1.0),
        ("nash_md", 0.2, None),
        ("nash_md", 0.1, None),
      },
    )

  def test_a_sweep_gives_what_its_parts_give(self):
    common = ("--game=uniform", "--batch=3", "--responses=4", "--solver=egpo")
    self._solve(*common, "--temperature=0.2,0.1", "--chunk=2")
    together = self._policies()["policy_1"]
    self._solve(*common, "--temperature=0.1", "--overwrite")
    np.testing.assert_allclose(
      self._policies()["policy_0"], together, atol=1e-13
    )
    # Each is measured by the equilibrium of its own temperature.
    self.assertLess(self._rows()[-1]["divergence"][2], 1e-4)

  def test_each_temperature_has_its_own_equilibrium(self):
    self._solve(
      "--solver=nash_mirror_prox", "--temperature=0.5,0.1", "--updates=200"
    )
    for row in self._rows():
      if row["step"] == 200:
        self.assertLess(row["divergence"][2], 1e-13)

  def test_games_differ_in_references_and_comparisons(self):
    self._solve(
      "--game=cyclic_dice",
      "--solver=sppo",
      "--batch=3",
      "--reference=random",
      "--comparisons=20",
    )
    saved = self._policies()
    for name in ("reference", "preferences"):
      for a, b in ((0, 1), (1, 2)):
        self.assertTrue((saved[name][a] != saved[name][b]).any(), name)
    self._solve(
      "--game=uniform",
      "--solver=sppo",
      "--contexts=2",
      "--comparisons=9",
      "--reference=random",
      "--overwrite",
    )
    saved = self._policies()
    for name in ("reference", "preferences"):
      self.assertTrue((saved[name][0, 0] != saved[name][0, 1]).any(), name)

  def test_equal_contexts_have_comparisons_of_their_own(self):
    path = self.folder / "rates.npy"
    np.save(path, np.stack([models.cycle(5, 0.6)] * 2))
    self._solve(f"--game={path}", "--solver=sppo", "--comparisons=20")
    seen = self._policies()["preferences"][0]
    self.assertTrue((seen[0] != seen[1]).any())

  def test_comparisons_do_not_know_the_game(self):
    # Drawn from the stream of the game itself, they would be its rounding.
    self._solve(
      "--game=uniform", "--solver=sppo", "--responses=30", "--comparisons=1"
    )
    seen = self._policies()["preferences"][0, 0]
    rounded = np.round(models.uniform(30, 0))
    below = np.tril_indices(30, -1)
    self.assertGreater(np.mean(seen[below] != rounded[below]), 0.1)

  @pytest.mark.slow
  def test_games_have_samples_of_their_own(self):
    self._solve(
      "--game=cyclic_dice",
      "--solver=spo_queue",
      "--batch=2",
      "--reference=random",
    )
    self._solve(
      "--game=rock_paper_scissors",
      "--solver=spo_queue",
      "--seed=3",
      "--comparisons=1",
      "--batch=2",
      "--overwrite",
    )
    saved = self._policies()
    np.testing.assert_array_equal(saved["reference"][0], saved["reference"][1])
    self.assertTrue((saved["policy_0"][0] != saved["policy_0"][1]).any())

  def test_queries_count_those_before_the_first_update(self):
    self._solve("--solver=mirror_prox,rlhf", "--updates=5")
    last = {r["solver"]: r["queries"] for r in self._rows() if r["step"] == 5}
    self.assertEqual(last, {"mirror_prox": 11, "rlhf": 3})

  def test_the_table_shows_the_last_measures(self):
    result = self._solve("--solver=nash_mirror_prox", "--updates=3")
    row = self._rows()[-1]
    self.assertIn(f"{row['duality_gap'][1]:.1e}", result.stdout)
    self.assertIn(f"{row['divergence'][1]:.1e}", result.stdout)

  def test_reads_win_rates(self):
    path = self.folder / "rates.CSV"
    with open(path, "w", newline="") as file:
      writer = csv.writer(file)
      writer.writerow(["", "short", "long", "polite"])
      for name, row in zip(("short", "long", "polite"), models.cycle(3, 0.9)):
        writer.writerow([name, *row])
    self._solve(f"--game={path}", "--solver=comal")
    saved = self._policies()
    self.assertEqual(saved["responses"].tolist(), ["short", "long", "polite"])

  def test_reads_openspiel(self):
    result = self._solve("--game=openspiel:matrix_rps", "--solver=spo")
    self.assertIn("openspiel:matrix_rps: 3 responses", result.stdout)

  @pytest.mark.slow
  def test_seeds_change_games_and_repeat(self):
    common = ("--game=skew_low_rank(scale=2)", "--solver=spo_queue")
    found = []
    for seed in (0, 0, 1):
      self._solve(*common, f"--seed={seed}", "--overwrite")
      found.append(self._policies()["policy_0"])
    np.testing.assert_array_equal(found[0], found[1])
    self.assertTrue((found[0] != found[2]).any())

  def test_raters_may_err(self):
    self._solve("--game=rock_paper_scissors", "--solver=spo", "--flip=0.25")
    np.testing.assert_allclose(
      self._policies()["preferences"][0, 0],
      models.cycle(3, 0.75),
      atol=1e-15,
    )

  def test_single_precision(self):
    self._solve("--solver=nash_mirror_prox", "--precision=float32")
    self.assertEqual(self._policies()["policy_0"].dtype, np.float32)

  def test_the_league_of_several_games_is_their_mean(self):
    result = self._solve(
      "--game=uniform",
      "--responses=4",
      "--batch=2",
      "--solver=nash_mirror_prox",
      "--temperature=0.3,0.1",
      "--updates=300",
      league=True,
    )
    with open(self.out / "league.csv", newline="") as file:
      rows = list(csv.reader(file))
    table = np.array([row[1:] for row in rows[1:]], float)
    rates, held = np.split(table, [-2], axis=1)
    saved = self._policies()
    entrants = [
      saved["reference"],
      saved["policy_0"],
      np.stack(
        [
          linear_program.minimax_winner(preference_game.preference_game(p))
          for p in saved["preferences"]
        ]
      ),
      saved["policy_0"],
      saved["policy_1"],
    ]
    expected = np.mean(
      [
        [
          [x[k, 0] @ saved["preferences"][k, 0] @ y[k, 0] for y in entrants]
          for x in entrants
        ]
        for k in range(2)
      ],
      axis=0,
    )
    # The equilibrium that takes part is that of the first temperature.
    np.testing.assert_allclose(rates, expected, atol=1e-9)
    # No policy holds a contestant to less than the best pure response does.
    least = np.array(
      [
        [(x[k, 0] @ saved["preferences"][k, 0]).min() for x in entrants]
        for k in range(2)
      ]
    )
    np.testing.assert_allclose(held[:, 0], least.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(held[:, 1], least.min(axis=0), atol=1e-9)
    self.assertGreater((held[:, 0] - held[:, 1]).max(), 0.01)
    lines = result.stdout.splitlines()
    self.assertLess(max(map(len, lines)), 81)
    *_, line = [x for x in lines if "1 reference" in x]
    shown = [rates[0].min(), *held[0]]
    self.assertEqual(line.split()[2:], [f"{100 * x:.1f}" for x in shown])

  def test_wide_leagues_are_printed_in_parts(self):
    size = 40
    names = [f"contestant_{k}" for k in range(size)]
    rates = np.linspace(0, 1, size * size).reshape(size, size)
    league = league_table.League(names, rates, np.full((1, size), 0.25))
    lines = league_table.text(league).splitlines()
    self.assertLess(max(map(len, lines)), 81)
    parts = [x.split()[2:] for x in lines if " contestant_7 " in x]
    self.assertEqual(parts[-1][1:], ["25.0", "25.0"])
    cells = [cell for part in parts[:-1] for cell in part]
    self.assertEqual(cells, [f"{100 * rate:.0f}" for rate in rates[7]])

  def test_a_contestant_without_numbers_spoils_its_own_row_alone(self):
    rates = np.array([[0.5, np.nan, 0.4], [np.nan] * 3, [0.6, np.nan, 0.5]])
    held = np.array([[0.3, np.nan, 0.4]])
    text = league_table.text(league_table.League(["a", "b", "c"], rates, held))
    shown = [line.split()[1:] for line in text.splitlines()[-3:]]
    self.assertEqual(shown[0], ["a", "40.0", "30.0", "30.0"])
    self.assertEqual(shown[1], ["b", "nan", "nan", "nan"])

  def test_the_league_is_antisymmetric_around_a_half(self):
    result = self._solve(
      "--game=rock_paper_scissors",
      "--reference=skewed",
      "--solver=comal,rlhf,nash_mirror_prox",
      "--updates=500",
      league=True,
    )
    with open(self.out / "league.csv", newline="") as file:
      rows = list(csv.reader(file))
    names = [
      "reference",
      "equilibrium",
      "minimax winner",
      "comal",
      "rlhf",
      "nash_mirror_prox",
    ]
    self.assertEqual(
      rows[0], ["", *names, "best response", "best response, worst game"]
    )
    self.assertEqual([row[0] for row in rows[1:]], names)
    rates = np.array([row[1:-2] for row in rows[1:]], float)
    np.testing.assert_allclose(rates + rates.T, 1, atol=1e-12)
    # Nobody beats a minimax winner; the equilibrium is that of its solver.
    np.testing.assert_allclose(rates[2], 0.5, atol=1e-9)
    np.testing.assert_allclose(rates[1], rates[5], atol=1e-9)
    policy = self._policies()["policy_1"][0, 0]
    reference = self._policies()["reference"][0, 0]
    self.assertAlmostEqual(
      rates[4, 0], policy @ models.cycle(3) @ reference, places=12
    )
    self.assertIn("5 rlhf", result.stdout)
    self.assertTrue((self.out / "league.png").exists())

  @parameterized.parameters(
    ("`--game` must be one of .*got 'chess'", "--game=chess"),
    ("no parameter 'eps'", "--game=three_raters(eps=1)"),
    ("give epsilon a number", "--game=three_raters(epsilon=a)"),
    (r"`epsilon` must lie in", "--game=three_raters(epsilon=0.9)"),
    (
      "nash_md: `.*` must .*; choose another --temperature\n",
      "--solver=nash_md",
      "--temperature=1e-320",
    ),
    (
      r"`label_smoothing` must lie in .*\d\n",
      "--solver=iterative_dpo",
      "--label_smoothing=0.7",
    ),
    ("size and seed are --responses", "--game=uniform(num_responses=3)"),
    ("`path` must be a file", "--game=missing.csv"),
    ("`game` must be", "--game=openspiel:matrix_pd"),
    ("`--solver` must be all", "--solver=ppo"),
    ("each solver once", "--solver=egpo,egpo"),
    ("must be positive numbers, got 'x'", "--temperature=x"),
    ("must be positive numbers, got '-1'", "--step_size=-1"),
    ("must be positive numbers, got 'nan'", "--temperature=nan"),
    ("each value once", "--temperature=0.1,0.1"),
    ("`step_size` times `temperature`", "--solver=egpo", "--step_size=30"),
    ("read by nash_ema alone", "--solver=egpo", "--decay=0.5"),
    ("whole number", "--solver=magnetic_preference", "--period=1.5"),
    ("`momentum` must", "--solver=apo", "--momentum=2"),
    ("is for elo, .* alone, got cyclic_dice", "--responses=5"),
    ("as many times over", "--batch=4"),
    ("flip", "--flip=0.9"),
    ("give epsilon once", "--game=three_raters(epsilon=0.1,epsilon=0.2)"),
    (
      "does nothing for nash_md, mtpo",
      "--solver=nash_md,mtpo",
      "--step_size=1",
    ),
    ("num_samples", "--solver=spo_queue", "--num_samples=100"),
  )
  def test_refuses(self, message, *arguments):
    self._assert_refuses(message, *arguments)

  def test_refuses_a_table_that_is_none(self):
    path = self.folder / "rates.csv"
    path.write_text("0.5,0.7\n0.4,0.5\n")
    self._assert_refuses(
      "add up to 1 .*got 0.7 at .*row 0, column 1 and 0.4", f"--game={path}"
    )

  def test_does_not_overwrite_unasked(self):
    self._solve("--solver=sppo")
    result = preference_binary.call(
      *_QUICK, f"--out={self.out}", "--solver=sppo"
    )
    self.assertEqual(result.status, 1)
    self.assertIn("--overwrite", result.stderr)
    self.assertIn("--resume", result.stderr)

  def test_a_lost_response_is_an_infinite_divergence(self):
    self._solve(
      "--game=rock_paper_scissors",
      "--solver=sppo",
      "--step_size=1e4",
      "--reference=skewed",
    )
    row = self._rows()[-1]
    self.assertEqual(row["divergence"], [None, None, None])
    self.assertGreater(row["duality_gap"][0], 0.9)

  def test_what_is_no_number_is_said_after_the_table(self):
    result = preference_binary.call(
      *_QUICK,
      f"--out={self.out}",
      "--solver=egpo,sppo",
      "--step_size=1e308,1.0",
      "--temperature=1e-308",
      "--updates=2",
    )
    self.assertEqual(result.status, 1)
    self.assertIn("ceased to be numbers within", result.stderr)
    self.assertIn("sppo", result.stdout)

  def test_help_does_not_import_jax(self):
    code = (
      "import sys; from experiments import solve_preference, "
      "preference_league; sys.exit('jax' in sys.modules)"
    )
    subprocess.run(
      [sys.executable, "-c", code], check=True, cwd=source_tree.ROOT
    )

  def test_lists(self):
    listed = preference_binary.call("--list_solvers", "--list_games").stdout
    for name in (*preference_solvers.SOLVERS, *named_games.GAMES):
      self.assertIn(name, listed)


if __name__ == "__main__":
  absltest.main()
