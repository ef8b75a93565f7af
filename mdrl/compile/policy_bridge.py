"""Converts policies to OpenSpiel's tables and back."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pyspiel

from mdrl.compile import plain_text
from mdrl.games import index as index_lib
from mdrl.trees import quantities


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
  names = {name for player in index.players for name in player.infostates}
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
      for name in player.infostates
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
