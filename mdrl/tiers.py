"""Compiles programs for CPUs in tiers: ready sooner, or faster.

XLA compiles a program for a CPU in less than half the time if it leaves out its
fusion emitters and most passes of LLVM; the program then makes 0.5 to 0.8 times
as many updates a second, as a rule with the same bits. So a program that
runs a few times is compiled in that tier alone (`quick`, or `once` without any
passes), and a loop of updates begins in it, while the fast program is compiled
in the background (`TwoTiers`). Accelerators, and versions of XLA without these
options, such as that of jax 0.12, have one tier.
"""

from collections.abc import Callable, Mapping
import functools
import os
import threading
import time
from typing import Any, ParamSpec, TypeVar
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from mdrl import checks

_P = ParamSpec("_P")
_T = TypeVar("_T")

# The name of threads that compile.
_BACKGROUND = "mdrl compiles a faster program"
_NO_EMITTERS = {"xla_cpu_use_fusion_emitters": False}
# Results must not depend on the number of cores, so that this does not either.
_SPLIT = {"xla_cpu_parallel_codegen_split_count": 4}
_FEW_PASSES = {"xla_backend_optimization_level": 1}
_NO_PASSES = {"xla_backend_optimization_level": 0}
# The fast program takes about twice as long to compile as the quick one and
# saves about a third of the time of updates. It pays if what is left takes this
# many times as long as the quick one took to compile: on a core of its own, and
# on one that it shares with the updates.
_PAYS_BESIDE = 1.0
_PAYS_SHARED = 8.0


@functools.cache
def _accepted(name: str, value: Any) -> bool:
  """Returns whether XLA knows an option; asking takes milliseconds."""
  try:
    jax.jit(lambda: 0).lower().compile({name: value})
  except (RuntimeError, ValueError):
    return False
  return True


def quick_options() -> Mapping[str, Any]:
  """Returns XLA's options of the quick tier; none where there is one tier."""
  if jax.default_backend() != "cpu":
    return {}
  if not all(_accepted(*option) for option in _NO_EMITTERS.items()):
    return {}
  return {**_NO_EMITTERS, **_SPLIT, **_FEW_PASSES}


def _once_options() -> Mapping[str, Any]:
  if jax.default_backend() != "cpu":
    return {}
  return {**quick_options(), **_SPLIT, **_NO_PASSES}


def quick(fn: Callable[_P, _T], **options: Any) -> Callable[_P, _T]:
  """Compiles a function like `jax.jit`, in the quick tier only.

  It is meant for loops that run a few times. Called from another program it
  becomes a part of that.

  Args:
    fn: A pure function of arrays.
    **options: Those of `jax.jit`.
  """
  return _compiled(fn, quick_options, options)


def once(fn: Callable[_P, _T], **options: Any) -> Callable[_P, _T]:
  """Compiles a function like `jax.jit`, without any optimisation.

  It compiles in a seventh of the time, and runs at a seventh of the rate: for
  programs without loops that run a few times. Its results may differ from those
  of other tiers by rounding. Called from another program it becomes a part of
  that.

  Args:
    fn: A pure function of arrays.
    **options: Those of `jax.jit`.
  """
  return _compiled(fn, _once_options, options)


def _compiled(fn, find_options, options):
  inside = jax.jit(fn, **options)

  @functools.cache
  def alone():
    # Not before the first call, as devices are not known when a module is
    # imported, nor may it be JAX's first use of them.
    return jax.jit(fn, **options, compiler_options=dict(find_options()))

  @functools.wraps(fn)
  def called(*args, **kwargs):
    # Options of the compiler have no place within another program.
    part = checks.is_traced((args, kwargs)) or _is_tracing()
    return (inside if part else alone())(*args, **kwargs)

  return called


def _is_tracing():
  """Returns whether a program is being traced; its arguments may be known."""
  return checks.is_traced(jax.device_put(False))


