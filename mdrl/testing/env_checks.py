"""Checks of the contract of environments, to be called in tests.

A check returns nothing, or raises AssertionError saying what is wrong.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from mdrl import tiers
from mdrl.envs import base as env_lib
from mdrl.testing import method_checks

# Points from [0, 1) that drawn outcomes are counted over.
_POINTS = 512


class _Seen(NamedTuple):
  """What an environment says of its states, `[T, G, ...]`; N players each."""

  player: Any
  legal: Any
  returns: Any
  ended: Any
  view: Any
  observation: Any
  key: Any
  known: Any
  states: Any


def check_env(
  environment: env_lib.Environment[Any], num_games: int = 64, seed: int = 0
) -> None:
  """Checks an environment against its contract, on random games.

  States keep their treedef, shapes and dtypes; who moves has a legal action,
  and nobody else has; games end within `max_decisions`, and then stay as they
  are; an illegal action counts as the legal one of the lowest number; draws of
  chance may be given as numbers or as outcomes, and have their probabilities;
  `view` is what its parts are; information states fix what a player sees, may
  do and has done; `split` and `join` are inverse, and what a player knows
  depends on its information state alone; all of it is the same under `vmap`,
  `jit` and neither.

  Args:
    environment: What to check.
    num_games: How many games are played at once.
    seed: Of the moves and of chance.

  Raises:
    AssertionError: If a part of the contract is broken.
  """
  env = environment
  _check_types(env)
  keys = jax.random.split(jax.random.key(seed), num_games)
  seen, actions = jax.tree.map(np.asarray, _play(env, keys))
  _check_moves(env, seen)
  _check_ends(env, seen)
  _check_keys(env, seen, actions)
  _check_known(env, seen)
  _check_parts(env, seen)
  _check_single(env, seen, actions)
  _check_rules(env, seen)
  _check_chance(env, seen, actions)


def _require(condition, message):
  method_checks.require(bool(condition), message)


def _check_types(env):
  """Checks shapes and dtypes without running anything."""
  player = jnp.zeros((), jnp.int32)
  key = jax.random.key(0)
  root = jax.eval_shape(env.root)
  moves = {
    "init": jax.eval_shape(env.init, key),
    "act": jax.eval_shape(env.act, root, player),
    "step": jax.eval_shape(env.step, root, player, key),
  }
  if env.num_outcomes:
    moves["resolve"] = jax.eval_shape(env.resolve, root, player)
  for name, state in moves.items():
    _require(
      jax.tree.structure(state) == jax.tree.structure(root)
      and [(x.shape, x.dtype) for x in jax.tree.leaves(state)]
      == [(x.shape, x.dtype) for x in jax.tree.leaves(root)],
      f"`{name}` returns a state of other leaves than `root`: {state} for "
      f"{root}",
    )
  shapes = {
    "current_player": ((), None),
    "legal_actions": ((env.num_actions,), jnp.bool_),
    "returns": ((env.num_players,), env.dtype),
  }
  if env.num_outcomes:
    shapes["outcomes"] = ((env.num_outcomes,), env.dtype)
  for name, (shape, dtype) in shapes.items():
    found = jax.eval_shape(getattr(env, name), root)
    _require(
      found.shape == shape and (dtype is None or found.dtype == dtype),
      f"`{name}` must be {shape} of {dtype}, got {found}",
    )
  found = jax.eval_shape(env.observation, root, player)
  _require(
    found.shape == (env.observation_size,) and found.dtype == env.dtype,
    f"`observation` must be {env.observation_size} numbers of {env.dtype}, got "
    f"{found}",
  )
  found = jax.eval_shape(env.information_state, root, player)
  _require(
    found.ndim == 1 and jnp.issubdtype(found.dtype, jnp.signedinteger),
    f"`information_state` must be a vector of signed integers, got {found}",
  )


def _described(env, state):
  """Returns what an environment says of a state."""
  players = jnp.arange(env.num_players, dtype=jnp.int32)
  of_all = functools.partial(jax.vmap, in_axes=(None, 0))
  return _Seen(
    player=env.current_player(state),
    legal=env.legal_actions(state),
    returns=env.returns(state),
    ended=env.is_terminal(state),
    view=env.view(state),
    observation=of_all(env.observation)(state, players),
    key=of_all(env.information_state)(state, players),
    known=of_all(lambda s, p: env.split(s, p)[0])(state, players),
    states=state,
  )


@tiers.quick
def _play(env, keys):
  """Plays games with random legal actions, and one step longer than any."""

  def body(carry, _):
    state, key = carry
    key, choice, luck = jax.random.split(key, 3)
    seen = _described(env, state)
    weights = jnp.where(seen.legal, 0.0, -jnp.inf)
    weights = jnp.where(seen.ended, jnp.zeros_like(weights), weights)
    action = jax.random.categorical(choice, weights).astype(jnp.int32)
    return (env.step(state, action, luck), key), (seen, action)

  def game(key):
    first, rest = jax.random.split(key)
    steps = env.max_decisions + 2
    return jax.lax.scan(body, (env.init(first), rest), length=steps)[1]

  return jax.vmap(game, out_axes=1)(keys)


def _check_moves(env, seen):
  _require(
    (
      ((seen.player >= 0) & (seen.player < env.num_players))
      | (seen.player == env_lib.TERMINAL)
    ).all(),
    "`init` and `step` must go on until a player moves or play ends, got "
    f"players {np.unique(seen.player).tolist()}",
  )
  _require((seen.player >= 0).any(), "nobody moves in any game")
  _require(
    (seen.legal.any(axis=-1) == (seen.player >= 0)).all(),
    "`legal_actions` must have one if and only if a player moves",
  )
  _require(
    (seen.ended == (seen.player == env_lib.TERMINAL)).all(),
    "`is_terminal` disagrees with `current_player`",
  )


def _check_ends(env, seen):
  _require(
    seen.ended[env.max_decisions].all(),
    f"games must end within {env.max_decisions} decisions, `max_decisions`, "
    f"and {(~seen.ended[env.max_decisions]).sum()} go on",
  )
  _require(np.isfinite(seen.returns).all(), "`returns` must be finite")
  for leaf in jax.tree.leaves(seen.states):
    same = leaf[1:] == leaf[:-1]
    same = same.reshape(*same.shape[:2], -1).all(axis=-1)
    _require(same[seen.ended[:-1]].all(), "`step` changes finished games")


def _check_keys(env, seen, actions):
  """Checks what an information state must fix."""
  mover = np.maximum(seen.player, 0)
  decides = np.argwhere(seen.player >= 0)
  facts: dict[Any, Any] = {}
  last: dict[Any, Any] = {}
  met = set()
  for t, g in sorted(decides.tolist(), key=lambda pair: pair[::-1]):
    player = int(mover[t, g])
    key = (player, *seen.key[t, g, player].tolist())
    own = last.get((g, player))
    fact = (seen.legal[t, g].tolist(), own)
    _require(
      facts.setdefault(key, fact) == fact,
      f"information state {key[1:]} of player {player} must fix what is legal "
      f"and what the player did before, got {facts[key]} and {fact}",
    )
    _require(
      (g, key) not in met,
      f"player {player} meets information state {key[1:]} twice in a game",
    )
    met.add((g, key))
    last[g, player] = (key, int(actions[t, g]))


def _check_known(env, seen):
  """Checks that information states fix observations and known parts."""
  parts = {"observation": seen.observation, "the known part": seen.known}
  for player in range(env.num_players):
    keys = seen.key[:, :, player].reshape(-1, seen.key.shape[-1])
    order = np.lexsort(keys.T)
    alike = (keys[order][1:] == keys[order][:-1]).all(axis=1)
    for name, part in parts.items():
      for leaf in jax.tree.leaves(part):
        flat = leaf[:, :, player].reshape(len(keys), -1)[order]
        other = alike & (flat[1:] != flat[:-1]).any(axis=1)
        _require(
          not other.any(),
          f"{name} of player {player} must depend on its information state "
          f"alone, and differs at {keys[order][1:][other][:1].tolist()}",
        )


def _check_parts(env, seen):
  """Checks `view`, and that `join` undoes `split`."""
  mover = np.maximum(seen.player, 0)
  live = ~seen.ended
  _require((seen.view.player == mover)[live].all(), "`view` has another player")
  _require(
    (seen.view.legal == seen.legal)[live].all(), "`view` has other actions"
  )
  pairs = (
    ("observation", seen.view.observation, seen.observation),
    ("information state", seen.view.information_state, seen.key),
  )
  for name, found, parts in pairs:
    index = mover[:, :, None, None]
    own = np.take_along_axis(parts, index, axis=2)[:, :, 0]
    _require(
      (found == own)[live].all(), f"`view` has another {name} of the mover"
    )
  joined = jax.tree.map(np.asarray, _joined(env, seen.states, seen.known))
  for player in range(env.num_players):
    for found, leaf in zip(
      jax.tree.leaves(joined), jax.tree.leaves(seen.states), strict=True
    ):
      _require(
        (found[:, :, player] == leaf)[live].all(),
        f"`join` must undo `split` for player {player}",
      )


@tiers.quick
def _joined(env, states, known):
  """Joins what each player knows with what is hidden from it."""

  def of_player(state, known, player):
    return env.join(known, env.split(state, player)[1], player)

  of_all = jax.vmap(of_player, in_axes=(None, 0, 0))
  players = jnp.arange(env.num_players, dtype=jnp.int32)
  games = jax.vmap(lambda s, k: of_all(s, k, players))
  return jax.vmap(games)(states, known)


_described_alone = tiers.once(_described)
_stepped = tiers.once(
  jax.vmap(
    lambda env, state, action, key: env.step(state, action, key),
    in_axes=(None, 0, 0, None),
  )
)


def _check_single(env, seen, actions):
  """Checks that single states, compiled or not, are as many are."""
  for t, g in ((0, 0), (1, len(actions[0]) - 1)):
    state = jax.tree.map(lambda x, t=t, g=g: jnp.asarray(x[t, g]), seen.states)
    many = jax.tree.map(lambda x, t=t, g=g: x[t, g], seen)
    action = jnp.asarray(actions[t, g])
    key = jax.random.key(t)
    one = jax.tree.map(lambda x: x[None], (state, action))
    behind = _stepped(env, one[0], one[1], key)
    behind = jax.tree.map(lambda x: x[0], behind)
    _require_same(env.step(state, action, key), behind, "`step` of one state")
    said = _described_alone(env, state)
    _require_same(said, many, "what is said of one state")


def _require_same(tree, other, what):
  for x, y in zip(jax.tree.leaves(tree), jax.tree.leaves(other), strict=True):
    _require(
      x.dtype == y.dtype and np.allclose(x, y, rtol=1e-6, atol=1e-6),
      f"{what} must be what it is among many: {x} for {y}",
    )


def _check_rules(env, seen):
  """Checks what illegal actions do."""
  live = np.argwhere(~seen.ended)
  times, games = live[:: 1 + len(live) // 64].T
  states = jax.tree.map(lambda x: x[times, games], seen.states)
  legal = seen.legal[times, games]
  every = jnp.arange(-1, env.num_actions + 1, dtype=jnp.int32)
  behind = jax.tree.map(np.asarray, _acted(env, states, every))
  lowest = legal.argmax(axis=1)
  legal = np.pad(legal, ((0, 0), (1, 1)))
  for leaf in jax.tree.leaves(behind):
    first = leaf[np.arange(len(lowest)), 1 + lowest][:, None]
    same = (leaf == first).reshape(*legal.shape, -1).all(axis=-1)
    _require(
      same[~legal].all(),
      "an illegal action must count as the legal one of the lowest number",
    )


@tiers.quick
def _acted(env, states, actions):
  of_all = jax.vmap(env.act, in_axes=(None, 0))
  return jax.vmap(of_all, in_axes=(0, None))(states, actions)


def _check_chance(env, seen, actions):
  """Checks draws behind the root and behind first moves."""
  key = jax.random.key(0)
  luck = jax.random.uniform(key, (env.init_draws,), env.dtype)
  _require_same(env.init(key), env.init(luck), "`init` with a key's draws")
  settled = env.settle(env.root(), luck)
  _require_same(env.init(key), settled, "`init` as chance moves from `root`")
  for wrong in (jnp.zeros(env.init_draws + 1), jnp.zeros((), jnp.uint32)):
    try:
      env.init(wrong)
    except (TypeError, ValueError):
      continue
    _require(False, f"`init` must refuse {wrong.dtype}{wrong.shape} as draws")
  starts = [(env.root(), env.init_draws)]
  first = jax.tree.map(lambda x: x[0], seen.states)
  behind = jax.vmap(env.act)(first, jnp.asarray(actions[0]))
  for g in range(min(len(actions[0]), 4)):
    state = jax.tree.map(lambda x, g=g: x[g], behind)
    starts.append((state, env.step_draws))
  for state, draws in starts:
    if int(env.current_player(state)) == env_lib.CHANCE:
      _check_draws(env, state, draws)


def _check_draws(env, state, draws):
  """Checks the draws that follow one state."""
  weights = np.asarray(env.outcomes(state), float)
  _require(
    (weights >= 0).all() and np.isclose(weights.sum(), 1, atol=1e-5),
    f"`outcomes` must be a distribution, got {weights.tolist()}",
  )
  resolved, chosen = state, []
  for _ in range(draws):
    if int(env.current_player(resolved)) == env_lib.CHANCE:
      chosen.append(int(np.asarray(env.outcomes(resolved)).argmax()))
      resolved = env.resolve(resolved, jnp.asarray(chosen[-1], jnp.int32))
    else:
      chosen.append(0)
  _require_same(
    env.settle(state, jnp.asarray(chosen, jnp.int32)),
    resolved,
    "`settle` with given outcomes",
  )
  # Of a single draw, all outcomes can be counted.
  first = jax.vmap(lambda outcome: env.resolve(state, outcome))(
    jnp.arange(env.num_outcomes, dtype=jnp.int32)
  )
  if draws != 1:
    return
  points = ((np.arange(_POINTS) + 0.5) / _POINTS).astype(env.dtype)
  drawn = _drawn(env, state, jnp.asarray(points))
  same = np.ones((env.num_outcomes, _POINTS), bool)
  for x, y in zip(jax.tree.leaves(first), jax.tree.leaves(drawn), strict=True):
    alike = np.asarray(x)[:, None] == np.asarray(y)[None]
    same &= alike.reshape(*same.shape, -1).all(axis=-1)
  share = same.mean(axis=1)
  _require(
    np.abs(share - weights).max() <= (2 + len(weights)) / _POINTS,
    f"draws must have the probabilities {weights.tolist()}, got "
    f"{share.tolist()}",
  )


@tiers.quick
def _drawn(env, state, points):
  return jax.vmap(lambda point: env.settle(state, point[None]))(points)
