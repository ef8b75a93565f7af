"""What OpenSpiel calls the information states of goofspiel."""

from typing import NamedTuple

from mdrl.envs import base as env_lib

# What OpenSpiel writes in the place of a winner after a tie.
_NOBODY = -3


class Known(NamedTuple):
  """What a player knows; cards are numbered from 1.

  Attributes:
    player: Whose knowledge it is.
    mover: Who moves.
    pending: The card that the player has bid in this turn, or zero.
    bids: Bids of each turn that has ended: the player's own, or, where bids are
      seen, those of each player.
    prizes: The point card of each turn.
    winners: Who won each turn that has ended, or the number of players after
      ties.
    num_cards: Cards of a hand.
    num_players: Number of players.
    imp_info: Whether bids stay hidden.
  """

  player: int
  mover: int
  pending: int
  bids: list[list[int]]
  prizes: list[int]
  winners: list[int]
  num_cards: int
  num_players: int
  imp_info: bool


def text(known: Known) -> str:
  """Returns OpenSpiel's string of an information state, in turns.

  Where bids are seen, that string forgets when they were made, and they follow
  it, so that no two information states have one name.
  """
  player, n = known.player, known.num_players
  points = [0] * n
  for winner, card in zip(known.winners, known.prizes, strict=False):
    if winner < n:
      points[winner] += card
  order = _line("Point card sequence", known.prizes)
  winners = [winner if winner < n else _NOBODY for winner in known.winners]
  won, scores = _line("Win sequence", winners), _line("Points", points)
  cards = range(1, known.num_cards + 1)
  hands = [[card for card in cards if card not in row] for row in known.bids]
  turn = f"Current player: {known.mover}\n"
  if known.pending:
    turn += f"Observer's action this turn: {known.pending - 1}\n"
  if not known.imp_info:
    shown = [_line(f"P{i} hand", hand) for i, hand in enumerate(hands)]
    bids = [
      _line(f"P{i} bids", [card - 1 for card in row])
      for i, row in enumerate(known.bids)
    ]
    return turn + order + "".join(shown) + won + scores + "".join(bids)
  ended = int(known.mover == env_lib.TERMINAL)
  own = [card - 1 for card in known.bids[0]]
  hand = _line(f"P{player} hand", hands[0])
  sequence = _line(f"P{player} action sequence", own)
  return f"{turn}{hand}{sequence}{order}{won}{scores}Terminal?: {ended}\n"


def _line(name, values):
  """Returns a line of OpenSpiel's strings."""
  return f"{name}: " + "".join(f"{value} " for value in values) + "\n"
