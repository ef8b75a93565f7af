"""Checks of the contracts of games and solvers, to be called in tests.

A check returns nothing, or raises AssertionError saying what is wrong.
"""

import chex
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.games import base as game_lib
from mdrl.solvers import base as solver_lib
from mdrl.testing import method_checks
from mdrl.trees import quantities


def check_game(game: game_lib.Game, seed: int = 0) -> None:
  """Checks a game against its contract, on random policies.

  Policies give plans that satisfy the equations of a treeplex; utilities are
  linear in each plan, with the gain as slope; `zero_sum` agrees with the
  utilities; all arrays have one dtype; the game passes through `jit` as an
  argument, and `vmap` gives what a loop gives. Where one policy plays all parts
  of a symmetric game, what it wins from another, the other loses, and it wins
  nothing from itself.

  Args:
    game: What to check.
    seed: Of the random policies.

  Raises:
    AssertionError: If a part of the contract is broken.
  """
  keys = jax.random.split(jax.random.key(seed), 3)
  first, second, third = (game_lib.random_policies(game, k) for k in keys)
  _check_plans(game, first)
  if game.symmetric:
    _check_symmetric(game, game.plans(first), game.plans(second))
  else:
    _check_linear(game, game.plans(first), game.plans(second))
  _check_sums(game, [game.plans(p) for p in (first, second, third)])
  for leaf in jax.tree.leaves(game):
    if jnp.issubdtype(leaf.dtype, jnp.floating):
      method_checks.require(
        leaf.dtype == game.dtype,
        f"a leaf is {leaf.dtype}, not {game.dtype}, the game's dtype",
      )
  stacked = jax.tree.map(lambda *x: jnp.stack(x), first, second)
  at_once = jax.jit(jax.vmap(_values, (None, 0)))(game, stacked)
  one_by_one = jnp.stack([_values(game, first), _values(game, second)])
  chex.assert_trees_all_close(
    at_once, one_by_one, rtol=_tolerance(game), atol=_tolerance(game)
  )


def check_solver(
  solver: solver_lib.Solver, game: game_lib.Game, num_updates: int = 6
) -> None:
  """Checks a solver against its contract, on one game.

  It is a sound method, see `check_method`; policies are distributions, and
  agree with the plans.

  Args:
    solver: What to check.
    game: On which game; small ones are quick.
    num_updates: How many updates to make; at least 2.

  Raises:
    AssertionError: If a part of the contract is broken.
  """
  method_checks.check_method(solver, game, num_updates=num_updates)
  start = run.init(solver, game)
  end = run.advance(solver, game, start, num_updates)
  played = jax.jit(_played)
  for state in (start, end):
    _check_policies(game, *played(solver, game, state))


def _values(game, policies):
  return game.values(game.plans(policies))


def _tolerance(game):
  return float(1000 * jnp.finfo(game.dtype).eps)


def _check_plans(game, policies):
  plans = game.plans(policies)
  for i, (t, policy, plan) in enumerate(
    zip(game.treeplexes, policies, plans, strict=True)
  ):
    method_checks.require(
      plan.shape == (t.num_slots,), f"plan {i} has shape {plan.shape}"
    )
    method_checks.require(
      float(plan[0]) == 1, f"plan {i} is {plan[0]} at slot 0, not 1"
    )
    table = t.to_table(t.to_policy(plan)) - t.to_table(policy)
    method_checks.require(
      np.abs(table).max(initial=0) < _tolerance(game),
      f"plan {i} does not give its policy back",
    )


def _check_linear(game, plans, others):
  for i, gain in enumerate(game.gains(plans)):
    moved = quantities.replaced(plans, i, others[i])
    for name, at in (("plans", plans), ("a moved plan", moved)):
      chex.assert_trees_all_close(
        jnp.vdot(gain, at[i]),
        game.values(at)[i],
        rtol=_tolerance(game),
        atol=_tolerance(game),
        custom_message=f"the gain of player {i} is not the slope of its "
        f"utility at {name}",
      )
    method_checks.require_equal(
      gain, game.gain(plans, i), f"`gain` and `gains` differ for player {i}"
    )


def _check_symmetric(game, plans, others):
  method_checks.require(
    game.num_players == 1 and game.zero_sum,
    "a symmetric game has one policy and is zero-sum, not "
    f"{game.num_players} and zero_sum={game.zero_sum}",
  )
  (against,), (against_other,) = game.gains(plans), game.gains(others)
  mean = jax.tree.map(lambda a, b: (a + b) / 2, plans, others)
  for name, left, right in (
    (
      "one wins what the other does not lose",
      jnp.vdot(against, others[0]),
      -jnp.vdot(against_other, plans[0]),
    ),
    ("a policy wins from itself", game.values(plans), jnp.zeros(1)),
    (
      "the gain is not linear in the plan",
      game.gain(mean, 0),
      (against + against_other) / 2,
    ),
  ):
    chex.assert_trees_all_close(
      left,
      right.astype(game.dtype),
      rtol=_tolerance(game),
      atol=_tolerance(game),
      custom_message=name,
    )
  method_checks.require_equal(
    against, game.gain(plans, 0), "`gain` and `gains` differ"
  )


def _check_sums(game, plans):
  sums = jnp.stack([jnp.sum(game.values(p)) for p in plans])
  gains = jnp.concatenate([g for p in plans for g in game.gains(p)])
  largest = float(jnp.max(jnp.abs(gains)))
  constant = float(jnp.ptp(sums)) <= _tolerance(game) * largest
  # General-sum utilities may have equal sums by chance; the converse fails.
  method_checks.require(
    constant or not game.zero_sum,
    f"`zero_sum` is set, and utilities add up to {sums}",
  )


@jax.jit
def _table(treeplex, policy):
  return treeplex.to_table(policy)


def _played(solver, game, state):
  policies = solver.policies(game, state)
  return policies, solver.plans(game, state), game.plans(policies)


def _check_policies(game, policies, plans, expected):
  for i, (t, policy, plan) in enumerate(
    zip(game.treeplexes, policies, plans, strict=True)
  ):
    table = np.asarray(_table(t, policy))
    method_checks.require(
      (table >= 0).all(), f"policy {i} has negative probabilities"
    )
    method_checks.require(
      np.abs(table.sum(axis=1) - 1).max(initial=0) < _tolerance(game),
      f"policy {i} has rows that do not add up to 1",
    )
    illegal = ~np.asarray(t.legal)
    method_checks.require(
      (np.asarray(policy)[illegal] == 0).all(),
      f"policy {i} has illegal actions",
    )
    method_checks.require(
      np.abs(plan - expected[i]).max() < _tolerance(game),
      f"plan {i} is not that of its policy",
    )
