"""Tests of the binary of matches: what it writes, says and refuses."""

import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import play_match
from experiments.runs import trace as trace_lib
from experiments.solving import policy_file
from mdrl.compile import openspiel
from mdrl.games import base as game_lib
from mdrl.trees import quantities
from tests import source_tree
from tests.experiments import binary, interruption

# Twelve updates, so that a run can die between them.
_SMALL = ("--game=kuhn_poker", "--games=24000", "--batch=2000")


def write_policy(path: pathlib.Path, game: str, seed: int) -> np.ndarray:
  """Writes a random policy of a game, and returns what its players get.

  Against uniform play, in each seat.
  """
  tree, index = openspiel.compile_game(game)
  policies = game_lib.random_policies(tree, jax.random.key(seed))
  with open(path, "wb") as file:
    policy_file.write(file, game, index, {"last": policies}, "last")
  uniform = game_lib.uniform_policies(tree)
  values = []
  for seat, policy in enumerate(policies):
    mixed = quantities.replaced(uniform, seat, jnp.asarray(policy))
    values.append(tree.values(tree.plans(mixed))[seat])
  return np.array(values)


class PlayMatchTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    folder = self.enterContext(tempfile.TemporaryDirectory())
    self.parent = pathlib.Path(folder)
    self.out = self.parent / "run"

  def _play(self, *arguments, out=None):
    return binary.call_main(
      play_match, play_match.define, *_SMALL, f"--out={out or self.out}",
      *arguments,
    )  # fmt: skip

  def _result(self, out=None):
    result = json.loads(((out or self.out) / "result.json").read_text())
    for match in result["matches"]:
      del match["seconds"]
    return result

  def test_results_are_the_exact_values_within_their_intervals(self):
    path = self.parent / "policy.npz"
    exact = write_policy(path, "kuhn_poker", 1)
    found = self._play(f"--policies={path},uniform", "--confidence=0.9999")
    self.assertEqual(found.status, 0, found.stderr)
    result = self._result()
    self.assertEqual(result["game"], "kuhn_poker")
    [match] = result["matches"]
    self.assertEqual((match["games"], match["deals"]), (24_000, 12_000))
    first, second = match["players"]
    self.assertEqual(first["policy"], str(path))
    self.assertEqual(second["policy"], "uniform")
    for seat, cell in enumerate(first["by_seat"]):
      self.assertBetween(exact[seat], cell["low"], cell["high"])
      self.assertLess(cell["high"] - cell["low"], 0.2)
    self.assertGreater(abs(exact[0] - exact[1]), 0.1)
    returns = first["returns"]
    self.assertBetween(exact.mean(), returns["low"], returns["high"])
    self.assertEqual(returns["method"], "student")
    self.assertAlmostEqual(second["returns"]["mean"], -returns["mean"])
    self.assertAlmostEqual(match["margin"]["mean"], 2 * returns["mean"])
    # One table and one line say the same.
    lines = found.stdout.splitlines()
    self.assertRegex(lines[0], r"policy +mean return +99.99 % interval")
    mean = re.escape(f"{returns['mean']:+.4f}")
    row = next(line for line in lines[2:] if line.startswith(str(path)))
    self.assertRegex(row, mean)
    self.assertRegex(lines[-1], rf"earns {mean} \(.*\) against uniform, after")
    self.assertIn("after 24,000 games", lines[-1])
    rows = trace_lib.read(self.out / "trace.jsonl")
    self.assertEqual([row["games"] for row in rows][-1], 24_000)
    self.assertEqual(
      rows[-1]["returns"], [p["returns"]["mean"] for p in (first, second)]
    )

  def test_one_policy_plays_itself(self):
    found = self._play("--confidence=0.9999")
    self.assertEqual(found.status, 0, found.stderr)
    [match] = self._result()["matches"]
    [player] = match["players"]
    self.assertNotIn("margin", match)
    for seat, value in ((0, 1 / 8), (1, -1 / 8)):
      cell = player["by_seat"][seat]
      self.assertBetween(value, cell["low"], cell["high"])
    self.assertNotIn("mean return", found.stdout)

  @pytest.mark.slow
  def test_of_three_policies_all_pairs_play(self):
    paths = [self.parent / f"{seed}.npz" for seed in (1, 2)]
    for seed, path in enumerate(paths):
      write_policy(path, "kuhn_poker(players=3)", seed)
    names = [*map(str, paths), "uniform"]
    found = self._play(
      "--game=kuhn_poker(players=3)", f"--policies={','.join(names)}"
    )
    self.assertEqual(found.status, 0, found.stderr)
    pairs = [
      [player["policy"] for player in match["players"]]
      for match in self._result()["matches"]
    ]
    self.assertEqual(
      pairs,
      [[names[0], names[1]], [names[0], names[2]], [names[1], names[2]]],
    )

  @parameterized.parameters(
    (["--policies=nothing"], "got 'nothing', which is not there"),
    (["--policies="], "must name each policy once"),
    (["--policies=uniform,uniform"], "must name each policy once"),
    (["--game=no_such_game"], "no_such_game"),
    (["--resume", "--overwrite"], "exclude each other"),
  )
  def test_mistakes_end_in_one_line(self, arguments, message):
    found = self._play(*arguments)
    self.assertEqual((found.status, found.stdout), (1, ""))
    self.assertRegex(found.stderr, f"^play_match: .*{message}")
    self.assertLen(found.stderr.splitlines(), 1)
    self.assertFalse(self.out.exists())

  def test_a_policy_of_another_game_is_refused(self):
    path = self.parent / "policy.npz"
    write_policy(path, "tiny_hanabi", 1)
    found = self._play(f"--policies={path},uniform")
    self.assertEqual(found.status, 1)
    self.assertRegex(found.stderr, f"^play_match: `--policies` has '{path}': ")
    self.assertLen(found.stderr.splitlines(), 1)

  def test_matches_that_died_end_with_the_same_numbers(self):
    with interruption.dying(3):
      self._play()
    self.assertFalse((self.out / "result.json").exists())
    refused = self._play("--games=2000", "--resume")
    self.assertRegex(refused.stderr, "`--games` must be at least the 24,000")
    self.assertEqual(self._play("--resume").status, 0)
    self.assertEqual(self._play(out=self.parent / "whole").status, 0)
    self.assertEqual(self._result(), self._result(self.parent / "whole"))
    self.assertEqual(
      interruption.left(self.out), interruption.left(self.parent / "whole")
    )
    other = self._play("--resume", "--seed=1")
    self.assertRegex(other.stderr, "must keep --seed=0")

  @pytest.mark.slow
  def test_killed_matches_end_with_the_same_numbers(self):
    arguments = ["--games=4000000", "--batch=2000", "--cache_dir="]
    status, stderr, _ = interruption.survive(
      "play_match", arguments, self.out, kills=1, seed=3
    )
    self.assertEqual(status, 128 + signal.SIGTERM, stderr)
    self.assertRegex(stderr, "stopped by SIGTERM after .* go on by --resume")
    for folder in (self.out, self.parent / "whole"):
      status, _, stderr = interruption.finish(
        "play_match", *arguments, f"--out={folder}", "--resume"
      )
      self.assertEqual(status, 0, stderr)
    self.assertEqual(self._result(), self._result(self.parent / "whole"))

  def test_help_answers_without_jax(self):
    program = (
      "import sys\nfrom experiments import play_match\n"
      "assert 'jax' not in sys.modules"
    )
    subprocess.run(
      [sys.executable, "-c", program], check=True, cwd=source_tree.ROOT
    )


if __name__ == "__main__":
  absltest.main()
