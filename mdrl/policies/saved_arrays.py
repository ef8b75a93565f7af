"""Stores trees of arrays by Orbax, and tells when they have changed."""

import hashlib
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array
import numpy as np


def write(folder: pathlib.Path, arrays: Any) -> None:
  """Writes nested dictionaries of arrays.

  Args:
    folder: Of an absolute path; made, there must be none.
    arrays: On the host.

  Raises:
    OSError: If it cannot be written.
  """
  with _checkpointer() as checkpointer:
    checkpointer.save(folder, arrays)


def read(folder: pathlib.Path, expected: str) -> Any:
  """Returns the dictionaries of arrays that were written, on the host.

  Args:
    folder: Where they were written.
    expected: The digest of the folder.

  Raises:
    ValueError: If they are missing or damaged.
  """
  if not folder.is_dir():
    raise ValueError(f"its folder {folder.name} is missing")
  # Before Orbax sees them: its threads would print tracebacks of their own.
  if digest(folder) != expected:
    raise ValueError(f"its folder {folder.name} is damaged, or of another one")
  with _checkpointer() as checkpointer:
    arrays = checkpointer.restore(folder.absolute())
  return jax.tree.map(np.asarray, arrays)


def digest(folder: pathlib.Path) -> str:
  """Returns a digest of the names and contents of a folder's files."""
  found = hashlib.sha256()
  files = [path for path in folder.rglob("*") if path.is_file()]
  for path in sorted(files):
    content = path.read_bytes()
    name = path.relative_to(folder).as_posix()
    found.update(f"{name}\0{len(content)}\0".encode() + content)
  return found.hexdigest()


def on_device(x: np.ndarray, dtype: jax.typing.DTypeLike | None) -> Array:
  """Returns an array of a dtype, by default its own as far as JAX has it."""
  # Asking JAX for one that it has not would warn.
  found = jax.dtypes.canonicalize_dtype(x.dtype if dtype is None else dtype)
  return jnp.asarray(x.astype(found))


def _checkpointer():
  # Orbax takes longer to import than the rest of the package.
  import orbax.checkpoint

  return orbax.checkpoint.PyTreeCheckpointer()
