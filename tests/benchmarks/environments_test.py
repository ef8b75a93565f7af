"""Tests that the benchmark of environments measures what it says."""

import contextlib
import io
import json
import os
import pathlib
import sys
import tempfile
from unittest import mock

from absl import flags
from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import environments, peer_nashbench, play_one, playing


class PlayingTest(parameterized.TestCase):
  @parameterized.parameters(1, 2, 9, 31, 40)
  def test_legal_actions_are_equally_likely(self, size):
    luck = np.random.default_rng(size)
    legal = luck.random(size) < 0.6
    legal[luck.integers(size)] = True
    numbers = (jnp.arange(9000, dtype=jnp.float32) + 0.5) / 9000
    choose = jax.vmap(playing.choose, (None, 0))
    actions = np.asarray(jax.jit(choose)(jnp.asarray(legal), numbers))
    found = np.bincount(actions, minlength=size)
    expected = 9000 * legal / legal.sum()
    self.assertLessEqual(np.abs(found - expected).max(), 1)

  @parameterized.parameters("openspiel", "openspiel_vector")
  def test_loops_play_on(self, engine):
    self._check_plays_on(engine)

  @parameterized.parameters("ours", "ours_last")
  @pytest.mark.slow
  def test_programs_play_on(self, engine):
    self._check_plays_on(engine)

  def _check_plays_on(self, engine):
    build = play_one._BUILD[engine]
    with mock.patch.object(playing, "_STEPS", 64):
      player = build("kuhn_poker", 4, True)
    player.advance(2)
    self.assertEqual(player.device, "cpu")
    self.assertGreater(playing.measure(player, 0.001), 0)

  def test_games_are_played_to_their_ends(self):
    # One game of Kuhn poker takes two or three moves, and is worth 1 or 2 to
    # either player; what the first one got is carried on.
    with mock.patch.object(playing, "_STEPS", 64):
      carried = []
      original = playing.jax_player

      def spied(init, step, *rest):
        carried.append((init, step))
        return original(init, step, *rest)

      with mock.patch.object(playing, "jax_player", spied):
        play_one.ours("kuhn_poker", 4, False)
    init, step = carried[0]
    from mdrl import envs

    env = envs.AutoReset(environment=envs.load("kuhn_poker", dtype=jnp.float32))
    carry, totals = init(env, jax.random.key(0)), []
    step = jax.jit(step)
    for key in jax.random.split(jax.random.key(1), 30):
      numbers = jax.random.uniform(key, (1 + env.step_draws,), jnp.float32)
      carry = step(env, carry, numbers)
      totals.append(float(carry[1]))
    payoffs = np.diff([0, *totals])
    self.assertContainsSubset(set(payoffs), {-2, -1, 0, 1, 2})
    self.assertBetween(np.count_nonzero(payoffs), 8, 16)


class EnvironmentsTest(absltest.TestCase):
  def _run(self, *argv):
    """Returns what the command prints, its errors and its exit code."""
    values = flags.FlagValues()
    environments.define(values)
    rest = values(["program", "--seconds=0.001", *argv])
    code = 0
    with (
      contextlib.redirect_stdout(io.StringIO()) as stdout,
      contextlib.redirect_stderr(io.StringIO()) as stderr,
    ):
      try:
        environments.main(rest, values)
      except SystemExit as error:
        code = error.code
    return stdout.getvalue(), stderr.getvalue(), code

  @pytest.mark.slow
  def test_table_and_file(self):
    folder = self.enterContext(tempfile.TemporaryDirectory())
    path = pathlib.Path(folder) / "rates.json"
    stdout, stderr, code = self._run(
      "--games=kuhn_poker",
      "--sizes=1,2",
      "--cores=1",
      "--engines=ours,openspiel,nashbench",
      f"--json={path}",
    )
    self.assertEqual(code, 0, stderr)
    rows = json.loads(path.read_text())
    played = [row for row in rows if "steps_per_second" in row]
    self.assertCountEqual(
      [(row["engine"], row["observe"], row["games"]) for row in played],
      [
        (engine, observe, size)
        for engine in ("ours", "openspiel")
        for observe in (False, True)
        for size in (1, 2)
      ],
    )
    self.assertGreater(min(row["steps_per_second"] for row in played), 0)
    self.assertIn("with observations, cores: 1", stdout)
    self.assertIn("nashbench: no --nashbench_python is given", stdout)

  def test_rates_of_cores_are_added_up(self):
    line = json.dumps({"games": 1, "steps_per_second": 2.0, "device": "cpu"})
    command = [sys.executable, "-c", f"print('hello'); print({line!r})"]
    cell = environments.Cell("kuhn_poker", "ours", True, (1,))
    settings = environments.Settings(0.1, 60, {})
    with mock.patch.object(environments, "_command", return_value=command):
      rows = environments.play(cell, settings, [0, 0, 0])
    self.assertEqual([row["steps_per_second"] for row in rows], [6.0])

  def test_failures_are_reported(self):
    settings = environments.Settings(0.1, 60, {})
    cell = environments.Cell("kuhn_poker", "ours", True, (1,))
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    with mock.patch.object(environments, "_command", return_value=command):
      (row,) = environments.measure([cell], settings, [1])
    self.assertEqual(row["reason"], "failed: no such thing")

  def test_peers_are_asked_for_what_they_have(self):
    has = {"nashbench": sys.executable}
    for game in ("hanabi", *peer_nashbench.GAMES):
      cell = environments.Cell(game, "nashbench", True, (1,))
      self.assertEqual(
        environments.why_not(cell, has) is None, game != "hanabi"
      )
    settings = environments.Settings(0.1, 60, has)
    command = environments._command(cell, settings, 3)
    self.assertEqual(
      command[:3], [*has.values(), "-m", "benchmarks.peer_nashbench"]
    )
    self.assertContainsSubset(["--core=3", "--observe"], command)

  def test_what_is_wrong_is_named(self):
    cores = len(os.sched_getaffinity(0))
    for argv, message in (
      ("--games=kuhn", "did you mean"),
      ("--games=goofspiel(cards=3)", "does not know: cards"),
      ("--sizes=0", "`--sizes` must be numbers from 1"),
      ("--sizes=x", "`--sizes` must be numbers from 1"),
      (f"--cores={cores + 1}", f"`--cores` must be numbers from 1 to {cores}"),
      ("--engines=theirs", "`--engines` must be among ours, "),
      ("--pgx_python=nowhere", "there is none at 'nowhere'"),
    ):
      with self.subTest(argv):
        _, stderr, code = self._run(argv)
        self.assertIn(message, stderr)
        self.assertEqual(code, 1)


if __name__ == "__main__":
  absltest.main()
