"""Win rates of the policies of a run against one another."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from experiments import preference_loop, preference_plots
from mdrl.evaluation import linear_program, preferences
from mdrl.games import base


def play(
    outcome: preference_loop.Outcome,
) -> tuple[list[str], np.ndarray]:
  """Returns the names of contestants and their win rates, means over games."""
  games, results = outcome.problem.games, outcome.results
  count = games.advantage.shape[0]
  equilibria = jnp.asarray(outcome.problem.equilibria[:, 0])
  winners, references, fixed = [], [], []
  for k in range(count):
    game = jax.tree.map(lambda x, k=k: x[k], games)
    winners.append(linear_program.minimax_winner(game))
    reference = game.reference or base.uniform_policies(game)
    references.append(np.asarray(game.rows(reference[0])))
    fixed.append(np.asarray(game.rows(equilibria[k])))
  entrants = {
      "reference": np.stack(references),
      "equilibrium": np.stack(fixed),
      "minimax winner": np.stack(winners),
  }
  for result in results:
    label = preference_plots.short_label(result, results)
    entrants[label] = result.policies
  stacked = jnp.stack(
      [jnp.asarray(policy, games.dtype) for policy in entrants.values()], axis=1
  )
  return list(entrants), np.asarray(_rates(games, stacked).mean(axis=0))


@jax.jit
def _rates(games, policies):
  def one(game, policies):
    return preferences.win_rates(game, jax.vmap(game.slots)(policies))

  return jax.vmap(one)(games, policies)


def text(names: Sequence[str], rates: np.ndarray) -> str:
  """Returns the table to be printed, in whole percent.

  Columns are numbered as the rows are, to stay narrow.
  """
  wide = max(map(len, names))
  numbers = range(1, len(names) + 1)
  head = f"{'':{wide + 3}}" + "".join(f"{k:4}" for k in numbers) + "  worst"
  body = [
      f"{k:2} {name:{wide}}"
      + "".join(f"{100 * rate:4.0f}" for rate in row)
      + f"{100 * row.min():7.1f}"
      for k, name, row in zip(numbers, names, rates, strict=True)
  ]
  return "\n".join([head, *body])
