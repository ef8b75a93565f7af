"""Tests of counts of preference queries."""

from typing import Any

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp

from mdrl import struct
from mdrl.evaluation import queries
from mdrl.games import preference_game
from mdrl.preferences import models
from mdrl.solvers import averaged, comal, mirror_descent, mirror_prox
from tests import named_rows
from tests.solvers import preference_conformance_test

_SIZE = 4
# Before the first update, and for each; n where all pairs are compared.
_EXPECTED = {
  "apo": (0, 1),
  "comal": (0, 2),
  "egpo": (0, 2),
  "inpo": (0, 1),
  "iterative_dpo": (0, _SIZE),
  "iterative_ipo": (0, 1),
  "magnetic": (0, 1),
  "magnetic_preference": (0, 1),
  # Its policies are midpoints, and the first one is found at once.
  "mirror_prox": (1, 2),
  "nash_ema": (0, 1),
  "nash_md": (0, 1),
  "nash_md_euclidean": (0, 1),
  "nash_mirror_prox": (0, 2),
  "onpo": (0, 1),
  "optimistic": (0, 1),
  "rlhf": (_SIZE, 0),
  "spo": (0, 1),
  "spo_queue": (0, 1),
  "sppo": (0, 1),
  "srpo": (0, _SIZE),
}


def _product(matrix, x):
  return matrix @ x


def _three_rounds(matrix, x):
  return jax.lax.fori_loop(0, 3, lambda _, y: matrix @ y, x)


def _carried(matrix, x):
  return jax.lax.fori_loop(
    0, 3, lambda _, carry: (carry[0], carry[0] @ carry[1]), (matrix, x)
  )[1]


def _once_or_twice(matrix, x):
  return jax.lax.cond(
    x[0] > 0, lambda: matrix @ (matrix @ x), lambda: matrix @ x
  )


def _often(matrix, x):
  def body(carry):
    return carry[0] + 1, matrix @ carry[1]

  return jax.lax.while_loop(lambda c: c[0] < x.sum(), body, (0, x))[1]


def _search(matrix, x):
  """A loop of unknown length, which leaves the preferences alone."""
  _, matrix, y = jax.lax.while_loop(
    lambda c: c[0] < x.sum(),
    lambda c: (c[0] + 1, c[1], c[2] / 2),
    (0, matrix, x),
  )
  return matrix @ y


_ASKED = {
  "a_product": (_product, 1),
  "a_transposed_product": (lambda matrix, x: x @ matrix, 1),
  "jitted": (jax.jit(_product), 1),
  "recomputed": (jax.checkpoint(_product), 1),
  "a_loop": (_three_rounds, 3),
  "a_loop_in_a_loop": (
    lambda matrix, x: jax.lax.fori_loop(
      0, 2, lambda _, y: _three_rounds(matrix, y), x
    ),
    6,
  ),
  "a_loop_that_carries_them": (_carried, 3),
  "a_branch": (_once_or_twice, 2),
  "a_search": (_search, 1),
  "several_policies": (
    lambda matrix, x: jax.vmap(lambda s: matrix @ (s * x))(jnp.ones(5))[0],
    5,
  ),
  "row_by_row": (
    lambda matrix, x: jax.lax.map(lambda row: row @ x, matrix),
    1,
  ),
  "one_row": (lambda matrix, x: x * matrix[0], 1),
  "all_pairs": (lambda matrix, x: x * jnp.sum(matrix**2), _SIZE),
  "against_themselves": (lambda matrix, x: matrix @ matrix @ x, _SIZE),
}


@struct.dataclass
class _Asker:
  """A method that moves by what a function makes of the preferences."""

  fn: Any = struct.static()

  def init(self, game, policies=None):
    del policies
    return jnp.ones((game.num_contexts, game.num_responses))

  def update(self, game, state):
    if game.num_contexts == 1:
      return self.fn(game.advantage[0], state[0])[None]
    return jax.vmap(self.fn)(game.advantage, state)


class ProgramsTest(parameterized.TestCase):
  @parameterized.named_parameters(*named_rows.named(_ASKED))
  def test_counts(self, name):
    fn, expected = _ASKED[name]
    game = preference_game.preference_game(models.uniform(_SIZE, 0))
    self.assertEqual(queries.count(_Asker(fn=fn), game), (0, expected))

  @parameterized.named_parameters(
    *named_rows.named(("a_product", "a_loop", "several_policies", "all_pairs"))
  )
  def test_counts_per_context(self, name):
    fn, expected = _ASKED[name]
    game = preference_game.preference_game(
      [models.uniform(_SIZE, seed) for seed in range(3)]
    )
    self.assertEqual(queries.count(_Asker(fn=fn), game), (0, expected))

  def test_contexts_one_after_the_other(self):
    game = preference_game.preference_game(
      [models.uniform(_SIZE, seed) for seed in range(3)]
    )

    @struct.dataclass
    class InTurns(_Asker):
      def update(self, game, state):
        return jax.lax.map(lambda x: x[0] @ x[1], (game.advantage, state))

    self.assertEqual(queries.count(InTurns(fn=None), game), (0, 1))

  def test_refuses_loops_of_unknown_length(self):
    game = preference_game.preference_game(models.uniform(_SIZE, 0))
    with self.assertRaisesRegex(
      ValueError, "`solver` must ask a known number of queries, got .* a loop"
    ):
      queries.count(_Asker(fn=_often), game)


class QueriesTest(parameterized.TestCase):
  @parameterized.named_parameters(
    *named_rows.named(preference_conformance_test.ALL)
  )
  def test_of_each_solver(self, name):
    game = preference_game.preference_game(models.uniform(_SIZE, 0))
    solver = preference_conformance_test.ALL[name]
    self.assertEqual(tuple(queries.count(solver, game)), _EXPECTED[name])

  @parameterized.named_parameters(
    *named_rows.named(("comal", "nash_md", "rlhf"))
  )
  def test_contexts_cost_no_more(self, name):
    game = preference_game.preference_game(
      [models.uniform(_SIZE, seed) for seed in range(3)]
    )
    solver = preference_conformance_test.ALL[name]
    self.assertEqual(tuple(queries.count(solver, game)), _EXPECTED[name])

  def test_a_new_start_costs_queries_only_where_it_is_made(self):
    game = preference_game.preference_game(models.dice())
    solver = comal.Comal(solver=mirror_prox.MirrorProx(step_size=0.1))
    # Two of an update, and one of the new start that may follow it.
    self.assertEqual(queries.count(solver, game), queries.Queries(1, 3))

  def test_an_average_costs_nothing(self):
    game = preference_game.preference_game(models.dice())
    solver = averaged.Averaged(
      solver=mirror_descent.MirrorDescent(step_size=0.1)
    )
    self.assertEqual(queries.count(solver, game), queries.Queries(0, 1))


if __name__ == "__main__":
  absltest.main()
