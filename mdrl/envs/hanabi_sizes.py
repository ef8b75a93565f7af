"""How large a game of Hanabi is."""

from mdrl import checks, struct

# A move of more slots would not fit into a word of the history.
_MOST_CARDS = 24


@struct.dataclass
class Sizes:
  """What OpenSpiel's `hanabi` takes as parameters, with its defaults.

  Attributes:
    players: From 2 to 5.
    colors: From 1 to 5.
    ranks: From 1 to 5. A color has three cards of the first rank, one of the
      last and two of the others.
    hand_size: Cards in a hand; 0 takes five for two or three players, else
      four.
    max_information_tokens: Hints that can be given at the start, and the most
      that can be had.
    max_life_tokens: Cards that may be played in error, the last of which loses
      the game.
  """

  players: int = struct.static(default=2)
  colors: int = struct.static(default=5)
  ranks: int = struct.static(default=5)
  hand_size: int = struct.static(default=0)
  max_information_tokens: int = struct.static(default=8)
  max_life_tokens: int = struct.static(default=3)

  def __post_init__(self):
    if not self.hand_size:
      default = 5 if self.players < 4 else 4
      object.__setattr__(self, "hand_size", default)
    checks.whole("players", self.players, 2, 5)
    checks.whole("colors", self.colors, 1, 5)
    checks.whole("ranks", self.ranks, 1, 5)
    checks.whole("hand_size", self.hand_size, 1, _MOST_CARDS)
    checks.whole("max_information_tokens", self.max_information_tokens, 0, 31)
    checks.whole("max_life_tokens", self.max_life_tokens, 1, 31)
    if self.hands_size > self.deck_size:
      raise ValueError(
        f"`hand_size` must leave cards for all {self.players} hands, which "
        f"take {self.hands_size} of {self.deck_size}, got {self.hand_size}; "
        "take fewer, or more colors or ranks"
      )

  @property
  def copies(self) -> tuple[int, ...]:
    """How many cards of each rank a color has."""
    last = (1,) if self.ranks > 1 else ()
    return (3, *((2,) * (self.ranks - 2)), *last)

  @property
  def kinds(self) -> int:
    """How many cards differ."""
    return self.colors * self.ranks

  @property
  def deck_size(self) -> int:
    """Number of cards, hands included."""
    return self.colors * sum(self.copies)

  @property
  def hands_size(self) -> int:
    """Number of cards in all hands at the start."""
    return self.players * self.hand_size

  @property
  def num_moves(self) -> int:
    """Number of actions that differ."""
    hints = (self.players - 1) * (self.colors + self.ranks)
    return 2 * self.hand_size + hints

  @property
  def longest(self) -> int:
    """The most decisions in a game.

    All hints are given first, and then each card of the deck is drawn for one
    that was discarded and paid for one more hint, but for the last card, behind
    which every player moves once.
    """
    draws = self.deck_size - self.hands_size
    if not draws:
      return self.players
    return self.max_information_tokens + 2 * draws - 1 + self.players

  def cards_of_color(self, color: int) -> int:
    """Returns all cards of a color."""
    return ((1 << self.ranks) - 1) << color * self.ranks

  def cards_of_rank(self, rank: int) -> int:
    """Returns the cards of a rank in all colors."""
    return sum(1 << color * self.ranks + rank for color in range(self.colors))

  @property
  def colors_of_words(self) -> tuple[int, ...]:
    """How many colors each word has that holds the discards of three."""
    return tuple(
      min(3, self.colors - first) for first in range(0, self.colors, 3)
    )
