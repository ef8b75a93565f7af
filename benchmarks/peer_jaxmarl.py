"""Plays JaxMARL's Hanabi, in an environment that has it.

  python3.12 -m venv jaxmarl
  jaxmarl/bin/pip install jaxmarl
  jaxmarl/bin/python -m benchmarks.peer_jaxmarl --game=hanabi

All players move at once there, all but one by passing, and all observe. What a
step returns without being asked for, and nothing needs, XLA leaves out.
"""

import importlib.metadata
import sys

from benchmarks import playing

GAMES = ("hanabi",)


def build(game: str, size: int, observe: bool) -> playing.Player:
  """Returns what plays a game."""
  import jax
  import jax.numpy as jnp
  import jaxmarl  # pyright: ignore[reportMissingImports]

  made = jaxmarl.make(game)
  version = importlib.metadata.version("jaxmarl")

  def carried(state, seen, key, total):
    if observe:
      rows = jnp.stack([seen[agent] for agent in made.agents])
      total += rows[jnp.argmax(state.cur_player_idx)].sum()
    return state, key, total

  def init(shared, key):
    del shared
    key, now = jax.random.split(key)
    seen, state = made.reset(now)
    return carried(state, seen, key, jnp.zeros(()))

  def step(shared, carry, numbers):
    del shared
    state, key, total = carry
    key, now = jax.random.split(key)
    moves = made.get_legal_moves(state)
    legal = jnp.stack([moves[agent] for agent in made.agents]) != 0
    actions = jax.vmap(playing.choose, (0, None))(legal, numbers[0])
    chosen = {agent: actions[i] for i, agent in enumerate(made.agents)}
    seen, state, rewards, _, _ = made.step(now, state, chosen)
    return carried(state, seen, key, total + rewards[made.agents[0]])

  return playing.jax_player(init, step, 1, size, version)


def main(argv: list[str]) -> None:
  """Measures and prints."""
  playing.main(build, list(GAMES), argv)


if __name__ == "__main__":
  main(sys.argv[1:])
