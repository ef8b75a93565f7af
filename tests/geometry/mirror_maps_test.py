"""Tests of mirror maps against their definitions and scipy's optimiser."""

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize

from mdrl.geometry import mirror_maps

_LEGAL = np.array(
  [
    [True, True, True, True, True],
    [True, False, True, True, False],
    [False, False, True, False, False],
    [True, True, False, False, False],
  ]
)
_SHAPE = _LEGAL.shape
# Orders of Tsallis entropies; 1 is the negative entropy, and None is Euclid.
_ORDERS = (1, None, 0.5, 0.9, 1.5, 2)


def _map(order):
  if order is None:
    return mirror_maps.Euclidean()
  if order == 1:
    return mirror_maps.NegativeEntropy()
  return mirror_maps.Tsallis(order=order)


def _psi(order, x):
  if order is None:
    return (x**2).sum() / 2
  if order == 1:
    return (x[x > 0] * np.log(x[x > 0])).sum()
  return ((x[x > 0] ** order).sum() - 1) / (order - 1)


def _slope(order, x):
  """Returns the gradient of psi, up to a constant."""
  if order is None:
    return x
  with np.errstate(divide="ignore"):
    return np.log(x) if order == 1 else order / (order - 1) * x ** (order - 1)


def _bregman(order, x, y):
  """Returns the divergence from a policy, or psi(x) where there is none."""
  if y is None:
    return _psi(order, x)
  return _psi(order, x) - _psi(order, y) - _slope(order, y) @ (x - y)


def _draw_policies(seed, legal):
  weights = np.random.default_rng(seed).exponential(size=_SHAPE)
  weights = np.where(legal, weights, 0)
  return weights / weights.sum(axis=1, keepdims=True)


class Problem:
  """Gains and anchors, of which each is a weight and policies or zeros."""

  def __init__(self, order, weights, padded, scale=1.0):
    self.order = order
    self.legal = _LEGAL if padded else np.ones(_SHAPE, bool)
    self.gain = scale * np.random.default_rng(7).normal(size=_SHAPE)
    self.weights = weights
    # The last of several anchors is the potential.
    self.anchors = [_draw_policies(k, self.legal) for k in range(len(weights))]
    if len(weights) > 1:
      self.anchors[-1] = None
    mirror_map = _map(order)
    legal = jnp.asarray(self.legal) if padded else None
    self.duals = [
      jnp.zeros(_SHAPE)
      if anchor is None
      else _to_dual(mirror_map, jnp.asarray(anchor), legal)
      for anchor in self.anchors
    ]
    self.iterate, self.policy, self.value = map(
      np.asarray,
      _prox(
        mirror_map,
        jnp.asarray(self.gain),
        [(jnp.asarray(w), y) for w, y in zip(weights, self.duals)],
        legal,
      ),
    )

  def rows(self):
    for row, here in enumerate(self.legal):
      anchors = [None if y is None else y[row, here] for y in self.anchors]
      yield self.gain[row, here], anchors, self.policy[row, here], row

  def objective(self, gain, anchors, x):
    cost = sum(
      w * _bregman(self.order, x, y)
      for w, y in zip(self.weights, anchors, strict=True)
    )
    return gain @ x - cost

  def ascent(self, gain, anchors, x):
    """Returns the gradient of the objective."""
    slope = gain - sum(self.weights) * _slope(self.order, x)
    for weight, anchor in zip(self.weights, anchors, strict=True):
      if anchor is not None:
        slope = slope + weight * _slope(self.order, anchor)
    return slope


@jax.jit
def _prox(mirror_map, gain, anchors, legal):
  iterate, value = mirror_maps.prox(mirror_map, gain, anchors, legal)
  return iterate, mirror_map.to_policy(iterate, legal), value


@jax.jit
def _divergence(mirror_map, policy, anchor, legal):
  return mirror_maps.divergence(mirror_map, policy, anchor, legal)


@jax.jit
def _to_dual(mirror_map, policy, legal):
  return mirror_map.to_dual(policy, legal)


