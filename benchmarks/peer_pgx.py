"""Plays pgx's card games, in an environment that has it.

  python3.12 -m venv pgx
  pgx/bin/pip install pgx
  pgx/bin/python -m benchmarks.peer_pgx --game=leduc_poker

It always observes.
"""

import importlib.metadata
import sys

from benchmarks import playing

# OpenSpiel's strings of its games.
GAMES = {"kuhn_poker": "kuhn_poker", "leduc_poker": "leduc_holdem"}


def build(game: str, size: int, observe: bool) -> playing.Player:
  """Returns what plays a game."""
  import jax
  import jax.numpy as jnp
  import pgx  # pyright: ignore[reportMissingImports]
  from pgx.experimental import wrappers  # pyright: ignore[reportMissingImports]

  made = pgx.make(GAMES[game])
  following = wrappers.auto_reset(made.step, made.init)
  version = importlib.metadata.version("pgx")

  def init(shared, key):
    del shared
    return made.init(key), key, jnp.zeros(())

  def step(shared, carry, numbers):
    del shared
    state, key, total = carry
    key, now = jax.random.split(key)
    action = playing.choose(state.legal_action_mask, numbers[0])
    state = following(state, action, now)
    return state, key, total + state.rewards[0]

  del observe
  return playing.jax_player(init, step, 1, size, version)


def main(argv: list[str]) -> None:
  """Measures and prints."""
  playing.main(build, list(GAMES), argv)


if __name__ == "__main__":
  main(sys.argv[1:])
