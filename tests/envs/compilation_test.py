"""Tests that environments become the tree games that they are."""

import dataclasses
import functools
from unittest import mock

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import struct
from mdrl.envs import compilation, compiled, level_tables
from mdrl.games import base as game_lib
from mdrl.testing import games
from mdrl.trees import quantities


@functools.cache
def _compiled_again(name):
  game, index = games.compiled(name, histories=True)
  env = compiled.environment(game, index)
  return game, index, *compilation.compile_environment(env, reaches=True)


@struct.dataclass
class _Forgetful(compiled.CompiledEnvironment):
  """Leduc poker whose players forget what they have seen, or everything."""

  everything: bool = struct.static()

  def information_state(self, state, player):
    legal = self.legal_actions(state)
    weights = jnp.array([1, 2, 4], jnp.int32)
    key = jnp.vdot(weights, legal.astype(jnp.int32))[None]
    return jnp.zeros_like(key) if self.everything else key


def _moved(policy, own, other):
  """Returns a policy for the rows of the same infostates in another order."""
  given = list(own.probabilities(np.asarray(policy)).values())
  table = {key: given[int(key.split()[0])] for key in other.infostates}
  return jnp.asarray(other.policy(table))


class CompilationTest(parameterized.TestCase):
  @parameterized.parameters(
    "kuhn_three_players", "leduc", "liars_dice", "simultaneous"
  )
  def test_the_tree_of_a_compiled_game_is_that_game(self, name):
    game, index, again, names = _compiled_again(name)
    for player, (own, other) in enumerate(zip(index.players, names.players)):
      rows = [int(key.split()[0]) for key in other.infostates]
      self.assertCountEqual(rows, range(len(own.infostates)))
      for row, key in zip(rows, other.infostates):
        legal = own.action[own.slots(row)].tolist()
        here = other.slots(other.row(key))
        self.assertEqual(other.action[here].tolist(), legal)
      np.testing.assert_array_equal(
        again.histories.infostates[player].features,
        np.asarray(game.histories.infostates[player].features)[rows],
      )
    for seed in range(3):
      policies = game_lib.random_policies(game, jax.random.key(seed))
      moved = quantities.Policies(
        map(_moved, policies, index.players, names.players)
      )
      plans, same = game.plans(policies), again.plans(moved)
      np.testing.assert_allclose(
        again.values(same), game.values(plans), rtol=1e-12, atol=1e-12
      )
      np.testing.assert_allclose(
        jnp.sort(again.histories.reach(same)[again.histories.player == -4]),
        jnp.sort(game.histories.reach(plans)[game.histories.player == -4]),
        rtol=1e-12,
      )
      for player in range(game.num_players):
        # Of each own slot the probability of the others and of chance.
        reach = again.reach(same, player)
        np.testing.assert_allclose(jnp.vdot(reach, same[player]), 1)

  def test_too_large_a_tree_is_refused(self):
    game, index = games.compiled("leduc", histories=True)
    env = compiled.environment(game, index)
    with self.assertRaisesRegex(ValueError, "at most 1,000 histories"):
      compilation.compile_environment(env, max_histories=1000)

  @parameterized.parameters(
    (False, "perfect recall"), (True, "the same actions throughout")
  )
  def test_information_states_must_tell_enough(self, everything, message):
    game, index = games.compiled("leduc", histories=True)
    env = compiled.environment(game, index)
    fields = {
      field.name: getattr(env, field.name) for field in dataclasses.fields(env)
    }
    with self.assertRaisesRegex(ValueError, message):
      compilation.compile_environment(
        _Forgetful(**fields, everything=everything)
      )

  def test_names_must_differ(self):
    game, index = games.compiled("kuhn", histories=True)
    env = compiled.environment(game, index)
    with mock.patch.object(type(env), "names", return_value=("same",)):
      with self.assertRaisesRegex(ValueError, "several of the name 'same'"):
        compilation.compile_environment(env)

  def test_equal_rows_have_equal_numbers(self):
    draw = np.random.default_rng(0)
    rows = draw.integers(-(2**31), 2**31, (40, 3), dtype=np.int32)
    rows = rows[draw.integers(0, 40, 500)]
    numbers, first = level_tables.number_rows(rows)
    np.testing.assert_array_equal(rows[first][numbers], rows)
    met = list(dict.fromkeys(map(tuple, rows.tolist())))
    self.assertEqual(list(map(tuple, rows[first].tolist())), met)


if __name__ == "__main__":
  absltest.main()
