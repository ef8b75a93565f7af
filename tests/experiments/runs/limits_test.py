"""Tests that no number on a command line is too large for the program."""

import contextlib
import io
import tempfile
from unittest import mock

from absl import flags
from absl.testing import absltest, parameterized
import jax
import numpy as np

from benchmarks import devices, solvers
from experiments import compare_solvers, solve_game, sweep_game
from experiments.preferences import named_games, solver_batch
from experiments.preferences import settings as settings_lib
from experiments.runs import command_line, limits, memory
from experiments.sweeping import grid as grid_lib
from tests.experiments import binary
from tests.experiments.preferences import preference_binary


def _folder(test):
  return test.enterContext(tempfile.TemporaryDirectory())


def _flags():
  """Yields the name of a binary, its flags and one flag."""
  for program in (
    compare_solvers,
    settings_lib,
    sweep_game,
    devices,
    solvers,
  ):
    values = flags.FlagValues()
    program.define(values)
    for name in values:
      yield program.__name__, values[name]
  for flag in flags.FLAGS.get_flags_for_module(solve_game.__name__):
    yield solve_game.__name__, flag


class FlagsTest(absltest.TestCase):
  def test_every_whole_number_has_bounds(self):
    found = 0
    for program, flag in _flags():
      if isinstance(flag.parser, flags.IntegerParser):
        found += 1
        with self.subTest(f"{program} {flag.name}"):
          parser = flag.parser
          self.assertIsNotNone(parser.lower_bound)
          self.assertLessEqual(parser.upper_bound or np.inf, 2**31 - 1)
          with self.assertRaises(ValueError):
            parser.parse("1000000000000")
    self.assertGreater(found, 15)

  def test_every_number_is_finite(self):
    found = 0
    for program, flag in _flags():
      if isinstance(flag.parser, flags.FloatParser):
        found += 1
        for text in ("nan", "inf", "-inf", "1e400"):
          with self.subTest(f"{program} {flag.name} {text}"):
            with self.assertRaises(ValueError):
              flag.parser.parse(text)
    self.assertGreater(found, 10)


class ProductsTest(parameterized.TestCase):
  def test_of_a_grid(self):
    values = ",".join(map(str, range(1, 102)))
    grid = f"step_size={values};temperature={values};magnet_rate=0,0.1"
    with self.assertRaisesRegex(ValueError, "at most 100,000 runs, got 204,0"):
      grid_lib.read("magnetic", grid, "", seeds=10)

  @parameterized.parameters(
    ("--game=uniform", "--batch=1000", "--responses=20"),
    ("--game=uniform", "--contexts=10", "--responses=200"),
    # Of small games, the rows of the trace take most.
    (
      "--game=uniform",
      "--batch=100",
      "--responses=2",
      "--updates=100",
      "--checkpoints=100",
    ),
    (
      "--game=uniform",
      "--batch=50",
      "--solver=all",
      "--responses=2",
      "--updates=20",
      "--temperature=0.1,0.2",
    ),
  )
  def test_of_games(self, *arguments):
    out = _folder(self)
    with mock.patch.object(memory, "available", return_value=2**20):
      result = preference_binary.call(
        "--solver=egpo", "--updates=1", *arguments, f"--out={out}/new"
      )
    self.assertEqual(result.status, 1)
    self.assertRegex(result.stderr, "would take [0-9,.]+ GiB of memory, and ")

  def test_of_states(self):
    out = _folder(self)
    with mock.patch.object(memory, "available", return_value=2**20):
      result = binary.call_main(
        sweep_game,
        sweep_game.define,
        "--game=leduc_poker",
        "--grid=step_size=0.1,0.2",
        "--seeds=100",
        f"--out={out}/new",
      )
    self.assertEqual(result.status, 1)
    self.assertRegex(result.stderr, "^sweep_game: 200 runs of .* GiB are there")

  def test_of_rows(self):
    out = _folder(self)
    # Both runs' states take a few kilobytes.
    with mock.patch.object(memory, "available", return_value=2**20):
      result = binary.call_main(
        sweep_game,
        sweep_game.define,
        "--game=kuhn_poker",
        "--grid=step_size=0.1,0.2",
        "--updates=10000",
        "--checkpoints=10000",
        f"--out={out}/new",
      )
    self.assertEqual(result.status, 1)
    self.assertRegex(result.stderr, "in 10,000 rows, would take .* GiB")

  @parameterized.parameters(
    ("rock_paper_scissors(num_responses=99999999999)", "from 1 to 20,000"),
    ("bradley_terry_mixture(raters=-1)", "from 1 to 20,000"),
  )
  def test_of_parameters(self, game, message):
    with self.assertRaisesRegex(ValueError, message):
      named_games.parse_game(game)

  def test_of_periods(self):
    result = binary.call(
      "--game=kuhn_poker",
      "--solver=magnetic_refreshed",
      f"--config.period={limits.PERIOD + 1}",
      f"--out={_folder(self)}/new",
    )
    self.assertEqual(result.status, 1)
    self.assertIn("`period` must lie in [1, 1000000000]", result.stderr)


