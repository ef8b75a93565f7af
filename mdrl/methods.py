"""The contract of methods, written once, and checks of it on the host."""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from mdrl import checks, inputs, struct, tiers


@runtime_checkable
class Method(Protocol):
  """Two pure functions over a pytree of hyper-parameters.

  The state is a NamedTuple that alone determines the future, keys of random
  numbers included, and counts its updates in `step`. `update` returns a state
  of the same structure, shapes and dtypes, and does not evaluate.

  Two more functions are optional, and run on the host, before the first update:
  `check(problem)` raises ValueError for a problem that the method cannot take,
  and `check_start(problem, start)` for such a start, which may be None.
  """

  def init(self, problem: Any, start: Any, /) -> Any:
    """Returns the state before the first update.

    Methods that can choose a start themselves have None for its default, and
    states of the same shapes whatever the start.
    """
    ...

  def update(self, problem: Any, state: Any, /) -> Any:
    """Returns the state after one more update."""
    ...


def zero_step() -> Int[Array, ""]:
  """Returns the number of updates before the first."""
  return jnp.zeros((), jnp.result_type(int))


def first_state(method: Method, problem: Any, start: Any) -> Any:
  """Returns the state before the first update, compiled.

  Raises:
    ValueError: If it does not count updates.
  """
  state = _first(method, problem, start)
  if not hasattr(state, "step"):
    raise ValueError(
      "`method` must count updates in `step` of its state, got a "
      f"{type(state).__name__} from {type(method).__name__}.init"
    )
  return state


def _init(method, problem, start):
  # Where there is none, the method's own default holds.
  return method.init(problem, *(() if start is None else (start,)))


_first = tiers.once(_init)


@jax.jit
def _update(method, problem, state):
  return method.update(problem, state)


def check(method: Any, problem: Any) -> None:
  """Raises ValueError for what is no method, or not one for the problem."""
  if isinstance(method, type) or not isinstance(method, Method):
    raise ValueError(
      "`method` must have `init` and `update`, as a solver does, got "
      f"{_kind(method)}; the method comes first, then its problem"
    )
  if struct.is_leaf(method):
    raise ValueError(
      "`method` must be a pytree of its hyper-parameters, got a "
      f"{type(method).__name__}; declare the class with struct.dataclass"
    )
  check_problem = getattr(method, "check", None)
  if check_problem is not None:
    check_problem(problem)


def check_start(method: Any, problem: Any, start: Any) -> None:
  """Raises ValueError for a start that the method cannot take."""
  if start is None and not _starts_itself(method):
    raise ValueError(
      f"`start` must be given, as a {type(method).__name__} has none of its "
      "own; make the first state by run.init(method, problem, start)"
    )
  if hasattr(method, "check_start"):
    method.check_start(problem, start)


def _kind(value):
  if isinstance(value, type):
    return f"the class {value.__name__}"
  return f"a {type(value).__name__}"


def _starts_itself(method):
  """Returns whether `init` can be called with the problem alone."""
  return inputs.takes(method.init, 1)


def check_state(method: Any, problem: Any, state: Any) -> None:
  """Raises ValueError for a state of another method, or of another problem."""
  if checks.is_traced((method, problem, state)):
    return
  expected = _expected(method, problem, state)
  if jax.tree.structure(state) != jax.tree.structure(expected):
    raise ValueError(_another_state(method, state, type(expected).__name__))
  for (path, wanted), got in zip(
    jax.tree_util.tree_leaves_with_path(expected),
    jax.tree.leaves(state),
    strict=True,
  ):
    found = jax.typeof(got)
    if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
      raise ValueError(
        "`state` must be one of this method on this problem, got "
        f"{found.dtype}{list(found.shape)} and not "
        f"{wanted.dtype}{list(wanted.shape)} at "
        f"{jax.tree_util.keystr(path)}; make the first one by run.init"
      )


def _expected(method, problem, state):
  """Returns the shapes that a state must have.

  Where they depend on a start that is not known, an update tells whether it
  can take the state, and whether it keeps its shapes.
  """
  if _starts_itself(method):
    return jax.eval_shape(_init, method, problem, None)
  try:
    return _update.eval_shape(method, problem, state)
  except AttributeError as error:
    raise ValueError(_another_state(method, state, "state")) from error


def _another_state(method, state, wanted):
  return (
    f"`state` must be a {wanted} of {type(method).__name__} on this problem, "
    f"got another {type(state).__name__}; make the first one by run.init"
  )
