"""The natural unit of a game's utilities: the norm of its payoffs."""

import jax
import jax.numpy as jnp
import numpy as np

from mdrl.games import base

_ITERATIONS = 60


def payoff_norm(game: base.Game) -> float:
  """Returns the spectral norm of the derivative of the gains in the plans.

  It is taken at uniform policies; in a two-player zero-sum game it is the
  largest singular value of the sequence-form payoffs, and the same everywhere.
  Found by power iteration, and rounded to four digits so that machines agree.
  One where no player's gain depends on a plan.
  """
  rng = np.random.default_rng(0)
  start = tuple(
      jnp.asarray(rng.normal(size=t.num_slots), game.dtype)
      for t in game.treeplexes
  )
  norm = float(_power_iteration(game, start))
  return float(f"{norm:.4g}") if np.isfinite(norm) and norm > 0 else 1.0


@jax.jit
def _power_iteration(game, start):
  plans = game.plans(base.uniform_policies(game))
  forward = jax.linearize(game.gains, plans)[1]
  transpose = jax.linear_transpose(forward, plans)

  def step(_, carry):
    vector, _ = carry
    (vector,) = transpose(forward(vector))
    size = jnp.sqrt(sum(jnp.vdot(x, x) for x in vector))
    return jax.tree.map(lambda x: x / size, vector), jnp.sqrt(size)

  zero = jnp.zeros((), game.dtype)
  return jax.lax.fori_loop(0, _ITERATIONS, step, (start, zero))[1]
