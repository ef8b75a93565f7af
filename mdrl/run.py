"""The run loop: a scan over checkpoints of a loop over updates.

It drives any `methods.Method`: solvers of games, methods for operators, online
learners, learners of parameters.
"""

from collections.abc import Callable, Sequence
import dataclasses
import functools
import inspect
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int
import numpy as np

from mdrl import checks, inputs, methods, struct, tiers

# A function of problem, method and state that returns a pytree of arrays.
Measure = Callable[[Any, Any, Any], Any]

# As many as fit into memory with ease.
_MAX_CHECKPOINTS = 10**6
# Seconds that a piece of updates should take at least.
_PIECE_SECONDS = 0.1


class Trace(NamedTuple):
  """What was measured at each checkpoint.

  Attributes:
    step: Number of updates.
    metrics: What `measure` returned, stacked.
  """

  step: Int[Array, " K"]
  metrics: Any


@dataclasses.dataclass(frozen=True)
class _OfPlans:
  """Measures a solver's plans; equal for equal metrics, as a compiled part."""

  metric: Callable[[Any, Any], Any]

  def __call__(self, game, solver, state):
    if not hasattr(solver, "plans"):
      raise ValueError(
        "`method` must have `plans`, as solvers do, for run.of_plans to "
        f"measure, got a {type(solver).__name__}; pass a function of problem, "
        "method and state"
      )
    return self.metric(game, solver.plans(game, state))


def of_plans(metric: Callable[[Any, Any], Any]) -> Measure:
  """Returns the measurement of a solver's plans by a metric.

  Measurements of the same metric are equal, so that runs share one program.

  Args:
    metric: A module-level function of game and plans, such as
      `gaps.exploitability`.

  Raises:
    ValueError: If it is no function of two arguments.
  """
  if not inputs.takes(metric, 2):
    raise ValueError(
      f"`metric` must be a function of game and plans, got {_described(metric)}"
    )
  return _OfPlans(metric)


@functools.partial(jax.jit, static_argnames="measure")
def _run(method, problem, state, num_updates, *, measure):
  def chunk(state, count):
    state = jax.lax.fori_loop(
      0, count, lambda _, s: method.update(problem, s), state
    )
    return state, Trace(state.step, measure(problem, method, state))

  return jax.lax.scan(chunk, state, num_updates)


@jax.jit
def _advance(method, problem, state, num_updates):
  return jax.lax.fori_loop(
    0, num_updates, lambda _, s: method.update(problem, s), state
  )


@functools.partial(tiers.once, static_argnames="measure")
def _measured(method, problem, state, *, measure):
  return Trace(state.step, measure(problem, method, state))


def init(method: methods.Method, problem: Any, start: Any = None) -> Any:
  """Returns a method's first state, compiled.

  Args:
    method: The algorithm and its hyper-parameters.
    problem: What it is about: a game for a solver. A bare function becomes part
      of the program.
    start: Where to begin, such as policies; by default where the method does.

  Raises:
    ValueError: If the method cannot take the problem, or the start.
  """
  problem = struct.as_pytree(problem)
  methods.check(method, problem)
  methods.check_start(method, problem, start)
  return methods.first_state(method, problem, start)


def advance(
  method: methods.Method,
  problem: Any,
  state: Any,
  num_updates: int | Int[Array, ""],
) -> Any:
  """Returns the state after more updates, without measuring anything.

  Raises:
    ValueError: If the number of updates is no whole number from 0 on, or the
      state is not one of this method on this problem.
  """
  problem = struct.as_pytree(problem)
  methods.check(method, problem)
  _check_count(num_updates)
  methods.check_state(method, problem, state)
  return _advance(method, problem, state, num_updates)


class Advance:
  """`advance` of one method on one problem, in two tiers of compilation.

  The states are those of `advance`, bit for bit. See `tiers.TwoTiers`.
  """

  def __init__(
    self, method: methods.Method, problem: Any, planned: int | None = None
  ):
    """Prepares, without compiling anything.

    Args:
      method: The algorithm and its hyper-parameters.
      problem: What it is about: a game for a solver.
      planned: Updates that will be made in all, if they are known.

    Raises:
      ValueError: If the method cannot take the problem.
    """
    problem = struct.as_pytree(problem)
    methods.check(method, problem)
    self._method, self._problem = method, problem
    self._program = tiers.TwoTiers(_advance, planned)
    self._checked = False

  def __call__(self, state: Any, num_updates: int) -> Any:
    """Returns the state after more updates.

    Raises:
      ValueError: If the number of updates is no whole number from 0 on, or the
        first state is not one of this method on this problem.
    """
    _check_count(num_updates)
    if not self._checked:
      methods.check_state(self._method, self._problem, state)
      self._checked = True
    return self._program(self._method, self._problem, state, int(num_updates))

  def settle(self) -> None:
    """Waits until the fast program makes the updates, as before a timing."""
    self._program.settle()


