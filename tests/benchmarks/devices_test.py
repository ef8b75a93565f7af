"""Tests that the benchmark of devices measures what it says."""

import contextlib
import io
import json
import pathlib
import tempfile

from absl import flags
from absl.testing import absltest
import jax.numpy as jnp

from benchmarks import devices
from mdrl import run
from mdrl.compile import openspiel


class DevicesTest(absltest.TestCase):
  def test_rows_hold_rates_and_their_bytes(self):
    folder = self.enterContext(tempfile.TemporaryDirectory())
    path = pathlib.Path(folder) / "rates.json"
    values = flags.FlagValues()
    devices.define(values)
    rest = values(
      [
        "program",
        "--games=kuhn_poker",
        "--seconds=0.01",
        "--batch=3",
        f"--json={path}",
      ]
    )
    with (
      absltest.mock.patch.object(devices, "_CEILING_ELEMENTS", 1000),
      contextlib.redirect_stdout(io.StringIO()) as stdout,
      contextlib.redirect_stderr(io.StringIO()),
    ):
      devices.main(rest, values)
    found = json.loads(path.read_text())
    self.assertGreater(found["bytes_per_second"], 0)
    self.assertLen(found["rows"], 2 * len(devices.SOLVERS))
    game, _ = openspiel.compile_game("kuhn_poker", dtype=jnp.float32)
    state = run.init(devices.cfr_plus(1.0), game)
    row = found["rows"][0]
    self.assertEqual((row["solver"], row["precision"]), ("CFR+", "float32"))
    moved = devices.num_bytes(game) + 2 * devices.num_bytes(state)
    self.assertAlmostEqual(
      row["gigabytes_per_second"], row["updates_per_second"] * moved / 1e9
    )
    self.assertGreater(row["batch_updates_per_second"], 0)
    self.assertIn("CFR+", stdout.getvalue())

  def test_bytes_are_those_of_all_arrays(self):
    tree = {"a": jnp.ones((3, 4), jnp.float32), "b": (jnp.ones(2, jnp.int8), 1)}
    self.assertEqual(devices.num_bytes({"a": tree["a"], "b": tree["b"][0]}), 50)

  def test_unknown_games_are_refused(self):
    values = flags.FlagValues()
    devices.define(values)
    rest = values(["program", "--games=kuhn", "--seconds=0.001"])
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
      with self.assertRaises(SystemExit):
        devices.main(rest, values)
    self.assertIn("did you mean", stderr.getvalue())


if __name__ == "__main__":
  absltest.main()
