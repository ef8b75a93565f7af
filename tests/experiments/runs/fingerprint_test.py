"""Tests of what tells runs apart, and what does not."""

import pathlib
import tempfile

from absl.testing import absltest, parameterized
import jax.numpy as jnp
import numpy as np

from experiments.runs import fingerprint as fingerprint_lib
from mdrl.compile import openspiel

_RUN = fingerprint_lib.Decisive(
  {"seed": 3, "config": {"step_size": 0.5, "names": ("a", "b")}},
  {"version of mdrl": "0.1.0"},
)


class DecisiveTest(parameterized.TestCase):
  @parameterized.parameters(
    ({"seed": 4}, {}, "must keep --seed=4 of the run in runs/x, got 3"),
    ({"seed": "3"}, {}, "must keep --seed=3 .*got 3"),
    ({"seed": 3.5}, {}, "must keep --seed=3.5 .*got 3"),
    ({"gone": 1}, {}, "must keep --gone=1 .*got None"),
    (
      {"config": {"step_size": 0.6, "names": ["a", "b"]}},
      {},
      "must keep --config.step_size=0.6 .*got 0.5",
    ),
    (
      {"config": {"step_size": 0.5, "names": ["a", "c"]}},
      {},
      "must keep --config.names=.'a', 'c'. ",
    ),
    (
      {},
      {"version of mdrl": "0.0.9"},
      "find the version of mdrl of .*, 0.0.9, got 0.1.0",
    ),
    ({}, {"file a.efg": "0" * 64}, "find the file a.efg of .* 0{12}..., got"),
  )
  def test_says_what_differs(self, flags, contents, pattern):
    recorded = _RUN.as_json()
    recorded["flags"] |= flags
    recorded["contents"] |= contents
    with self.assertRaisesRegex(ValueError, pattern):
      _RUN.check_same(recorded, pathlib.Path("runs/x"))
    other = fingerprint_lib.Decisive(recorded["flags"], recorded["contents"])
    self.assertNotEqual(other.fingerprint(), _RUN.fingerprint())

  def test_what_json_held_is_the_same(self):
    again = fingerprint_lib.Decisive(**_RUN.as_json())
    again.check_same(_RUN.as_json(), pathlib.Path("runs/x"))
    self.assertEqual(again.fingerprint(), _RUN.fingerprint())

  def test_numbers_that_json_lacks_are_the_same_as_themselves(self):
    run = fingerprint_lib.Decisive({"temperature": float("inf")}, {})
    run.check_same(run.as_json(), pathlib.Path("runs/x"))


class ContentsTest(absltest.TestCase):
  def test_arrays_of_other_values_types_and_shapes(self):
    trees = [
      {"x": jnp.zeros(4), "y": 1.0},
      {"x": jnp.zeros(4).at[3].set(-0.0), "y": 1.0},
      {"x": jnp.zeros((2, 2)), "y": 1.0},
      {"x": jnp.zeros(4, int), "y": 1.0},
      {"x": jnp.zeros(4, jnp.bfloat16), "y": 1.0},
      {"x": jnp.zeros(0), "y": 1.0},
      {"x": jnp.zeros(4), "y": 2.0},
      {"x": jnp.zeros(4)},
    ]
    found = {fingerprint_lib.of_arrays(tree) for tree in trees}
    self.assertLen(found, len(trees))
    self.assertEqual(
      fingerprint_lib.of_arrays(trees[0]),
      fingerprint_lib.of_arrays({"x": np.zeros(4), "y": 1.0}),
    )

  def test_a_game_from_the_cache_is_the_same(self):
    with tempfile.TemporaryDirectory() as folder:
      found = {
        fingerprint_lib.of_arrays(
          openspiel.compile_game("kuhn_poker", **how)[0]
        )
        for how in ({}, {"cache_dir": folder}, {"cache_dir": folder})
      }
    self.assertLen(found, 1)
    other, _ = openspiel.compile_game("kuhn_poker", dtype=jnp.float32)
    self.assertNotIn(fingerprint_lib.of_arrays(other), found)

  def test_files_and_names(self):
    with tempfile.TemporaryDirectory() as folder:
      path = pathlib.Path(folder) / "game.efg"
      with self.assertRaisesRegex(ValueError, "game.efg cannot be read: No su"):
        fingerprint_lib.of_file(path)
      path.write_text("a")
      first = fingerprint_lib.of_file(path)
      path.write_text("b")
      self.assertNotEqual(fingerprint_lib.of_file(path), first)
    names = [["a", "b"], ["ab"], ["a"], ["\udcff"]]
    self.assertLen({fingerprint_lib.of_names(n) for n in names}, len(names))


if __name__ == "__main__":
  absltest.main()
