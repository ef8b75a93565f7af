"""Preference games and updates in plain numpy, for comparison.

The games and references are those of tables computed elsewhere; entries of the
tables are the divergence of the regularised equilibrium from the iterate.
"""

import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.evaluation import preferences
from mdrl.games import preference_game
from mdrl.preferences import models
from mdrl.testing import games
from mdrl.trees import quantities

REFERENCE = games.SKEWED
HARD = models.cycle(3)
DICE = models.dice()
RANDOM = models.uniform(10, 0)


def softmax(logits):
  """Returns probabilities of logits."""
  weights = np.exp(logits - np.max(logits))
  return weights / weights.sum()


RANDOM_REFERENCE = softmax(np.random.default_rng(7).normal(size=10))


def game(preferences, reference=REFERENCE):
  """Returns a game of one context."""
  return preference_game.preference_game(preferences, reference)


def divergence(x, y):
  """Returns KL(x, y) of positive probabilities."""
  return float(np.sum(x * np.log(x / y)))


def gap(preferences, policy):
  """Returns max_a P(a over x) - min_a P(x over a)."""
  return np.max(preferences @ policy) - np.min(policy @ preferences)


def start(policy):
  """Returns a policy over slots."""
  return quantities.Policies(
    (jnp.concatenate([jnp.zeros(1), jnp.asarray(policy)]),)
  )


def policy_after(solver, game, num_updates, first=None):
  """Returns the policy of the only context."""
  policies = None if first is None else start(np.asarray(first))
  state = run.advance(
    solver, game, run.init(solver, game, policies), num_updates
  )
  return np.asarray(solver.policies(game, state)[0])[1:]


def last_after(solver, game, num_updates):
  """Returns the last iterate of a solver whose result is the average."""
  state = run.advance(solver, game, run.init(solver, game), num_updates)
  return np.asarray(solver.last_policies(game, state)[0])[1:]


def equilibrium(game, temperature):
  """Returns the regularised equilibrium of the only context."""
  return np.asarray(preferences.equilibrium(game, temperature)[0])[1:]


def divergences(solver, game, temperature, checkpoints):
  """Returns KL(equilibrium, iterate) at checkpoints."""
  _, trace = run.run(solver, game, run.of_plans(plan), checkpoints)
  target = equilibrium(game, temperature)
  return [divergence(target, x[1:]) for x in np.asarray(trace.metrics)]


def plan(game, plans):
  """Returns the only plan: a metric."""
  del game
  return plans[0]