def is_compiling() -> bool:
  """Returns whether a thread of `TwoTiers` is still compiling."""
  return any(thread.name == _BACKGROUND for thread in threading.enumerate())


class TwoTiers:
  """A program of updates that starts to work before it is compiled well.

  The quick program is compiled at the first call and makes the updates. The
  fast one is compiled in a thread, if what is left to do is worth it, and then
  makes the updates of one call as well. Only if both gave the same bits, it
  makes all that follow: results must not depend on when it was ready. If they
  differ, or it cannot be compiled, of which a warning tells, the quick one goes
  on to the end.

  A process waits for the thread when it ends, as other programs of Python do.
  """

  def __init__(self, program: Any, planned: int | None = None):
    """Prepares, without compiling anything.

    Args:
      program: What `jax.jit` returned, of arrays that always have the same
        shapes and, last, a number of updates, zero of which do nothing.
      planned: Updates that will be made in all. If they are not known, it is
        expected that as many are to come as there were.
    """
    self._jitted, self._planned = program, planned
    self._program: Any = None
    # What is left to be compiled, who compiles it, and what came of it.
    self._lowered: Any = None
    self._thread: threading.Thread | None = None
    self._found: Any = None
    self._made, self._seconds, self._compile_seconds = 0, 0.0, 0.0

  def __call__(self, *args: Any) -> Any:
    """Returns what the program does, once its arrays are computed."""
    if self._program is None:
      self._program = self._begin(args)
    program = self._program
    start = time.perf_counter()
    out = jax.block_until_ready(program(*args))
    self._made += int(args[-1])
    self._seconds += time.perf_counter() - start
    if self._lowered is not None and self._thread is None and self._pays():
      self._compile_beside()
    if self._found is not None and args[-1] > 0:
      self._take_over(args, out)
    return out

  def settle(self) -> None:
    """Waits until the fast program is compiled, unless there was no call yet.

    The next call that makes an update compares it with the quick one.
    """
    if self._lowered is not None:
      thread = self._thread or self._compile_beside()
      thread.join()

  def _begin(self, args):
    options = quick_options()
    if not options:
      return self._jitted
    self._lowered = self._jitted.lower(*args)
    start = time.perf_counter()
    program = self._lowered.compile(dict(options))
    self._compile_seconds = time.perf_counter() - start
    return program

  def _pays(self):
    """Returns whether the fast program is worth compiling."""
    left = self._seconds
    if self._planned is not None and self._made:
      left *= max(0, self._planned - self._made) / self._made
    alone = _num_cores() < 2
    pays = _PAYS_SHARED if alone else _PAYS_BESIDE
    return self._made and left > pays * self._compile_seconds

  def _compile_beside(self):
    lowered = self._lowered

    def compile():
      try:
        self._found = lowered.compile()
      except Exception as error:
        self._found = error

    self._thread = threading.Thread(target=compile, name=_BACKGROUND)
    self._thread.start()
    return self._thread

  def _take_over(self, args, expected):
    """Lets the fast program go on, if it is one and gives the same bits."""
    found, self._found, self._lowered = self._found, None, None
    if isinstance(found, Exception):
      warnings.warn(
        "updates stay at the rate of the quick program, as the faster one "
        f"could not be compiled: {found}",
        stacklevel=3,
      )
    elif same_bits(found(*args), expected):
      self._program = found


def same_bits(tree: Any, other: Any) -> bool:
  """Returns whether all arrays of two trees of one structure are equal.

  NaNs are equal if their bits are, and zeros are not if their signs differ.
  """
  return all(
    _bits(a) == _bits(b)
    for a, b in zip(jax.tree.leaves(tree), jax.tree.leaves(other), strict=True)
  )


def _bits(array):
  if jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
    array = jax.random.key_data(array)
  return np.asarray(array).tobytes()


def _num_cores():
  """Returns the number of cores that this process may use."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1
