"""Maps a function over many settings, divided among devices."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from mdrl.batching import lanes


def sweep(
  fn: Callable[..., Any],
  batched: Sequence[bool],
  devices: Sequence[Any] | None = None,
) -> Callable[..., Any]:
  """Maps a function over the last axis of its arguments, over all devices.

  Every device takes an equal part of the batch, as lanes of one program, and
  none waits for another. If the number of devices does not divide the batch,
  its last setting is repeated, and the surplus results are dropped.

  Args:
    fn: A function of pytrees of arrays.
    batched: For each argument, whether its leaves have the batch as their last
      axis; the others are shared.
    devices: Where to run; by default all of JAX's.

  Returns:
    A function of the arguments, all of whose results have the batch last; to be
    compiled by `jax.jit`.

  Raises:
    ValueError: When called, if nothing is batched or sizes differ.
  """
  devices = list(jax.devices() if devices is None else devices)
  mapped = lanes.vmap_last(fn, batched)
  # With explicit axes, JAX's default, gathers raise.
  mesh = jax.make_mesh(
    (len(devices),),
    ("lanes",),
    axis_types=(jax.sharding.AxisType.Auto,),
    devices=devices,
  )

  def swept(*args):
    size = lanes.batch_size(args, batched)
    missing = -size % len(devices)
    args = [
      jax.tree.map(lambda x: _filled(x, missing), arg) if flag else arg
      for arg, flag in zip(args, batched, strict=True)
    ]
    share = jax.shard_map(
      mapped,
      mesh=mesh,
      in_specs=tuple(
        jax.tree.map(lambda x: _last_axis(jnp.ndim(x)), arg)
        if flag
        else jax.P()
        for arg, flag in zip(args, batched, strict=True)
      ),
      out_specs=jax.tree.map(
        lambda x: _last_axis(x.ndim), jax.eval_shape(mapped, *args)
      ),
      check_vma=False,
    )
    return jax.tree.map(lambda x: x[..., :size], share(*args))

  return swept


def _filled(x, missing):
  if not missing:
    return x
  return jnp.concatenate([x, jnp.repeat(x[..., -1:], missing, axis=-1)], -1)


def _last_axis(rank):
  return jax.P(*[None] * (rank - 1), "lanes")
