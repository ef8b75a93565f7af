"""Caches of compiled programs and games on disk.

A cache only saves time: if one cannot be written or is damaged, the run warns
and goes on without it.
"""

import contextlib
import functools
import glob
import os
import pathlib
import re
import tempfile
import warnings

import jax

_VARIABLE = "JAX_COMPILATION_CACHE_DIR"
# JAX goes on without its cache as well, but says so once for every program.
_TROUBLE = re.compile(
  r"Error (?:reading|writing) persistent compilation cache entry for "
  r"'(.*?)': (.*)",
  re.DOTALL,
)


def keep(cache_dir: str) -> None:
  """Keeps programs in a folder below `cache_dir`; nowhere if it is empty."""
  # Whoever set JAX's own variable has a place for programs already.
  if _VARIABLE in os.environ:
    _tend(pathlib.Path(os.environ[_VARIABLE]))
  elif cache_dir and _is_usable(cache_dir):
    folder = pathlib.Path(cache_dir).expanduser() / "programs"
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    _tend(folder)


def games_folder(cache_dir: str) -> str | None:
  """Returns where compiled games are kept; None if nothing can be kept."""
  if not cache_dir or not _is_usable(cache_dir):
    return None
  return str(pathlib.Path(cache_dir).expanduser() / "games")


@functools.cache
def _is_usable(cache_dir):
  """Returns whether files can be made there, and says so where they cannot."""
  try:
    folder = pathlib.Path(cache_dir).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
      return True
  except (OSError, RuntimeError, ValueError) as error:
    warnings.warn(
      "nothing is kept for later runs, as `--cache_dir` must be a folder "
      f"that can be written, or '' for none: {error}",
      stacklevel=2,
    )
    return False


def _tend(folder):
  """Says once what is wrong with stored programs, and lets go of those."""
  show = warnings.showwarning
  told = False

  def shown(message, category, filename, lineno, file=None, line=None):
    nonlocal told
    trouble = _TROUBLE.match(str(message))
    if trouble is None:
      show(message, category, filename, lineno, file, line)
      return
    # JAX replaces no file, so that what is damaged would stay so.
    for path in folder.glob(f"{glob.escape(trouble[1])}-*"):
      with contextlib.suppress(OSError):
        path.unlink()
    if not told:
      told = True
      text = f"compiled programs are not all kept in {folder}: {trouble[2]}"
      show(UserWarning(text), category, filename, lineno, file, line)

  warnings.showwarning = shown
