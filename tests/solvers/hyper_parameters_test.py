"""Tests of what is checked of a solver before it runs."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.evaluation import gaps
from mdrl.games import matrix_game, preference_game
from mdrl.preferences import models
from mdrl.solvers import (
  averaged,
  comal,
  hyper_parameters,
  magnetic,
  mirror_descent,
  nash_md,
  neurd,
  regret_matching,
  regret_rules,
)

_RPS = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])


def _solver(**changes):
  numbers = {"step_size": 0.1, "temperature": 0.1, **changes}
  return magnetic.MagneticMirrorDescent(**numbers)


def _with(part, /, **fields):
  """Sets fields past the checks of types, which are made in tests alone."""
  for name, value in fields.items():
    object.__setattr__(part, name, value)
  return part


class HyperParametersTest(parameterized.TestCase):
  @parameterized.parameters("float32", "float64")
  def test_numbers_that_the_game_cannot_hold(self, dtype):
    game = matrix_game.zero_sum_game(_RPS, dtype)
    limits = np.finfo(dtype)
    held = float(limits.max) / 2
    run.init(_solver(step_size=held), game)
    for number in (1e300, 1e-300):
      solver = _solver(step_size=number)
      if dtype == "float64":
        run.init(solver, game)
        continue
      for start in (run.init, _run):
        with self.assertRaisesRegex(
          ValueError, r"`solver.step_size` must fit float32, from 1e-38 to"
        ):
          start(solver, game)

  def test_infinity_and_zero_are_held(self):
    threshold = neurd.NeuRD(step_size=0.1, threshold=np.inf)
    hyper_parameters.check(threshold, np.dtype("float32"))
    hyper_parameters.check(_solver(temperature=0.0), np.dtype("float32"))

  def test_keys_and_traced_numbers_pass(self):
    solver = _with(_solver(), step_size=jax.random.key(0))
    hyper_parameters.check(solver, np.dtype(float))
    game = matrix_game.zero_sum_game(_RPS)

    def last(step_size):
      return _run(_solver(step_size=step_size), game)[1].metrics[-1]

    self.assertEqual(jax.vmap(last)(jnp.array([0.1, 0.2])).shape, (2,))

  @parameterized.parameters(
    ("mirror_map", None, "must be given, got None"),
    ("mirror_map", "entropy", "must be a number or an instance .* 'entropy'"),
    ("step_size", abs, "must be a number .* schedules.Function"),
    ("step_size", jnp.sin, "must be a number .* schedules.Function"),
  )
  def test_parts_that_are_none(self, name, value, message):
    game = matrix_game.zero_sum_game(_RPS)
    solver = _with(_solver(), **{name: value})
    with self.assertRaisesRegex(ValueError, f"`solver.{name}` {message}"):
      _run(solver, game)
    outer = _with(averaged.Averaged(solver=_solver()), solver=solver)
    name = f"solver.solver.{name}"
    with self.assertRaisesRegex(ValueError, f"`{name}` {message}"):
      _run(outer, game)

  def test_a_rule_that_is_missing(self):
    solver = regret_matching.RegretMatching(rule=regret_rules.Plus())
    solver = _with(solver, rule=None)
    with self.assertRaisesRegex(ValueError, "`solver.rule` must be given"):
      _run(solver, matrix_game.zero_sum_game(_RPS))

  def test_what_may_be_left_out(self):
    game = preference_game.preference_game(models.dice())
    _run(nash_md.NashMD(step_size=0.1, temperature=0.1), game)

  # As many as there are actions would be spread over them.
  @parameterized.parameters(1, 2, 3)
  def test_arrays_are_many_runs(self, size):
    game = matrix_game.zero_sum_game(_RPS)
    numbers = jnp.full(size, 0.1)
    for solver in (
      _solver(temperature=numbers),
      mirror_descent.MirrorDescent(step_size=numbers),
      averaged.Averaged(solver=_solver(), power=numbers),
      neurd.NeuRD(step_size=0.1, threshold=numbers),
      comal.Comal(solver=_solver(), tolerance=numbers),
    ):
      with self.assertRaisesRegex(
        ValueError, rf"must be single numbers, got .* shape \({size},\)"
      ):
        _run(solver, game)


def _run(solver, game):
  return run.run(solver, game, run.of_plans(gaps.exploitability), [1])


if __name__ == "__main__":
  absltest.main()
