"""Linear operators of known constants, in numpy, and how to trace methods."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from mdrl import run
from mdrl.operators import base as operator_lib
from mdrl.operators import measures


class Trace(NamedTuple):
  """Iterates, and squared norms of the operator there, the start included."""

  points: Any
  residuals: Any


def _measure(operator, method, state):
  return Trace(
    measures.iterate(operator, method, state),
    measures.squared_residual(operator, method, state),
  )


def trace(method, operator, point, num_updates):
  """Returns what is measured at the start and after every update."""
  start = run.init(method, operator, point)
  steps = np.arange(num_updates + 1)
  return run.run(method, operator, _measure, steps, start)[1].metrics


def operator(matrix, zero=None):
  """Returns the linear operator of a matrix that is zero at a point."""
  matrix = np.asarray(matrix)
  zero = np.zeros(len(matrix)) if zero is None else zero
  offset = jnp.asarray(-matrix @ zero)
  return operator_lib.Linear(matrix=jnp.asarray(matrix), offset=offset)


def worst_case(comonotonicity, lipschitz=1.0):
  """Returns the 2x2 operator that attains both of its constants everywhere."""
  a = -comonotonicity * lipschitz**2
  b = np.sqrt(lipschitz**2 - a**2)
  return operator([[a, b], [-b, a]])


def rotation(angle):
  """Returns the matrix of a rotation of the plane."""
  c, s = np.cos(angle), np.sin(angle)
  return np.array([[c, -s], [s, c]])


def random_monotone(rng, size):
  """Returns a matrix whose symmetric part is singular and not negative."""
  factor = rng.normal(size=(size, size // 2))
  skew = rng.normal(size=(size, size))
  return 0.3 * factor @ factor.T + skew - skew.T


def random_comonotone(rng, size, comonotonicity):
  """Returns a matrix that is negatively comonotone, and 1-Lipschitz.

  A is rho-negatively comonotone where inv(A) + rho I is monotone.
  """
  monotone = random_monotone(rng, size)
  least = np.linalg.svd(monotone, compute_uv=False)[-1]
  scale = (1 + comonotonicity) / least
  matrix = np.linalg.inv(scale * monotone - comonotonicity * np.eye(size))
  symmetric = (matrix + matrix.T) / 2 + comonotonicity * matrix.T @ matrix
  assert np.linalg.eigvalsh(symmetric)[0] > -1e-10
  assert np.linalg.norm(matrix, 2) <= 1 + 1e-10
  return matrix


def random_cocoercive(rng, size, cocoercivity=1.0):
  """Returns a matrix that is cocoercive: the resolvent of a monotone one."""
  monotone = random_monotone(rng, size)
  return np.linalg.inv(monotone + cocoercivity * np.eye(size))


def distance(zero, start):
  """Returns the squared distance of two points."""
  return float(np.sum((np.asarray(zero) - np.asarray(start)) ** 2))


def bounds_are_kept(test, residuals, bounds):
  """Checks every residual against its bound, but for rounding."""
  worst = np.max(np.asarray(residuals) / np.asarray(bounds))
  test.assertLessEqual(worst, 1 + 1e-9)
