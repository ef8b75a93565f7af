"""Enumerated trees on the host, as plain arrays without a layout."""

from typing import NamedTuple

import numpy as np

# Who moves where no player does, as OpenSpiel numbers them.
CHANCE = -1
TERMINAL = -4


class Histories(NamedTuple):
  """Every history of a tree, in order of depth.

  The root comes first. The histories of one depth follow the order of their
  parents, and those of one parent the order of its moves, so that the widths of
  the nodes alone say which history is whose child.

  Attributes:
    player: Who moves at each history, `[H]`; `CHANCE` and `TERMINAL` where no
      player does.
    row: The number of the player's infostate, of the chance node or of the
      terminal that the history is, `[H]`.
    chance_action: The game's number of the last outcome of each chance sequence
      but the empty one.
    features: For each player, what describes each of its infostates, `[I, F]`;
      of bytes where that loses nothing.
    features_kind: What they are: `information_state_tensor` or
      `observation_tensor`, as OpenSpiel gives them, `observation`, as an
      environment gives it, or `own_sequence`.
  """

  player: np.ndarray
  row: np.ndarray
  chance_action: np.ndarray
  features: tuple[np.ndarray, ...]
  features_kind: str


class TreeTables(NamedTuple):
  """An extensive-form game with perfect recall as plain arrays.

  Infostates are numbered per player in order of a depth-first first visit, so
  parents come first. Sequence 0 of a player is empty; the sequences of an
  infostate follow those of the infostate before it. Chance is numbered alike:
  each chance node is an infostate of it.

  Attributes:
    infostates: For each player, the information-state strings.
    parent: For each player, the own sequence above each infostate, `[I]`.
    width: For each player, the number of legal actions, `[I]`.
    action: For each player, the game's action of each sequence but the empty
      one, `[S - 1]`.
    sequence: The last sequence of each player at each terminal, `[T, N]`;
      terminals that pay nobody are included.
    chance: Probability that chance contributes to each terminal, `[T]`.
    chance_parent: The chance sequence above each chance node, `[C]`.
    chance_width: The number of outcomes of each chance node, `[C]`.
    chance_probability: Probability of the last outcome of each chance sequence
      but the empty one, given its node.
    chance_sequence: The last sequence of chance at each terminal, `[T]`.
    utility: What each player gets at each terminal, `[T, N]`.
    num_histories: Size of the tree, chance nodes and terminals included.
    labels: For each player, the text of the action of each sequence but the
      empty one; empty for games whose actions only have numbers.
    histories: All histories; None where they were not recorded.
    aliases: For each player, further strings of each of its infostates, where a
      game has several for what the player cannot tell apart; empty where every
      infostate has one string.
  """

  infostates: tuple[tuple[str, ...], ...]
  parent: tuple[np.ndarray, ...]
  width: tuple[np.ndarray, ...]
  action: tuple[np.ndarray, ...]
  sequence: np.ndarray
  chance: np.ndarray
  chance_parent: np.ndarray
  chance_width: np.ndarray
  chance_probability: np.ndarray
  chance_sequence: np.ndarray
  utility: np.ndarray
  num_histories: int
  labels: tuple[tuple[str, ...], ...] = ()
  histories: Histories | None = None
  aliases: tuple[tuple[tuple[str, ...], ...], ...] = ()

  @property
  def num_players(self) -> int:
    """Number of players."""
    return self.sequence.shape[1]

  @property
  def num_sequences(self) -> tuple[int, ...]:
    """Number of sequences of each player, the empty one included."""
    return tuple(1 + int(width.sum()) for width in self.width)
