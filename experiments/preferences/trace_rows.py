"""Rows of the trace of preference games.

A row describes a solver at one temperature and step size after some updates.
Metrics are the least, median and greatest over games and, of several games,
those of each under `..._by_game`; null where they are infinite or NaN.
`undefined` names the metrics that are NaN, and `policy` is that of the first
game where there are three responses to draw.
"""

from collections.abc import Mapping, Sequence
import math
from typing import Any

from jaxtyping import Float
import numpy as np

METRICS = ("divergence", "regularized_gap", "duality_gap")


def make(
  setting: Mapping[str, Any],
  measured: Mapping[str, Float[np.ndarray, " B"]],
  policy: Float[np.ndarray, "X A"],
) -> dict[str, Any]:
  """Returns a row.

  Args:
    setting: The first columns.
    measured: Metrics of each game.
    policy: Of the first game.
  """
  row = dict(setting)
  for metric in METRICS:
    values = measured[metric]
    spread = (np.min(values), np.median(values), np.max(values))
    row[metric] = _numbers(spread)
    if len(values) > 1:
      row[f"{metric}_by_game"] = _numbers(values)
  undefined = [name for name in METRICS if np.isnan(measured[name]).any()]
  if undefined:
    row["undefined"] = undefined
  if policy.shape[-1] == 3:
    row["policy"] = [_numbers(weights) for weights in policy]
  return row


def metrics(
  rows: Sequence[Mapping[str, Any]], dtype: Any
) -> dict[str, Float[np.ndarray, "K B"]]:
  """Returns the metrics of rows, by game."""
  return {
    name: np.array(
      [
        [_number(value, row, name) for value in _by_game(row, name)]
        for row in rows
      ],
      dtype,
    )
    for name in METRICS
  }


def path(
  rows: Sequence[Mapping[str, Any]], dtype: Any
) -> Float[np.ndarray, "K X A"] | None:
  """Returns the policies of the first game, or None where none are drawn."""
  if "policy" not in rows[0]:
    return None
  return np.array([row["policy"] for row in rows], dtype)


def _by_game(row, name):
  return row.get(f"{name}_by_game", row[name][:1])


def _number(value, row, name):
  if value is not None:
    return value
  return math.nan if name in row.get("undefined", ()) else math.inf


def _numbers(values):
  # JSON has neither infinity nor what is not a number.
  return [float(v) if np.isfinite(v) else None for v in values]
