"""What is kept on disk for later runs: compiled programs, and games."""

import os
import pathlib

import jax


def keep(cache_dir: str) -> None:
  """Keeps programs in a folder below `cache_dir`; nowhere if it is empty."""
  # Whoever set JAX's own variable has a place for programs already.
  if cache_dir and "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    folder = pathlib.Path(cache_dir).expanduser() / "programs"
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def games_folder(cache_dir: str) -> str | None:
  """Returns where compiled games are kept; None if `cache_dir` is empty."""
  if not cache_dir:
    return None
  return str(pathlib.Path(cache_dir).expanduser() / "games")
