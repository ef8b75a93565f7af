"""The names of a compiled game's rows and slots."""

import dataclasses
import functools

import numpy as np

from mdrl.games import tree_tables
from mdrl.trees import layout as layout_lib

# How far a sum of probabilities may be from one: people round them.
_ROUNDED = 1e-6


@dataclasses.dataclass(frozen=True)
class PlayerIndex:
  """Names of one player's infostates and slots.

  Attributes:
    infostates: Information-state string of each row.
    start: First slot of each row.
    stride: The distance between the slots of each row.
    width: Number of legal actions of each row.
    action: The game's action at each slot, -1 at slot 0 and at padding.
    labels: The text of the action at each slot, empty at slot 0 and at padding;
      an empty tuple if the game's actions only have numbers.
    aliases: Further strings of each row, where the game has several for what
      the player cannot tell apart; an empty tuple if no row has any.
  """

  infostates: tuple[str, ...]
  start: np.ndarray
  stride: np.ndarray
  width: np.ndarray
  action: np.ndarray
  labels: tuple[str, ...] = ()
  aliases: tuple[tuple[str, ...], ...] = ()

  @functools.cached_property
  def _rows(self) -> dict[str, int]:
    rows = {name: row for row, name in enumerate(self.infostates)}
    for row, aliases in enumerate(self.aliases):
      rows |= dict.fromkeys(aliases, row)
    return rows

  def strings(self, row: int) -> tuple[str, ...]:
    """Returns all information-state strings of a row."""
    others = self.aliases[row] if self.aliases else ()
    return (self.infostates[row], *others)

  def row(self, infostate: str) -> int:
    """Returns the row of an information-state string.

    Raises:
      ValueError: If the player has no such infostate.
    """
    if infostate not in self._rows:
      raise ValueError(
        f"`infostate` must be one of the player's {len(self.infostates)} "
        f"information-state strings, got {infostate!r}; `infostates` lists "
        "them"
      )
    return self._rows[infostate]

  def names(self) -> list[str]:
    """Returns all information-state strings of all rows, row by row."""
    rows = range(len(self.infostates))
    return [name for row in rows for name in self.strings(row)]

  def slots(self, row: int) -> slice:
    """Returns the slots of a row's legal actions."""
    start, stride = int(self.start[row]), int(self.stride[row])
    return slice(start, start + int(self.width[row]) * stride, stride)

  def slot(self, infostate: str, action: int) -> int:
    """Returns the slot of an action at an infostate.

    Raises:
      ValueError: If the infostate or the action does not exist.
    """
    slots = self.slots(self.row(infostate))
    legal = self.action[slots]
    if action not in legal:
      raise ValueError(
        f"`action` must be legal at {infostate!r}: one of "
        f"{legal.tolist()}, got {action}"
      )
    return slots.start + slots.step * int(np.flatnonzero(legal == action)[0])

  def probabilities(self, policy: np.ndarray) -> dict[str, dict[int, float]]:
    """Returns a policy over slots by infostate and action.

    Where an infostate has several strings, all of them are there.

    Raises:
      ValueError: If it is not an array over the player's slots.
    """
    policy, legal = np.asarray(policy), self.action
    if policy.shape != legal.shape:
      raise ValueError(
        f"`policy` must have shape {legal.shape}, one number per slot, got "
        f"{policy.shape}"
      )
    return {
      name: dict(
        zip(
          legal[self.slots(row)].tolist(),
          policy[self.slots(row)].tolist(),
          strict=True,
        )
      )
      for row in range(len(self.infostates))
      for name in self.strings(row)
    }

  def policy(self, probabilities: dict[str, dict[int, float]]) -> np.ndarray:
    """Returns the policy over slots of probabilities by name.

    Other infostates are ignored; actions that are not legal may have the
    probability zero. Where an infostate has several strings, one of them will
    do.

    Raises:
      ValueError: If an infostate or one of its actions has no probability,
        those of an infostate are not a distribution over its actions, or its
        strings have different ones.
    """
    policy = np.zeros(len(self.action))
    policy[0] = 1
    for row, name in enumerate(self.infostates):
      given = self._given(row, probabilities)
      actions = self.action[self.slots(row)].tolist()
      if given is None or any(a not in given for a in actions):
        raise ValueError(
          f"`probabilities` must cover actions {actions} of infostate "
          f"{name!r}, got {given}"
        )
      of_legal = np.array([given[a] for a in actions], float)
      # Sums in single precision miss one by a little.
      adds_to_one = abs(sum(given.values()) - 1) <= _ROUNDED
      if (
        not adds_to_one
        or not (of_legal >= 0).all()
        or any(p for a, p in given.items() if a not in actions)
      ):
        raise ValueError(
          f"`probabilities` must be a distribution over actions {actions} "
          f"of infostate {name!r}, got {given}"
        )
      policy[self.slots(row)] = of_legal
    return policy

  def _given(self, row, probabilities):
    """Returns the probabilities of a row, by any of its strings."""
    names = [name for name in self.strings(row) if name in probabilities]
    given = probabilities[names[0]] if names else None
    for name in names[1:]:
      if probabilities[name] != given:
        raise ValueError(
          "`probabilities` must be equal at strings of one infostate, which "
          f"its player cannot tell apart, got {given} at {names[0]!r} and "
          f"{probabilities[name]} at {name!r}"
        )
    return given

  def actions_table(self) -> np.ndarray:
    """Returns the legal actions of each row, padded with -1."""
    table = np.full((len(self.start), self.width.max(initial=0)), -1)
    for row in range(len(self.start)):
      table[row, : self.width[row]] = self.action[self.slots(row)]
    return table

  def labels_table(self) -> np.ndarray:
    """Returns the texts of the actions of each row, padded with empty ones."""
    table = np.full((len(self.start), self.width.max(initial=0)), "", object)
    for row in range(len(self.start)):
      table[row, : self.width[row]] = self.labels[self.slots(row)]
    return table


@dataclasses.dataclass(frozen=True)
class Index:
  """Names of all players' infostates and slots."""

  players: tuple[PlayerIndex, ...]

  def __getitem__(self, player: int) -> PlayerIndex:
    return self.players[player]


def build(
  tables: tree_tables.TreeTables, layouts: list[layout_lib.Layout]
) -> Index:
  """Names the rows and slots of the layouts of a game's players."""
  players = []
  for i, layout in enumerate(layouts):
    # From numbers in the tables: `order` leads to rows, `slot` to slots.
    order, slot = layout.order, layout.slot
    action = np.full(layout.treeplex.num_slots, -1)
    action[slot[1:]] = tables.action[i]
    labels = np.full(len(action) if tables.labels else 0, "", object)
    if tables.labels:
      labels[slot[1:]] = tables.labels[i]
    names = tables.infostates[i]
    aliases = tables.aliases[i] if tables.aliases else ()
    players.append(
      PlayerIndex(
        infostates=tuple(names[k] for k in order.tolist()),
        start=layout.start[order],
        stride=layout.stride[order],
        width=tables.width[i][order],
        action=action,
        labels=tuple(labels.tolist()),
        aliases=tuple(aliases[k] for k in order.tolist()) if aliases else (),
      )
    )
  return Index(tuple(players))
