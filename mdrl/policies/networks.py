"""Policies that are neural networks, one for all players.

The modules are Flax's linen: their parameters are plain nested dictionaries
beside an architecture that is hashable, so that a policy is an ordinary pytree,
`jax.vmap` trains many seeds at once, and optimisers and checkpoints need to
know of no module.

Orthogonal initialisation with a small last layer is that of Rudolph et al.,
"Reevaluating Policy Gradient Methods for Imperfect-Information Games"
(https://arxiv.org/abs/2502.08938), whose networks have a width of 512, a depth
of 3 and a separate critic.
"""

import functools
import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from mdrl import checks, struct
from mdrl.envs import base as env_lib
from mdrl.policies import architecture as architecture_lib
from mdrl.policies import base

_ACTIVATIONS = {"relu": nn.relu, "tanh": nn.tanh}


@struct.dataclass
class NetworkPolicy:
  """A network as a policy.

  It computes in the dtype of the observations, whatever that of its parameters.
  With the head `q` it takes the actions of the largest expected return.

  Attributes:
    parameters: Of the network.
    architecture: What they are parameters of.
  """

  parameters: Any
  architecture: architecture_lib.Architecture = struct.static()

  @property
  def dtype(self):
    """Floating type of the parameters."""
    return jax.tree.leaves(self.parameters)[0].dtype

  def init_carry(self) -> Any:
    """Returns zeros for recurrent networks, and nothing for others."""
    return _init_carry(self.architecture, self.dtype)

  def __call__(
    self, view: env_lib.View, carry: Any
  ) -> tuple[base.Outputs, Any]:
    """Returns what the network says, and what the player carries on.

    Raises:
      ValueError: If the view is of an environment of other sizes.
    """
    (head, value), carry = self._apply(view, carry)
    if self.architecture.heads == "policy":
      return base.Outputs(head, value), carry
    least = jnp.full_like(head, -jnp.inf)
    best = jnp.max(jnp.where(view.legal, head, least), axis=-1, keepdims=True)
    greedy = jnp.where(head == best, jnp.zeros_like(head), least)
    some = jnp.any(view.legal, axis=-1)
    value = jnp.where(some, best[..., 0], jnp.zeros_like(best[..., 0]))
    return base.Outputs(greedy, value), carry

  def q_values(
    self, view: env_lib.View, carry: Any
  ) -> tuple[Float[Array, "*B A"], Any]:
    """Returns the expected return of each action, and what is carried on.

    At illegal actions they mean nothing.

    Raises:
      ValueError: If the network has another head, or the view is of an
        environment of other sizes.
    """
    if self.architecture.heads != "q":
      raise ValueError(
        "`heads` must be 'q' for returns of actions, got "
        f"{self.architecture.heads!r}"
      )
    (head, _), carry = self._apply(view, carry)
    return head, carry

  def _apply(self, view, carry):
    _check_sizes(self.architecture, view)
    return _Network(self.architecture).apply(
      {"params": self.parameters}, view.observation, view.player, carry
    )


def create(
  environment: env_lib.Environment,
  key: Key[Array, ""],
  *,
  dtype: jax.typing.DTypeLike | None = None,
  **options: Any,
) -> NetworkPolicy:
  """Returns a network for an environment, with random parameters.

  Args:
    environment: What it is to play.
    key: Of the parameters.
    dtype: Of the parameters; by default that of the environment.
    **options: Fields of `Architecture` that are not the environment's.

  Raises:
    ValueError: If an option is out of range.
  """
  architecture = architecture_lib.Architecture(
    num_players=environment.num_players,
    num_actions=environment.num_actions,
    observation_size=environment.observation_size,
    **options,
  )
  return init(architecture, key, environment.dtype if dtype is None else dtype)


def init(
  architecture: architecture_lib.Architecture,
  key: Key[Array, ""],
  dtype: jax.typing.DTypeLike | None = None,
) -> NetworkPolicy:
  """Returns a network with random parameters.

  Args:
    architecture: The network.
    key: Of the parameters.
    dtype: Of the parameters; by default JAX's.

  Raises:
    ValueError: If the dtype is not a floating type.
  """
  dtype = checks.floating_type(dtype)
  return NetworkPolicy(
    parameters=_parameters(architecture, key, dtype),
    architecture=architecture,
  )


