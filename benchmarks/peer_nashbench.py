"""Plays nashbench's games, in an environment that has it.

  python3.12 -m venv nashbench
  nashbench/bin/pip install nashbench
  nashbench/bin/python -m benchmarks.peer_nashbench --game=leduc_poker

Python 3.12 is the least.
"""

import importlib.metadata
import sys
from typing import Any

from benchmarks import playing

# OpenSpiel's strings of its games.
GAMES: dict[str, tuple[str, dict[str, Any]]] = {
  "kuhn_poker": ("kuhn_poker", {}),
  "leduc_poker": ("leduc_poker", {}),
  "phantom_ttt": ("phantom_ttt", {}),
  "phantom_ttt(gameversion=abrupt)": ("phantom_ttt_abrupt", {}),
  "dark_hex": ("dark_hex3", {}),
  "dark_hex(gameversion=adh)": ("dark_hex3_abrupt", {}),
  "goofspiel(imp_info=True,num_cards=6)": ("goofspiel", {"num_cards": 6}),
  "liars_dice(numdice=2,dice_sides=5)": (
    "liars_dice",
    {"numdice": 2, "dice_sides": 5},
  ),
}


def build(game: str, size: int, observe: bool) -> playing.Player:
  """Returns what plays a game."""
  import jax.numpy as jnp
  from nashbench import core, games  # pyright: ignore[reportMissingImports]

  name, parameters = GAMES[game]
  made = games.make(name, **parameters)
  following = core.auto_reset(made)
  version = importlib.metadata.version("nashbench")

  def carried(state, seen, total):
    if observe:
      total += seen.observation.astype(total.dtype).sum()
    return state, seen.legal_action_mask, total

  def init(shared, key):
    del shared
    state, seen = made.reset(key)
    return carried(state, seen, jnp.zeros(()))

  def step(shared, carry, numbers):
    del shared
    state, legal, total = carry
    action = playing.choose(legal, numbers[0])
    state, seen = following(state, action)
    return carried(state, seen, total + seen.reward[0])

  return playing.jax_player(init, step, 1, size, version)


def main(argv: list[str]) -> None:
  """Measures and prints."""
  playing.main(build, list(GAMES), argv)


if __name__ == "__main__":
  main(sys.argv[1:])
