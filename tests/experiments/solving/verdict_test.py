"""Tests of what a run says of its own result."""

from typing import Any

from absl.testing import absltest, parameterized

from experiments.registry import game_solvers
from experiments.solving import verdict
from mdrl import struct
from mdrl.evaluation import payoff_norm
from mdrl.testing import games

_GAME = games.random_zero_sum_game(3, 4, seed=1)


def _said(last, average, reports, game: Any = _GAME, **config: Any):
  row = {"exploitability_last": last, "exploitability_average": average}
  config = {"step_size": 1.0, "normalize": True, **config}
  return verdict.sentences(row, reports, config, game)


def _large_payoffs():
  """Returns a game and its unit of utility, about 1,000."""
  payoffs = tuple(1000 * payoff for payoff in _GAME.payoffs)
  game = struct.replace(_GAME, payoffs=payoffs)
  return game, payoff_norm.payoff_norm(game)


class VerdictTest(parameterized.TestCase):
  @parameterized.parameters(
    (0.5, 0.005, "last", "the average iterate is 100 times"),
    (0.001, 0.2, "average", "the last iterate is 200 times"),
  )
  def test_says_that_the_other_iterate_is_better(
    self, last, average, reports, start
  ):
    (said,) = _said(last, average, reports)
    self.assertStartsWith(said, start)
    other = "average" if reports == "last" else "last"
    self.assertIn(f"policy.npz holds it as `{other}`", said)

  @parameterized.parameters(
    (0.005, 0.5, "last"), (0.01, 0.0011, "last"), (1e-12, 1e-17, "last")
  )
  def test_says_nothing_otherwise(self, last, average, reports):
    self.assertEmpty(_said(last, average, reports))

  @parameterized.parameters(
    (1e308, True), (101.0, True), (1e308, False), (200.0, False)
  )
  def test_calls_out_steps_far_above_any_bound(self, size, normalize):
    (said,) = _said(0.1, 0.1, "last", step_size=size, normalize=normalize)
    self.assertStartsWith(said, f"steps of {size:g} are far above")
    self.assertIn("`--config.step_size`", said)

  @parameterized.parameters((99.0, True), (3.0, False))
  def test_leaves_other_steps_alone(self, size, normalize):
    self.assertEmpty(
      _said(0.1, 0.1, "last", step_size=size, normalize=normalize)
    )

  @parameterized.parameters((0.5, 0.2, True), (0.4, 0.2, False))
  def test_calls_out_steps_that_cycle_around_a_magnet_that_stays(
    self, size, temperature, cycles
  ):
    config = game_solvers.resolve(
      "magnetic",
      {"magnet_rate": 0.0, "step_size": size, "temperature": temperature},
    )
    said = _said(0.1, 0.1, "last", **config)
    self.assertLen(said, int(cycles))
    if cycles:
      self.assertStartsWith(said[0], "at this temperature, steps above 0.42")
    moves = config | {"magnet_rate": 0.1}
    self.assertEmpty(_said(0.1, 0.1, "last", **moves))

  @parameterized.parameters((99.0, 0), (101.0, 1))
  def test_steps_in_the_unit_of_the_game(self, size, count):
    game, norm = _large_payoffs()
    said = _said(0.1, 0.1, "last", game, step_size=size / norm, normalize=False)
    self.assertLen(said, count)

  @parameterized.parameters((0.5, 1), (0.4, 0))
  def test_temperatures_in_the_unit_of_the_game(self, size, count):
    game, norm = _large_payoffs()
    config = game_solvers.resolve(
      "magnetic",
      {
        "magnet_rate": 0.0,
        "step_size": size / norm,
        "temperature": 0.2 * norm,
        "normalize": False,
      },
    )
    self.assertLen(_said(0.1, 0.1, "last", game, **config), count)

  def test_of_solvers_without_steps(self):
    row = {"exploitability_last": 0.1, "exploitability_average": 0.1}
    self.assertEmpty(
      verdict.sentences(row, "average", {"alternating": True}, _GAME)
    )


if __name__ == "__main__":
  absltest.main()
