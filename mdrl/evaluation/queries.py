"""Counts the preference queries of a solver."""

from fractions import Fraction
import math
from typing import Any, NamedTuple

import jax

from mdrl import jax_internals, struct
from mdrl.games import preference_game

# Their results hold preferences, or part of them, in some shape and type.
_MOVES = (
  "broadcast_in_dim",
  "convert_element_type",
  "copy",
  "dynamic_slice",
  "gather",
  "reshape",
  "slice",
  "squeeze",
  "transpose",
)


class Queries(NamedTuple):
  """Numbers of preference queries per context.

  A query is the win rate of every response against one policy, a product with
  the matrix of preferences. Whoever looks at all pairs asks n of them.

  Attributes:
    init: Before the first update.
    update: For each update; the most of them, where a state decides.
  """

  init: int
  update: int


def count(solver: Any, game: preference_game.PreferenceGame) -> Queries:
  """Counts the queries of a solver, in the programs that it traces to.

  What a loop asks is counted as often as it goes round, and of several branches
  the one that asks most.

  Raises:
    ValueError: If a loop asks that ends when something is found, as the number
      is then not known.
  """
  state = solver.init(game)

  def with_advantage(advantage):
    return struct.replace(game, advantage=advantage)

  traced = [
    jax.make_jaxpr(fn)(game.advantage)
    for fn in (
      lambda advantage: solver.init(with_advantage(advantage)),
      lambda advantage: solver.update(with_advantage(advantage), state),
    )
  ]
  counter = _Counter(game.num_responses, game.advantage.size)
  return Queries(*(math.ceil(counter.of_program(p, [True])[0]) for p in traced))


class _Counter:
  """Follows the preferences through programs.

  A query multiplies each preference of each context once.
  """

  def __init__(self, num_responses: int, num_preferences: int):
    self._num_responses = num_responses
    self._num_preferences = num_preferences

  def of_program(self, program, given):
    """Counts the queries of a program.

    Args:
      program: A jaxpr, closed or not.
      given: For each argument, whether it holds preferences.

    Returns:
      The number, and for each result whether it holds preferences.
    """
    jaxpr = getattr(program, "jaxpr", program)
    holding = _chosen(jaxpr.invars, given)
    total = Fraction(0)
    for equation in jaxpr.eqns:
      places = [id(variable) in holding for variable in equation.invars]
      if any(places):
        queries, results = self._of_equation(equation, places)
        total += queries
        holding |= _chosen(equation.outvars, results)
    return total, [id(variable) in holding for variable in jaxpr.outvars]

  def _of_equation(self, equation, places):
    """Counts the queries of an equation, like `of_program`."""
    name = equation.primitive.name
    if name in _MOVES:
      return 0, [True]
    if name == "dot_general":
      return self._of_product(equation, places), [False]
    if name == "cond":
      return self._of_branches(jax_internals.branches(equation), places)
    if name == "scan":
      return self._of_scan(jax_internals.scan(equation), places)
    if name == "while":
      return self._of_while(jax_internals.while_loop(equation), places)
    program = jax_internals.called_program(equation, recomputed=True)
    if program is not None:
      return self.of_program(program, places)
    if any(True for _ in jax_internals.inner_programs(equation.params)):
      raise ValueError(_unknown(f"`{name}`"))
    pairs = zip(equation.invars, places, strict=True)
    read = sum(variable.aval.size for variable, place in pairs if place)
    return self._of_pairs(read), [False] * len(equation.outvars)

  def _of_pairs(self, num_read):
    """Counts preferences that are read one by one, and none of them twice."""
    share = Fraction(num_read, self._num_preferences)
    return self._num_responses * min(share, 1)

  def _of_product(self, equation, places):
    (left_axes, right_axes), _ = equation.params["dimension_numbers"]
    left, right = (variable.aval for variable in equation.invars)
    own, axes = (left, left_axes) if places[0] else (right, right_axes)
    summed = math.prod(own.shape[axis] for axis in axes)
    if all(places) or summed > self._num_responses:
      return self._of_pairs(own.size)
    [result] = equation.outvars
    return Fraction(result.aval.size * summed, self._num_preferences)

  def _of_branches(self, branches, places):
    found = [self.of_program(branch, places[1:]) for branch in branches]
    results = zip(*(results for _, results in found), strict=True)
    return max(queries for queries, _ in found), [any(r) for r in results]

  def _of_scan(self, loop, places):
    first, last = loop.num_consts, loop.num_carry
    carried = places[first : first + last]
    queries, results = self.of_program(loop.body, places)
    if results[:last] != carried:
      raise ValueError(_unknown("a loop that carries them on"))
    return loop.length * queries, results

  def _of_while(self, loop, places):
    """Takes a loop of unknown length if it only hands the preferences on."""
    of_test, of_body = loop.num_condition_consts, loop.num_body_consts
    carried = places[of_test + of_body :]
    asked, _ = self.of_program(loop.condition, places[:of_test] + carried)
    more, results = self.of_program(loop.body, places[of_test:])
    if asked or more or results != carried:
      raise ValueError(_unknown("a loop that ends when something is found"))
    return 0, results


def _chosen(variables, flags):
  pairs = zip(variables, flags, strict=True)
  return {id(variable) for variable, flag in pairs if flag}


def _unknown(place):
  return (
    "`solver` must ask a known number of queries, got preferences in "
    f"{place}; give the loop a number of rounds, or count by hand"
  )