@jax.jit
def _there_and_back(mirror_map, policy, legal):
  return mirror_map.to_policy(mirror_map.to_dual(policy, legal), legal)


_WEIGHTS = ((0.7,), (0.2, 1.3), (0.4, 0.3, 0.1))


class ProxTest(parameterized.TestCase):
  @parameterized.product(
    order=_ORDERS,
    weights=_WEIGHTS,
    padded_and_scale=((False, 1.0), (True, 1.0), (True, 8.0)),
  )
  def test_maximises(self, order, weights, padded_and_scale):
    padded, scale = padded_and_scale
    problem = Problem(order, weights, padded, scale)
    self.assertFalse(problem.policy[~problem.legal].any())
    self.assertFalse(problem.iterate[~problem.legal].any())
    for gain, anchors, x, row in problem.rows():
      self.assertTrue((x >= 0).all())
      self.assertAlmostEqual(x.sum(), 1, delta=1e-12)
      # Where an action is played, more of it gains as much as of any other, and
      # elsewhere no more.
      slope, played = problem.ascent(gain, anchors, x), x > 0
      best = slope[played].max()
      np.testing.assert_allclose(slope[played], best, rtol=0, atol=1e-8)
      self.assertTrue((slope[~played] <= best + 1e-8).all())
      np.testing.assert_allclose(
        problem.value[row],
        problem.objective(gain, anchors, x),
        rtol=0,
        atol=1e-10,
      )

  @parameterized.product(order=_ORDERS, weights=_WEIGHTS[1:])
  def test_is_what_an_optimiser_finds(self, order, weights):
    problem = Problem(order, weights, padded=True)
    for gain, anchors, x, row in problem.rows():
      found = optimize.minimize(
        lambda z, *args: -problem.objective(*args, np.maximum(z, 1e-12)),
        np.full(len(x), 1 / len(x)),
        (gain, anchors),
        method="SLSQP",
        bounds=[(1e-9, 1)] * len(x),
        constraints={"type": "eq", "fun": lambda z: z.sum() - 1},
        options={"ftol": 1e-14},
      )
      np.testing.assert_allclose(x, found.x, rtol=0, atol=2e-5)
      np.testing.assert_allclose(
        problem.value[row], -found.fun, rtol=0, atol=1e-7
      )

  @parameterized.parameters(None, 1.5, 2)
  def test_both_boundary_and_interior_are_met(self, order):
    policy = Problem(order, _WEIGHTS[0], padded=False).policy
    self.assertTrue((policy == 0).any())
    self.assertGreater((policy > 0).sum(axis=1).max(), 1)

  @parameterized.product(
    order=(0.05, 0.5, 0.99, 1.01, 1.5, 2), scale=(1e-6, 1.0, 1e3, 1e6)
  )
  def test_tsallis_multipliers_are_found_at_all_scales(self, order, scale):
    policy = Problem(order, (1.0,), padded=True, scale=scale).policy
    np.testing.assert_allclose(policy.sum(axis=1), 1, rtol=0, atol=1e-9)

  def test_entropy_by_hand(self):
    # Multiplicative weights from (1/4, 3/4) with step size 2.
    gain = jnp.array([[np.log(3) / 2, 0.0]])
    anchor = jnp.log(jnp.array([[0.25, 0.75]]))
    _, policy, value = _prox(
      mirror_maps.NegativeEntropy(), gain, [(jnp.array(0.5), anchor)], None
    )
    np.testing.assert_allclose(policy, [[0.5, 0.5]], rtol=1e-14)
    np.testing.assert_allclose(value, [0.5 * np.log(1.5)], rtol=1e-14)

  @parameterized.parameters(1, 0.5, 0.9)
  def test_actions_that_an_anchor_never_plays(self, order):
    anchor = np.array([[0.5, 0.0, 0.5], [0.2, 0.8, 0.0]])
    gain = np.array([[0.3, 5.0, -0.4], [0.1, -0.2, 7.0]])
    mirror_map = _map(order)
    dual = _to_dual(mirror_map, jnp.asarray(anchor), None)
    _, policy, value = _prox(
      mirror_map, jnp.asarray(gain), [(jnp.array(0.5), dual)], None
    )
    np.testing.assert_array_equal(np.asarray(policy) == 0, anchor == 0)
    for k, played in enumerate(anchor > 0):
      x, y = np.asarray(policy)[k, played], anchor[k, played]
      expected = gain[k, played] @ x - 0.5 * _bregman(order, x, y)
      np.testing.assert_allclose(value[k], expected, rtol=0, atol=1e-12)


