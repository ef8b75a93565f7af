"""Tests of Bradley-Terry fits against scipy's optimiser and known scores."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize, special

from mdrl.preferences import models
from mdrl.solvers import pairwise_fit

_fit = jax.jit(pairwise_fit.fit)


class PairwiseFitTest(parameterized.TestCase):
  def test_recovers_scores(self):
    scores = np.random.default_rng(0).normal(size=20) * 2
    sampling = np.random.default_rng(1).dirichlet(np.ones(20))
    actual = _fit(models.elo(scores), sampling)
    np.testing.assert_allclose(actual, scores - sampling @ scores, atol=1e-9)

  @parameterized.parameters(0, 1)
  def test_agrees_with_scipy(self, seed):
    labels = models.uniform(6, seed)
    sampling = np.random.default_rng(seed).dirichlet(np.ones(6))

    def loss(scores):
      log_model = special.log_expit(scores[:, None] - scores[None])
      return -sampling @ (labels * log_model) @ sampling

    best = optimize.minimize(loss, np.zeros(6), tol=1e-12).x
    best = best - sampling @ best
    np.testing.assert_allclose(_fit(labels, sampling), best, atol=1e-4)

  def test_win_rates_are_those_of_the_labels(self):
    labels = models.skew_low_rank(12, seed=3)
    sampling = np.random.default_rng(3).dirichlet(np.ones(12))
    scores = np.asarray(_fit(labels, sampling))
    model = special.expit(scores[:, None] - scores[None])
    np.testing.assert_allclose(model @ sampling, labels @ sampling, atol=1e-14)

  def test_responses_that_are_not_sampled_have_scores(self):
    sampling = np.array([0.5, 0.5, 0.0])
    labels = models.elo([0.0, 1.0, 3.0])
    np.testing.assert_allclose(
      _fit(labels, sampling), [-0.5, 0.5, 2.5], atol=1e-12
    )

  def test_scores_stay_finite_where_the_optimum_is_not(self):
    labels = models.tournament(5, 1)
    scores = _fit(labels, np.full(5, 0.2))
    self.assertTrue(np.isfinite(scores).all())

  def test_smooth(self):
    labels = jnp.asarray([[[0.5, 0.8], [0.2, 0.5]]])
    actual = pairwise_fit.smooth(labels, 0.1)
    np.testing.assert_allclose(actual, [[[0.5, 0.74], [0.26, 0.5]]])

  @parameterized.parameters(-0.1, 0.5, 0.7)
  def test_refuses(self, value):
    with self.assertRaisesRegex(ValueError, "label_smoothing"):
      pairwise_fit.check_label_smoothing(value)


if __name__ == "__main__":
  absltest.main()
