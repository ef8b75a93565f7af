"""Plays random games of one environment, in this process.

  python -m benchmarks.play_one --engine=ours --game=leduc_poker --observe
  python -m benchmarks.play_one --engine=openspiel --game=leduc_poker

`benchmarks.environments` starts it for each cell of its table. It prints lines
of JSON, of which `benchmarks.playing` says what they hold.
"""

import argparse
import functools
import logging
import random
import sys

from benchmarks import playing

ENGINES = ("ours", "ours_last", "openspiel", "openspiel_vector")
# OpenSpiel's loops play for about this many moves in a call.
_MOVES = 1 << 10


def ours(game: str, size: int, observe: bool, axis: int = 0) -> playing.Player:
  """Returns our environment, with the batch first or last."""
  import jax.numpy as jnp

  import mdrl
  from mdrl import envs

  env = envs.AutoReset(environment=envs.load(game, dtype=jnp.float32))
  version = mdrl.__version__

  def init(env, key):
    return env.init(key), jnp.zeros((), env.environment.dtype)

  def step(env, carry, numbers):
    state, total = carry
    view = env.environment.view(state)
    if observe:
      total += view.observation.sum()
    action = playing.choose(view.legal, numbers[0])
    state, transition = env.step(state, action, numbers[1:])
    return state, total + transition.rewards[0]

  return playing.jax_player(
    init, step, 1 + env.step_draws, size, version, env, axis
  )


def _openspiel_game(game):
  import pyspiel

  return pyspiel.load_game_as_turn_based(game)


def openspiel(game: str, size: int, observe: bool) -> playing.Player:
  """Returns a loop in Python over OpenSpiel's states."""
  import importlib.metadata

  loaded = _openspiel_game(game)
  luck = random.Random(0)

  def settled(state):
    while state.is_chance_node():
      outcomes, chances = zip(*state.chance_outcomes(), strict=True)
      state.apply_action(luck.choices(outcomes, chances)[0])
    return state

  def new():
    return settled(loaded.new_initial_state())

  kind = loaded.get_type()
  sees = "observation_tensor"
  if kind.provides_information_state_tensor:
    sees = "information_state_tensor"
  states = [new() for _ in range(size)]
  rounds = max(1, _MOVES // size)

  def advance(count):
    for _ in range(count * rounds):
      for i, state in enumerate(states):
        state.apply_action(luck.choice(state.legal_actions()))
        if settled(state).is_terminal():
          state.returns()
          states[i] = state = new()
        if observe:
          getattr(state, sees)()

  version = importlib.metadata.version("open_spiel")
  return playing.Player(advance, rounds * size, "cpu", version)


def openspiel_vector(game: str, size: int, observe: bool) -> playing.Player:
  """Returns OpenSpiel's vector environment, which always observes."""
  import importlib.metadata

  from open_spiel.python import rl_agent, rl_environment, vector_env

  del observe
  loaded = _openspiel_game(game)
  copies = [rl_environment.Environment(loaded) for _ in range(size)]
  vector = vector_env.SyncVectorEnv(copies)
  luck = random.Random(0)
  steps = vector.reset()
  rounds = max(1, _MOVES // size)

  def action(step):
    seen = step.observations
    legal = seen["legal_actions"][seen["current_player"]]
    return rl_agent.StepOutput(action=luck.choice(legal), probs=[])

  def advance(count):
    nonlocal steps
    for _ in range(count * rounds):
      moves = [action(step) for step in steps]
      steps = vector.step(moves, reset_if_done=True)[0]

  version = importlib.metadata.version("open_spiel")
  return playing.Player(advance, rounds * size, "cpu", version)


_BUILD = {
  "ours": ours,
  "ours_last": functools.partial(ours, axis=-1),
  "openspiel": openspiel,
  "openspiel_vector": openspiel_vector,
}


def main(argv: list[str]) -> None:
  """Measures and prints."""
  # JAX tells at this level which accelerators it did not find.
  logging.getLogger("jax._src.xla_bridge").setLevel(logging.WARNING)
  parser = argparse.ArgumentParser(add_help=False)
  parser.add_argument("--engine", required=True, choices=ENGINES)
  given, rest = parser.parse_known_args(argv)
  playing.main(_BUILD[given.engine], None, rest)


if __name__ == "__main__":
  main(sys.argv[1:])
