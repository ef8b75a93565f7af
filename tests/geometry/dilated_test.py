"""Tests of dilated maps against sums over infostates in numpy."""

from unittest import mock

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.geometry import dilated, mirror_maps
from mdrl.trees import layout as layout_lib

# The sequence above each infostate, and its actions: three levels, an infostate
# of a single action, and an action with three infostates below.
_PARENT = np.array([0, 0, 2, 2, 2, 5, 9])
_WIDTH = np.array([2, 3, 1, 4, 2, 2, 3])
_NUM_SEQUENCES = 1 + int(_WIDTH.sum())
_STOP = 1 + np.cumsum(_WIDTH)
_ROWS = list(zip(_PARENT, map(slice, _STOP - _WIDTH, _STOP), strict=True))

_MAPS = {
  "entropy": mirror_maps.NegativeEntropy(),
  "euclid": mirror_maps.Euclidean(),
  "tsallis": mirror_maps.Tsallis(order=0.5),
  "tsallis_high": mirror_maps.Tsallis(order=1.5),
}


def _lay_out(cost):
  """Lays the tree out, in padded groups or, at no cost, in one per width."""
  with mock.patch.object(layout_lib, "_GROUP_COST", cost):
    layout = layout_lib.lay_out(_PARENT, _WIDTH, np.dtype(float))
  return layout.treeplex, layout.slot


def _psi(name, x):
  if name == "entropy":
    return (x[x > 0] * np.log(x[x > 0])).sum()
  if name == "euclid":
    return (x**2).sum() / 2
  order = 0.5 if name == "tsallis" else 1.5
  return ((x[x > 0] ** order).sum() - 1) / (order - 1)


def _slope(name, x):
  if name == "entropy":
    return np.log(x)
  if name == "euclid":
    return x
  order = 0.5 if name == "tsallis" else 1.5
  return order / (order - 1) * x ** (order - 1)


def _random_policy(rng):
  policy = rng.exponential(size=_NUM_SEQUENCES)
  policy[0] = 1
  for _, row in _ROWS:
    policy[row] /= policy[row].sum()
  return policy


def _plan(policy):
  plan = np.ones(_NUM_SEQUENCES)
  for parent, row in _ROWS:
    plan[row] = plan[parent] * policy[row]
  return plan


def _divergence(name, policy, anchor):
  """Sums over infostates, weighted by how much the plan reaches them."""
  plan, total = _plan(policy), 0.0
  for parent, row in _ROWS:
    x, y = policy[row], None if anchor is None else anchor[row]
    here = _psi(name, x)
    if y is not None:
      here -= _psi(name, y) + _slope(name, y) @ (x - y)
    total += plan[parent] * here
  return total


def _to_slots(t, slot, x):
  out = np.zeros(t.num_slots)
  out[slot] = x
  return jnp.asarray(out)


@jax.jit
def _dual(t, mirror_map, policy):
  return dilated.to_dual(t, mirror_map, policy)


@jax.jit
def _prox(t, mirror_map, gain, anchors):
  dual, value = dilated.prox(t, mirror_map, gain, anchors)
  return dual, dilated.to_policy(t, mirror_map, dual), value


@jax.jit
def _divergences(t, mirror_map, policy, anchor):
  return (
    dilated.divergence(t, mirror_map, policy, anchor),
    dilated.potential(t, mirror_map, policy),
  )


