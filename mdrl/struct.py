"""Frozen dataclasses that are pytrees.

Classes are registered with `register_pytree_with_keys`. On jax 0.10 the
treedefs of different classes registered with `register_dataclass` compare
equal, and a jitted function may then run another class's program.
"""

import dataclasses
from typing import Any, TypeVar, dataclass_transform

import jax

_T = TypeVar("_T")


def static(**kwargs: Any) -> Any:
  """Declares a field of the treedef: hashable, immutable, never traced."""
  return dataclasses.field(metadata={"static": True}, **kwargs)


def field(**kwargs: Any) -> Any:
  """Declares a leaf or subtree with a default factory."""
  return dataclasses.field(**kwargs)


@dataclass_transform(
  frozen_default=True, kw_only_default=True, field_specifiers=(static, field)
)
def dataclass(cls: type[_T]) -> type[_T]:
  """Makes `cls` a frozen, keyword-only dataclass and a pytree.

  Fields are leaves or subtrees unless they are declared with `static`.
  `__post_init__` runs when a user constructs the class, not when JAX rebuilds
  it, so it may check values.
  """
  cls = dataclasses.dataclass(frozen=True, kw_only=True)(cls)
  fields = dataclasses.fields(cls)  # pyright: ignore[reportArgumentType]
  meta = tuple(f.name for f in fields if "static" in f.metadata)
  data = tuple(f.name for f in fields if "static" not in f.metadata)
  keys = tuple(jax.tree_util.GetAttrKey(name) for name in data)

  def flatten_with_keys(node):
    children = [(k, getattr(node, n)) for k, n in zip(keys, data, strict=True)]
    return children, tuple(getattr(node, n) for n in meta)

  def flatten(node):
    return (
      tuple(getattr(node, n) for n in data),
      tuple(getattr(node, n) for n in meta),
    )

  def unflatten(aux, children):
    # Not through __init__: JAX also rebuilds with leaves that are not arrays.
    node = object.__new__(cls)
    for name, value in zip(data, children, strict=True):
      object.__setattr__(node, name, value)
    for name, value in zip(meta, aux, strict=True):
      object.__setattr__(node, name, value)
    return node

  jax.tree_util.register_pytree_with_keys(
    cls, flatten_with_keys, unflatten, flatten
  )
  return cls


def replace(node: _T, **changes: Any) -> _T:
  """Returns `node` with some fields changed."""
  return dataclasses.replace(node, **changes)  # pyright: ignore[reportArgumentType]