class MemoryTest(absltest.TestCase):
  def test_is_known_here(self):
    self.assertGreater(memory.available() or np.inf, 2**28)

  def test_one_line_when_it_ends(self):
    def huge():
      return np.empty(2**50)

    def huge_on_the_device():
      raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")

    for fail in (huge, huge_on_the_device):
      stderr = io.StringIO()
      with contextlib.redirect_stderr(stderr):
        with self.assertRaises(SystemExit):
          with command_line.errors_in_one_line("program"):
            fail()
      self.assertRegex(
        stderr.getvalue(), "^program: the memory of this machine .*\n$"
      )

  def test_other_failures_are_no_lack_of_memory(self):
    with self.assertRaises(RuntimeError):
      with command_line.errors_in_one_line("program"):
        raise RuntimeError("a fault of the program")


class MessagesTest(parameterized.TestCase):
  def _one_line(self, message):
    stderr = io.StringIO()
    with contextlib.redirect_stderr(stderr):
      with self.assertRaises(SystemExit):
        command_line.fail("program", message)
    return stderr.getvalue()

  def test_have_no_colours(self):
    self.assertEqual(
      self._one_line("a \x1b[1;31mred\x1b[0m\n and\x07 loud game"),
      "program: a red and loud game\n",
    )

  @parameterized.parameters("qre", "aqre")
  def test_a_temperature_that_is_too_low_names_its_flag(self, kind):
    with mock.patch("experiments.solving.equilibrium._UPDATES", 10):
      result = binary.call(
        "--game=kuhn_poker",
        f"--equilibrium={kind}",
        "--updates=5",
        "--equilibrium_temperature=1e-9",
        f"--out={_folder(self)}/new",
      )
    self.assertEqual(result.status, 1)
    self.assertRegex(
      result.stderr.splitlines()[-1],
      f"`--equilibrium={kind}` was not found at temperature 1e-09.*"
      "higher `--equilibrium_temperature`",
    )
    self.assertNotIn("`start`", result.stderr)

  @parameterized.parameters(
    (1e-308, 0.1, "float64", "a larger --step_size"),
    (1e308, 0.1, "float64", "a smaller --step_size"),
    (
      1e308,
      1e-308,
      "float64",
      "a smaller --step_size or a higher --temperature",
    ),
    (None, 1e-308, "float64", "a higher --temperature"),
    (1e9, 0.1, "float32", "a smaller --step_size or --precision=float64"),
  )
  def test_remedies_apply(self, step_size, temperature, dtype, remedy):
    result = solver_batch.Result(
      solver="egpo",
      temperature=temperature,
      step_size=step_size,
      steps=np.array([0, 1]),
      queries=np.array([0, 1]),
      metrics={"duality_gap": np.array([[0.1], [np.nan]])},
      policies=np.zeros((1, 1, 3), dtype),
      path=np.zeros((2, 1, 3), dtype),
      seconds=0.0,
      compile_seconds=0.0,
    )
    self.assertEndsWith(result.failure or "", f"1 updates; use {remedy}")

  def test_a_grid_has_no_config(self):
    with self.assertRaisesRegex(ValueError, "^`step_delay` does nothing where"):
      grid_lib.read("magnetic", "step_delay=1,2", "")

  def test_games_are_listed_with_parameters(self):
    listed = named_games.game_listing()
    self.assertLessEqual(max(map(len, listed.splitlines())), 80)
    for text in (
      "(num_responses=3,win=0.75)",
      "(epsilon=0)",
      "(raters=3)",
      "(rank=2,scale=3)",
    ):
      self.assertIn(text, listed)
      # They are what the flag reads.
      name = listed.split(text)[0].splitlines()[-2].split()[0]
      named_games.parse_game(name + text)


if __name__ == "__main__":
  absltest.main()
