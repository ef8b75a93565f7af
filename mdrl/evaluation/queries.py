"""What a solver asks of the people behind the preferences."""

from typing import Any, NamedTuple

import jax

from mdrl import struct
from mdrl.games import preference_game

# What contexts are taken apart by.
_SAME_NUMBERS = ("broadcast_in_dim", "reshape", "squeeze")


class Queries(NamedTuple):
  """Numbers of preference queries per context.

  A query is the win rate of every response against one policy, a product with
  the matrix of preferences. Whoever looks at all pairs asks n of them.

  Attributes:
    init: Before the first update.
    update: For each update.
  """

  init: int
  update: int


def count(solver: Any, game: preference_game.PreferenceGame) -> Queries:
  """Counts the queries of a solver, in the programs that it traces to."""
  state = solver.init(game)

  def with_advantage(advantage):
    return struct.replace(game, advantage=advantage)

  traced = [
    jax.make_jaxpr(fn)(game.advantage).jaxpr
    for fn in (
      lambda advantage: solver.init(with_advantage(advantage)),
      lambda advantage: solver.update(with_advantage(advantage), state),
    )
  ]
  return Queries(
    *(_uses(jaxpr, jaxpr.invars[0], game.num_responses) for jaxpr in traced)
  )


def _uses(jaxpr, preferences, num_responses):
  """Returns the queries of a program, one of whose variables is given."""
  total, same = 0, [preferences]
  for equation in jaxpr.eqns:
    for place, variable in enumerate(equation.invars):
      if not any(variable is x for x in same):
        continue
      inner = equation.params.get("jaxpr")
      if equation.primitive.name in _SAME_NUMBERS:
        same += equation.outvars
      elif equation.primitive.name == "dot_general":
        total += 1
      elif inner is not None and hasattr(inner, "jaxpr"):
        body = inner.jaxpr
        total += _uses(body, body.invars[place], num_responses)
      else:
        total += num_responses
  return total
