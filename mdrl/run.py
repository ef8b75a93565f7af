"""The run loop: a scan over checkpoints of a loop over updates."""

from collections.abc import Callable, Sequence
import functools
from typing import Any, NamedTuple

import jax
from jax.core import Tracer
import jax.numpy as jnp
from jaxtyping import Array, Int
import numpy as np

from mdrl import inputs
from mdrl.games import base as game_lib
from mdrl.games import preference_game
from mdrl.solvers import base as solver_lib
from mdrl.solvers import hyper_parameters

# An evaluation, such as `gaps.exploitability`: a function of game and plans.
MetricsFn = Callable[[Any, game_lib.Plans], Any]


# As many as fit into memory with ease.
_MAX_CHECKPOINTS = 10**6


class Trace(NamedTuple):
  """What was measured at each checkpoint.

  Attributes:
    step: Number of updates.
    metrics: What `metrics_fn` returned, stacked.
  """

  step: Int[Array, " K"]
  metrics: Any


@functools.partial(jax.jit, static_argnames="metrics_fn")
def _run(solver, game, state, num_updates, *, metrics_fn):
  def chunk(state, count):
    state = jax.lax.fori_loop(
      0, count, lambda _, s: solver.update(game, s), state
    )
    metrics = metrics_fn(game, solver.plans(game, state))
    return state, Trace(state.step, metrics)

  return jax.lax.scan(chunk, state, num_updates)


@jax.jit
def _advance(solver, game, state, num_updates):
  return jax.lax.fori_loop(
    0, num_updates, lambda _, s: solver.update(game, s), state
  )


@jax.jit
def _init(solver, game, policies):
  return solver.init(game, policies)


def init(
  solver: solver_lib.Solver,
  game: game_lib.Game,
  policies: game_lib.Policies | None = None,
) -> Any:
  """Returns the solver's first state, compiled.

  Args:
    solver: The algorithm and its hyper-parameters.
    game: What is solved.
    policies: Where to start; by default where the solver does.

  Raises:
    ValueError: If the policies, or the game's reference, are none of the game.
  """
  _check_kinds(solver, game)
  if game.reference is not None:
    game_lib.check_policies(game, game.reference, "game.reference")
  if policies is not None:
    game_lib.check_policies(game, policies)
  return _init(solver, game, policies)


def advance(
  solver: solver_lib.Solver,
  game: game_lib.Game,
  state: Any,
  num_updates: int | Int[Array, ""],
) -> Any:
  """Returns the state after more updates, without measuring anything.

  Raises:
    ValueError: If the number of updates is no whole number from 0 on, or the
      state is not one of this solver on this game.
  """
  _check_kinds(solver, game)
  _check_count(num_updates)
  _check_state(solver, game, state)
  return _advance(solver, game, state, num_updates)


def run(
  solver: solver_lib.Solver,
  game: game_lib.Game,
  metrics_fn: MetricsFn,
  checkpoints: Sequence[int] | np.ndarray,
  state: Any = None,
) -> tuple[Any, Trace]:
  """Runs a solver and measures it at checkpoints, in one compiled program.

  To sweep, call it under `jax.vmap` with stacked hyper-parameters, seeds or
  games. Runs of n and then m updates give the same numbers, bit for bit, as one
  of n + m.

  Args:
    solver: The algorithm and its hyper-parameters.
    game: What is solved.
    metrics_fn: A module-level function of game and plans; it is part of the
      compiled program, so a new lambda compiles again.
    checkpoints: Numbers of updates at which to measure, counted from the first
      state, in increasing order; 0 measures before the first update.
    state: Where to go on; by default the solver's first state.

  Returns:
    The last state, and what was measured.

  Raises:
    ValueError: If the checkpoints do not increase, or lie before `state`, or
      the state is not one of this solver on this game.
  """
  _check_kinds(solver, game)
  if not callable(metrics_fn):
    raise ValueError(
      f"`metrics_fn` must be a function of game and plans, got {metrics_fn!r}"
    )
  if state is None:
    state = init(solver, game)
  else:
    _check_state(solver, game, state)
  steps = jnp.asarray(_checked(checkpoints, state.step))
  counts = jnp.diff(steps, prepend=state.step)
  return _run(solver, game, state, counts, metrics_fn=metrics_fn)


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
  if not isinstance(start, Tracer) and steps[0] < start:
    raise ValueError(
      f"`checkpoints` must not lie before `state`, which has made {start} "
      f"updates, got {steps.tolist()}; pass later checkpoints"
    )
  return steps


def _check_kinds(solver, game):
  """Raises ValueError for a solver or game that is none, or not the other's."""
  for name, value, kind in (
    ("solver", solver, solver_lib.Solver),
    ("game", game, game_lib.Game),
  ):
    if not isinstance(value, kind):
      raise ValueError(
        f"`{name}` must be a {kind.__name__}, got a {type(value).__name__}; "
        "the solver comes first, then the game"
      )
  hyper_parameters.check(solver, game.dtype)
  if solver_lib.is_pairwise(solver) and not isinstance(
    game, preference_game.PreferenceGame
  ):
    raise ValueError(
      "`game` must be a PreferenceGame, as the solver asks which of two "
      f"responses is preferred, got a {type(game).__name__}; choose another "
      "solver"
    )


def _most_updates():
  return int(jnp.iinfo(jnp.result_type(int)).max)


def _check_count(num_updates):
  """Raises ValueError for what is known and no number of updates."""
  if isinstance(num_updates, Tracer):
    return
  count = np.asarray(num_updates)
  if count.ndim == 0 and count.dtype.kind in "iu":
    if 0 <= count <= _most_updates():
      return
  raise ValueError(
    "`num_updates` must be a whole number from 0 to "
    f"{_most_updates()}, got {num_updates!r}"
  )


def _check_state(solver, game, state):
  """Raises ValueError for a state of another solver, or of another game."""
  if any(isinstance(x, Tracer) for x in jax.tree.leaves((solver, game, state))):
    return
  expected = _init.eval_shape(solver, game, None)
  if jax.tree.structure(state) != jax.tree.structure(expected):
    raise ValueError(
      f"`state` must be a {type(expected).__name__} of "
      f"{type(solver).__name__} on this game, got another "
      f"{type(state).__name__}; make the first one by run.init"
    )
  for (path, wanted), got in zip(
    jax.tree_util.tree_leaves_with_path(expected),
    jax.tree.leaves(state),
    strict=True,
  ):
    dtype = jax.dtypes.canonicalize_dtype(jnp.result_type(got))
    if (np.shape(got), dtype) != (wanted.shape, wanted.dtype):
      raise ValueError(
        "`state` must be one of this solver on this game, got "
        f"{dtype}{list(np.shape(got))} and not "
        f"{wanted.dtype}{list(wanted.shape)} at "
        f"{jax.tree_util.keystr(path)}; make the first one by run.init"
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
