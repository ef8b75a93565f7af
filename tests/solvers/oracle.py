"""Solvers of a zero-sum matrix game in plain numpy, for comparison."""

import numpy as np

PAYOFF = np.array([[0.0, 1.0, -0.5], [-1.0, 0.3, 0.8]])


def softmax(logits):
  """Returns probabilities of logits."""
  weights = np.exp(logits - logits.max())
  return weights / weights.sum()


def gains(policies):
  """Returns the derivatives of both players' utilities."""
  x, y = policies
  return [PAYOFF @ y, -PAYOFF.T @ x]


def uniform():
  """Returns the uniform policies."""
  return [np.full(n, 1 / n) for n in PAYOFF.shape]


def entropic_step(policy, gain, step_size):
  """Returns the policy after a step of multiplicative weights."""
  return softmax(np.log(policy) + step_size * gain)


def policies(flat):
  """Returns policies without the slot of the empty sequence."""
  return [np.asarray(p)[1:] for p in flat]
