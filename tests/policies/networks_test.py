"""Tests of networks against NumPy."""

import json

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.envs import base as env_lib
from mdrl.policies import architecture as architecture_lib
from mdrl.policies import masks, networks

_TORSOS = ("mlp", "residual", "gru")


def _architecture(**options):
  sizes = {"num_players": 3, "num_actions": 4, "observation_size": 5}
  return architecture_lib.Architecture(
    **(sizes | {"width": 6, "depth": 2} | options)
  )


def _views(batch, dtype=jnp.float64):
  rng = np.random.default_rng(batch)
  return env_lib.View(
    player=jnp.asarray(rng.integers(3, size=batch), jnp.int32),
    observation=jnp.asarray(rng.normal(size=(batch, 5)), dtype),
    information_state=jnp.zeros((batch, 2), jnp.int32),
    legal=jnp.asarray(rng.random((batch, 4)) < 0.7).at[:, 2].set(True),
  )


def _policy(seed=0, dtype=jnp.float64, **options):
  """Returns a network of random parameters, which takes no compiling."""
  rng = np.random.default_rng(seed)

  def draw(leaf):
    return jnp.asarray(rng.normal(size=leaf.shape), dtype) / 2

  architecture = _architecture(**options)
  shapes = jax.eval_shape(
    lambda key: networks.init(architecture, key).parameters, jax.random.key(0)
  )
  return networks.NetworkPolicy(
    parameters=jax.tree.map(draw, shapes), architecture=architecture
  )


def _carries(policy, batch):
  return jax.tree.map(lambda x: jnp.stack([x] * batch), policy.init_carry())


_apply = jax.jit(
  lambda policy, view, carry: jax.vmap(
    lambda one, own: policy(one, own), in_axes=(0, 0)
  )(view, carry)
)
_q_values = jax.jit(
  lambda policy, view: jax.vmap(lambda one: policy.q_values(one, ())[0])(view)
)


def _dense(parameters, x):
  y = x @ np.asarray(parameters["kernel"])
  return y + np.asarray(parameters["bias"]) if "bias" in parameters else y


def _norm(parameters, x):
  centred = x - x.mean(axis=-1, keepdims=True)
  x = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-6)
  return x * np.asarray(parameters["scale"]) + np.asarray(parameters["bias"])


def _sigmoid(x):
  return 1 / (1 + np.exp(-x))


def _torso(parameters, kind, x, carry):
  """Returns what NumPy makes of a torso, with tanh, and what it carries on."""
  p = parameters
  if kind == "mlp":
    return np.tanh(_dense(p["Dense_1"], np.tanh(_dense(p["Dense_0"], x)))), ()
  if kind == "residual":
    x = _dense(p["Dense_0"], x)
    for k in range(2):
      inside = _dense(p[f"Dense_{2 * k + 1}"], _norm(p[f"LayerNorm_{k}"], x))
      x = x + _dense(p[f"Dense_{2 * k + 2}"], np.tanh(inside))
    return np.tanh(_norm(p["LayerNorm_2"], x)), ()
  x, after = np.tanh(_dense(p["Dense_0"], x)), []
  for k, h in enumerate(carry):
    cell = p[f"GRUCell_{k}"]
    reset = _sigmoid(_dense(cell["ir"], x) + _dense(cell["hr"], h))
    keep = _sigmoid(_dense(cell["iz"], x) + _dense(cell["hz"], h))
    new = np.tanh(_dense(cell["in"], x) + reset * _dense(cell["hn"], h))
    x = (1 - keep) * new + keep * h
    after.append(x)
  return x, tuple(after)


def _inputs(view):
  """Returns the observations, each followed by the seat of who moves."""
  seat = np.eye(3)[np.asarray(view.player)]
  return np.concatenate([np.asarray(view.observation), seat], axis=1)


