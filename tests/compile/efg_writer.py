"""Random trees, files of them in many hands, and slow answers about them.

Nothing here is shared with what reads the files: a tree is nested nodes, and
answers are sums over its paths.
"""

import dataclasses
from fractions import Fraction

import numpy as np

_LABELS = (
  "l",
  "r",
  "",
  "a b",
  "{",
  "}",
  ",",
  'say "q"',
  "été",
  "日本",
  "1",
  "\\x",
)
_NUMBERS = ("3", "-2", "0", "1/3", "-7/2", ".5", "2.", "1.25e1", "-5E-2")


@dataclasses.dataclass(eq=False)
class Infoset:
  """Nodes of one player, from 0, or an event of chance, -1."""

  player: int
  number: int
  name: str
  labels: tuple[str, ...]
  chances: tuple[Fraction, ...] = ()


@dataclasses.dataclass(eq=False)
class Node:
  """A node; terminal without an information set."""

  infoset: Infoset | None
  outcome: int
  children: list["Node"]


class Tree:
  """A random tree of perfect recall.

  Attributes:
    players: Their number.
    root: The first node.
    outcomes: The name and the payoffs, as they are written, of each number.
    infosets: Those of each player and own history.
  """

  def __init__(self, seed: int, depth: int = 5):
    self._rng = np.random.default_rng(seed)
    self.players = int(self._rng.integers(1, 4))
    self.outcomes = {
      int(number): (
        self._pick(_LABELS),
        tuple(self._pick(_NUMBERS) for _ in range(self.players)),
      )
      for number in self._rng.choice(np.arange(1, 90), 8, replace=False)
    }
    self.infosets: dict[tuple, list[Infoset]] = {}
    self._used: set[tuple[int, int]] = set()
    self.root = self._node(depth, ((),) * (self.players + 1))

  def _pick(self, choices):
    return choices[int(self._rng.integers(len(choices)))]

  def _node(self, depth, histories):
    outcome = 0 if self._rng.uniform() < 0.5 else self._pick([*self.outcomes])
    if not depth or self._rng.uniform() < 0.15:
      return Node(None, outcome, [])
    player = int(self._rng.integers(-1, self.players))
    infoset = self._infoset(player, histories[player])
    children = []
    for k in range(len(infoset.labels)):
      after = list(histories)
      if player >= 0:
        after[player] = (*histories[player], (infoset.number, k))
      children.append(self._node(depth - 1, tuple(after)))
    return Node(infoset, outcome, children)

  def _infoset(self, player, history):
    # Only nodes behind the same moves of a player may look alike to it.
    alike = self.infosets.setdefault((player, history), [])
    if alike and self._rng.uniform() < 0.5:
      return self._pick(alike)
    width = int(self._rng.integers(1, 4))
    while True:
      number = int(self._rng.integers(1, 1000))
      if (player, number) not in self._used:
        break
    self._used.add((player, number))
    chances = ()
    if player < 0:
      parts = self._rng.multinomial(12, np.full(width, 1 / width))
      chances = tuple(Fraction(int(part), 12) for part in parts)
    infoset = Infoset(
      player,
      number,
      # Gambit asks that names differ among the sets of a player.
      self._pick(("", f"{number}:{self._pick(_LABELS)}")),
      tuple(self._pick(_LABELS) for _ in range(width)),
      chances,
    )
    alike.append(infoset)
    return infoset

  def payoffs(self, node: Node) -> np.ndarray:
    """Returns what a node pays by itself."""
    if not node.outcome:
      return np.zeros(self.players)
    return np.array(
      [float(Fraction(x)) for x in self.outcomes[node.outcome][1]]
    )

  def of_player(self, player: int) -> list[Infoset]:
    """Returns the sets of a player, those behind fewer own moves first."""
    mine = [
      (len(history), infoset)
      for (owner, history), infosets in self.infosets.items()
      if owner == player
      for infoset in infosets
    ]
    return [infoset for _, infoset in sorted(mine, key=lambda pair: pair[0])]

  def random_policies(self, seed: int) -> dict[Infoset, np.ndarray]:
    """Returns probabilities at every set; some play one action alone."""
    rng = np.random.default_rng(seed)
    policies = {}
    for player in range(self.players):
      for infoset in self.of_player(player):
        weights = rng.exponential(size=len(infoset.labels))
        if rng.uniform() < 0.2:
          weights = np.eye(len(weights))[rng.integers(len(weights))]
        policies[infoset] = weights / weights.sum()
    return policies

  def values(self, policies: dict[Infoset, np.ndarray]) -> np.ndarray:
    """Returns what each player gets, path by path."""
    return self._values(self.root, policies)

  def _values(self, node, policies):
    total = self.payoffs(node)
    if node.infoset is not None:
      for chance, child in zip(
        self._moves(node.infoset, policies), node.children, strict=True
      ):
        total = total + chance * self._values(child, policies)
    return total

  def _moves(self, infoset, policies):
    if infoset.player < 0:
      return [float(chance) for chance in infoset.chances]
    return policies[infoset]

  def best_value(
    self, policies: dict[Infoset, np.ndarray], player: int
  ) -> float:
    """Returns the most that a player gets while the others stay."""
    policies = dict(policies)
    for infoset in reversed(self.of_player(player)):
      gains = np.zeros(len(infoset.labels))
      for node, reach in self._reached(self.root, 1.0, policies, player):
        if node.infoset is infoset:
          gains += [
            reach * self._values(child, policies)[player]
            for child in node.children
          ]
      policies[infoset] = np.eye(len(gains))[gains.argmax()]
    return self.values(policies)[player]

  def _reached(self, node, reach, policies, player):
    """Yields nodes, and the part of the others in how likely they are."""
    yield node, reach
    if node.infoset is None:
      return
    moves = self._moves(node.infoset, policies)
    if node.infoset.player == player:
      moves = np.ones(len(moves))
    for chance, child in zip(moves, node.children, strict=True):
      yield from self._reached(child, reach * chance, policies, player)

  def count(self, node: Node | None = None) -> int:
    """Returns the number of nodes."""
    node = node or self.root
    return 1 + sum(map(self.count, node.children))


