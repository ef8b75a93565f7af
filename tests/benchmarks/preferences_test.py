"""Tests that the benchmark of preference games times equal work."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import preferences
from mdrl.games import preference_game
from mdrl.preferences import models

_SIZE, _COUNT = 5, 7


def _games():
  matrices = [models.uniform(_SIZE, seed) for seed in range(4)]
  return matrices, preference_game.stack(
    [preference_game.preference_game(m, dtype=jnp.float32) for m in matrices]
  )


class PreferencesTest(parameterized.TestCase):
  @parameterized.parameters(", together", ", in turns")
  def test_numpy_makes_the_same_updates(self, order):
    matrices, games = _games()
    program = preferences.runs(chunk=2)[order]
    steps = preferences.numpy_steps(_SIZE)
    for label, update in steps.items():
      solver, _ = preferences.our_solvers()[label.partition(" (")[0]]
      found = jax.jit(program)(solver, games, _COUNT)
      for matrix, policy in zip(matrices, np.asarray(found)):
        logits = np.full(_SIZE, -np.log(_SIZE), np.float32)
        for _ in range(_COUNT):
          logits = update(matrix.astype(np.float32), logits)
        np.testing.assert_allclose(policy[1:], np.exp(logits), atol=1e-5)

  def test_products_are_those_of_the_games(self):
    matrices, games = _games()
    program = preferences.runs(chunk=2)["products, together"]
    found = jax.jit(program)(0.0, games, 2)
    for matrix, vector in zip(matrices, np.asarray(found)):
      twice = (matrix - 0.5) @ (matrix - 0.5) @ np.full(_SIZE, 1 / _SIZE)
      np.testing.assert_allclose(vector, twice, atol=1e-6)

  def test_ratios(self):
    rates = {"products, together": 8.0, "products, in turns": 20.0}
    for name in preferences.our_solvers():
      rates |= {f"{name}, together": 2.0, f"{name}, in turns": 5.0}
    rates["NumPy, games in the inner loop: egpo"] = 0.1
    found = preferences.ratios(rates)
    self.assertEqual(found["sppo, together / its products together"], 0.25)
    self.assertEqual(found["egpo, in turns / its products in turns"], 0.5)
    self.assertEqual(found["egpo, in turns / its products together"], 1.25)
    self.assertEqual(
      found["egpo, best / NumPy, games in the inner loop: egpo"], 50.0
    )


if __name__ == "__main__":
  absltest.main()
