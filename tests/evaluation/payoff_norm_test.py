"""Tests of the unit of utility against dense linear algebra."""

import pathlib
import tempfile

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import struct
from mdrl.compile import openspiel
from mdrl.evaluation import payoff_norm
from mdrl.games import base as game_lib
from mdrl.games import matrix_game
from mdrl.geometry import dilated, mirror_maps
from mdrl.testing import games


def _centered(payoff):
  rows, columns = payoff.mean(1, keepdims=True), payoff.mean(0, keepdims=True)
  return payoff - rows - columns + payoff.mean()


def _dense_radius(game, policies):
  """The spectral radius of K, from derivatives of plans and of divergences."""
  plans = game.plans(policies)
  own = [
    jax.jacobian(lambda p, i=i: game.plans(p)[i])(policies)[i]
    for i in range(game.num_players)
  ]
  gains = jax.jacobian(game.gains)(plans)
  tangents, metrics = [], []
  for i, t in enumerate(game.treeplexes):
    # An orthonormal basis of the changes that keep policies policies.
    basis = np.zeros((t.num_slots, t.num_slots))
    for group in t.groups:
      slots = np.asarray(group.view(jnp.arange(t.num_slots)))
      for row in slots:
        row = row[np.asarray(t.uniform)[row] > 0]
        basis[np.ix_(row, row)] = np.eye(len(row)) - 1 / len(row)
    values, vectors = np.linalg.eigh(basis)
    tangents.append(vectors[:, values > 0.5])
    anchor = dilated.to_dual(t, mirror_maps.Euclidean(), policies[i])
    metrics.append(
      jax.hessian(
        lambda p, t=t, a=anchor: dilated.divergence(
          t, mirror_maps.Euclidean(), p, a
        )
      )(policies[i])
    )
  rows = []
  for i in range(game.num_players):
    metric = tangents[i].T @ metrics[i] @ tangents[i]
    rows.append(
      [
        np.linalg.solve(
          metric,
          tangents[i].T @ own[i].T @ gains[i][j] @ own[j] @ tangents[j],
        )
        for j in range(game.num_players)
      ]
    )
  return np.abs(np.linalg.eigvals(np.block(rows))).max()


class PayoffNormTest(parameterized.TestCase):
  @parameterized.parameters((4, 3, 1), (2, 7, 2), (5, 5, 3))
  def test_is_the_largest_singular_value_of_the_centred_payoffs(
    self, rows, columns, seed
  ):
    game = games.random_zero_sum_game(rows, columns, seed=seed)
    expected = np.linalg.norm(_centered(np.asarray(game.payoffs[0])), 2)
    found = payoff_norm.payoff_norm(game)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    self.assertEqual(found, float(f"{found:.4g}"))

  @parameterized.parameters(1e-300, 1e-150, 1e150, 1e300)
  def test_any_unit(self, unit):
    payoff = np.array([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    game = matrix_game.zero_sum_game(unit * payoff)
    found = payoff_norm.payoff_norm(game)
    np.testing.assert_allclose(found / unit, 3**0.5, rtol=1e-3)

  def test_ignores_what_no_projection_sees(self):
    game = games.random_zero_sum_game(4, 3, seed=1)
    payoff = np.asarray(game.payoffs[0])
    shifted = payoff + 1e3 + np.arange(4)[:, None] - 7 * np.arange(3)
    np.testing.assert_allclose(
      payoff_norm.payoff_norm(matrix_game.zero_sum_game(shifted)),
      payoff_norm.payoff_norm(game),
      rtol=1e-3,
    )

  @parameterized.parameters(("kuhn", 1), ("general_sum", 2))
  def test_is_the_spectral_radius_of_dense_algebra(self, name, seed):
    game, _ = games.compiled(name)
    policies = game_lib.random_policies(game, jax.random.key(seed))
    expected = _dense_radius(game, policies)
    found = payoff_norm.radius_at(game, policies)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    # Elsewhere it is of that order.
    everywhere = payoff_norm.payoff_norm(game)
    self.assertBetween(everywhere, 0.9 * expected, 1.5 * expected)

  @parameterized.parameters(4, 100)
  def test_is_the_geometric_mean_where_one_player_is_paid_more(self, factor):
    payoff = np.asarray(games.random_zero_sum_game(4, 3, seed=1).payoffs[0])
    game = matrix_game.matrix_game([payoff, -factor * payoff])
    np.testing.assert_allclose(
      payoff_norm.payoff_norm(game),
      np.linalg.norm(_centered(payoff), 2) * factor**0.5,
      rtol=1e-3,
    )

  def test_is_larger_than_at_uniform_policies_where_play_turns_faster(self):
    game, _ = games.compiled("kuhn")
    uniform = payoff_norm.radius_at(game, game_lib.uniform_policies(game))
    self.assertGreater(payoff_norm.payoff_norm(game), 1.05 * uniform)

  @parameterized.parameters(1e-12, 1e12)
  def test_scales_with_the_payoffs(self, factor):
    game = games.random_zero_sum_game(4, 3, seed=1)
    scaled = struct.replace(
      game, payoffs=tuple(factor * p for p in game.payoffs)
    )
    np.testing.assert_allclose(
      payoff_norm.payoff_norm(scaled),
      factor * payoff_norm.payoff_norm(game),
      rtol=1e-3,
    )

  def test_is_the_size_of_the_gains_where_nobody_depends_on_the_others(self):
    payoff = np.array([[3.0], [-3.0]]) + np.array([[4.0, -4.0]])
    game = matrix_game.zero_sum_game(payoff)
    self.assertAlmostEqual(
      payoff_norm.payoff_norm(game), np.linalg.norm([3, 3, 4, 4]), places=2
    )

  @parameterized.parameters(1e-6, 1.0, 1e6)
  def test_of_a_tree_in_which_one_player_alone_decides(self, payoff):
    tree = f"""EFG 2 R "" {{ "A" "B" }}
        p "" 1 1 "" {{ "a" "b" }} 0
        t "" 1 "" {{ {payoff} {-payoff} }}
        t "" 2 "" {{ {-payoff} {payoff} }}"""
    folder = self.enterContext(tempfile.TemporaryDirectory())
    path = pathlib.Path(folder) / "one.efg"
    path.write_text(tree)
    game, _ = openspiel.compile_game(str(path))
    np.testing.assert_allclose(
      payoff_norm.payoff_norm(game), payoff * 2**0.5, rtol=1e-3
    )

  def test_is_one_where_nothing_is_paid(self):
    game = games.random_zero_sum_game(2, 2)
    zero = tuple(0 * p for p in game.payoffs)
    self.assertEqual(
      payoff_norm.payoff_norm(struct.replace(game, payoffs=zero)), 1.0
    )


class GeneralSumTest(parameterized.TestCase):
  @parameterized.parameters(*range(12))
  def test_is_the_largest_rate_of_matrices(self, seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(3, 6, 2)
    first, second = rng.normal(size=(2, rows, columns))
    centred = [np.eye(n) - 1 / n for n in (rows, columns)]
    turned_twice = centred[0] @ first @ centred[1] @ second.T @ centred[0]
    expected = np.abs(np.linalg.eigvals(turned_twice)).max() ** 0.5
    norm = payoff_norm.payoff_norm(matrix_game.matrix_game([first, second]))
    np.testing.assert_allclose(norm, expected, rtol=1e-3)


if __name__ == "__main__":
  absltest.main()
