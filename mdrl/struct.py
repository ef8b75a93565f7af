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
  it, so it may check values. A bare function that is given for a leaf, such as
  a schedule, becomes part of the treedef; see `as_pytree`.
  """
  cls.__post_init__ = _with_functions_static(cls)  # pyright: ignore[reportAttributeAccessIssue]
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


def _with_functions_static(cls):
  """Returns `__post_init__`, after functions among the leaves became static."""
  inherited = getattr(cls, "__post_init__", None)

  def post_init(self):
    for field_ in dataclasses.fields(self):
      value = getattr(self, field_.name)
      if "static" not in field_.metadata and callable(value):
        object.__setattr__(self, field_.name, as_pytree(value))
    if inherited is not None:
      inherited(self)

  return post_init


def replace(node: _T, **changes: Any) -> _T:
  """Returns `node` with some fields changed."""
  return dataclasses.replace(node, **changes)  # pyright: ignore[reportArgumentType]


def is_leaf(node: Any) -> bool:
  """Returns whether JAX takes a value for a leaf, not for a tree of them."""
  # A class without fields is a tree without leaves.
  return jax.tree.structure(node) == jax.tree.structure(0)


def as_pytree(value: _T) -> _T:
  """Returns a bare function as a pytree without leaves; all else as it is.

  The function is then static, and hashed as it hashes itself: functions by
  identity, so that the same one reuses compiled programs and an equal copy does
  not. What it closes over is a constant of the program.

  Raises:
    ValueError: If the function cannot be hashed.
  """
  if not callable(value) or not is_leaf(value):
    return value
  try:
    hash(value)
  except TypeError as error:
    raise ValueError(
      f"functions must be hashable, got {value!r}; make its class a "
      "struct.dataclass"
    ) from error
  return jax.tree_util.Partial(value)