class Writer:
  """Writes a tree as a file.

  What may be left out sometimes is, and blanks are of all kinds.
  """

  def __init__(self, tree: Tree, seed: int):
    self._tree = tree
    self._rng = np.random.default_rng(seed)
    self._described = set()
    self._nodes = 0

  def text(self) -> str:
    """Returns the content of the file."""
    players = " ".join(f'"P{i}"' for i in range(self._tree.players))
    kind = "R" if self._chance() else "D"
    comment = '"of\n\\"many\\" lines"' if self._chance() else ""
    words = ["EFG", "2", kind, '"A \\"title\\""', "{", players, "}", comment]
    words += self._node(self._tree.root)
    return "".join(word + self._blank() for word in words if word)

  def _chance(self):
    return self._rng.uniform() < 0.5

  def _blank(self):
    blanks = (" ", "\t", "\n", "\r\n", "  \n\t", "\v", "\f")
    return blanks[int(self._rng.choice(len(blanks), p=[0.7] + [0.05] * 6))]

  def _quoted(self, text):
    return '"' + text.replace('"', '\\"') + '"'

  def _node(self, node):
    infoset = node.infoset
    self._nodes += 1
    name = f'"node {self._nodes}"' if self._chance() else '""'
    if infoset is None:
      words = ["t", name]
    elif infoset.player < 0:
      words = ["c", name, str(infoset.number)]
    else:
      words = ["p", name, str(infoset.player + 1), str(infoset.number)]
    if infoset is not None and self._tells(infoset):
      words += [self._quoted(infoset.name), "{"]
      for k, label in enumerate(infoset.labels):
        words.append(self._quoted(label))
        words += [str(infoset.chances[k])] if infoset.chances else []
      words.append("}")
    words.append(str(node.outcome))
    if node.outcome and self._tells(node.outcome):
      name, payoffs = self._tree.outcomes[node.outcome]
      between = "," if self._chance() else ""
      words += [self._quoted(name), "{"]
      words += [payoff + between for payoff in payoffs[:-1]]
      words += [payoffs[-1], "}"]
    for child in node.children:
      words += self._node(child)
    return words

  def _tells(self, what):
    first = what not in self._described
    self._described.add(what)
    return first or self._chance()
