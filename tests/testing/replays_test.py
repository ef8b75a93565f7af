"""Replays of OpenSpiel's games find wrong environments."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import struct, testing
from mdrl.envs import base as env_lib

# What play is worth to the first player who holds the higher card, by the moves
# made: pass is 0, bet is 1.
_ENDS = {(0, 0): 1, (1, 1): 2, (0, 1, 1): 2}
_FOLDS = {(1, 0): 1, (0, 1, 0): -1}
_THREE = np.arange(3, dtype=np.int32)


@struct.dataclass
class _Kuhn(env_lib.Environment):
  """Kuhn poker for two, with one fault; states are cards and moves."""

  fault: str = struct.static(default="none")

  num_players = 2
  num_actions = 2
  num_outcomes = 3
  observation_size = 11
  max_decisions = 3
  init_draws = 2
  step_draws = 0
  dtype = property(lambda self: jnp.result_type(float))

  def root(self):
    return -jnp.ones(2, jnp.int32), -jnp.ones(3, jnp.int32)

  def _over(self, moves):
    ends = [*_ENDS, *_FOLDS]
    return jnp.stack([self._is(moves, end) for end in ends])

  def _is(self, moves, end):
    return jnp.array_equal(
      moves, jnp.array([*end, *[-1] * (3 - len(end))], jnp.int32)
    )

  def current_player(self, state):
    cards, moves = state
    made = jnp.sum(moves >= 0, dtype=jnp.int32)
    player = made % 2 if self.fault != "player" else jnp.minimum(made, 1)
    over = jnp.any(self._over(moves))
    player = jnp.where(over, env_lib.TERMINAL, player)
    return jnp.where(cards[1] < 0, env_lib.CHANCE, player)

  def outcomes(self, state):
    free = (_THREE != state[0][0]).astype(self.dtype)
    if self.fault == "probabilities":
      free = free.at[0].mul(0.5)
    return free / jnp.sum(free)

  def resolve(self, state, outcome):
    cards, moves = state
    return cards.at[jnp.sum(cards >= 0)].set(outcome), moves

  def act(self, state, action):
    cards, moves = state
    over = self.current_player(state) == env_lib.TERMINAL
    if self.fault == "after the end":
      over = False
    moved = moves.at[jnp.sum(moves >= 0)].set(action)
    return cards, jnp.where(over, moves, moved)

  def legal_actions(self, state):
    moves = self.current_player(state) >= 0
    return jnp.repeat(moves, 2).at[1].set(moves & (self.fault != "legal"))

  def returns(self, state):
    cards, moves = state
    higher = jnp.where(cards[0] > cards[1], 1.0, -1.0)
    shown, folded = jnp.split(
      self._over(moves).astype(self.dtype), [len(_ENDS)]
    )
    first = higher * jnp.vdot(shown, jnp.array([*map(float, _ENDS.values())]))
    first += jnp.vdot(folded, jnp.array([*map(float, _FOLDS.values())]))
    other = first if self.fault == "returns" else -first
    return jnp.stack([first, other])

  def observation(self, state, player):
    cards, moves = state
    whose = player if self.fault != "observation" else 1 - player
    bets = jax.nn.one_hot(moves, 2)
    return jnp.concatenate(
      [jax.nn.one_hot(player, 2), jax.nn.one_hot(cards[whose], 3), bets.ravel()]
    ).astype(self.dtype)

  def information_state(self, state, player):
    cards, moves = state
    card = cards[player]
    if self.fault == "merged":
      card = jnp.minimum(card, 1)
    other = cards[1 - player] if self.fault == "split apart" else 0
    return jnp.stack([card, jnp.int32(0) + other, *moves])

  def split(self, state, player):
    raise NotImplementedError

  def join(self, known, hidden, player):
    raise NotImplementedError


class ReplaysTest(parameterized.TestCase):
  @parameterized.parameters("string", "tensor", "observations")
  def test_a_right_environment_passes(self, partition):
    testing.check_replays(_Kuhn(), "kuhn_poker", 100, partition=partition)

  @parameterized.parameters(
    ("player", r"`player` in game 1 after moves \[0, 2, 0, 1\] is 1, and"),
    ("probabilities", r"`probabilities` in .* moves \[\] is .* OpenSpiel's is"),
    ("after the end", "`player` in .* is -?., and OpenSpiel's is -4"),
    ("legal", r"`legal` in .* is \[0\], and OpenSpiel's is \[0, 1\]"),
    ("returns", r"`returns` in .* is \[1.0, 1.0\], and .* is \[1.0, -1.0\]"),
    ("observation", "the observation of player 0 in .* at 2 places"),
    ("merged", "are equal after moves .* OpenSpiel's differ by string"),
    ("split apart", "differ after moves .* OpenSpiel's are equal by string"),
  )
  def test_finds_a_fault(self, fault, message):
    with self.assertRaisesRegex(AssertionError, message):
      testing.check_replays(_Kuhn(fault=fault), "kuhn_poker", 100)


if __name__ == "__main__":
  absltest.main()
