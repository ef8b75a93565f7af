"""Normal-form games of any number of players, dense."""

from collections.abc import Sequence
import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
import numpy as np
from numpy.typing import ArrayLike

from mdrl import checks, inputs, struct
from mdrl.games import base as game_lib
from mdrl.trees import layout as layout_lib
from mdrl.trees import quantities, sweeps
from mdrl.trees import treeplex as treeplex_lib


@struct.dataclass
class MatrixGame:
  """A game in normal form: a tree of one infostate for each player.

  Attributes:
    treeplexes: One infostate for each player.
    payoffs: For each player, its utility by everybody's actions.
    zero_sum: Whether utilities add up to zero, or to any constant.
    reference: Policies that regularised solvers stay near; by default they
      are regularised by the potential itself.
  """

  treeplexes: tuple[treeplex_lib.Treeplex, ...]
  payoffs: tuple[Float[Array, "..."], ...]
  zero_sum: bool = struct.static()
  reference: quantities.Policies | None = None

  @property
  def symmetric(self) -> bool:
    """Every player has a policy of its own."""
    return False

  @property
  def num_players(self) -> int:
    """Number of players."""
    return len(self.treeplexes)

  @property
  def dtype(self):
    """Floating type of the utilities."""
    return self.payoffs[0].dtype

  @jax.jit
  def plans(self, policies: quantities.Policies) -> quantities.Plans:
    """Returns the realization plans of policies."""
    quantities.check("policies", policies, quantities.Policies)
    return quantities.Plans(
      sweeps.sweep_down(t, policy)
      for t, policy in zip(self.treeplexes, policies, strict=True)
    )

  @functools.partial(jax.jit, static_argnames="player")
  def gain(self, plans: quantities.Plans, player: int) -> Float[Array, " S"]:
    """Returns the derivative of a player's utility in its own plan."""
    quantities.check("plans", plans, quantities.Plans)
    utility = self.payoffs[player]
    # From the last axis to the first, so that the axes left keep their places.
    for j in reversed(range(self.num_players)):
      if j != player:
        utility = jnp.tensordot(utility, plans[j][1:], axes=[[j], [0]])
    return jnp.concatenate([jnp.zeros(1, utility.dtype), utility])

  @jax.jit
  def gains(self, plans: quantities.Plans) -> quantities.Gains:
    """Returns the gain of every player."""
    return quantities.Gains(
      self.gain(plans, i) for i in range(self.num_players)
    )

  @jax.jit
  def values(self, plans: quantities.Plans) -> Float[Array, " N"]:
    """Returns the expected utility of every player."""
    return jnp.stack(
      [
        jnp.vdot(gain, plan)
        for gain, plan in zip(self.gains(plans), plans, strict=True)
      ]
    )


def matrix_game(
  payoffs: Sequence[ArrayLike], dtype: jax.typing.DTypeLike | None = None
) -> MatrixGame:
  """Makes a game of payoff arrays.

  Args:
    payoffs: For each player, an array of its utility with one axis per player.
    dtype: Floating type of the game; by default JAX's.

  Returns:
    The game.

  Raises:
    ValueError: If the arrays do not fit one another, are not of finite real
      numbers, or are beyond the dtype, or if that is no floating type.
  """
  dtype = checks.floating_type(dtype)
  if not np.iterable(payoffs):
    raise ValueError(
      f"`payoffs` must hold one array per player, got {payoffs!r}"
    )
  arrays = [inputs.real_array("payoffs", p) for p in payoffs]
  shape = arrays[0].shape if arrays else ()
  fits = len(arrays) == len(shape) and all(a.shape == shape for a in arrays)
  if not fits or not shape or 0 in shape:
    raise ValueError(
      "`payoffs` must hold one array per player, all of one shape with one "
      f"axis per player, got shapes {[a.shape for a in arrays]}"
    )
  for player, array in enumerate(arrays):
    if not np.isfinite(array).all():
      at = np.argwhere(~np.isfinite(array))[0].tolist()
      raise ValueError(
        f"`payoffs` must be finite, got {array[tuple(at)]} for player "
        f"{player} at actions {at}"
      )
  largest = max(float(np.abs(a).max()) for a in arrays)
  game_lib.check_range("payoffs", largest, dtype)
  return MatrixGame(
    treeplexes=tuple(
      layout_lib.lay_out(np.zeros(1, int), np.array([n]), dtype).treeplex
      for n in shape
    ),
    payoffs=tuple(jnp.asarray(a, dtype) for a in arrays),
    zero_sum=game_lib.adds_to_constant(arrays),
  )


def zero_sum_game(
  payoff: ArrayLike, dtype: jax.typing.DTypeLike | None = None
) -> MatrixGame:
  """Makes a two-player zero-sum game of the first player's utility.

  Raises:
    ValueError: If `payoff` is not a matrix of finite real numbers, or they are
      beyond the dtype, or that is no floating type.
  """
  first = inputs.real_array("payoff", payoff)
  if first.ndim != 2:
    raise ValueError(
      f"`payoff` must be a matrix, got an array of shape {first.shape}; use "
      "matrix_game for other numbers of players"
    )
  return matrix_game([first, -first], dtype)
