"""Tests of rows of probabilities against scipy and brute force."""

import itertools

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from mdrl.trees import simplex

_LEGAL = np.array(
  [
    [True, True, True, True, True],
    [True, False, True, True, False],
    [False, True, False, True, False],
    [False, False, False, False, True],
    [True, True, False, False, False],
    [True, True, True, True, False],
  ]
)
_SHAPE = _LEGAL.shape


def _draw(seed, scale=1.0):
  return scale * np.random.default_rng(seed).normal(size=_SHAPE)


def _each_row(rows, legal):
  """Yields the legal part of each row."""
  legal = np.ones(_SHAPE, bool) if legal is None else legal
  for row, here in zip(np.asarray(rows), legal, strict=True):
    yield row[here]


def _nearest(point):
  """Projects a point on the simplex by trying all supports."""
  best, least = None, np.inf
  for size in range(1, len(point) + 1):
    for support in map(list, itertools.combinations(range(len(point)), size)):
      x = np.zeros(len(point))
      x[support] = point[support] + (1 - point[support].sum()) / size
      distance = ((x - point) ** 2).sum()
      if x.min() >= 0 and distance < least:
        best, least = x, distance
  return best


_log_partition = jax.jit(simplex.log_partition)
_log_softmax = jax.jit(simplex.log_softmax)
_normalize = jax.jit(simplex.normalize)
_project = jax.jit(simplex.project)


class SoftmaxTest(parameterized.TestCase):
  @parameterized.product(legal=(None, _LEGAL), scale=(1.0, 1e4))
  def test_equals_scipy(self, legal, scale):
    logits = _draw(0, scale)
    partition = _log_partition(jnp.asarray(logits), legal)
    rows = _log_softmax(jnp.asarray(logits), legal)
    for total, row, expected in zip(
      partition,
      _each_row(rows, legal),
      _each_row(logits, legal),
      strict=True,
    ):
      np.testing.assert_allclose(total, special.logsumexp(expected), rtol=1e-14)
      np.testing.assert_allclose(
        row, special.log_softmax(expected), rtol=1e-13, atol=1e-13
      )
    if legal is not None:
      self.assertFalse(np.asarray(rows)[~legal].any())

  def test_illegal_slots_are_not_read(self):
    logits = _draw(0)
    for illegal in (np.nan, np.inf, 1e300):
      rows = jnp.asarray(np.where(_LEGAL, logits, illegal))
      np.testing.assert_array_equal(
        _log_softmax(rows, _LEGAL), _log_softmax(jnp.asarray(logits), _LEGAL)
      )

  def test_actions_that_are_never_played(self):
    logits = _draw(0)
    logits[:, 3] = -np.inf
    rows = np.asarray(_log_softmax(jnp.asarray(logits), None))
    self.assertTrue((rows[:, 3] == -np.inf).all())
    np.testing.assert_allclose(np.exp(rows).sum(axis=1), 1, rtol=1e-14)

  def test_a_row_that_is_nowhere(self):
    rows = jnp.full((1, 5), -jnp.inf)
    np.testing.assert_array_equal(simplex.log_partition(rows, None), [-np.inf])

  @parameterized.parameters(None, (jnp.asarray(_LEGAL),))
  def test_gradients(self, legal):
    logits = jnp.asarray(_draw(0))

    @jax.jit
    @jax.grad
    def slope(logits):
      return jnp.sum(simplex.log_partition(logits, legal))

    gradient = np.asarray(slope(logits))
    # The derivatives of a log-partition are the probabilities.
    expected = np.exp(np.asarray(_log_softmax(logits, legal)))
    if legal is not None:
      expected[~legal] = 0
    np.testing.assert_allclose(gradient, expected, rtol=1e-13, atol=1e-15)


class NormalizeTest(parameterized.TestCase):
  @parameterized.parameters(1e-300, 1e-8, 1, 1e300)
  def test_divides_by_the_sum(self, scale):
    weights = np.where(_LEGAL, _draw(1) ** 2, 0)
    rows = np.asarray(_normalize(jnp.asarray(scale * weights), weights))
    np.testing.assert_allclose(
      rows, weights / weights.sum(axis=1, keepdims=True), rtol=1e-12
    )
    self.assertFalse(rows[~_LEGAL].any())

  def test_rows_of_zeros_become_what_is_given(self):
    weights = np.where(_LEGAL, _draw(1) ** 2, 0)
    weights[[1, 3]] = 0
    otherwise = jnp.asarray(_LEGAL / _LEGAL.sum(axis=1, keepdims=True))
    rows = np.asarray(_normalize(jnp.asarray(weights), otherwise))
    np.testing.assert_array_equal(rows[[1, 3]], otherwise[jnp.array([1, 3])])
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-14)

  def test_gradients_are_finite(self):
    weights = jnp.asarray(_draw(1) ** 2).at[2].set(0)
    coefficients = jnp.asarray(_draw(2))

    @jax.jit
    @jax.grad
    def slope(weights):
      rows = simplex.normalize(weights, jnp.full(_SHAPE, 0.2))
      return jnp.sum(coefficients * rows)

    gradient = np.asarray(slope(weights))
    self.assertTrue(np.isfinite(gradient).all())
    self.assertFalse(gradient[2].any())
    total = weights.sum(axis=1, keepdims=True)
    mean = (weights * coefficients).sum(axis=1, keepdims=True) / total
    expected = np.array((coefficients - mean) / total)
    expected[2] = 0
    np.testing.assert_allclose(gradient, expected, rtol=1e-10)


