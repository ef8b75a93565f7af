"""The preference games that `solve_preference` knows by name.

Importing this does not import JAX, so that `--help` answers at once.
"""

from collections.abc import Callable
import dataclasses
import inspect
import re

import numpy as np

from experiments.runs import limits
from mdrl.preferences import models


@dataclasses.dataclass(frozen=True)
class Game:
  """A named family of preference games.

  Attributes:
    model: Returns the preference matrix for keyword arguments.
    transitive: Whether they are transitive, at default parameters.
    condorcet_winner: Whether there is a Condorcet winner, likewise.
    sized: Whether `--responses` and the seed decide the game.
    names: Of the responses, where there are as many.
  """

  model: Callable[..., np.ndarray]
  transitive: str
  condorcet_winner: str
  sized: bool = False
  names: tuple[str, ...] = ()


def _hard(num_responses: int = 3):
  return models.cycle(num_responses, 1.0)


def _soft(num_responses: int = 3, win: float = 0.75):
  return models.cycle(num_responses, win)


def _elo(num_responses: int = 3, seed: int = 0):
  """Scores are standard normal, times two."""
  scores = models.random_scores(1, num_responses, seed)
  return models.elo(scores[0])


def _mixture(num_responses: int = 3, raters: int = 3, seed: int = 0):
  """Each rater's scores are standard normal, times two."""
  return models.bradley_terry_mixture(
    models.random_scores(raters, num_responses, seed)
  )


# Each beats the next.
_HANDS = ("rock", "scissors", "paper")
_DICE = tuple(
  f"die {' '.join(map(str, faces))}" for faces in models.NONTRANSITIVE_DICE
)

GAMES: dict[str, Game] = {
  "cyclic_dice": Game(models.dice, "no", "no", names=_DICE),
  "rock_paper_scissors": Game(_hard, "no", "no", names=_HANDS),
  "soft_rock_paper_scissors": Game(_soft, "no", "no", names=_HANDS),
  "three_raters": Game(models.three_raters, "no", "no"),
  "cyclic_raters": Game(models.cyclic_raters, "no", "no"),
  "elo": Game(_elo, "yes", "yes", sized=True),
  "bradley_terry_mixture": Game(_mixture, "depends", "depends", sized=True),
  "skew_low_rank": Game(models.skew_low_rank, "depends", "depends", sized=True),
  "uniform": Game(models.uniform, "depends", "depends", sized=True),
  "tournament": Game(models.tournament, "depends", "depends", sized=True),
}


def _parameters(name: str) -> dict[str, float]:
  """Returns the parameters that a game takes in brackets, and defaults."""
  known = inspect.signature(GAMES[name].model).parameters
  flags = ("num_responses", "seed") if GAMES[name].sized else ()
  return {
    k: parameter.default
    for k, parameter in known.items()
    if k not in ("faces", *flags)
  }


def parse_game(text: str) -> tuple[str, dict[str, float]]:
  """Splits `name(key=value,...)` of a game in the table.

  Raises:
    ValueError: If the parameters cannot be read, or the game has no such
      parameter.
  """
  match = re.fullmatch(r"(\w+)(?:\((.*)\))?", text.strip())
  name = match[1] if match else ""
  if not match or name not in GAMES:
    raise ValueError(
      f"`--game` must be one of {', '.join(GAMES)}, a .csv or .npy file, or "
      f"openspiel:GAME, got {text!r}"
    )
  known = _parameters(name)
  allowed = list(known)
  values = {}
  for item in filter(None, (match[2] or "").split(",")):
    key, _, value = (part.strip() for part in item.partition("="))
    if key not in allowed:
      raise ValueError(
        f"`--game={text}` has no parameter {key!r}; {name} has "
        f"{', '.join(allowed) or 'none'}"
        + (
          "; size and seed are --responses and --seed"
          if GAMES[name].sized
          else ""
        )
      )
    if key in values:
      raise ValueError(f"`--game={text}` must give {key} once")
    try:
      whole = isinstance(known[key], int)
      values[key] = int(value) if whole else float(value)
    except ValueError as error:
      raise ValueError(
        f"`--game={text}` must give {key} a number, got {value!r}"
      ) from error
    if whole and not 1 <= values[key] <= limits.RESPONSES:
      raise ValueError(
        f"`--game={text}` must give {key} a whole number from 1 to "
        f"{limits.RESPONSES:,}, got {value}"
      )
  return name, values


def game_listing() -> str:
  """Returns the text of `--list_games`."""
  rows = [
    f"{name:26}transitive: {game.transitive:9}Condorcet winner: "
    f"{game.condorcet_winner:9}{'sized' if game.sized else ''}".rstrip()
    + _shown(_parameters(name))
    for name, game in GAMES.items()
  ]
  return "\n".join(
    [
      "Structure is that at default parameters, none of which ties responses.",
      "Sized games are drawn: --responses and --seed say how large, and which.",
      *rows,
      "a .csv or .npy file of win rates",
      "openspiel:GAME, any symmetric zero-sum game of OpenSpiel",
    ]
  )


def _shown(parameters):
  values = ",".join(f"{k}={v:g}" for k, v in parameters.items())
  return f"\n  ({values})" if values else ""
