"""Policies as OpenSpiel's, and OpenSpiel's tables as policies."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
import pyspiel

from mdrl.compile import plain_text
from mdrl.games import index as index_lib
from mdrl.trees import quantities

_STRING = "information_state_string"
_DESCRIPTIONS = ("information_state_tensor", "observation_tensor", _STRING)
# Returns the probabilities of actions, by their numbers, and what the player
# carries on: from what describes its infostate, the legal actions, who it is,
# and what it carried away from its last decision.
Decide = Callable[
  [np.ndarray | str, Sequence[int], int, Any], tuple[np.ndarray, Any]
]


def to_openspiel(
  game: pyspiel.Game,
  index: index_lib.Index,
  policies: quantities.Policies,
) -> Any:
  """Returns OpenSpiel's table of the same policies.

  Args:
    game: The sequential game that was compiled.
    index: Names of its rows.
    policies: The policy of each player.

  Returns:
    A `TabularPolicy`, for OpenSpiel's algorithms.

  Raises:
    ValueError: If the game gives no information-state strings, by which these
      tables name their rows.
  """
  check_named(game)
  quantities.check("policies", policies, quantities.Policies)
  # It imports all games that are written in Python, which takes a while.
  from open_spiel.python import policy as policy_lib

  table = policy_lib.TabularPolicy(game)
  names = {name for player in index.players for name in player.names()}
  same = game.num_players() == len(index.players)
  if not same or not table.state_lookup.keys() >= names:
    raise ValueError(
      "`game` must be the one that was compiled, got "
      f"{plain_text.title(game)}, whose infostates differ"
    )
  for player, policy in zip(index.players, policies, strict=True):
    for name, probabilities in player.probabilities(np.asarray(policy)).items():
      row = table.policy_for_key(name)
      row[:] = 0
      for action, probability in probabilities.items():
        row[action] = probability
  return table


def from_openspiel(index: index_lib.Index, policy: Any) -> quantities.Policies:
  """Returns the policies over slots of OpenSpiel's table, of JAX's dtype.

  Args:
    index: Names of the rows of the game that was compiled.
    policy: A `TabularPolicy`.
  """
  tables = [
    {
      name: dict(enumerate(policy.policy_for_key(name).tolist()))
      for name in player.names()
    }
    for player in index.players
  ]
  return quantities.Policies(
    jnp.asarray(player.policy(table))
    for player, table in zip(index.players, tables, strict=True)
  )


def check_named(game: pyspiel.Game) -> None:
  """Raises ValueError unless the game names its information states."""
  if not game.get_type().provides_information_state_string:
    raise ValueError(
      "`game` must give information-state strings, and "
      f"{plain_text.title(game)} does not"
    )


def play(
  game: pyspiel.Game, decide: Decide, *, by: str, carry: Any = None
) -> Any:
  """Returns a policy of OpenSpiel that decides by a function.

  Args:
    game: The sequential game that it plays.
    decide: The function.
    by: What it is told of infostates: their `information_state_tensor`,
      `observation_tensor` or `information_state_string`.
    carry: What it carries into first decisions; None where nothing is carried,
      and earlier decisions need not be made again.

  Returns:
    A `Policy`, for OpenSpiel's algorithms and bots.

  Raises:
    ValueError: If the game does not give what the function is to be told.
  """
  if by not in _DESCRIPTIONS:
    raise ValueError(
      f"`by` must be one of {', '.join(_DESCRIPTIONS)}, got {by!r}"
    )
  if not getattr(game.get_type(), f"provides_{by}"):
    raise ValueError(
      f"`game` must give its {by}, and {plain_text.title(game)} does not"
    )
  # It imports all games that are written in Python, which takes a while.
  from open_spiel.python import policy as policy_lib

  class Played(policy_lib.Policy):
    """A policy that asks the function at every state."""

    def action_probabilities(self, state, player_id=None):
      """Returns the probability of each legal action."""
      player = state.current_player() if player_id is None else player_id
      before = carry
      if carry is not None:
        for earlier in _own_decisions(state, player):
          before = _ask(decide, by, earlier, player, before)[1]
      return _ask(decide, by, state, player, before)[0]

  return Played(game, list(range(game.num_players())))


def _own_decisions(state, player):
  """Yields the states before one at which the player moved."""
  earlier = state.get_game().new_initial_state()
  for action in state.history():
    if earlier.current_player() == player:
      yield earlier
    earlier.apply_action(action)


def _ask(decide, by, state, player, carry):
  """Returns the probabilities of actions at a state, and what is carried on."""
  described = getattr(state, by)(player)
  if by != _STRING:
    described = np.asarray(described)
  legal = state.legal_actions(player)
  probabilities, carry = decide(described, legal, player, carry)
  chosen = np.asarray(probabilities, float)[legal]
  # In single precision sums miss one by more than OpenSpiel allows.
  return dict(zip(legal, (chosen / chosen.sum()).tolist(), strict=True)), carry
