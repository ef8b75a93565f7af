"""Methods that solve no game keep the contract, and run in the same loop."""

from typing import Any, NamedTuple

from absl.testing import absltest, parameterized
import jax
import jax.numpy as jnp
import numpy as np

from mdrl import methods, run, struct, testing


@struct.dataclass
class _Losses:
  """An environment that reveals a linear loss of three actions per round."""

  losses: jax.Array

  def loss(self, step):
    return self.losses[step % len(self.losses)]


class _HedgeState(NamedTuple):
  step: jax.Array
  log_weights: jax.Array
  paid: jax.Array


@struct.dataclass
class _Hedge:
  """Exponential weights against the losses of an environment."""

  step_size: float | jax.Array

  def init(self, environment, weights=None):
    size = environment.losses.shape[1]
    logs = jnp.zeros(size) if weights is None else jnp.log(weights)
    return _HedgeState(methods.zero_step(), logs, jnp.zeros(()))

  def update(self, environment, state):
    loss = environment.loss(state.step)
    paid = jax.nn.softmax(state.log_weights) @ loss
    logs = state.log_weights - self.step_size * loss
    return _HedgeState(state.step + 1, logs, state.paid + paid)


def _regret(environment, learner, state):
  """Returns what was paid more than by the best action, once per pass."""
  del learner
  passes = state.step // len(environment.losses)
  best = jnp.min(jnp.sum(environment.losses, axis=0))
  return state.paid - passes.astype(best.dtype) * best


class _NetworkState(NamedTuple):
  step: jax.Array
  params: dict[str, jax.Array]
  momentum: dict[str, jax.Array]
  key: jax.Array


class _Data(NamedTuple):
  inputs: jax.Array
  targets: jax.Array


@struct.dataclass
class _Network:
  """Momentum on the squared error of a network, on batches that are drawn."""

  step_size: float | jax.Array
  seed: int | jax.Array = 0
  width: int = struct.static(default=4)

  def init(self, data, params=None):
    key, first, second = jax.random.split(jax.random.key(self.seed), 3)
    if params is None:
      size = data.inputs.shape[1]
      params = {
        "hidden": jax.random.normal(first, (size, self.width)),
        "out": jax.random.normal(second, (self.width,)),
      }
    momentum = jax.tree.map(jnp.zeros_like, params)
    return _NetworkState(methods.zero_step(), params, momentum, key)

  def update(self, data, state):
    key = jax.random.fold_in(state.key, state.step)
    batch = jax.random.randint(key, (8,), 0, len(data.targets))
    slopes = jax.grad(_error)(
      state.params, data.inputs[batch], data.targets[batch]
    )
    momentum = jax.tree.map(lambda m, g: 0.9 * m + g, state.momentum, slopes)
    params = jax.tree.map(
      lambda p, m: p - self.step_size * m, state.params, momentum
    )
    return _NetworkState(state.step + 1, params, momentum, state.key)


def _error(params, inputs, targets):
  hidden = jnp.tanh(inputs @ params["hidden"])
  return jnp.mean((hidden @ params["out"] - targets) ** 2)


def _fit(data, network, state):
  del network
  return {"error": _error(state.params, data.inputs, data.targets)}


def _losses():
  return _Losses(losses=jnp.asarray(np.random.default_rng(0).random((10, 3))))


def _data():
  inputs = np.random.default_rng(1).normal(size=(32, 2))
  return _Data(jnp.asarray(inputs), jnp.asarray(np.sin(inputs.sum(axis=1))))


_CASES = {
  "online": (
    _Hedge(step_size=0.2),
    _losses,
    _regret,
    np.array([0.2, 0.3, 0.5]),
  ),
  "network": (_Network(step_size=0.02), _data, _fit, None),
}