class ForwardTest(parameterized.TestCase):
  @parameterized.product(torso=_TORSOS, separate_critic=(False, True))
  def test_equals_numpy(self, torso, separate_critic):
    policy = _policy(torso=torso, separate_critic=separate_critic)
    carry = _carries(policy, 7)
    own = jax.tree.map(np.asarray, carry) or ((), ())
    for seed in range(2):  # The second decision remembers the first.
      view = jax.tree.map(lambda x, k=seed: jnp.roll(x, k, 0), _views(7))
      outputs, carry = _apply(policy, view, carry)
      parameters = policy.parameters
      body, own_body = _torso(parameters["torso"], torso, _inputs(view), own[0])
      critic, own_critic = body, ()
      if separate_critic:
        critic, own_critic = _torso(
          parameters["critic"], torso, _inputs(view), own[1]
        )
      np.testing.assert_allclose(
        outputs.logits, _dense(parameters["policy"], body), atol=1e-12
      )
      np.testing.assert_allclose(
        outputs.value, _dense(parameters["value"], critic)[:, 0], atol=1e-12
      )
      own = (own_body, own_critic) if separate_critic else (own_body,)
    for ours, theirs in zip(
      jax.tree.leaves(carry), jax.tree.leaves(own), strict=True
    ):
      np.testing.assert_allclose(ours, theirs, atol=1e-12)

  def test_returns_of_actions_equal_numpy_and_the_best_legal_is_taken(self):
    policy, view = _policy(heads="q", activation="tanh"), _views(50)
    q = _q_values(policy, view)
    body, _ = _torso(policy.parameters["torso"], "mlp", _inputs(view), ())
    np.testing.assert_allclose(
      q, _dense(policy.parameters["q"], body), atol=1e-12
    )
    outputs, _ = _apply(policy, view, ())
    legal = np.where(np.asarray(view.legal), np.asarray(q), -np.inf)
    np.testing.assert_array_equal(outputs.value, legal.max(axis=1))
    table = masks.probabilities(outputs.logits, view.legal)
    np.testing.assert_array_equal(table, np.eye(4)[legal.argmax(axis=1)])

  def test_finished_games_have_finite_outputs(self):
    for heads in architecture_lib.HEADS:
      view = _views(3)._replace(legal=jnp.zeros((3, 4), bool))
      outputs, _ = _apply(_policy(heads=heads), view, ())
      self.assertTrue(np.isfinite(outputs.value).all())
      table = masks.probabilities(outputs.logits, view.legal)
      np.testing.assert_array_equal(table, 0)

  def test_rectifies(self):
    policy, view = _policy(activation="relu", depth=1), _views(7)
    outputs, _ = _apply(policy, view, ())
    parameters = policy.parameters
    body = np.maximum(_dense(parameters["torso"]["Dense_0"], _inputs(view)), 0)
    np.testing.assert_allclose(
      outputs.logits, _dense(parameters["policy"], body), atol=1e-12
    )

  @parameterized.parameters(jnp.float32, jnp.float64)
  def test_dtype_is_that_of_the_observation(self, dtype):
    for parameters in (jnp.float32, jnp.float64):
      policy = _policy(torso="gru", dtype=parameters)
      outputs, carry = _apply(policy, _views(2, dtype), _carries(policy, 2))
      self.assertEqual({x.dtype for x in outputs}, {jnp.dtype(dtype)})
      self.assertEqual(
        {x.dtype for x in jax.tree.leaves(carry)}, {jnp.dtype(parameters)}
      )


class InitTest(parameterized.TestCase):
  def test_is_orthogonal_with_the_gains_that_are_documented(self):
    policy = networks.init(_architecture(depth=1), jax.random.key(0))
    self.assertEqual(policy.dtype, jnp.float64)
    for name, gain in (("policy", 0.01), ("value", 1.0)):
      kernel = np.asarray(policy.parameters[name]["kernel"])
      np.testing.assert_allclose(
        kernel.T @ kernel, gain**2 * np.eye(kernel.shape[1]), atol=1e-12
      )
    kernel = np.asarray(policy.parameters["torso"]["Dense_0"]["kernel"])
    np.testing.assert_allclose(kernel.T @ kernel, 2 * np.eye(6), atol=1e-12)

  def test_of_lecun_is_another(self):
    policy = networks.init(
      _architecture(initializer="lecun", width=400, depth=1), jax.random.key(0)
    )
    kernel = np.asarray(policy.parameters["policy"]["kernel"])
    self.assertAlmostEqual(kernel.var() * 400, 1, delta=0.15)

  def test_many_seeds_are_one_program(self):
    keys, view = jax.random.split(jax.random.key(1), 3), _views(2)
    architecture = _architecture()
    many = jax.vmap(lambda key: networks.init(architecture, key))(keys)
    outputs, _ = jax.vmap(_apply, in_axes=(0, None, None))(many, view, ())
    for i, key in enumerate(keys):
      one, _ = _apply(networks.init(architecture, key), view, ())
      np.testing.assert_allclose(outputs.logits[i], one.logits, atol=1e-12)
    self.assertGreater(np.ptp(outputs.value, axis=0).min(), 1e-3)


class ErrorsTest(parameterized.TestCase):
  @parameterized.parameters(
    ({"torso": "lstm"}, "`torso` must be one of mlp, residual, gru"),
    ({"activation": "sin"}, "`activation` must be one of relu, tanh"),
    ({"heads": "v"}, "`heads` must be one of policy, q, got 'v'"),
    ({"initializer": "zero"}, "`initializer` must be one of"),
    ({"width": 0}, "`width` must lie in"),
    ({"heads": "q", "separate_critic": True}, "`separate_critic` must be"),
  )
  def test_names_the_field(self, options, message):
    with self.assertRaisesRegex(ValueError, message):
      _architecture(**options)

  def test_other_environments_are_refused(self):
    view = _views(1)._replace(observation=jnp.zeros((1, 4)))
    with self.assertRaisesRegex(ValueError, "5 features and 4 actions.*got 4"):
      _apply(_policy(), view, ())

  def test_only_one_head_has_returns_of_actions(self):
    with self.assertRaisesRegex(ValueError, "`heads` must be 'q'"):
      _q_values(_policy(), _views(1))


class JsonTest(absltest.TestCase):
  def test_comes_back(self):
    architecture = _architecture(torso="gru", separate_critic=True)
    text = json.dumps(architecture.to_json())
    self.assertEqual(
      architecture_lib.Architecture.from_json(json.loads(text)), architecture
    )

  def test_other_fields_are_refused(self):
    fields = _architecture().to_json()
    for changed, message in (
      (fields | {"heat": 1}, "`fields` must be .*got .*heat"),
      ({"torso": "mlp"}, r"`fields` must be .*got \['torso'\]"),
      (fields | {"width": True}, "`width` must be of type int, got True"),
      (fields | {"torso": 3}, "`torso` must be of type str, got 3"),
    ):
      with self.assertRaisesRegex(ValueError, message):
        architecture_lib.Architecture.from_json(changed)


if __name__ == "__main__":
  absltest.main()