class DivergenceTest(parameterized.TestCase):
  @parameterized.product(order=_ORDERS, padded=(False, True))
  def test_is_that_of_bregman(self, order, padded):
    legal = _LEGAL if padded else np.ones(_SHAPE, bool)
    policy, anchor = (_draw_policies(k, legal) for k in (1, 2))
    mirror_map, given = _map(order), jnp.asarray(legal) if padded else None
    dual = _to_dual(mirror_map, jnp.asarray(anchor), given)
    ours = _divergence(mirror_map, jnp.asarray(policy), dual, given)
    expected = [
      _bregman(order, x[here], y[here])
      for x, y, here in zip(policy, anchor, legal, strict=True)
    ]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-13)
    several = legal.sum(axis=1) > 1
    self.assertTrue((np.asarray(ours)[several] > 1e-3).all())

  @parameterized.product(order=_ORDERS, padded=(False, True))
  def test_is_zero_at_the_anchor(self, order, padded):
    legal = _LEGAL if padded else np.ones(_SHAPE, bool)
    policy = jnp.asarray(_draw_policies(1, legal))
    mirror_map, given = _map(order), jnp.asarray(legal) if padded else None
    dual = _to_dual(mirror_map, policy, given)
    np.testing.assert_allclose(
      _divergence(mirror_map, policy, dual, given), 0, atol=1e-13
    )

  @parameterized.parameters(*_ORDERS)
  def test_from_zero_is_the_potential(self, order):
    policy = _draw_policies(1, _LEGAL)
    ours = _divergence(
      _map(order),
      jnp.asarray(policy),
      jnp.zeros(_SHAPE),
      jnp.asarray(_LEGAL),
    )
    expected = [
      _psi(order, x[here]) for x, here in zip(policy, _LEGAL, strict=True)
    ]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-13)

  @parameterized.parameters(1, 0.5, 0.9)
  def test_of_actions_that_are_never_played(self, order):
    mirror_map = _map(order)
    anchor = np.array([[0.5, 0.0, 0.5], [0.2, 0.8, 0.0]])
    dual = _to_dual(mirror_map, jnp.asarray(anchor), None)
    policy = np.array([[0.9, 0.0, 0.1], [0.0, 0.9, 0.1]])
    ours = _divergence(mirror_map, jnp.asarray(policy), dual, None)
    expected = _bregman(order, policy[0, ::2], anchor[0, ::2])
    np.testing.assert_allclose(ours[0], expected, rtol=0, atol=1e-13)
    self.assertEqual(ours[1], np.inf)

  @parameterized.parameters(1, None, 1.5, 2)
  def test_gradients_of_potentials_are_finite_at_the_boundary(self, order):
    mirror_map = _map(order)
    policy = jnp.array([[0.4, 0.0, 0.6]])
    slope = jax.grad(lambda x: jnp.sum(mirror_map.potential(x, None)))(policy)
    self.assertTrue(np.isfinite(slope).all())


