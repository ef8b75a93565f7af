"""The parts of JAX's traced programs that the library reads.

A jaxpr lists operations by name, with parameters by name. JAX promises neither
and changes both (the parameters of `scan` from 0.10 to 0.12), so that they are
named here and nowhere else. A test traces each of them on the version of JAX
that is installed, and says which one it no longer knows.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
from jax.extend import core

# A constant among the inputs of an operation; others are variables.
Literal = core.Literal
# The programs among the parameters of an operation.
inner_programs = core.jaxprs_in_params

# Operations that run a program once, and the parameter that holds it.
_CALLS = {
  "jit": "jaxpr",
  "custom_jvp_call": "call_jaxpr",
  "custom_vjp_call": "call_jaxpr",
}
# The same, where gradients run it again.
_RECOMPUTED = {"remat2": "jaxpr"}
LOOPS_AND_BRANCHES = ("scan", "while", "cond")

TRANSCENDENTAL = frozenset("exp exp2 expm1 log log1p tanh".split())
ELEMENTWISE = TRANSCENDENTAL | frozenset(
  "abs add add_any and ceil clamp convert_element_type copy cos div eq erf "
  "floor ge gt integer_pow is_finite le logistic lt max min mul ne neg not or "
  "pow rem round rsqrt select_n sign sin sqrt square sub xor".split()
)
REDUCTIONS = (
  "reduce_and",
  "reduce_max",
  "reduce_min",
  "reduce_or",
  "reduce_sum",
)
# Their parameters name axes, and no sizes.
BY_AXIS = frozenset(REDUCTIONS) | frozenset(
  "argmax argmin cumlogsumexp cummax cummin cumprod cumsum reduce_prod rev "
  "squeeze".split()
)
# The parameters that `parameters` reads and `bind` changes.
_PARAMETERS = {
  **{name: ("axes",) for name in REDUCTIONS},
  "reduce": ("dimensions",),
  "broadcast_in_dim": ("shape", "broadcast_dimensions"),
  "concatenate": (),
  "dynamic_slice": ("slice_sizes",),
  "dynamic_update_slice": (),
  "gather": ("dimension_numbers", "slice_sizes"),
  "pad": ("padding_config",),
  "reshape": ("new_sizes", "dimensions"),
  "slice": ("start_indices", "limit_indices", "strides"),
  "transpose": ("permutation",),
}


class Scan(NamedTuple):
  """A loop of known length: its inputs are constants, carries, and rows.

  Attributes:
    body: The program of a step, from constants, carries and a row of the others
      to carries and a row of the results.
    num_consts: Number of constants.
    num_carry: Number of values that a step hands to the next.
    length: Number of steps.
    reverse: Whether rows are taken from the last to the first.
    unroll: Steps that are written out in the compiled program.
  """

  body: Any
  num_consts: int
  num_carry: int
  length: int
  reverse: bool
  unroll: int


class While(NamedTuple):
  """A loop of unknown length: its inputs are the constants, then the carries.

  Attributes:
    condition: The program from its constants and the carries to a boolean.
    body: The program from its constants and the carries to the carries.
    num_condition_consts: Number of constants of the condition.
    num_body_consts: Number of constants of the body, which follow those.
  """

  condition: Any
  body: Any
  num_condition_consts: int
  num_body_consts: int


def called_program(eqn: Any, *, recomputed: bool = False) -> Any | None:
  """Returns the program that an operation runs once, None if it is no call.

  Args:
    eqn: The operation.
    recomputed: Whether what `jax.checkpoint` makes is a call, too.
  """
  calls = {**_CALLS, **_RECOMPUTED} if recomputed else _CALLS
  name = calls.get(eqn.primitive.name)
  return None if name is None else _read(eqn, [name])[0]


def scan(eqn: Any) -> Scan:
  """Returns the parts of a `scan`."""
  names = ["jaxpr", "length", "reverse", "unroll"]
  body, length, reverse, unroll = _read(eqn, names)
  if "ft_in" in eqn.params:
    # From jax 0.12 on.
    consts, carry, _ = eqn.params["ft_in"].unpack()
    num_consts, num_carry = len(consts), len(carry)
  else:
    num_consts, num_carry = _read(eqn, ["num_consts", "num_carry"])
  return Scan(body, num_consts, num_carry, length, reverse, unroll)


def while_loop(eqn: Any) -> While:
  """Returns the parts of a `while`."""
  names = ["cond_jaxpr", "body_jaxpr", "cond_nconsts", "body_nconsts"]
  return While(*_read(eqn, names))


def branches(eqn: Any) -> Sequence[Any]:
  """Returns the programs of a `cond`; its first input is the index of one."""
  return _read(eqn, ["branches"])[0]


def parameters(eqn: Any) -> list[Any]:
  """Returns the parameters of an operation that a rule may change."""
  return _read(eqn, _PARAMETERS[eqn.primitive.name])


def is_sum_in_one_order(eqn: Any) -> bool:
  """Returns whether an operation is one of `trees.sums`."""
  if eqn.primitive.name != "reduce":
    return False
  [program] = inner_programs(eqn.params)
  return [inner.primitive.name for inner in program.eqns] == ["add", "min"]


def bind(
  eqn: Any, values: Iterable[Any], changed: Sequence[Any] = ()
) -> list[Any]:
  """Makes an operation on other values.

  Args:
    eqn: The operation.
    values: Its inputs.
    changed: The first of its `parameters`, where they change.

  Returns:
    Its results, as a list also where there is one.
  """
  names = _PARAMETERS.get(eqn.primitive.name, ())[: len(changed)]
  params = {**eqn.params, **dict(zip(names, changed, strict=True))}
  outs = eqn.primitive.bind(*values, **params)
  return list(outs) if eqn.primitive.multiple_results else [outs]


def _read(eqn: Any, names: Iterable[str]) -> list[Any]:
  params: Mapping[str, Any] = eqn.params
  for name in names:
    if name not in params:
      raise NotImplementedError(
        f"`{eqn.primitive.name}` must have the parameter `{name}`, got "
        f"{sorted(params)} in jax {jax.__version__}, which the library does "
        "not know yet; install jax 0.10 to 0.12, or mend `jax_internals`"
      )
  return [params[name] for name in names]
