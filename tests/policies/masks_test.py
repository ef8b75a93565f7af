"""Tests of distributions over legal actions against NumPy."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.policies import masks

_LEGAL = np.array(
  [
    [True, True, True, True],
    [True, False, True, False],
    [False, True, True, True],
    [False, False, True, False],
    [False, False, False, False],
    [True, True, False, True],
    [True, False, True, True],
  ]
)
_MASK = jnp.asarray(_LEGAL)
# What stands at illegal actions must not matter.
_JUNK = (0.0, 1e4, -np.inf, np.inf, np.nan)


def _logits(seed, junk=0.0):
  """Returns logits, some of them minus infinity, and junk where not legal."""
  logits = 3 * np.random.default_rng(seed).normal(size=_LEGAL.shape)
  logits[5, 1] = logits[6, 2] = -np.inf
  return np.where(_LEGAL, logits, junk)


def _expected(logits):
  """Returns the probabilities, of each row's legal actions alone."""
  table = np.zeros_like(logits)
  for row, legal in enumerate(_LEGAL):
    if legal.any():
      weights = np.exp(logits[row, legal] - logits[row, legal].max())
      table[row, legal] = weights / weights.sum()
  return table


def _entropy(table):
  logs = np.log(np.where(table > 0, table, 1))
  return -(table * logs).sum(axis=1)


_entropies = jax.jit(masks.entropy)
_divergences = jax.jit(masks.divergence)


class ValuesTest(parameterized.TestCase):
  @parameterized.parameters(*_JUNK)
  def test_probabilities_are_those_of_the_legal_actions(self, junk):
    table = masks.probabilities(jnp.asarray(_logits(0, junk)), _MASK)
    np.testing.assert_allclose(table, _expected(_logits(0)), atol=1e-15)
    np.testing.assert_array_equal(np.asarray(table)[~_LEGAL], 0)

  @parameterized.parameters(*_JUNK)
  def test_log_probabilities_are_theirs_and_zeros_elsewhere(self, junk):
    logs = masks.log_probabilities(jnp.asarray(_logits(1, junk)), _MASK)
    table = _expected(_logits(1))
    np.testing.assert_allclose(
      np.exp(logs)[_LEGAL], table[_LEGAL], rtol=1e-14, atol=0
    )
    np.testing.assert_array_equal(np.asarray(logs)[~_LEGAL], 0)

  @parameterized.parameters(*_JUNK)
  def test_entropy_counts_legal_actions_only(self, junk):
    entropy = _entropies(jnp.asarray(_logits(2, junk)), _MASK)
    np.testing.assert_allclose(
      entropy, _entropy(_expected(_logits(2))), atol=1e-14
    )

  @parameterized.parameters(*_JUNK)
  def test_divergence_counts_legal_actions_only(self, junk):
    first, other = _expected(_logits(3)), _expected(_logits(4))
    found = _divergences(
      jnp.asarray(_logits(3, junk)), jnp.asarray(_logits(4, -junk)), _MASK
    )
    ratio = np.divide(first, other, out=np.ones_like(first), where=first > 0)
    np.testing.assert_allclose(
      found, (first * np.log(ratio)).sum(axis=1), atol=1e-14
    )

  def test_divergence_is_infinite_where_the_other_never_goes(self):
    logits = jnp.array([0.0, 0.0]), jnp.array([0.0, -jnp.inf])
    legal = jnp.array([True, True])
    self.assertEqual(masks.divergence(*logits, legal), jnp.inf)
    self.assertAlmostEqual(
      float(masks.divergence(*logits[::-1], legal)), np.log(2)
    )

  def test_without_finite_logits_it_is_uniform(self):
    logits = jnp.full(4, -jnp.inf)
    legal = jnp.array([True, False, True, True])
    np.testing.assert_allclose(
      masks.probabilities(logits, legal), [1 / 3, 0, 1 / 3, 1 / 3]
    )
    self.assertAlmostEqual(float(masks.entropy(logits, legal)), np.log(3))

  def test_a_logit_that_is_not_a_number_shows(self):
    table = masks.probabilities(jnp.array([jnp.nan, 0.0]), jnp.ones(2, bool))
    self.assertTrue(np.isnan(table).any())

  def test_single_rows_and_stacks_agree(self):
    logits, legal = jnp.asarray(_logits(5)), _MASK
    stacked = masks.log_probabilities(
      jnp.stack([logits, logits]), jnp.stack([legal, legal])
    )
    single = jax.vmap(masks.log_probabilities)(logits, legal)
    np.testing.assert_allclose(stacked, jnp.stack([single, single]))

  def test_dtypes_stay(self):
    logits = jnp.asarray(_logits(0), jnp.float32)
    for function in (masks.log_probabilities, masks.probabilities):
      self.assertEqual(function(logits, _MASK).dtype, jnp.float32)
    self.assertEqual(_entropies(logits, _MASK).dtype, jnp.float32)


class GradientsTest(parameterized.TestCase):
  @parameterized.product(
    junk=_JUNK,
    function=(masks.log_probabilities, masks.probabilities, masks.entropy),
  )
  def test_are_finite_and_zero_at_illegal_actions(self, junk, function):
    def total(logits):
      values = function(logits, _MASK)
      # The logarithm of zero is what it is; its gradient counts elsewhere.
      return jnp.sum(jnp.where(values == -jnp.inf, 0, values * weights))

    weights = np.random.default_rng(0).normal(
      size=function(jnp.asarray(_logits(6)), _MASK).shape
    )
    gradient = jax.grad(total)(jnp.asarray(_logits(6, junk)))
    self.assertTrue(np.isfinite(gradient).all())
    np.testing.assert_array_equal(np.asarray(gradient)[~_LEGAL], 0)
    self.assertGreater(np.abs(gradient).max(), 0.01)

  @parameterized.parameters(*_JUNK)
  def test_of_the_divergence_are_finite(self, junk):
    gradient = jax.grad(
      lambda logits, others: masks.divergence(logits, others, _MASK).sum(),
      argnums=(0, 1),
    )(jnp.asarray(_logits(3, junk)), jnp.asarray(_logits(4, junk)))
    for part in gradient:
      self.assertTrue(np.isfinite(part).all())
      np.testing.assert_array_equal(np.asarray(part)[~_LEGAL], 0)

  def test_nothing_on_the_way_is_not_a_number(self):
    # What is selected away is still computed, and debuggers stop there.
    with jax.debug_nans(True):
      gradient = jax.grad(lambda x: masks.entropy(x, _MASK).sum())(
        jnp.asarray(_logits(8))
      )
    self.assertTrue(np.isfinite(gradient).all())

  def test_of_the_entropy_equal_the_closed_form(self):
    gradient = jax.grad(lambda x: masks.entropy(x, _MASK).sum())(
      jnp.asarray(_logits(7))
    )
    table = _expected(_logits(7))
    logs = np.log(np.where(table > 0, table, 1))
    expected = -table * (logs + _entropy(table)[:, None])
    np.testing.assert_allclose(gradient, expected, atol=1e-14)


if __name__ == "__main__":
  absltest.main()
