"""Tests that `check_env` accepts environments, and finds faults in them."""

import dataclasses

from absl.testing import absltest, parameterized
import jax.numpy as jnp

from mdrl import struct
from mdrl.envs import base as env_lib
from mdrl.envs import compiled
from mdrl.testing import env_checks, games


def _environment(name, kind=compiled.CompiledEnvironment):
  game, index = games.compiled(name, histories=True)
  env = compiled.environment(game, index)
  fields = dataclasses.fields(env)
  return kind(**{field.name: getattr(env, field.name) for field in fields})


@struct.dataclass
class _Compiled(compiled.CompiledEnvironment):
  """A class of which faulty ones differ in one method."""


@struct.dataclass
class _ShiftedMask(_Compiled):
  def legal_actions(self, state):
    return jnp.roll(super().legal_actions(state), 1)


@struct.dataclass
class _MaskOfFinished(_Compiled):
  def legal_actions(self, state):
    mask = super().legal_actions(state)
    return mask | (self.current_player(state) == env_lib.TERMINAL)


@struct.dataclass
class _ChanceLeft(_Compiled):
  def settle(self, state, luck):
    return state


@struct.dataclass
class _OthersObservation(_Compiled):
  def view(self, state):
    view = super().view(state)
    other = self.observation(state, 1 - view.player)
    return view._replace(observation=other)


@struct.dataclass
class _SeesTheOther(_Compiled):
  def observation(self, state, player):
    return super().observation(state, 1 - player)


@struct.dataclass
class _ForgetsMoves(_Compiled):
  def information_state(self, state, player):
    return super().information_state(state, player)[:1] // 7


@struct.dataclass
class _KnowsAll(_Compiled):
  def split(self, state, player):
    return state.history, state.history


@struct.dataclass
class _Restarts(_Compiled):
  def act(self, state, action):
    behind = super().act(state, action)
    return env_lib.where(self.is_terminal(state), self.root(), behind)


@struct.dataclass
class _HighestLegal(_Compiled):
  def act(self, state, action):
    legal = self.legal_actions(state)
    highest = legal.shape[0] - 1 - jnp.argmax(legal[::-1])
    inside = (action >= 0) & (action < legal.shape[0])
    safe = jnp.where(inside, action, jnp.zeros_like(action))
    action = jnp.where(inside & legal[safe], safe, highest.astype(jnp.int32))
    return super().act(state, action)


@struct.dataclass
class _BiasedDraws(_Compiled):
  def settle(self, state, luck):
    if jnp.issubdtype(luck.dtype, jnp.floating):
      luck = luck * luck
    return super().settle(state, luck)


@struct.dataclass
class _OtherStart(_Compiled):
  def init(self, key):
    luck = self.luck(key, self.init_draws)
    return self.settle(self.root(), luck * luck)


@struct.dataclass
class _NumbersRounded(_Compiled):
  def returns(self, state):
    return super().returns(state).astype(jnp.float32)


@struct.dataclass
class _TooShort(_Compiled):
  @property
  def max_decisions(self):
    return super().max_decisions - 1


class EnvChecksTest(parameterized.TestCase):
  @parameterized.parameters(
    "kuhn_three_players", "leduc", "simultaneous", "general_sum"
  )
  def test_compiled_games_keep_the_contract(self, name):
    env_checks.check_env(_environment(name), num_games=16)

  @parameterized.parameters(
    (_ShiftedMask, "illegal action", "simultaneous"),
    (_MaskOfFinished, "if and only if"),
    (_ChanceLeft, "go on until a player moves"),
    (_OthersObservation, "another observation"),
    (_SeesTheOther, "observation of player"),
    (_ForgetsMoves, "must fix what is legal"),
    (_KnowsAll, "known part"),
    (_Restarts, "changes finished games|must end within"),
    (_HighestLegal, "lowest number"),
    (_BiasedDraws, "must have the probabilities"),
    (_OtherStart, "`init`"),
    (_NumbersRounded, "`returns` must be"),
    (_TooShort, "must end within", "kuhn"),
  )
  def test_faults_are_found(self, kind, message, name="leduc"):
    with self.assertRaisesRegex(AssertionError, message):
      env_checks.check_env(_environment(name, kind), num_games=16)


if __name__ == "__main__":
  absltest.main()