class ProjectTest(parameterized.TestCase):
  @parameterized.product(
    legal=(None, _LEGAL), scale=(1e-3, 0.3, 1.0, 30.0), seed=(0, 1)
  )
  def test_is_the_nearest_of_all_supports(self, legal, scale, seed):
    points = _draw(seed, scale)
    rows = np.asarray(_project(jnp.asarray(points), legal))
    for row, point in zip(
      _each_row(rows, legal), _each_row(points, legal), strict=True
    ):
      np.testing.assert_allclose(row, _nearest(point), rtol=0, atol=1e-13)
    if legal is not None:
      self.assertFalse(rows[~legal].any())

  @parameterized.product(width=(1, 2, 3, 4, 9, 300), scale=(0.1, 2.0))
  def test_is_what_sorting_finds(self, width, scale):
    points = scale * np.random.default_rng(0).normal(size=(40, width))
    # Duchi et al., 2008, https://doi.org/10.1145/1390156.1390191, figure 1.
    descending = -np.sort(-points, axis=1)
    thresholds = (descending.cumsum(axis=1) - 1) / np.arange(1, width + 1)
    last = (descending > thresholds).sum(axis=1, keepdims=True) - 1
    threshold = np.take_along_axis(thresholds, last, axis=1)
    expected = np.maximum(points - threshold, 0)
    batched = jax.vmap(lambda row: simplex.project(row[None], None)[0])
    for rows in (_project(jnp.asarray(points), None), batched(points)):
      np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-14)

  @parameterized.parameters(3, 9)
  def test_what_is_no_number_shows(self, width):
    rows = jnp.ones((2, width)).at[1, 0].set(jnp.nan)
    projected = _project(rows, None)
    np.testing.assert_allclose(projected[0], np.full(width, 1 / width))
    self.assertTrue(jnp.isnan(projected[1]).all())

  def test_leaves_probabilities_as_they_are(self):
    rows = np.random.default_rng(0).dirichlet(np.ones(5), 6)
    rows[0] = [1, 0, 0, 0, 0]
    np.testing.assert_allclose(
      _project(jnp.asarray(rows), None), rows, rtol=0, atol=1e-15
    )

  def test_equal_numbers_share(self):
    points = np.full(_SHAPE, 7.0)
    points[1] = [3, 3, 3, -50, 3]
    expected = np.full(_SHAPE, 0.2)
    expected[1] = [0.25, 0.25, 0.25, 0, 0.25]
    np.testing.assert_allclose(
      _project(jnp.asarray(points), None), expected, rtol=0, atol=1e-14
    )

  @parameterized.parameters((jnp.float32, 1e9), (jnp.float64, 1e18))
  def test_large_numbers(self, dtype, scale):
    # A unit is lost beside these.
    points = np.array(
      [[2, 0, 1, -1, -3], [-5, -2, -9, -7, -3], [4, 1, 0, 4, 2]]
    )
    expected = [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0.5, 0, 0, 0.5, 0]]
    rows = simplex.project(jnp.asarray(scale * points, dtype), None)
    np.testing.assert_array_equal(rows, expected)

  def test_illegal_slots_are_not_read(self):
    points = _draw(0)
    for illegal in (np.nan, np.inf, 1e300):
      rows = _project(jnp.asarray(np.where(_LEGAL, points, illegal)), _LEGAL)
      np.testing.assert_array_equal(rows, _project(jnp.asarray(points), _LEGAL))

  def test_gradients(self):
    points, coefficients = _draw(0), _draw(3)

    @jax.jit
    @jax.grad
    def slope(points):
      return jnp.sum(jnp.asarray(coefficients) * simplex.project(points, None))

    rows = np.asarray(_project(jnp.asarray(points), None))
    # Within a support, projecting takes away the mean.
    support = rows > 0
    mean = (coefficients * support).sum(axis=1) / support.sum(axis=1)
    np.testing.assert_allclose(
      slope(jnp.asarray(points)),
      support * (coefficients - mean[:, None]),
      rtol=0,
      atol=1e-13,
    )

  def test_gradients_at_illegal_slots(self):

    @jax.jit
    @jax.grad
    def slope(points):
      return jnp.sum(simplex.project(points, jnp.asarray(_LEGAL)) ** 2)

    gradient = np.asarray(slope(jnp.asarray(_draw(0))))
    self.assertTrue(np.isfinite(gradient).all())
    self.assertFalse(gradient[~_LEGAL].any())


if __name__ == "__main__":
  absltest.main()
