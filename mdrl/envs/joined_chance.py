"""Moves of chance that follow one another, joined into one draw."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int
import numpy as np

from mdrl import struct
from mdrl.games import history_tables


@struct.dataclass
class JoinedChance:
  """For each joined move of chance, where its outcomes lead.

  Attributes:
    start: The first outcome of each move.
    count: The number of its outcomes.
    target: The history behind each outcome.
    probability: Of each outcome.
    share: Of each outcome's column, what is its own; the rest of the column is
      that of its alias.
    alias: The history behind the alias of each outcome.
    most: The most outcomes of any move.
    at_root: Whether chance moves first.
    behind_moves: Whether it ever moves behind a player.
    even: Whether the outcomes of every move are equally likely.
  """

  start: Int[Array, " C"]
  count: Int[Array, " C"]
  target: Int[Array, " O"]
  probability: Float[Array, " O"]
  share: Float[Array, " O"]
  alias: Int[Array, " O"]
  most: int = struct.static()
  at_root: bool = struct.static()
  behind_moves: bool = struct.static()
  even: bool = struct.static()

  def probabilities(self, node: Int[Array, ""]) -> Float[Array, " M"]:
    """Returns the probability of each outcome of a move."""
    outcome = jnp.arange(self.most, dtype=jnp.int32)
    here = self.probability[self.start[node] + outcome]
    return jnp.where(outcome < self.count[node], here, jnp.zeros_like(here))

  def behind(
    self, node: Int[Array, ""], outcome: Int[Array, ""]
  ) -> Int[Array, ""]:
    """Returns the history behind an outcome of a move."""
    return self.target[self.start[node] + outcome.astype(jnp.int32)]

  def draw(
    self, node: Int[Array, ""], luck: Float[Array, ""] | Int[Array, ""]
  ) -> Int[Array, ""]:
    """Returns the history behind an outcome that is drawn.

    Args:
      node: Which move it is.
      luck: A number from [0, 1), or the outcome itself.
    """
    if not jnp.issubdtype(luck.dtype, jnp.floating):
      return self.behind(node, luck)
    count = self.count[node]
    point = luck * count.astype(luck.dtype)
    column = jnp.minimum(point.astype(jnp.int32), count - 1)
    entry = self.start[node] + column
    if self.even:
      return self.target[entry]
    rest = point - column.astype(luck.dtype)
    own = rest < self.share[entry].astype(luck.dtype)
    return jnp.where(own, self.target[entry], self.alias[entry])


class Joined(NamedTuple):
  """Joined moves, and the histories at which they begin."""

  moves: JoinedChance
  heads: np.ndarray


def join(tables: history_tables.HistoryTables) -> Joined:
  """Joins the moves of chance that follow one another.

  Args:
    tables: The histories of a game.
  """
  heads, head, leaf, weights = _chains(tables)
  count = np.bincount(
    np.searchsorted(heads, head[leaf]), minlength=len(heads)
  ).astype(np.int32)
  start = (np.cumsum(count) - count).astype(np.int32)
  share, alias = _aliases(start, count, weights)
  most = int(count.max(initial=0))

  def padded(values):
    # Reading a whole move's outcomes at the last one must not leave the array.
    filled = np.zeros(len(leaf) + max(most, 1), values.dtype)
    filled[: len(leaf)] = values
    return jax.device_put(filled)

  def nodes(values, none):
    # Games without chance look at a move that is not there.
    return jax.device_put(values if len(values) else np.array([none], np.int32))

  dtype = tables.dtype
  moves = JoinedChance(
    start=nodes(start, 0),
    count=nodes(count, 1),
    target=padded(leaf.astype(np.int32)),
    probability=padded(weights.astype(dtype)),
    share=padded(share.astype(dtype)),
    alias=padded(leaf[alias].astype(np.int32)),
    most=most,
    at_root=bool((heads == 0).any()),
    behind_moves=bool((heads > 0).any()),
    even=bool((share == 1).all()),
  )
  return Joined(moves, heads)


def _chains(tables):
  """Returns where chains begin, and what is behind them.

  The chain that each history belongs to, the histories behind chains in order
  of these, and how likely they are.
  """
  player, parent = np.asarray(tables.player), np.asarray(tables.parent)
  chance = player == history_tables.CHANCE
  after_chance = np.append(False, chance[parent[1:]])
  heads = np.flatnonzero(chance & ~after_chance)
  # Of each history behind chance: where its chain began, and how likely it is.
  head = np.where(chance & ~after_chance, np.arange(len(player)), -1)
  probability = np.ones(len(player))
  moved = np.asarray(tables.probability)
  for start, stop in zip(tables.levels[1:-1], tables.levels[2:], strict=True):
    behind = start + np.flatnonzero(after_chance[start:stop])
    head[behind] = head[parent[behind]]
    probability[behind] = probability[parent[behind]] * moved[behind]
  leaf = np.flatnonzero(after_chance & ~chance)
  leaf = leaf[np.argsort(head[leaf], kind="stable")]
  return heads, head, leaf, probability[leaf]


def _aliases(start, count, weights):
  """Returns each outcome's share of its column, and whose the rest is."""
  share, alias = np.ones(len(weights)), np.arange(len(weights))
  known = {}
  for first, size in zip(start.tolist(), count.tolist(), strict=True):
    here = weights[first : first + size]
    if size == 0 or (here == here[0]).all():
      continue
    name = here.tobytes()
    if name not in known:
      known[name] = _columns(here)
    share[first : first + size] = known[name][0]
    alias[first : first + size] = first + known[name][1]
  return share, alias


def _columns(weights):
  """Returns shares and aliases of one distribution (Vose's method)."""
  size = len(weights)
  left = weights / weights.sum() * size
  share, alias = np.ones(size), np.arange(size)
  small = [i for i in range(size) if left[i] < 1]
  large = [i for i in range(size) if left[i] >= 1]
  while small and large:
    poor, rich = small.pop(), large[-1]
    share[poor], alias[poor] = left[poor], rich
    left[rich] -= 1 - left[poor]
    if left[rich] < 1:
      small.append(large.pop())
  # What is left over by rounding has its whole column, unless it is nothing.
  for i in small:
    if weights[i] == 0:
      share[i], alias[i] = 0, int(np.argmax(weights))
  return share, alias
