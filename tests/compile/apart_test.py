"""Tests of trees that are read in a process of their own."""

import os
import pathlib
import resource
import signal
import sys
import tempfile
import time
from unittest import mock

from absl.testing import absltest, parameterized
import jax
import numpy as np
import pyspiel

from mdrl.compile import apart, openspiel, tree_limits
from mdrl.games import tree_game

_HERE = pathlib.Path(__file__).stem
_NIM = "misere(game=nim(pile_sizes=1;2))"


def chatty(name, max_histories, progress):
  """Walks, and prints to where the reports go."""
  os.write(1, b"nonsense\n")
  os.write(2, b"more nonsense\n")
  progress(tree_limits.Reading(7, 9.0, 0.5))
  return openspiel.enumerate_by_name(name, max_histories, progress)


def crash(name, max_histories, progress):
  """Ends the process, as a fault of C++ does."""
  del name, max_histories, progress
  os.write(2, b"first\nlast \x1b[91mwords\x1b[0m\n")
  os.kill(os.getpid(), signal.SIGSEGV)


def hang(name, max_histories, progress):
  """Neither returns nor tells anything."""
  del max_histories, progress
  pathlib.Path(name).write_text(str(os.getpid()))
  time.sleep(1_000)


def spin(name, max_histories, progress):
  """Does not return either, and takes all the time that there is."""
  del name, max_histories, progress
  # As much as was taken until now, and a second.
  used = int(time.process_time())
  resource.setrlimit(resource.RLIMIT_CPU, (used + 1, used + 9))
  while True:
    pass


def hoard(name, max_histories, progress):
  """Takes more memory than there is for it."""
  del name, max_histories, progress
  return [np.empty(2**27) for _ in range(8)]


def confess(name, max_histories, progress):
  """Tells what its process may do."""
  del name, max_histories, progress
  core, _ = resource.getrlimit(resource.RLIMIT_CORE)
  raise ValueError(f"platforms {os.environ['JAX_PLATFORMS']}, core {core}")


def _run(walk, game, max_histories=100, progress=None):
  return apart.enumerate_tree(
    f"{_HERE}:{walk.__name__}", game, max_histories, progress
  )


class ApartTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    # Where the other process finds this module, whoever runs the test.
    here = str(pathlib.Path(__file__).parent)
    self.enterContext(mock.patch.object(sys, "path", [here, *sys.path]))
    self.folder = self.enterContext(tempfile.TemporaryDirectory())
    self.enterContext(mock.patch.object(tempfile, "tempdir", self.folder))

  @mock.patch.dict(os.environ, JAX_PLATFORMS="cuda,cpu")
  def test_takes_no_accelerator_and_leaves_no_core(self):
    with self.assertRaisesRegex(ValueError, "^platforms cpu, core 0$"):
      _run(confess, _NIM)

  def test_is_the_tree_that_is_read_here(self):
    expected = openspiel.enumerate_tree(openspiel.load_game(_NIM))
    told = []
    actual = _run(chatty, _NIM, progress=told.append)
    self.assertEqual(actual.infostates, expected.infostates)
    for a, b in zip(
      jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True
    ):
      np.testing.assert_array_equal(a, b)
    self.assertEqual([r.histories for r in told if r.histories], [7])
    self.assertEqual(told[-1].about, 9.0)
    self.assertEmpty(os.listdir(self.folder))

  def test_what_is_refused_there_is_refused_here(self):
    with self.assertRaisesRegex(
      ValueError, r"^`max_histories` is 57, and kuhn_poker\(\) has more"
    ):
      _run(chatty, "kuhn_poker", 57)
    with self.assertRaisesRegex(ValueError, "must be positive, got 0"):
      _run(chatty, "kuhn_poker", 0)
    self.assertEmpty(os.listdir(self.folder))

  def test_a_crash_is_one_line(self):
    with self.assertRaises(ValueError) as caught:
      _run(crash, "kuhn_poker")
    self.assertEqual(
      str(caught.exception),
      "`game` must be a game whose tree can be read, and OpenSpiel crashes "
      "(SIGSEGV) in kuhn_poker: last words; choose another game",
    )
    self.assertEmpty(os.listdir(self.folder))

  def test_what_hangs_is_ended(self):
    note = pathlib.Path(self.folder) / "process"
    told = []
    start = time.monotonic()
    with (
      mock.patch.object(tree_limits, "seconds_allowed", return_value=6.0),
      mock.patch.object(apart, "_SILENT", 0.5),
      self.assertRaisesRegex(
        ValueError, r"gives no answer for \d s in .*process; choose another"
      ),
    ):
      _run(hang, str(note), progress=told.append)
    self.assertLess(time.monotonic() - start, 60)
    self.assertGreater(len(told), 2)
    self.assertEqual(told, sorted(told, key=lambda r: r.seconds))
    with self.assertRaises(ProcessLookupError):
      os.kill(int(note.read_text()), 0)

  def test_processor_time_is_limited(self):
    with mock.patch.object(resource, "setrlimit") as setrlimit:
      apart._limit(20_000_000)
    limits = {call.args[0]: call.args[1] for call in setrlimit.mock_calls}
    self.assertEqual(limits[resource.RLIMIT_CPU][0], 55)

  def test_what_spins_is_ended_by_its_processor_time(self):
    with (
      mock.patch.object(tree_limits, "seconds_allowed", return_value=1.0),
      self.assertRaisesRegex(
        ValueError, r"gives no answer in 1 s in kuhn_poker"
      ),
    ):
      _run(spin, "kuhn_poker")

  def test_memory_is_limited(self):
    with self.assertRaisesRegex(ValueError, "OpenSpiel fails in .*Memory"):
      _run(hoard, "kuhn_poker")

  def test_an_interruption_ends_it(self):
    def interrupt(reading):
      del reading
      raise KeyboardInterrupt

    with (
      mock.patch.object(apart, "_start", wraps=apart._start) as start,
      self.assertRaises(KeyboardInterrupt),
    ):
      _run(chatty, _NIM, progress=interrupt)
    start.assert_called_once()
    self.assertEmpty(os.listdir(self.folder))


class CompileTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.apart = self.enterContext(
      mock.patch.object(apart, "enumerate_tree", wraps=apart.enumerate_tree)
    )

  @parameterized.parameters(False, True)
  def test_games_that_may_crash_are_read_apart(self, histories):
    game, index = openspiel.compile_game(_NIM, histories=histories)
    self.apart.assert_called_once()
    tables = openspiel.enumerate_tree(
      openspiel.load_game(_NIM), histories=histories
    )
    expected, expected_index = tree_game.build(tables, histories=histories)
    self.assertEqual(game.histories is not None, histories)
    self.assertEqual(jax.tree.structure(game), jax.tree.structure(expected))
    for a, b in zip(jax.tree.leaves(game), jax.tree.leaves(expected)):
      np.testing.assert_array_equal(a, b)
    self.assertEqual(index[0].infostates, expected_index[0].infostates)

  @parameterized.parameters(
    "kuhn_poker", "matrix_rps", "liars_dice(dice_sides=2)"
  )
  def test_games_that_were_often_read_are_not(self, name):
    openspiel.compile_game(name)
    self.apart.assert_not_called()

  def test_only_whole_names_are_known(self):
    for name in ("shogi", "nimble", "repeated_game(kuhn_poker)", "chess(nim)"):
      self.assertFalse(openspiel._is_steady(name))
    for name in ("nim", "nim(pile_sizes=1;2)", "matrix_rps()"):
      self.assertTrue(openspiel._is_steady(name))


class FailsEarlyTest(absltest.TestCase):
  def test_games_that_make_no_sense(self):
    for name, expected in (
      ("kuhn_poker", False),
      ("leduc_poker", False),
      ("liars_dice(numdice=0)", True),
    ):
      self.assertEqual(apart.fails_early(pyspiel.load_game(name)), expected)


if __name__ == "__main__":
  absltest.main()
