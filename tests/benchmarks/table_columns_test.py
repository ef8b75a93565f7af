"""Tests of what the table of solvers measures and how it compares."""

import pathlib
import sys
import tempfile
from unittest import mock

from absl.testing import absltest, parameterized

from benchmarks import game_set, run_one, table_columns, table_text


def _settings(**fields):
  given = {
    "seconds": 0.01,
    "budget": 0.1,
    "limit": 60.0,
    "interpreters": {},
    "columns": table_columns.FULL,
  }
  return table_columns.Settings(**(given | fields))


def _columns(*args, **fields):
  return {name for name, _ in table_columns.cells(_settings(**fields), *args)}


class CellsTest(absltest.TestCase):
  def test_large_games_are_left_out(self):
    small = _columns("kuhn_poker", 58)
    middle = _columns("liars_dice(dice_sides=5)", 51_181)
    large = _columns(game_set.POKER, 919_105)
    self.assertEqual(small - middle, {"openspiel_mmd"})
    self.assertEqual(middle - large, {"openspiel_jax_cfr", "highs"})
    self.assertIn("ours_float32", large)

  def test_a_matrix_is_no_tree(self):
    self.assertEqual(
      _columns(game_set.MATRIX, 4_002_001),
      {"ours_float32", "ours_float64", "c_double", "c_float"},
    )

  def test_environments_are_used_where_given(self):
    without = _columns("kuhn_poker", 58)
    both = {"liteefg": "python", "noregret": "python"}
    given = _columns("kuhn_poker", 58, interpreters=both)
    self.assertEqual(given - without, {"liteefg", "noregret"})

  def test_our_family_is_measured_in_both_precisions(self):
    found = set(table_columns.cells(_settings(), "kuhn_poker", 58))
    for solver in ("cfr_plus", "pcfr_plus", "magnetic"):
      for precision in ("float32", "float64"):
        self.assertIn((f"ours_{precision}", solver), found)

  def test_solvers_are_those_of_their_engines(self):
    for columns in (table_columns.QUICK, table_columns.FULL):
      for name, solvers in columns.items():
        self.assertContainsSubset(solvers, table_columns.COLUMNS[name].solvers)
    with self.assertRaisesRegex(ValueError, "`engine` must be one of"):
      run_one.prepare("none", "kuhn_poker", "cfr_plus", "float32")


class CellTest(absltest.TestCase):
  def _cell(self, code, limit=60.0):
    column = table_columns.Column("a title", ("tests",), ("cfr_plus",))
    folder = self.enterContext(tempfile.TemporaryDirectory())
    python = pathlib.Path(folder) / "python"
    python.write_text(f"#!{sys.executable}\n{code}\n")
    python.chmod(0o700)
    with (
      mock.patch.dict(table_columns.COLUMNS, {"it": column}),
      mock.patch.object(table_columns.sys, "executable", str(python)),
    ):
      return table_columns.cell(_settings(limit=limit), "g", "it", "cfr_plus")

  def test_the_last_line_counts(self):
    found = self._cell("print('hello'); print('{}'); print('{\"a\": 1}')")
    self.assertEqual(found, {"a": 1})

  def test_failures_take_one_line(self):
    with self.assertRaisesRegex(ValueError, "^it went wrong$"):
      self._cell("import sys; print('x'); sys.exit('before\\nit went wrong')")

  def test_silence_is_a_failure(self):
    with self.assertRaisesRegex(ValueError, "status 0"):
      self._cell("")

  def test_long_cells_are_given_up(self):
    with self.assertRaisesRegex(ValueError, "took more than 0.01 seconds"):
      self._cell("import time; time.sleep(60)", limit=0.01)


def _figures(rate):
  return {"cfr_plus": {"updates_per_cpu_second": rate}}


class RatiosTest(parameterized.TestCase):
  def test_the_fastest_peer(self):
    found = {
      "ours_float32": _figures(30.0),
      "ours_float64": _figures(1e9),
      "c_double": _figures(60.0),
      "c_float": _figures(1e9),
      "openspiel_cpp": _figures(2.0),
      "noregret": _figures(6.0),
      "liteefg": {"magnetic": {"updates_per_cpu_second": 1e9}},
    }
    self.assertEqual(
      table_columns.ratios(found),
      {
        "ratio_to_c": 0.5,
        "ratio_to_fastest_peer": 5.0,
        "fastest_peer": "noregret",
      },
    )

  def test_what_was_not_measured_is_not_compared(self):
    self.assertEqual(table_columns.ratios({"ours_float32": _figures(30.0)}), {})
    self.assertEqual(table_columns.ratios({"c_double": _figures(30.0)}), {})


class TableTest(absltest.TestCase):
  def test_headings_tell_games_apart(self):
    shown = {
      table_text.heading({"game": game, "histories": 1234})
      for game in game_set.GAMES
    }
    self.assertLen(shown, len(game_set.GAMES))
    self.assertIn("kuhn_poker: 1,234 histories", shown)

  def test_lines(self):
    ours = {
      "updates_per_cpu_second": 57_184.0,
      "updates_per_wall_second": 999.6,
      "cpu_seconds_to_0.01": 2.324,
      "wall_seconds_to_0.01": 2.5,
      "build_cpu_seconds": 0.0012,
      "build_wall_seconds": 0.5,
      "compile_cpu_seconds": 1.5,
      "compile_wall_seconds": 1.75,
      "warm_compile_cpu_seconds": 0.25,
      "peak_megabytes": 281.4,
    }
    row = {
      "cells": {"ours_float32": {"cfr_plus": ours}, "highs": {"exact": {}}},
      "ratio_to_fastest_peer": 55.55,
      "fastest_peer": "liteefg",
    }
    self.assertEqual(
      table_text.text_lines(row, ["ours_float32", "highs"]),
      [
        ["CFR+, updates/s", "57.2k / 1k", "-"],
        ["CFR+, s to 0.01", "2.32 / 2.5", "-"],
        ["build, s", "<0.01 / 0.5", "-"],
        ["compile, s", "1.5 / 1.75", "-"],
        ["compile, s, from disk", "0.25 / -", "-"],
        ["peak memory, MB", "281", "-"],
        ["CFR+ / that of LiteEFG", "55.5", "-"],
      ],
    )


if __name__ == "__main__":
  absltest.main()