@functools.partial(jax.jit, static_argnames=("architecture", "dtype"))
def _parameters(architecture, key, dtype):
  observation = jnp.zeros(architecture.observation_size, dtype)
  carry = _init_carry(architecture, dtype)
  player = jnp.zeros((), jnp.int32)
  network = _Network(architecture)
  return network.init(key, observation, player, carry)["params"]


class _Network(nn.Module):
  """A torso, or two, and the heads upon them."""

  architecture: architecture_lib.Architecture

  @nn.compact
  def __call__(
    self,
    observation: Float[Array, "*B F"],
    player: Int[Array, "*B"],
    carry: Any,
  ):
    """Returns the outputs of the heads, and what is carried on."""
    own = self.architecture
    dtype = observation.dtype
    seat = jax.nn.one_hot(player, own.num_players, dtype=dtype)
    x = jnp.concatenate([observation, seat], axis=-1)
    dense = functools.partial(nn.Dense, dtype=dtype, param_dtype=dtype)
    body, first = _Torso(own, name="torso")(x, carry[:1])
    if own.heads == "q":
      head = dense(own.num_actions, kernel_init=_kernel(own, 1), name="q")
      return (head(body), None), first
    head = dense(own.num_actions, kernel_init=_kernel(own, 0.01), name="policy")
    critic, second = body, ()
    if own.separate_critic:
      critic, second = _Torso(own, name="critic")(x, carry[1:])
    value = dense(1, kernel_init=_kernel(own, 1), name="value")(critic)
    return (head(body), value[..., 0]), first + second


class _Torso(nn.Module):
  """The layers below the heads."""

  architecture: architecture_lib.Architecture

  @nn.compact
  def __call__(self, x: Float[Array, "*B F"], carry: Any):
    """Returns features, and what is carried on: nothing, or one thing."""
    own = self.architecture
    activation = _ACTIVATIONS[own.activation]
    kernel = _kernel(own, math.sqrt(2))
    dense = functools.partial(
      nn.Dense,
      own.width,
      kernel_init=kernel,
      dtype=x.dtype,
      param_dtype=x.dtype,
    )
    # The defaults promote dtypes, and subtract squares that are nearly equal.
    norm = functools.partial(
      nn.LayerNorm,
      use_fast_variance=False,
      force_float32_reductions=False,
      dtype=x.dtype,
      param_dtype=x.dtype,
    )
    if own.torso == "mlp":
      for _ in range(own.depth):
        x = activation(dense()(x))
      return x, ()
    if own.torso == "residual":
      x = dense()(x)
      for _ in range(own.depth):
        inside = activation(dense()(norm()(x)))
        x = x + dense()(inside)
      return activation(norm()(x)), ()
    x = activation(dense()(x))
    layers = []
    for before in carry[0]:
      cell = nn.GRUCell(
        own.width,
        kernel_init=_kernel(own, 1),
        dtype=x.dtype,
        param_dtype=x.dtype,
      )
      after, x = cell(before.astype(x.dtype), x)
      layers.append(after.astype(before.dtype))
    return x, (tuple(layers),)


def _kernel(architecture, gain):
  if architecture.initializer == "orthogonal":
    return nn.initializers.orthogonal(gain)
  return nn.initializers.lecun_normal()


def _init_carry(architecture, dtype):
  """Returns a state for each recurrent layer of each torso."""
  if architecture.torso != "gru":
    return ()
  layers = (jnp.zeros(architecture.width, dtype),) * architecture.depth
  return (layers,) * (1 + architecture.separate_critic)


def _check_sizes(architecture, view):
  found = view.observation.shape[-1], view.legal.shape[-1]
  expected = architecture.observation_size, architecture.num_actions
  if found != expected:
    raise ValueError(
      f"`view` must have {expected[0]} features and {expected[1]} actions, as "
      f"the network was made for, got {found[0]} and {found[1]}; use the "
      "network's own environment"
    )
