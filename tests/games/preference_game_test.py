"""Tests of preference games against their matrices, by hand."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import testing
from mdrl.games import preference_game
from mdrl.preferences import models
from mdrl.testing import games
from mdrl.trees import quantities


def _matrices(contexts, n, seed=0):
  return np.stack([models.uniform(n, seed + x) for x in range(contexts)])


def _policies(contexts, n, seed=0, dtype=None):
  """Returns random rows, and the same as an array over slots."""
  rows = np.random.default_rng(seed).dirichlet(np.ones(n), contexts)
  flat = np.concatenate([[1], rows.T.ravel()])
  return rows, quantities.Policies((jnp.asarray(flat, dtype),))


@jax.jit
def _evaluate(game, policies):
  plans = game.plans(policies)
  return plans, game.gains(plans), game.values(plans)


class PreferenceGameTest(parameterized.TestCase):
  @parameterized.parameters(*games.PREFERENCES)
  def test_keeps_the_contract_of_games(self, name):
    testing.check_game(games.PREFERENCES[name]())

  @parameterized.parameters((1, 3), (4, 2), (3, 5), (2, 1))
  def test_gains(self, contexts, n):
    matrices = _matrices(contexts, n)
    game = preference_game.preference_game(matrices)
    rows, policies = _policies(contexts, n)
    (plan,), (gain,), values = _evaluate(game, policies)
    np.testing.assert_array_equal(plan, policies[0])
    self.assertEqual(gain[0], 0)
    expected = [p @ x - 0.5 for p, x in zip(matrices, rows)]
    np.testing.assert_allclose(
      gain[1:], np.stack(expected, axis=1).ravel(), rtol=0, atol=1e-14
    )
    np.testing.assert_allclose(values, [0], rtol=0, atol=1e-14)

  def test_plans_start_with_one_whatever_the_policy(self):
    game = preference_game.preference_game(models.dice())
    (plan,) = game.plans(quantities.Policies((jnp.array([0, 0.2, 0.3, 0.5]),)))
    np.testing.assert_array_equal(plan, [1, 0.2, 0.3, 0.5])

  def test_a_game_by_hand(self):
    # Against rock, paper wins all comparisons and scissors none.
    game = preference_game.preference_game(
      [[0.5, 0, 1], [1, 0.5, 0], [0, 1, 0.5]]
    )
    (gain,) = game.gains(quantities.Plans((jnp.array([1.0, 1, 0, 0]),)))
    np.testing.assert_array_equal(gain, [0, 0, 0.5, -0.5])

  @parameterized.parameters((1, 4), (3, 2))
  def test_properties(self, contexts, n):
    matrices = _matrices(contexts, n)
    game = preference_game.preference_game(matrices)
    self.assertEqual((game.num_contexts, game.num_responses), (contexts, n))
    self.assertEqual(game.num_players, 1)
    self.assertTrue(game.symmetric)
    self.assertTrue(game.zero_sum)
    self.assertIsNone(game.reference)
    (treeplex,) = game.treeplexes
    self.assertEqual(treeplex.num_slots, 1 + contexts * n)
    np.testing.assert_allclose(game.preferences, matrices, rtol=0, atol=1e-15)
    rows, (policy,) = _policies(contexts, n)
    np.testing.assert_array_equal(game.by_context(policy), rows)
    np.testing.assert_array_equal(
      game.slots(jnp.asarray(rows)), np.concatenate([[0], rows.T.ravel()])
    )

  def test_one_matrix_is_one_context(self):
    matrix = models.uniform(4)
    one = preference_game.preference_game(matrix, np.full(4, 0.25))
    other = preference_game.preference_game(matrix[None], np.full((1, 4), 0.25))
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
      np.testing.assert_array_equal(a, b)

  @parameterized.parameters(jnp.float32, jnp.float64)
  def test_dtype(self, dtype):
    game = preference_game.preference_game(
      _matrices(2, 3), np.full((2, 3), 1 / 3), dtype
    )
    self.assertEqual(game.dtype, dtype)
    self.assertEqual(game.preferences.dtype, dtype)
    _, policies = _policies(2, 3, dtype=dtype)
    for x in jax.tree.leaves((game.reference, _evaluate(game, policies))):
      self.assertEqual(x.dtype, dtype)
    testing.check_game(game)

  def test_dtype_is_by_default_that_of_jax(self):
    game = preference_game.preference_game(models.dice())
    self.assertEqual(game.dtype, jnp.float64)

  def test_reference(self):
    rows, (flat,) = _policies(2, 3)
    game = preference_game.preference_game(_matrices(2, 3), rows)
    np.testing.assert_allclose(game.reference[0][1:], flat[1:], atol=1e-15)
    self.assertEqual(game.reference[0][0], 0)
    rounded = np.array([0.3333333, 0.3333333, 0.3333333])
    game = preference_game.preference_game(models.dice(), rounded)
    np.testing.assert_allclose(game.reference[0][1:], 1 / 3, rtol=1e-15)

  @parameterized.parameters(0.9e-6, -0.9e-6)
  def test_tables_may_be_rounded(self, error):
    matrix = np.array([[0.5, 0.7 + error], [0.3, 0.5 + error / 2]])
    for preferences in (matrix, np.stack([matrix, matrix])):
      game = preference_game.preference_game(preferences)
      for advantage in game.advantage:
        np.testing.assert_array_equal(advantage, -advantage.T)
        np.testing.assert_allclose(
          advantage[0, 1], 0.2 + error / 2, rtol=0, atol=1e-15
        )


class StackTest(parameterized.TestCase):
  @parameterized.parameters(False, True)
  def test_equals_a_loop(self, has_reference):
    _, policies = _policies(2, 3)
    alone = [
      preference_game.preference_game(
        _matrices(2, 3, 10 * k),
        _policies(2, 3, k)[0] if has_reference else None,
      )
      for k in range(4)
    ]
    stacked = preference_game.stack(alone)
    at_once = jax.vmap(_evaluate, (0, None))(stacked, policies)
    for k, game in enumerate(alone):
      for ours, other in zip(
        jax.tree.leaves(at_once),
        jax.tree.leaves(_evaluate(game, policies)),
        strict=True,
      ):
        np.testing.assert_allclose(ours[k], other, rtol=0, atol=1e-15)
      if has_reference:
        np.testing.assert_array_equal(
          stacked.reference[0][k], game.reference[0]
        )
    self.assertEqual(stacked.reference is not None, has_reference)
    self.assertEqual((stacked.num_contexts, stacked.num_responses), (2, 3))

  def test_refuses_games_unlike_one_another(self):
    make = preference_game.preference_game
    game = make(_matrices(2, 3))
    for other, message in (
      (make(_matrices(2, 4)), r"\(2, 3, 3\).*\(2, 4, 4\)"),
      (make(_matrices(3, 3)), r"\(2, 3, 3\).*\(3, 3, 3\)"),
      (make(_matrices(2, 3), dtype=jnp.float32), "float32.*float64"),
      (make(_matrices(2, 3), np.full((2, 3), 1 / 3)), "False.*True"),
    ):
      with self.assertRaisesRegex(
        ValueError, f"`games` must be of one shape and dtype.*{message}"
      ):
        preference_game.stack([game, other])
    with self.assertRaisesRegex(ValueError, r"`games` must be .*got \[\]"):
      preference_game.stack([])


class ErrorsTest(parameterized.TestCase):
  def _assert_refuses(self, message, *args):
    with self.assertRaisesRegex(ValueError, message):
      preference_game.preference_game(*args)

  @parameterized.product(
    value=[np.nan, 1.5, -0.25, np.inf, -np.inf], contexts=[False, True]
  )
  def test_entries_are_probabilities(self, value, contexts):
    matrix = models.uniform(3)
    matrix[1, 2], matrix[2, 1] = value, 1 - value
    at = "row 1, column 2; if these are payoffs, use"
    if contexts:
      matrix = np.stack([models.uniform(3), matrix])
      at = f"context 1, {at}"
    self._assert_refuses(
      rf"`preferences` must lie in \[0, 1\], got {value} at {at}", matrix
    )

  @parameterized.parameters(False, True)
  def test_opposites_add_up_to_one(self, contexts):
    matrix = models.cycle(3, 0.75)
    matrix[2, 1] = 0.5
    at = "row 1, column 2 and 0.5 for the opposite pair$"
    if contexts:
      matrix = np.stack([models.cycle(3), matrix])
      at = f"context 1, {at}"
    self._assert_refuses(
      f"`preferences` must add up to 1 with their .*got 0.75 at {at}", matrix
    )

  @parameterized.parameters(False, True)
  def test_a_response_ties_with_itself(self, contexts):
    matrix = models.cycle(3)
    matrix[2, 2] = 1
    at = "row 2, column 2 and 1.0 for the opposite pair; ties count half$"
    if contexts:
      matrix = np.stack([models.cycle(3), matrix])
      at = f"context 1, {at}"
    self._assert_refuses(
      f"`preferences` must add up to 1 with their .*got 1.0 at {at}", matrix
    )

  @parameterized.parameters(1.1e-6, -1.1e-6)
  def test_tables_must_not_be_rounded_more(self, error):
    matrix = np.array([[0.5, 0.7 + error], [0.3, 0.5]])
    self._assert_refuses("`preferences` must add up to 1", matrix)
    matrix = np.array([[0.5, 0.7], [0.3, 0.5 + error / 2]])
    self._assert_refuses("at row 1, column 1 .*; ties count half", matrix)

  @parameterized.parameters(
    ((), r"\(\)"),
    ((3,), r"\(3,\)"),
    ((2, 3), r"\(2, 3\)"),
    ((3, 2, 3), r"\(3, 2, 3\)"),
    ((1, 1, 2, 2), r"\(1, 1, 2, 2\)"),
  )
  def test_matrices_are_square(self, shape, message):
    self._assert_refuses(
      "`preferences` must be a square matrix, or one per context, got shape "
      f"{message}",
      np.full(shape, 0.5),
    )

  @parameterized.parameters((0, 0), (0, 2, 2), (2, 0, 0))
  def test_there_are_responses(self, *shape):
    self._assert_refuses(
      "`preferences` must hold a response, got shape", np.zeros(shape)
    )

  @parameterized.parameters(
    ([0, 0.5, 0.5], "positive.*got 0.0 for response 0 of context 0; leave"),
    ([0.5, -0.5, 1], "positive.*got -0.5 for response 1 of context 0"),
    ([0.5, 0.5, np.nan], "positive.*got nan for response 2 of context 0"),
    ([0.5, 2, 0.5], "positive.*got 2.0 for response 1 of context 0"),
    ([0.5, 0.25, 0.5], "add up to 1, got 1.25 for context 0"),
    ([0.25, 0.25, 0.25], "add up to 1, got 0.75 for context 0"),
    ([0.5, 0.25, 0.2500011], "add up to 1, got 1.0000011 for context 0"),
    ([0.5, 0.5], r"shape \(1, 3\) as the preferences have, got \(2,\)"),
    ([[0.2, 0.3, 0.5]] * 2, r"shape \(1, 3\) as .*got \(2, 3\)"),
    (1.0, r"shape \(1, 3\) as the preferences have, got \(\)"),
  )
  def test_the_reference_is_a_positive_distribution(self, reference, message):
    self._assert_refuses(
      f"`reference` must .*{message}", models.dice(), reference
    )

  @parameterized.parameters(
    ([[0.5, 0.5], [1, 0]], "positive.*got 0.0 for response 1 of context 1"),
    ([[0.5, 0.5], [0.5, 0.25]], "add up to 1, got 0.75 for context 1"),
    ([0.5, 0.5], r"shape \(2, 2\) as the preferences have, got \(2,\)"),
    ([[0.5, 0.5]], r"shape \(2, 2\) as the preferences have, got \(1, 2\)"),
  )
  def test_every_context_has_its_own_reference(self, reference, message):
    self._assert_refuses(
      f"`reference` must .*{message}", _matrices(2, 2), reference
    )

  @parameterized.parameters(
    ([[0.5, 0.7j], [0.3, 0.5]],),
    ([["0.5", "0.7"], ["0.3", "0.5"]],),
    ([[True, True], [False, True]],),
    ([[0.5, 0.7], [0.3]],),
  )
  def test_preferences_are_real_numbers(self, matrix):
    with self.assertRaisesRegex(
      ValueError, "`preferences` must be an array of real numbers, got"
    ):
      preference_game.preference_game(matrix)

  def test_a_reference_is_of_real_numbers(self):
    with self.assertRaisesRegex(
      ValueError, "`reference` must be an array of real numbers, got"
    ):
      preference_game.preference_game(models.dice(), ["1", "0", "0"])


if __name__ == "__main__":
  absltest.main()