class MethodsTest(parameterized.TestCase):
  @parameterized.named_parameters((name, name) for name in _CASES)
  def test_keeps_the_contract(self, name):
    method, problem, _, start = _CASES[name]
    testing.check_method(method, problem())
    if start is not None:
      testing.check_method(method, problem(), jnp.asarray(start))

  @parameterized.named_parameters((name, name) for name in _CASES)
  def test_stops_and_goes_on(self, name):
    method, problem, measure, _ = _CASES[name]
    problem = problem()
    whole, trace = run.run(method, problem, measure, [0, 10, 30])
    half, first = run.run(method, problem, measure, [0, 10])
    end, second = run.run(method, problem, measure, [30], half)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(end)):
      self.assertTrue(bool(jnp.all(a == b)))
    both = [first.metrics, second.metrics]
    both = jax.tree.map(lambda *x: jnp.concatenate(x), *both)
    jax.tree.map(np.testing.assert_array_equal, trace.metrics, both)
    np.testing.assert_array_equal(trace.step, [0, 10, 30])

  def test_an_online_learner_keeps_its_regret_bound(self):
    for step_size in (0.1, 0.5):
      learner = _Hedge(step_size=step_size)
      _, trace = run.run(learner, _losses(), _regret, np.arange(0, 201, 10))
      bounds = np.log(3) / step_size + step_size * np.arange(0, 201, 10) / 8
      self.assertTrue((np.asarray(trace.metrics) <= bounds).all())
    self.assertGreater(float(trace.metrics[-1]), 0)

  def test_a_network_learns_under_several_seeds_at_once(self):
    data = _data()

    def fit(seed):
      network = _Network(step_size=0.02, seed=seed)
      return run.run(network, data, _fit, [0, 400])[1].metrics["error"]

    errors = jax.vmap(fit)(jnp.arange(3))
    self.assertTrue((errors[:, 1] < 0.5 * errors[:, 0]).all())
    self.assertLess(np.max(errors[:, 1]), 0.1)
    self.assertLen(set(errors[:, 1].tolist()), 3)


class _NoCount(_Hedge):
  def init(self, environment, weights=None):
    return super().init(environment, weights).log_weights


class RefusalsTest(absltest.TestCase):
  def test_methods_that_are_none(self):
    for wrong in (_Hedge, "hedge", _losses()):
      with self.assertRaisesRegex(ValueError, "`method` must have `init` and"):
        methods.check(wrong, _losses())

    class Bare:
      init = update = len

    with self.assertRaisesRegex(
      ValueError, "`method` must be a pytree .* Bare"
    ):
      methods.check(Bare(), _losses())

  def test_states_that_do_not_count(self):
    learner = struct.dataclass(_NoCount)(step_size=0.1)
    with self.assertRaisesRegex(ValueError, "must count updates in `step`"):
      run.init(learner, _losses())

  def test_measures_of_plans_are_for_solvers(self):
    def zero(game, plans):
      del game, plans
      return 0.0

    with self.assertRaisesRegex(ValueError, "`method` must have `plans`"):
      run.run(_Hedge(step_size=0.1), _losses(), run.of_plans(zero), [1])

  def test_measures_that_cannot_be_hashed(self):
    class Unhashable:
      __hash__: Any = None

      def __call__(self, problem, method, state):
        return 0.0

    with self.assertRaisesRegex(ValueError, "`measure` must be hashable"):
      run.run(_Hedge(step_size=0.1), _losses(), Unhashable(), [1])

  def test_a_hook_refuses_a_problem(self):
    @struct.dataclass
    class Picky(_Hedge):
      def check(self, problem):
        if len(problem.losses) > 5:
          raise ValueError("`problem` must be short")

      def check_start(self, problem, start):
        if start is not None:
          raise ValueError("`start` must be left out")

    learner, short = Picky(step_size=0.1), _Losses(losses=jnp.ones((5, 3)))
    for call in (
      lambda: run.init(learner, _losses()),
      lambda: run.run(learner, _losses(), _regret, [1]),
      lambda: run.advance(learner, _losses(), run.init(learner, short), 1),
    ):
      with self.assertRaisesRegex(ValueError, "`problem` must be short"):
        call()
    with self.assertRaisesRegex(ValueError, "`start` must be left out"):
      run.init(learner, short, jnp.ones(3))


class StatesTest(absltest.TestCase):
  def test_of_another_start_or_method(self):
    learner, network = _Hedge(step_size=0.1), _Network(step_size=0.1)
    state = run.init(learner, _losses())
    with self.assertRaisesRegex(ValueError, "`state` must be a _NetworkState"):
      run.advance(network, _data(), state, 1)


if __name__ == "__main__":
  absltest.main()
