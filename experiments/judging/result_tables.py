"""Tables of results, from what `result.json` holds."""

from collections.abc import Mapping
from typing import Any

from experiments.runs import tables


def matches(result: Mapping[str, Any]) -> str:
  """Returns the tables of matches, one for each."""
  confidence = f"{100 * result['confidence']:g} % interval"
  tables_ = [_match(match, confidence) for match in result["matches"]]
  return "\n\n".join(tables_) + "\n"


def _match(match, confidence):
  players = match["players"]
  seats = [f"in seat {seat}" for seat in range(len(players[0]["by_seat"]))]
  rows = [
    [player["policy"], *map(with_error, player["by_seat"])]
    for player in players
  ]
  if len(players) == 1:
    # Its mean over all seats says nothing of it.
    return tables.text(["policy", *seats], rows, tables.page_width())
  for player, row in zip(players, rows, strict=True):
    returns = player["returns"]
    row[1:1] = [_signed(returns["mean"]), interval(returns)]
  head = ["policy", "mean return", confidence, *seats]
  return tables.text(head, rows, tables.page_width())


def seats(result: Mapping[str, Any]) -> str:
  """Returns the table of what responses gain in each seat."""
  if result["method"] == "exact":
    head = ["seat", "policy earns", "best response earns", "gain"]
    rows = [
      [
        str(number),
        _signed(seat["value"]),
        _signed(seat["best"]),
        f"{seat['gain']:.4e}",
      ]
      for number, seat in enumerate(result["seats"])
    ]
  else:
    head = ["seat", "policy earns", "response earns", "found by", "gains"]
    rows = [
      [
        str(number),
        with_error(seat["value"]),
        with_error(seat["best"]),
        seat["learner"],
        with_error(seat["gain"]),
      ]
      for number, seat in enumerate(result["seats"])
    ]
  return tables.text(head, rows, tables.page_width()) + "\n"


def interval(found: Mapping[str, Any]) -> str:
  """Returns an interval; what is not known of it is left out."""
  if found["low"] is None or found["high"] is None:
    return "not known"
  return f"{_signed(found['low'])} to {_signed(found['high'])}"


def with_error(found: Mapping[str, Any]) -> str:
  """Returns a mean, and how far off it may be on the farther side."""
  mean = _signed(found["mean"])
  if found["low"] is None or found["high"] is None:
    return mean
  size = max(found["high"] - found["mean"], found["mean"] - found["low"])
  return f"{mean} ± {size:.4f}"


def _signed(number):
  return f"{number:+.4f}"
