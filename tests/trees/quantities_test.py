"""Tests that policies, plans, gains and duals are not taken for one another."""

import inspect
import pickle
import subprocess
import sys
import textwrap

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.compile import openspiel
from mdrl.evaluation import best_response, gaps, preferences
from mdrl.games import base as game_lib
from mdrl.geometry import mirror_maps, profiles
from mdrl.testing import games
from mdrl.trees import quantities
from tests import source_tree

_KINDS = (
  quantities.Policies,
  quantities.Plans,
  quantities.Gains,
  quantities.Duals,
)


def _arrays():
  return jnp.arange(3.0), jnp.arange(2.0)


class QuantitiesTest(parameterized.TestCase):
  @parameterized.parameters(*_KINDS)
  def test_is_a_tuple_and_a_pytree_of_its_arrays(self, kind):
    value = kind(_arrays())
    self.assertLen(value, 2)
    self.assertIs(type(jax.tree.map(jnp.negative, value)), kind)
    self.assertIs(type(jax.jit(lambda x: x)(value)), kind)
    self.assertIs(type(jax.vmap(lambda x: x)(kind(_arrays()[:1]))), kind)
    self.assertIs(type(pickle.loads(pickle.dumps(value))), kind)
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(value)]
    expected, _ = jax.tree_util.tree_flatten_with_path(_arrays())
    self.assertEqual(paths, [path for path, _ in expected])

  def test_a_jitted_function_has_a_program_for_each_kind(self):
    # Pytrees that compare equal would share the program of the first.
    traced = []

    @jax.jit
    def name(value):
      traced.append(type(value).__name__)
      return value

    for kind in _KINDS:
      self.assertIs(type(name(kind(_arrays()))), kind)
    name(_arrays())
    self.assertEqual(traced, ["Policies", "Plans", "Gains", "Duals", "tuple"])
    structures = {jax.tree.structure(kind(_arrays())) for kind in _KINDS}
    self.assertLen(structures | {jax.tree.structure(_arrays())}, 5)

  @parameterized.parameters(*_KINDS)
  def test_check_takes_its_kind_alone(self, kind):
    quantities.check("x", kind(_arrays()), kind)
    for other in (*_KINDS, tuple):
      if other is not kind:
        with self.assertRaisesRegex(
          ValueError, f"`x` must be {kind.__name__}, got a {other.__name__}; "
        ):
          quantities.check("x", other(_arrays()), kind)

  def test_replaced_changes_one_player(self):
    plans = quantities.Plans(_arrays())
    moved = quantities.replaced(plans, 1, jnp.ones(2))
    self.assertIs(type(moved), quantities.Plans)
    np.testing.assert_array_equal(moved[0], plans[0])
    np.testing.assert_array_equal(moved[1], [1.0, 1.0])
    np.testing.assert_array_equal(plans[1], [0.0, 1.0])


class SwapTest(parameterized.TestCase):
  """Every function refuses the wrong kind, also without checks of types."""

  def setUp(self):
    super().setUp()
    self.game, _ = openspiel.compile_game("kuhn_poker", reaches=True)
    self.policies = game_lib.random_policies(self.game, jax.random.key(0))
    self.plans = self.game.plans(self.policies)

  def _assert_refuses(self, message, fn, *args):
    # jit would call the function that checks types.
    with self.assertRaisesRegex(ValueError, message):
      inspect.unwrap(fn)(*args)

  def test_games(self):
    kind, matrix = type(self.game), games.random_matrix_game((2, 3))
    for game in (self.game, matrix, games.PREFERENCES["dice"]()):
      kind = type(game)
      policies = game_lib.uniform_policies(game)
      plans = game.plans(policies)
      self._assert_refuses("must be Policies, got", kind.plans, game, plans)
      self._assert_refuses("must be Plans, got", kind.gain, game, policies, 0)
    self._assert_refuses(
      "must be Plans", type(self.game).reach, self.game, self.policies, 0
    )

  def test_evaluations(self):
    for fn in (best_response.policies, gaps.improvements):
      with self.assertRaises((ValueError, TypeError)):
        fn(self.game, self.policies)
    self._assert_refuses(
      "must be Gains, got a Plans",
      best_response.values_of_gains,
      self.game,
      self.plans,
    )
    game = games.PREFERENCES["dice"]()
    policies = game_lib.uniform_policies(game)
    for fn, *more in (
      (preferences.duality_gap,),
      (preferences.regularized_gap, 0.1),
      (preferences.divergence, policies),
    ):
      self._assert_refuses("must be Plans", fn, game, policies, *more)

  def test_swaps_raise_without_checks_of_types(self):
    # In a process of its own, where no annotation is checked: these swaps gave
    # 0.497 for 0.544 and 0.972 for 0.872.
    program = textwrap.dedent("""
      from mdrl.compile import openspiel
      from mdrl.evaluation import gaps
      from mdrl.games import base

      game, _ = openspiel.compile_game("kuhn_poker")
      policies = base.uniform_policies(game)
      plans = game.plans(policies)
      for swap in (
        lambda: game.plans(plans),
        lambda: gaps.nash_conv(game, policies),
        lambda: gaps.regularized_gap(game, policies, 0.1),
      ):
        try:
          swap()
        except ValueError as error:
          print(error)
    """)
    result = subprocess.run(
      [sys.executable, "-c", program],
      cwd=source_tree.ROOT,
      capture_output=True,
      text=True,
      check=True,
    )
    self.assertEqual(
      [line.partition(";")[0] for line in result.stdout.splitlines()],
      [
        "`policies` must be Policies, got a Plans",
        "`plans` must be Plans, got a Policies",
        "`plans` must be Plans, got a Policies",
      ],
    )

  def test_geometry(self):
    treeplexes, entropy = self.game.treeplexes, mirror_maps.NegativeEntropy()
    duals = profiles.to_duals(treeplexes, entropy, self.policies)
    gains = self.game.gains(self.plans)
    anchors = [(jnp.ones(()), duals)]
    head = (treeplexes, entropy)
    self._assert_refuses("Gains", profiles.prox_values, *head, duals, anchors)
    wrong = [(jnp.ones(()), self.policies)]
    self._assert_refuses("Duals", profiles.prox_values, *head, gains, wrong)
    self._assert_refuses("Duals", profiles.mix, *head, wrong)
    self._assert_refuses("Policies", profiles.to_duals, *head, self.plans)
    self._assert_refuses("Duals", profiles.to_policies, *head, self.policies)
    self._assert_refuses(
      "Policies", profiles.divergences, *head, self.plans, duals
    )


if __name__ == "__main__":
  absltest.main()
