"""Tests of SRPO against its saddle point, in closed form and by search."""

from absl.testing import absltest, parameterized
import numpy as np
from scipy import optimize, special

from mdrl import run
from mdrl.solvers import srpo
from tests.solvers import preferences as oracle

_BETA = 0.2


def _generator(matrix, reference):
  """Returns the saddle point's generator."""
  worth = special.logsumexp(np.log(reference)[:, None] + matrix / _BETA, axis=0)
  return oracle.softmax(np.log(reference) - worth)


class SRPOTest(parameterized.TestCase):
  @parameterized.parameters((1 / _BETA, 2), (1.0, 300))
  def test_reaches_the_saddle_point(self, step_size, num_updates):
    game = oracle.game(oracle.RANDOM, oracle.RANDOM_REFERENCE)
    solver = srpo.SRPO(step_size=step_size, temperature=_BETA)
    state = run.advance(solver, game, run.init(solver, game), num_updates)
    np.testing.assert_allclose(
      solver.policies(game, state)[0][1:],
      _generator(oracle.RANDOM, oracle.RANDOM_REFERENCE),
      atol=1e-12,
    )
    for a in range(10):
      np.testing.assert_allclose(
        np.exp(state.improver[0, a]),
        oracle.softmax(
          np.log(oracle.RANDOM_REFERENCE) + oracle.RANDOM[:, a] / _BETA
        ),
        atol=1e-12,
      )

  def test_the_saddle_point_is_that_of_the_objective(self):
    ref, matrix = oracle.REFERENCE, oracle.HARD

    def worst(logits):
      """The objective after the best improver, found by search."""
      x = oracle.softmax(logits)
      total = _BETA * oracle.divergence(x, ref)
      for a in range(3):

        def loss(free, a=a):
          y = oracle.softmax(np.append(free, 0.0))
          return -matrix[:, a] @ y + _BETA * oracle.divergence(y, ref)

        best = optimize.minimize(loss, np.zeros(2), tol=1e-10)
        total -= x[a] * best.fun
      return total

    found = optimize.minimize(
      lambda free: worst(np.append(free, 0.0)),
      np.zeros(2),
      method="Nelder-Mead",
      options={"xatol": 1e-6, "fatol": 1e-10},
    )
    solver = srpo.SRPO(step_size=1 / _BETA, temperature=_BETA)
    policy = oracle.policy_after(solver, oracle.game(matrix), 2)
    np.testing.assert_allclose(
      policy, oracle.softmax(np.append(found.x, 0.0)), atol=1e-4
    )

  def test_the_improver_first_plays_the_policy(self):
    game = oracle.game(oracle.HARD)
    state = run.init(srpo.SRPO(step_size=1.0, temperature=_BETA), game)
    for row in np.exp(np.asarray(state.improver[0])):
      np.testing.assert_allclose(row, oracle.REFERENCE, atol=1e-15)

  def test_a_uniform_reference_by_default(self):
    solver = srpo.SRPO(step_size=1 / _BETA, temperature=_BETA)
    policy = oracle.policy_after(solver, oracle.game(oracle.DICE, None), 3)
    expected = _generator(oracle.DICE, np.full(3, 1 / 3))
    np.testing.assert_allclose(policy, expected, atol=1e-12)


if __name__ == "__main__":
  absltest.main()
