"""Reads the nodes of a Gambit extensive-game (.efg) file, version 2.

https://gambitproject.readthedocs.io/en/stable/formats.efg.html. Nodes come in
prefix order. Information sets, chance events and outcomes are known by their
numbers, are described where they first appear, and may be described again in
the same words. Payoffs at inner nodes add to those behind them. All numbers are
exact.

Departures: text may be Latin-1; an information set or an outcome may leave out
its name and still list its actions or payoffs; chances need to add up to one to
within 1e-9 only, as decimals are rounded, and are divided by their sum.
"""

from fractions import Fraction
import pathlib
from typing import NamedTuple

from mdrl.compile import gambit_tokens

# The number of chance, where players are numbered from 0.
CHANCE = -1

_ROUNDING = Fraction(1, 10**9)


class InformationSet(NamedTuple):
  """An information set, or an event of chance.

  Attributes:
    name: Unique among the sets of a player: the player, from 0, twice, the
      number and the name of the set, as OpenSpiel names it.
    player: Who moves, from 0; `CHANCE` at an event.
    labels: The text of each action.
    actions: The number of each action, as OpenSpiel counts them: labels are
      numbered over the whole file as they appear, and those of a set sorted.
      Labels that a set repeats have further numbers. Those of chance are
      counted apart.
    chances: The probability of each action of an event; else empty.
  """

  name: str
  player: int
  labels: tuple[str, ...]
  actions: tuple[int, ...]
  chances: tuple[float, ...]


class Node(NamedTuple):
  """A node of the tree.

  Attributes:
    start: Where it stands in the file.
    infoset: The information set or event; None at terminal nodes.
    payoffs: What the outcome at the node pays each player; None for nothing.
  """

  start: int
  infoset: InformationSet | None
  payoffs: tuple[Fraction, ...] | None


class _Described(NamedTuple):
  """The first description of a set, an event or an outcome, and its place."""

  name: str | None
  entries: tuple
  start: int


