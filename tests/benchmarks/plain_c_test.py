"""Tests of the plain C program against OpenSpiel's CFR+."""

import shutil
from unittest import mock

from absl.testing import absltest, parameterized
import numpy as np
from open_spiel.python import policy as policy_lib
import pyspiel
import pytest

from benchmarks import plain_c
from mdrl.compile import openspiel

needs_cc = pytest.mark.skipif(
  shutil.which("cc") is None,
  reason="the plain C program needs a C compiler, cc",
)


def _tables(name="kuhn_poker"):
  return openspiel.enumerate_tree(openspiel.load_game(name))


def _conditionals(tables, plans):
  """Yields each infostate's name, actions, weight and probabilities."""
  for i, plan in enumerate(plans):
    ends = np.cumsum(tables.width[i])[:-1]
    rows = np.split(plan[1:], ends), np.split(tables.action[i], ends)
    for name, weights, actions in zip(tables.infostates[i], *rows, strict=True):
      weight = weights.sum()
      yield name, actions, weight, weights / max(weight, 1e-300)


def _open_spiel_average(game, num_updates):
  solver = pyspiel.CFRPlusSolver(game)
  for _ in range(num_updates):
    solver.evaluate_and_update_policy()
  return solver.tabular_average_policy()


def _exploitability(game, tables, plans):
  """Returns OpenSpiel's NashConv by player of the policies of plans."""
  policy = policy_lib.TabularPolicy(game)
  for name, actions, weight, probabilities in _conditionals(tables, plans):
    if weight > 0:
      row = policy.policy_for_key(name)
      row[:] = 0
      row[actions] = probabilities
  return pyspiel.nash_conv(game, policy.to_dict()) / game.num_players()


@needs_cc
class PlainCTest(parameterized.TestCase):
  @parameterized.parameters(
    ("kuhn_poker", 1, 1e-12),
    ("kuhn_poker", 2, 1e-12),
    ("kuhn_poker", 104, 1e-12),
    ("leduc_poker", 7, 1e-9),
    ("liars_dice(dice_sides=3)", 30, 1e-9),
    ("goofspiel(imp_info=True,num_cards=3)", 30, 1e-9),
  )
  def test_average_is_that_of_open_spiel(self, name, num_updates, tolerance):
    tables = _tables(name)
    plans = plain_c.cfr_plus(tables, num_updates)
    game = openspiel.load_game(name)
    expected = _open_spiel_average(game, num_updates)
    for infostate, actions, weight, policy in _conditionals(tables, plans):
      # Conditional probabilities have no digits where the plan is tiny.
      if weight > 1e-6:
        want = dict(expected.get_state_policy(infostate))
        want = [want[action] for action in actions]
        np.testing.assert_allclose(policy, want, rtol=0, atol=tolerance)

  # Where regrets cancel, as in Leduc, the rounding decides on the policy.
  @parameterized.parameters(
    ("kuhn_poker", 104, 0.0006017139321, 1e-12),
    ("leduc_poker", 140, 0.008526, 2e-5),
  )
  def test_exploitability(self, name, num_updates, expected, tolerance):
    tables = _tables(name)
    plans = plain_c.cfr_plus(tables, num_updates)
    value = _exploitability(openspiel.load_game(name), tables, plans)
    self.assertAlmostEqual(value, expected, delta=tolerance)

  def test_float_agrees_with_double(self):
    plans = plain_c.cfr_plus(_tables(), 100, "float")
    expected = plain_c.cfr_plus(_tables(), 100)
    for plan, want in zip(plans, expected, strict=True):
      self.assertEqual(plan.dtype, np.float32)
      np.testing.assert_allclose(plan, want, atol=1e-5)

  def test_updates_can_be_split(self):
    split = plain_c.Solver(_tables())
    for num_updates in (1, 0, 19):
      split.run(num_updates)
    self.assertEqual(split.num_updates, 20)
    whole = plain_c.cfr_plus(_tables(), 20)
    for plan, want in zip(split.average_plans(), whole, strict=True):
      np.testing.assert_array_equal(plan, want)

  def test_average_needs_an_update(self):
    with self.assertRaisesRegex(ValueError, "first update"):
      plain_c.Solver(_tables()).average_plans()

  def test_parents_come_first(self):
    tables = _tables()
    parent = tuple(parent[::-1] for parent in tables.parent)
    with self.assertRaisesRegex(ValueError, "before them"):
      plain_c.Solver(tables._replace(parent=parent))

  def test_failure_of_the_compiler_is_told(self):
    plain_c.compile_library.cache_clear()
    with mock.patch.object(plain_c, "_FLAGS", ("--no-such-flag",)):
      with self.assertRaisesRegex(RuntimeError, "no-such-flag"):
        plain_c.compile_library()


class InputTest(absltest.TestCase):
  def test_no_compiler(self):
    plain_c.compile_library.cache_clear()
    with mock.patch.object(shutil, "which", return_value=None):
      with self.assertRaisesRegex(RuntimeError, "C compiler, cc"):
        plain_c.compile_library()

  def test_unknown_type(self):
    with self.assertRaisesRegex(ValueError, "'half'"):
      plain_c.compile_library("half")

  def test_three_players(self):
    with self.assertRaisesRegex(ValueError, "two players"):
      plain_c.Solver(_tables("kuhn_poker(players=3)"))

  def test_general_sum(self):
    tables = _tables()
    with self.assertRaisesRegex(ValueError, "zero-sum"):
      plain_c.Solver(tables._replace(utility=tables.utility + 1))


if __name__ == "__main__":
  absltest.main()