def run(
  method: methods.Method,
  problem: Any,
  measure: Measure,
  checkpoints: Sequence[int] | np.ndarray,
  state: Any = None,
  *,
  two_tiers: bool = False,
) -> tuple[Any, Trace]:
  """Runs a method and measures it at checkpoints, in one compiled program.

  To sweep, call it under `jax.vmap` with stacked hyper-parameters, seeds or
  problems. Runs of n and then m updates give the same numbers, bit for bit, as
  one of n + m.

  Args:
    method: The algorithm and its hyper-parameters.
    problem: What it is about: a game for a solver.
    measure: A module-level function of problem, method and state, or
      `of_plans(metric)`; it is part of the compiled program, so a new lambda
      compiles again.
    checkpoints: Numbers of updates at which to measure, counted from the first
      state, in increasing order; 0 measures before the first update.
    state: Where to go on; by default the method's first state.
    two_tiers: Whether updates begin before their program is compiled well, see
      `tiers`. Measurements are a program of their own then, and may round
      differently; states do not. Not for use inside of a transformation.

  Returns:
    The last state, and what was measured.

  Raises:
    ValueError: If the checkpoints do not increase, or lie before `state`, or
      the state is not one of this method on this problem, or two tiers are
      asked for inside of a transformation.
  """
  problem = struct.as_pytree(problem)
  methods.check(method, problem)
  _check_measure(measure)
  if state is None:
    state = init(method, problem)
  else:
    methods.check_state(method, problem, state)
  steps = _checked(checkpoints, state.step)
  if two_tiers:
    return _run_in_pieces(method, problem, measure, steps, state)
  steps = jnp.asarray(steps)
  counts = jnp.diff(steps, prepend=state.step)
  return _run(method, problem, state, counts, measure=measure)


def _run_in_pieces(method, problem, measure, steps, state):
  """Makes updates and measurements by programs of their own, in turns."""
  if checks.is_traced((method, problem, state)):
    raise ValueError(
      "`two_tiers` must be False inside of a transformation of JAX, which "
      "compiles the whole; got True"
    )
  step, rows, piece = int(state.step), [], 1
  advance = Advance(method, problem, planned=int(steps[-1]) - step)
  for point in steps.tolist():
    while step < point:
      start, count = time.perf_counter(), min(piece, point - step)
      state, step = advance(state, count), step + count
      if time.perf_counter() - start < _PIECE_SECONDS:
        piece *= 2
    rows.append(_measured(method, problem, state, measure=measure))
  return state, jax.tree.map(lambda *xs: jnp.stack(xs), *rows)


def _checked(checkpoints, start):
  try:
    steps = np.asarray(checkpoints)
  except ValueError:  # Rows of different lengths.
    steps = np.asarray([], float)
  if steps.ndim != 1 or not steps.size or steps.dtype.kind not in "iu":
    raise ValueError(
      "`checkpoints` must be a sequence of whole numbers of updates, got "
      f"{checkpoints!r}"
    )
  if (np.diff(steps) <= 0).any():
    raise ValueError(f"`checkpoints` must increase, got {steps.tolist()}")
  if steps[-1] > _most_updates():
    raise ValueError(
      f"`checkpoints` must be at most {_most_updates()}, which is what "
      f"{jnp.result_type(int)} holds, got {steps[-1]}"
    )
  # Inside a transformation the state is not known, and not checked.
  if not checks.is_traced(start) and steps[0] < start:
    raise ValueError(
      f"`checkpoints` must not lie before `state`, which has made {start} "
      f"updates, got {steps.tolist()}; pass later checkpoints"
    )
  return steps


def _check_measure(measure):
  if not inputs.takes(measure, 3):
    raise ValueError(
      "`measure` must be a function of problem, method and state, got "
      f"{_described(measure)}; run.of_plans makes one of a function of game "
      "and plans"
    )
  try:
    hash(measure)
  except TypeError as error:
    raise ValueError(
      f"`measure` must be hashable, got {measure!r}; pass a function"
    ) from error


def _described(function):
  """Returns a function with its arguments, or what else it is."""
  if not callable(function):
    return repr(function)
  name = getattr(function, "__name__", type(function).__name__)
  return f"{name}({', '.join(inspect.signature(function).parameters)})"


def _most_updates():
  return int(jnp.iinfo(jnp.result_type(int)).max)


def _check_count(num_updates):
  """Raises ValueError for what is known and no number of updates."""
  if checks.is_traced(num_updates):
    return
  count = np.asarray(num_updates)
  if count.ndim == 0 and count.dtype.kind in "iu":
    if 0 <= count <= _most_updates():
      return
  raise ValueError(
    "`num_updates` must be a whole number from 0 to "
    f"{_most_updates()}, got {num_updates!r}"
  )


def raise_if_not_finite(trace: Trace) -> None:
  """Raises if a metric is not a finite number, naming the first checkpoint.

  Raises:
    ValueError: With the metric, the number of updates and the value.
  """
  for path, leaf in jax.tree_util.tree_leaves_with_path(trace.metrics):
    values = np.asarray(leaf)
    bad = ~np.isfinite(values)
    if bad.any():
      at = tuple(np.argwhere(bad)[0])
      steps = np.broadcast_to(
        np.asarray(trace.step).reshape(
          np.shape(trace.step) + (1,) * (values.ndim - np.ndim(trace.step))
        ),
        values.shape,
      )
      name = jax.tree_util.keystr(path, simple=True) or "the metric"
      raise ValueError(
        f"`trace` must be finite, got {values[at]} for {name} after "
        f"{steps[at]} updates; use a step size nearer to 1 / the size of the "
        "payoffs"
      )


def log_checkpoints(
  num_updates: int, num_checkpoints: int
) -> Int[np.ndarray, " K"]:
  """Returns 0, and whole numbers evenly spaced in logarithm up to the last.

  Raises:
    ValueError: If either is no positive whole number, or too large.
  """
  most = int(np.iinfo(np.int64).max)
  inputs.check_count("num_updates", num_updates, 1, most)
  inputs.check_count("num_checkpoints", num_checkpoints, 1, _MAX_CHECKPOINTS)
  spaced = np.rint(np.geomspace(1, num_updates, num_checkpoints))[:-1]
  # Floating point does not hold every number of updates.
  early = spaced[spaced < num_updates].astype(np.int64)
  return np.unique(np.append(early, np.array([0, num_updates], np.int64)))