class EfgFile:
  """Reads one node after another.

  Attributes:
    num_players: The number of players, chance not included.
  """

  def __init__(self, path: pathlib.Path, content: bytes):
    """Reads the prologue.

    Args:
      path: Of the file, for messages.
      content: What is in it.

    Raises:
      ValueError: If it is not a file of this format.
    """
    self._tokens = tokens = gambit_tokens.Tokens(path, content)
    self.num_players = tokens.take_prologue("EFG", "2")
    if tokens.kind == "text":
      # A comment.
      tokens.advance()
    self._numbers: dict[tuple[str, int], int] = {}
    self._chance_numbers: dict[tuple[str, int], int] = {}
    self._described: dict[tuple[str, int, int], _Described] = {}
    self._infosets: dict[tuple[str, int, int], InformationSet] = {}

  def node(self) -> Node:
    """Reads a node.

    Raises:
      ValueError: If there is no further node, or it breaks the format.
    """
    tokens = self._tokens
    start, kind = tokens.start, tokens.value
    if tokens.kind != "word" or kind not in ("c", "p", "t"):
      raise tokens.error(
        "a node, which begins with c, p or t",
        "every action leads to one, and nodes stand in prefix order",
      )
    tokens.advance()
    tokens.take("text", "the name of the node in quotation marks")
    infoset = None
    if kind != "t":
      infoset = self._event() if kind == "c" else self._infoset()
    return Node(start, infoset, self._outcome())

  def end(self) -> None:
    """Raises ValueError if there is more in the file."""
    if self._tokens.kind != "end":
      raise self._tokens.error(
        "the end of the file, as every action has led to a node",
        "remove what follows, or add the action that leads there",
      )

  def place(self, start: int) -> str:
    """Returns the line and the column of a place, both from 1."""
    return self._tokens.place(start)

  def fault(self, message: str, start: int) -> ValueError:
    """Returns the error to raise about a place in the file."""
    return self._tokens.fault(message, start)

  def _event(self):
    number = self._number("the number of a chance event")
    return self._known("event", CHANCE, number, self._chance)

  def _infoset(self):
    tokens = self._tokens
    expected = f"the number of a player, from 1 to {self.num_players}"
    start = tokens.start
    player = tokens.take_count(expected)
    if not 1 <= player <= self.num_players:
      raise tokens.fault(
        f"expected {expected}, got {player}; chance moves at nodes that "
        "begin with c",
        start,
      )
    number = self._number("the number of an information set")

    def action():
      return tokens.take_label("an action")

    return self._known("information set", player - 1, number, action)

  def _known(self, kind, player, number, entry):
    """Returns an information set or event, described here or before."""
    key = (kind, player, number)
    found = self._describe(key, "actions", entry)
    if key not in self._infosets:
      name, labels, chances = found.name or "", found.entries, ()
      numbers = self._numbers
      if player == CHANCE:
        numbers = self._chance_numbers
        labels = tuple(label for label, _ in found.entries)
        chances = self._chances(found)
      self._infosets[key] = InformationSet(
        name=f"{player}-{player}-{number}-{name}",
        player=player,
        labels=labels,
        actions=_actions(labels, numbers),
        chances=chances,
      )
    return self._infosets[key]

  def _chance(self):
    label = self._tokens.take_label("an action of chance")
    tokens, start = self._tokens, self._tokens.start
    chance = tokens.take_number(f"the probability of {label!r}")
    if not 0 <= chance <= 1:
      raise tokens.fault(
        f"expected a probability from 0 to 1 of {label!r}, got "
        f"{float(chance):g}",
        start,
      )
    return label, chance

  def _chances(self, found):
    chances = [chance for _, chance in found.entries]
    total = sum(chances)
    if abs(total - 1) > _ROUNDING:
      raise self._tokens.fault(
        "expected probabilities that add up to 1, got a sum of "
        f"{float(total):.10g}; write them as fractions such as 1/3",
        found.start,
      )
    return tuple(float(chance / total) for chance in chances)

  def _outcome(self):
    tokens = self._tokens
    start = tokens.start
    number = tokens.take_count("the number of an outcome, 0 for none")
    if number:
      key = ("outcome", CHANCE, number)
      found = self._describe(key, "payoffs", tokens.take_payoff)
      if len(found.entries) != self.num_players:
        raise tokens.fault(
          f"expected a payoff for each of {self.num_players} players, got "
          f"{len(found.entries)} of outcome {number}",
          found.start,
        )
      return found.entries
    if tokens.kind == "text" or tokens.next_is("brace", "{"):
      raise tokens.fault(
        "expected nothing behind outcome 0, which pays nobody, got a name or "
        "payoffs; give the outcome another number",
        start,
      )
    return None

  def _describe(self, key, what, entry):
    """Returns a description, read here where there is one.

    Raises:
      ValueError: If there never was one, or it was another.
    """
    tokens = self._tokens
    kind, player, number = key
    owner = "" if player == CHANCE else f" of player {player + 1}"
    known = self._described.get(key)
    start, name = tokens.start, None
    if tokens.kind == "text":
      name = tokens.take("text", "a name")
    if name is None and not tokens.next_is("brace", "{"):
      if known is None:
        raise tokens.error(
          f"the name of {kind} {number}{owner} and its {what} in braces, as "
          "it was not described before"
        )
      return known
    found = _Described(name, tokens.take_list(what, entry), start)
    if known is None:
      known = self._described[key] = found
    names = {known.name, name} - {None}
    if len(names) > 1 or found.entries != known.entries:
      what += " or probabilities" * (kind == "event")
      raise tokens.fault(
        f"expected {kind} {number}{owner} as described at "
        f"{tokens.place(known.start)}, got another name or other "
        f"{what}; repeat it exactly, leave it out, or choose another number",
        start,
      )
    return known

  def _number(self, expected):
    tokens = self._tokens
    if tokens.value == "0":
      raise tokens.error(f"{expected}, from 1")
    return tokens.take_count(f"{expected}, from 1")


def _actions(labels, numbers):
  """Returns the number of each action of a set; new labels join `numbers`."""
  seen, actions = {}, []
  for label in labels:
    times = seen[label] = seen.get(label, -1) + 1
    actions.append(numbers.setdefault((label, times), len(numbers)))
  return tuple(sorted(actions))
