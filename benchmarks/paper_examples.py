"""Small examples that papers print numbers of, computed with the library."""

from collections.abc import Callable
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mdrl import evaluation, games, operators, run, solvers
from mdrl.compile import openspiel
from mdrl.evaluation import linear_program, quantal_response
from mdrl.games import behavioral_game
from mdrl.operators import measures
from mdrl.preferences import models
from mdrl.trees import quantities, simplex

# Of the comparison of three dice.
_SAMPLING = (0.6, 0.3, 0.1)
# A bandit: how often data show each arm, and what it pays.
_DATA = np.array([0.3, 0.6, 0.1])
_PAYS = np.array([0.0, 0.8, 1.0])
_PERTURBED = (np.array([[0.0, -3, 3], [3, 0, -1], [-3, 1, 0]]) + 3) / 6


def dice_edges() -> Any:
  """Returns how often each of three dice beats the next."""
  dice = models.dice()
  return [dice[0, 1], dice[1, 2], dice[2, 0]]


def dice_against_uniform() -> Any:
  """Returns the win rate of each die against all of them."""
  return models.dice() @ np.full(3, 1 / 3)


def cycle_of_raters() -> Any:
  """Returns the share of three transitive raters behind each preference."""
  raters = models.cyclic_raters(3)
  return [raters[0, 1], raters[1, 2], raters[2, 0]]


def most_elo_against_most_wins() -> Any:
  """Returns how often the best constrained score loses to the most wins."""
  elo = models.elo([0.0, math.log(9), math.log(2)])
  return [np.array([0.0, 0.0, 1.0]) @ elo @ np.array([2 / 3, 1 / 3, 0.0])]


def three_raters(epsilon: float) -> Any:
  """Returns P[second, first] and the equilibrium of three kinds of raters."""
  matrix = models.three_raters(epsilon)
  game = games.preference_game.preference_game(matrix)
  return [matrix[1, 0], *linear_program.minimax_winner(game)[0]]


def nash_md_step() -> Any:
  """Returns one update of Nash-MD on dice, from the sampling policy."""
  solver = solvers.NashMD(step_size=5.0, temperature=0.1)
  game = games.preference_game.preference_game(
    models.dice(), reference=np.full(3, 1 / 3)
  )
  return _policy_after(solver, game, 1)


def offline_ipo_of_two(temperature: float) -> Any:
  """Returns the share of a response that wins 7 of 10."""
  game = games.preference_game.preference_game([[0.5, 0.7], [0.3, 0.5]])
  solver = solvers.IterativeIPO(temperature=temperature)
  return _policy_after(solver, game, 1, None)[:1]


def offline_ipo_of_dice() -> Any:
  """Returns the optimum of the offline loss on dice at temperature 0.1."""
  game = games.preference_game.preference_game(models.dice())
  return _policy_after(solvers.IterativeIPO(temperature=0.1), game, 1)


def _policy_after(solver, game, num_updates, start: Any = _SAMPLING):
  if start is not None:
    start = quantities.Policies((jnp.asarray([0.0, *start]),))
  state = run.init(solver, game, start)
  state = run.advance(solver, game, state, num_updates)
  return solver.policies(game, state)[0][1:]


def bandit(shift: float, temperature: float = 0.0) -> Any:
  """Returns where expected policy gradients on data of a bandit come to rest.

  The gradient is of E_data[(reward - baseline) log x - temperature / 2
  (log x / data)^2], with `shift` below the mean reward as the baseline; 200,000
  steps of 0.05 from the data.
  """
  baseline = float(_DATA @ _PAYS) - shift

  def step(_, logits):
    log_policy = jax.nn.log_softmax(logits)
    pull = temperature * (log_policy - np.log(_DATA))
    weights = _DATA * (_PAYS - baseline - pull)
    gradient = weights - jnp.exp(log_policy) * jnp.sum(weights)
    return logits + 0.05 * gradient

  logits = jax.lax.fori_loop(0, 200_000, step, jnp.log(jnp.asarray(_DATA)))
  return jax.nn.softmax(logits)


def asymmetric_bandit(shift: float) -> Any:
  """Returns the same rest points as a projection on the simplex."""
  pull = _DATA * (_PAYS - float(_DATA @ _PAYS) + shift) / shift
  legal = jnp.ones((1, 3), bool)
  return simplex.project(jnp.asarray(pull)[None], legal)[0]


def regularized_bandit(temperature: float) -> Any:
  """Returns the optimum with a divergence from the data."""
  legal = jnp.ones((1, 3), bool)
  tilted = jnp.log(jnp.asarray(_DATA)) + _PAYS / temperature
  return jnp.exp(simplex.log_softmax(tilted[None], legal))[0]


def comonotone(method: Any, rho: float, num_updates: int) -> Any:
  """Returns squared residuals on the operator that attains both constants."""
  side = math.sqrt(1 - rho**2)
  matrix = jnp.asarray([[-rho, side], [-side, -rho]])
  operator = operators.Linear(matrix=matrix, offset=jnp.zeros(2))
  start = run.init(method, operator, jnp.asarray([1.0, 0.0]))
  _, trace = run.run(
    *(method, operator, measures.squared_residual),
    np.arange(num_updates + 1),
    start,
  )
  return trace.metrics


def extragradient(step_size: float, rho: float, num_updates: int) -> Any:
  """Returns squared residuals of extragradient with a look-ahead of 1/2."""
  method = operators.Extragradient(look_ahead=0.5, step_size=step_size)
  return comonotone(method, rho, num_updates)


def optimistic_gradient(ahead: float, step: float, rho: float, n: int) -> Any:
  """Returns squared residuals of the optimistic gradient method."""
  method = operators.OptimisticGradient(look_ahead=ahead, step_size=step)
  return comonotone(method, rho, n)


def proximal_point(step_size: float) -> Any:
  """Returns the squared residual after 30 updates at comonotonicity 0.1."""
  method = operators.ProximalPoint(step_size=step_size)
  return comonotone(method, 0.1, 30)[-1:]


def sizes(name: str) -> Any:
  """Returns infostates and sequences of the first player."""
  game, _ = openspiel.compile_game(name)
  treeplex = game.treeplexes[0]
  return [treeplex.num_infostates, 1 + int(jnp.sum(treeplex.legal[1:]))]


def value(name: str) -> Any:
  """Returns the first player's value, by linear programming."""
  return [linear_program.solve(openspiel.compile_game(name)[0]).value]


def perturbed_rock_paper_scissors(temperature: float) -> Any:
  """Returns a logit quantal-response equilibrium, by Newton's method."""
  game = games.zero_sum_game(_PERTURBED)
  return quantal_response.equilibrium(game, temperature)[0][1:]


def quantal_response_of_trees(
  name: str, temperature: float, agents: bool
) -> Any:
  """Returns value and exploitability of a quantal-response equilibrium."""
  game, _ = openspiel.compile_game(name, reaches=True)
  view = behavioral_game.view(game, "q") if agents else game
  plans = game.plans(quantal_response.equilibrium(view, temperature))
  return [game.values(plans)[0], evaluation.exploitability(game, plans)]


def cfr(name: str, rule: Any, alternating: bool, power: float) -> Callable:
  """Returns the exploitability of a CFR average after some updates."""
  kind = (
    solvers.AlternatingRegretMatching if alternating else solvers.RegretMatching
  )
  solver = solvers.Averaged(solver=kind(rule=rule), power=power)

  def after(num_updates):
    game, _ = openspiel.compile_game(name)
    measure = run.of_plans(evaluation.exploitability)
    return run.run(solver, game, measure, [num_updates])[1].metrics

  return after
