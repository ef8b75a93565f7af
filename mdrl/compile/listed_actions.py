"""Checks for games of OpenSpiel with peculiar ways to fail.

Blotto lists all of its actions as soon as OpenSpiel loads it, which may take
all memory or crash the process before it can be asked how many there are.
"""

import math
import re
from typing import Any

_MOST = 1_000_000
# OpenSpiel fills the fields recursively, one call for each.
_MOST_FIELDS = 1000
_DEFAULTS = {"coins": 10, "fields": 3}
# Binomials of larger numbers are above the limit in any case.
_FEW = 30


def check(name: str) -> None:
  """Raises ValueError for a game string that stands for too many actions.

  Args:
    name: OpenSpiel's game string, of blotto.
  """
  given = re.findall(r"\b(coins|fields)\s*=\s*(-?\d+)", name)
  numbers = _DEFAULTS | {key: int(value) for key, value in given}
  coins, fields = numbers["coins"], numbers["fields"]
  if not (coins >= 0 and 1 <= fields <= _MOST_FIELDS):
    raise ValueError(
      "`game` must have no fewer than 0 coins and from 1 to "
      f"{_MOST_FIELDS:,} fields, got {name}"
    )
  few = min(coins, fields - 1, _FEW)
  if math.comb(coins + fields - 1, few) > _MOST:
    raise ValueError(
      f"`game` must have at most {_MOST:,} actions, and {name} has more; "
      "choose fewer coins or fields"
    )


def check_payoffs(game: Any) -> None:
  """Raises ValueError where payoffs are drawn as histories are first seen.

  Args:
    game: An OpenSpiel game.
  """
  if "add_noise(" in str(game):
    raise ValueError(
      "`game` must have payoffs that its string decides, and add_noise draws "
      "them in the order in which histories are seen; write the payoffs to "
      "an .efg file, or leave the noise out"
    )