class ProxTest(parameterized.TestCase):
  def _solve(self, name, cost, weights):
    """Returns the maximiser, its value, and the objective in numpy."""
    t, slot = _lay_out(cost)
    rng = np.random.default_rng(3)
    gain = 2 * rng.normal(size=_NUM_SEQUENCES)
    # The last of several anchors is the potential.
    anchors = [_random_policy(rng) for _ in weights]
    if len(anchors) > 1:
      anchors[-1] = None
    duals = [
      jnp.zeros(t.num_slots)
      if anchor is None
      else _dual(t, _MAPS[name], _to_slots(t, slot, anchor))
      for anchor in anchors
    ]
    pairs = [(jnp.asarray(w), y) for w, y in zip(weights, duals, strict=True)]
    dual, policy, value = _prox(t, _MAPS[name], _to_slots(t, slot, gain), pairs)
    padding = np.setdiff1d(np.arange(t.num_slots), slot)
    self.assertFalse(np.asarray(dual)[padding].any())
    self.assertFalse(np.asarray(policy)[padding].any())

    def objective(policy):
      return gain @ _plan(policy) - sum(
        weight * _divergence(name, policy, anchor)
        for weight, anchor in zip(weights, anchors, strict=True)
      )

    return np.asarray(policy)[slot], float(value), objective

  @parameterized.product(name=tuple(_MAPS), weights=((0.8,), (0.3, 0.5, 0.2)))
  def test_value_is_the_maximum_of_the_objective(self, name, weights):
    policy, value, objective = self._solve(name, 128, weights)
    for _, row in _ROWS:
      self.assertAlmostEqual(policy[row].sum(), 1, delta=1e-12)
    self.assertAlmostEqual(value, objective(policy), delta=1e-10)
    rng = np.random.default_rng(5)
    for step in (1.0, 0.1, 1e-3):
      for _ in range(60):
        other = (1 - step) * policy + step * _random_policy(rng)
        self.assertLess(objective(other), value + 1e-12)

  @parameterized.parameters("entropy", "euclid")
  def test_layout_does_not_matter(self, name):
    merged, value, _ = self._solve(name, 128, (0.8,))
    exact, other, _ = self._solve(name, 0, (0.8,))
    np.testing.assert_allclose(merged[1:], exact[1:], rtol=0, atol=1e-12)
    self.assertAlmostEqual(value, other, delta=1e-12)

  def test_without_gain_the_anchor_stays(self):
    t, slot = _lay_out(128)
    for mirror_map in _MAPS.values():
      policy = _random_policy(np.random.default_rng(0))
      dual = _dual(t, mirror_map, _to_slots(t, slot, policy))
      pairs = [(jnp.asarray(0.7), dual)]
      _, same, value = _prox(t, mirror_map, jnp.zeros(t.num_slots), pairs)
      np.testing.assert_allclose(
        np.asarray(same)[slot[1:]], policy[1:], rtol=1e-12
      )
      self.assertAlmostEqual(value, 0, delta=1e-13)

  def test_two_levels_by_hand(self):
    # A choice between 0 and a second choice between 1 and 0.
    layout = layout_lib.lay_out(
      np.array([0, 2]), np.array([2, 2]), np.dtype(float)
    )
    gain = jnp.array([5.0, 0, 0, 1, 0])
    pairs = [(jnp.ones(()), jnp.zeros(5))]
    _, policy, value = _prox(
      layout.treeplex, mirror_maps.NegativeEntropy(), gain, pairs
    )
    below = 1 + np.e
    expected = [1, below, np.e / below * (1 + below), (1 + below) / below]
    np.testing.assert_allclose(
      policy[1:], np.divide(expected, 1 + below), rtol=1e-14
    )
    np.testing.assert_allclose(value, 5 + np.log(1 + below), rtol=1e-14)


