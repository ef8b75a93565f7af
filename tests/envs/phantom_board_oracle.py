"""Phantom tic-tac-toe of any size, in plain Python, in OpenSpiel's shape."""

import types

import numpy as np
import pyspiel


class Game:
  """What replays ask of a game."""

  def __init__(self, side: int, abrupt: bool):
    self.side, self.abrupt = side, abrupt

  def get_type(self):
    return types.SimpleNamespace(dynamics=pyspiel.GameType.Dynamics.SEQUENTIAL)

  def num_players(self):
    return 2

  def num_distinct_actions(self):
    return self.side**2

  def information_state_tensor_shape(self):
    return [self.side**2 * (3 + self.side**2)]

  def new_initial_state(self):
    return State(self)


class State:
  """A board, what each player has seen of it, and what they tried."""

  def __init__(self, game: Game):
    self._side, self._abrupt = game.side, game.abrupt
    self._board = np.full((self._side, self._side), -1)
    self._views = [self._board.copy(), self._board.copy()]
    self._tried = [[], []]
    self._mover = 0

  def _winner(self):
    for player in range(2):
      mine = self._board == player
      lines = [*mine, *mine.T, mine.diagonal(), np.fliplr(mine).diagonal()]
      if any(line.all() for line in lines):
        return player
    return None

  def is_terminal(self):
    return self._winner() is not None or (self._board >= 0).all()

  def is_chance_node(self):
    return False

  def current_player(self):
    return -4 if self.is_terminal() else self._mover

  def legal_actions(self):
    if self.is_terminal():
      return []
    return np.flatnonzero(self._views[self._mover].ravel() < 0).tolist()

  def apply_action(self, action):
    place, mover = np.unravel_index(action, self._board.shape), self._mover
    there = self._board[place]
    if there < 0:
      self._board[place] = there = mover
      self._mover = 1 - mover
    elif self._abrupt:
      self._mover = 1 - mover
    self._views[mover][place] = there
    self._tried[mover].append(action)

  def returns(self):
    winner = self._winner()
    if winner is None:
      return [0.0, 0.0]
    return [1.0, -1.0] if winner == 0 else [-1.0, 1.0]

  def information_state_tensor(self, player):
    view, cells = self._views[player].ravel(), self._side**2
    planes = [view == -1, view == 1, view == 0]
    past = np.zeros((cells, cells))
    for t, cell in enumerate(self._tried[player]):
      past[t, cell] = 1
    return np.concatenate([*planes, past.ravel()]).astype(float).tolist()

  def information_state_string(self, player):
    view = self._views[player].ravel()
    return " ".join(f"{c}:{view[c]}" for c in self._tried[player])
