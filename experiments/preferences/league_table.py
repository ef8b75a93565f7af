"""Win rates of a run's policies against each other and best responses."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float
import numpy as np

from experiments.preferences import plots, solve
from mdrl import tiers
from mdrl.evaluation import linear_program, preferences
from mdrl.games import base as game_lib
from mdrl.trees import quantities

_WIDTH = 80


class League(NamedTuple):
  """Win rates of the contestants.

  Attributes:
    names: Of the contestants.
    rates: Win rates of rows against columns, means over games.
    held: Win rate of each contestant against a best response to it, in each
      game: at most 1/2, which a minimax winner reaches.
  """

  names: list[str]
  rates: Float[np.ndarray, "M M"]
  held: Float[np.ndarray, "B M"]

  def rows(self) -> list[list[str | float]]:
    """Returns the table of league.csv, its head first."""
    head = ["", *self.names, "best response", "best response, worst game"]
    shown = (self.names, self.rates, self.held.mean(axis=0), self.held.min(0))
    return [head] + [
      [name, *row.tolist(), float(mean), float(worst)]
      for name, row, mean, worst in zip(*shown, strict=True)
    ]


def play(outcome: solve.Outcome) -> League:
  """Plays the solvers' policies and three others against each other."""
  games, results = outcome.problem.games, outcome.results
  count = games.advantage.shape[0]
  equilibria = jnp.asarray(outcome.problem.equilibria[:, 0])
  winners, references, fixed = [], [], []
  for k in range(count):
    game = jax.tree.map(lambda x, k=k: x[k], games)
    winners.append(linear_program.minimax_winner(game))
    reference = game.reference or game_lib.uniform_policies(game)
    references.append(np.asarray(game.by_context(reference[0])))
    fixed.append(np.asarray(game.by_context(equilibria[k])))
  entrants = {
    "reference": np.stack(references),
    "equilibrium": np.stack(fixed),
    "minimax winner": np.stack(winners),
  }
  for result in results:
    label = plots.short_label(result, results)
    entrants[label] = result.policies
  stacked = jnp.stack(
    [jnp.asarray(policy, games.dtype) for policy in entrants.values()], axis=1
  )
  rates, held = map(np.asarray, _play(games, stacked))
  return League(list(entrants), rates.mean(axis=0), held)


@tiers.once
def _play(games, policies):
  def one(game, policies):
    slots = jax.vmap(game.slots)(policies)
    gaps = jax.vmap(
      lambda x: preferences.duality_gap(game, quantities.Plans((x,)))
    )(slots)
    # A gap is what both sides' best responses win beyond a half, together.
    return preferences.win_rates(game, slots), (1 - gaps.mean(axis=1)) / 2

  return jax.vmap(one)(games, policies)


def text(league: League) -> str:
  """Returns the tables to be printed, in percent and in 80 columns.

  Columns are numbered like the rows, to stay narrow; those that do not fit
  follow below.
  """
  size = len(league.names)
  wide = max(map(len, league.names))
  labels = [
    f"{k:2} {name:{wide}}" for k, name in enumerate(league.names, start=1)
  ]
  fitting = max(1, (_WIDTH - wide - 3) // 4)
  lines = ["win rates in percent, of rows against columns"]
  for start in range(0, size, fitting):
    columns = range(start, min(size, start + fitting))
    lines.append(" " * (wide + 3) + "".join(f"{k + 1:4}" for k in columns))
    for label, row in zip(labels, league.rates, strict=True):
      lines.append(label + "".join(f"{100 * row[k]:4.0f}" for k in columns))
    lines.append("")
  lines += [
    "the least of each row above; and what a best response to the contestant",
    "holds it to, as a mean over games and in the worst of them",
    " " * (wide + 3) + "   least   held   worst",
  ]
  # A contestant whose numbers ceased spoils its own row alone.
  known = np.isfinite(league.rates)
  least = np.where(known, league.rates, np.inf).min(axis=1)
  least = np.where(known.diagonal(), least, np.nan)
  shown = (labels, least, league.held.T)
  for label, least, held in zip(*shown, strict=True):
    lines.append(
      f"{label}{100 * least:8.1f}{100 * held.mean():7.1f}"
      f"{100 * held.min():8.1f}"
    )
  return "\n".join(lines)