class DivergenceTest(parameterized.TestCase):
  @parameterized.product(name=tuple(_MAPS))
  def test_is_the_sum_over_infostates(self, name):
    t, slot = _lay_out(128 if name == "euclid" else 0)
    rng = np.random.default_rng(1)
    policy, anchor = _random_policy(rng), _random_policy(rng)
    dual = _dual(t, _MAPS[name], _to_slots(t, slot, anchor))
    divergence, potential = _divergences(
      t, _MAPS[name], _to_slots(t, slot, policy), dual
    )
    expected = _divergence(name, policy, anchor)
    self.assertGreater(expected, 0)
    self.assertAlmostEqual(divergence, expected, delta=1e-12)
    expected = _divergence(name, policy, None)
    self.assertAlmostEqual(potential, expected, delta=1e-12)
    own = _dual(t, _MAPS[name], _to_slots(t, slot, policy))
    zero, _ = _divergences(t, _MAPS[name], _to_slots(t, slot, policy), own)
    self.assertAlmostEqual(zero, 0, delta=1e-12)

  def test_relative_entropy_of_plans(self):
    # Of entropies, it is the relative entropy of the leaves that plans reach,
    # where every action has at most one infostate below it.
    layout = layout_lib.lay_out(
      np.array([0, 2]), np.array([2, 3]), np.dtype(float)
    )
    t, slot = layout.treeplex, layout.slot
    policy = np.array([1, 0.3, 0.7, 0.5, 0.25, 0.25])
    anchor = np.array([1, 0.6, 0.4, 0.1, 0.8, 0.1])
    leaves = np.array([0.3, 0.35, 0.175, 0.175])
    others = np.array([0.6, 0.04, 0.32, 0.04])
    dual = _dual(t, _MAPS["entropy"], _to_slots(t, slot, anchor))
    divergence, _ = _divergences(
      t, _MAPS["entropy"], _to_slots(t, slot, policy), dual
    )
    expected = (leaves * np.log(leaves / others)).sum()
    self.assertAlmostEqual(divergence, expected, delta=1e-14)

  def test_entropy_is_not_the_divergence_from_uniform(self):
    t, slot = _lay_out(128)
    entropy = _MAPS["entropy"]
    uniform = _dual(t, entropy, t.uniform)
    rng = np.random.default_rng(1)
    differences = []
    for _ in range(3):
      policy = _random_policy(rng)
      divergence, potential = _divergences(
        t, entropy, _to_slots(t, slot, policy), uniform
      )
      differences.append(float(divergence - potential))
      expected = _plan(policy)[_PARENT] @ np.log(_WIDTH)
      self.assertAlmostEqual(differences[-1], expected, delta=1e-12)
    # Not even a constant lies between them, so their maximisers differ.
    self.assertGreater(np.ptp(differences), 0.1)
    gain = _to_slots(t, slot, rng.normal(size=_NUM_SEQUENCES))
    policies = [
      _prox(t, entropy, gain, [(jnp.ones(()), dual)])[1]
      for dual in (uniform, jnp.zeros(t.num_slots))
    ]
    self.assertGreater(np.abs(policies[0] - policies[1]).max(), 0.1)

  @parameterized.parameters("entropy", "tsallis")
  def test_what_a_plan_does_not_reach_does_not_count(self, name):
    # Below the second action the anchor never plays what the policy plays.
    layout = layout_lib.lay_out(
      np.array([0, 2]), np.array([2, 2]), np.dtype(float)
    )
    t, slot = layout.treeplex, layout.slot
    policy = _to_slots(t, slot, np.array([1, 1, 0, 0.5, 0.5]))
    anchor = _to_slots(t, slot, np.array([1, 0.5, 0.5, 1, 0]))
    dual = _dual(t, _MAPS[name], anchor)
    divergence, _ = _divergences(t, _MAPS[name], policy, dual)
    x, y = np.array([1.0, 0]), np.array([0.5, 0.5])
    expected = _psi(name, x) - _psi(name, y) - _slope(name, y) @ (x - y)
    self.assertAlmostEqual(divergence, expected, delta=1e-13)

  @parameterized.parameters(0, 1, 2)
  def test_infinite_behind_one_action_of_several(self, action):
    # Of unlike numbers of infostates, so that sums of children are padded.
    parent, width = np.array([0, 1, 2, 2, 3]), np.array([3, 2, 2, 2, 2])
    layout = layout_lib.lay_out(parent, width, np.dtype(float))
    t, slot = layout.treeplex, layout.slot
    policy, anchor = np.full((2, 12), 0.5)
    anchor[1:4] = 1 / 3
    below = np.flatnonzero(parent[1:] == 1 + action)[0]
    anchor[4 + 2 * below :][:2] = [1, 0]
    policy[1 + action] = 0
    entropy = _MAPS["entropy"]
    dual = _dual(t, entropy, _to_slots(t, slot, anchor))
    divergence, _ = _divergences(t, entropy, _to_slots(t, slot, policy), dual)
    self.assertAlmostEqual(divergence, np.log(1.5), delta=1e-14)
    policy[1:4] = 1 / 3
    divergence, _ = _divergences(t, entropy, _to_slots(t, slot, policy), dual)
    self.assertEqual(divergence, np.inf)


class DualsTest(parameterized.TestCase):
  @parameterized.product(name=tuple(_MAPS))
  def test_policies_there_and_back(self, name):
    t, slot = _lay_out(128)
    policy = _to_slots(t, slot, _random_policy(np.random.default_rng(2)))
    dual = _dual(t, _MAPS[name], policy)
    back = dilated.to_policy(t, _MAPS[name], dual)
    np.testing.assert_allclose(back[1:], policy[1:], rtol=1e-13)
    np.testing.assert_allclose(
      np.asarray(dual)[slot[1:]],
      _slope(name, np.asarray(policy)[slot[1:]]),
      rtol=1e-13,
    )

  @parameterized.parameters("entropy", "euclid")
  def test_mix_is_a_mean_at_every_infostate(self, name):
    t, slot = _lay_out(128)
    rng = np.random.default_rng(4)
    first, second = _random_policy(rng), _random_policy(rng)
    duals = [
      _dual(t, _MAPS[name], _to_slots(t, slot, policy))
      for policy in (first, second)
    ]
    weights = (jnp.asarray(0.6), jnp.asarray(1.4))
    mixed = jax.jit(dilated.mix)(
      t, _MAPS[name], list(zip(weights, duals, strict=True))
    )
    policy = np.asarray(dilated.to_policy(t, _MAPS[name], mixed))[slot]
    for _, row in _ROWS:
      if name == "euclid":
        expected = 0.3 * first[row] + 0.7 * second[row]
      else:
        expected = first[row] ** 0.3 * second[row] ** 0.7
      expected /= expected.sum()
      np.testing.assert_allclose(policy[row], expected, rtol=1e-12)


if __name__ == "__main__":
  absltest.main()