class DualsTest(parameterized.TestCase):
  @parameterized.product(order=_ORDERS, padded=(False, True))
  def test_policies_there_and_back(self, order, padded):
    legal = _LEGAL if padded else np.ones(_SHAPE, bool)
    policy = _draw_policies(3, legal)
    policy[0] = [0.25, 0, 0.5, 0, 0.25]
    given = jnp.asarray(legal) if padded else None
    back = _there_and_back(_map(order), jnp.asarray(policy), given)
    np.testing.assert_allclose(back, policy, rtol=1e-13)

  @parameterized.parameters(*_ORDERS)
  def test_duals_are_gradients_and_zero_at_padding(self, order):
    policy = _draw_policies(3, _LEGAL)
    dual = _to_dual(_map(order), jnp.asarray(policy), jnp.asarray(_LEGAL))
    with np.errstate(divide="ignore"):
      expected = np.where(_LEGAL, _slope(order, np.where(_LEGAL, policy, 1)), 0)
    np.testing.assert_allclose(dual, expected, rtol=1e-14)

  def test_maps_have_what_solvers_need(self):
    for order in _ORDERS:
      self.assertIsInstance(_map(order), mirror_maps.MirrorMap)


class TsallisTest(parameterized.TestCase):
  @parameterized.product(weights=_WEIGHTS, step=(-1e-4, 1e-4))
  def test_near_order_one_is_the_entropy(self, weights, step):
    entropy = Problem(1, weights, padded=True)
    near = Problem(1 + step, weights, padded=True)
    np.testing.assert_allclose(near.policy, entropy.policy, atol=5e-4)
    np.testing.assert_allclose(near.value, entropy.value, atol=5e-4)
    # The limit is one from both sides: an error linear in the step.
    other = Problem(1 - step, weights, padded=True)
    middle = (near.policy + other.policy) / 2
    np.testing.assert_allclose(middle, entropy.policy, atol=1e-6)

  @parameterized.product(weights=_WEIGHTS, scale=(1.0, 8.0))
  def test_order_two_is_twice_euclid(self, weights, scale):
    tsallis = Problem(2, weights, padded=True, scale=scale)
    euclid = Problem(None, [2 * w for w in weights], padded=True, scale=scale)
    np.testing.assert_allclose(tsallis.policy, euclid.policy, atol=1e-12)
    # A potential of sum_a x_a^2 - 1 is twice Euclid's, less one.
    constant = weights[-1] if len(weights) > 1 else 0
    np.testing.assert_allclose(
      tsallis.value, euclid.value + constant, atol=1e-11
    )

  @parameterized.parameters(0, -1, 2.1, np.nan, np.inf)
  def test_orders_outside_the_range(self, order):
    with self.assertRaisesRegex(
      ValueError, rf"`order` must lie in \(0, 2\], got {order}"
    ):
      mirror_maps.Tsallis(order=order)

  @parameterized.parameters(1, 1.0)
  def test_order_one(self, order):
    with self.assertRaisesRegex(
      ValueError, "`order` must not be 1, .*; use NegativeEntropy"
    ):
      mirror_maps.Tsallis(order=order)

  def test_orders_may_be_swept(self):
    orders = jnp.array([0.5, 1.5])
    gain = jnp.asarray(Problem(0.5, (1.0,), padded=False).gain)
    anchors = [(jnp.ones(()), jnp.zeros(_SHAPE))]
    _, swept, _ = jax.vmap(lambda m: _prox(m, gain, anchors, None))(
      mirror_maps.Tsallis(order=orders)
    )
    for order, policy in zip(orders, swept, strict=True):
      _, alone, _ = _prox(mirror_maps.Tsallis(order=order), gain, anchors, None)
      np.testing.assert_allclose(policy, alone, atol=1e-14)

  @parameterized.parameters(*_ORDERS)
  def test_in_single_precision(self, order):
    problem = Problem(order, (1.0,), padded=True)
    dual = problem.duals[0].astype(jnp.float32)
    iterate, policy, value = _prox(
      _map(order),
      jnp.asarray(problem.gain, jnp.float32),
      [(jnp.ones((), jnp.float32), dual)],
      jnp.asarray(_LEGAL),
    )
    for x in (iterate, policy, value):
      self.assertEqual(x.dtype, jnp.float32)
    np.testing.assert_allclose(policy, problem.policy, atol=1e-5)
    np.testing.assert_allclose(value, problem.value, atol=1e-5)


if __name__ == "__main__":
  absltest.main()
