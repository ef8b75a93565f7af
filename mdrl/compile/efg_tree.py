"""Reads trees from Gambit's extensive-game (.efg) files."""

from fractions import Fraction
import operator
import pathlib

from mdrl.compile import efg_file, enumeration, history_recorder
from mdrl.games import tree_tables


def read(
  path: pathlib.Path,
  content: bytes,
  max_histories: int,
  *,
  histories: bool = False,
) -> tree_tables.TreeTables:
  """Reads the tree in a file.

  Args:
    path: Of the file, for messages.
    content: What is in it.
    max_histories: The largest tree to read.
    histories: Whether to record all histories.

  Returns:
    The tree, infostates in order of the file.

  Raises:
    ValueError: If the file is not as the format has it, or its tree has
      imperfect recall or is too large.
  """
  file = efg_file.EfgFile(path, content)
  name, recorder = repr(str(path)), None
  if histories:
    recorder = history_recorder.Recorder(
      name, file.num_players, max_histories, last_first=False
    )
  builder = enumeration.Builder(name, file.num_players, recorder)
  infosets = {}
  num_histories = 0
  # What leads to each node to come, the next one last: the last sequence of
  # each player and of chance, and what was paid on the way.
  pending: list[tuple[list[int], tuple[Fraction, ...] | None]] = [
    ([0] * (file.num_players + 1), None)
  ]
  while pending:
    sequence, paid = pending.pop()
    node = file.node()
    num_histories += 1
    paid = _added(paid, node.payoffs)
    infoset = node.infoset
    if infoset is None:
      builder.add_terminal(sequence, _utility(file, node, paid))
      continue
    infosets[infoset.name] = infoset
    first = _visited(builder, file, node, sequence)
    for own in reversed(range(first, first + len(infoset.labels))):
      after = sequence.copy()
      after[infoset.player] = own
      pending.append((after, paid))
    if num_histories + len(pending) > max_histories:
      raise _too_large(path, file.place(node.start), max_histories)
  file.end()
  return _labelled(builder.tables(num_histories), infosets)


def _labelled(tables, infosets):
  """Returns tables with the texts of the actions of sets by their names."""
  return tables._replace(
    labels=tuple(
      tuple(label for name in names for label in infosets[name].labels)
      for names in tables.infostates
    )
  )


def _too_large(path, place, max_histories):
  return ValueError(
    f"`max_histories` is {max_histories}, and {str(path)!r} has more; "
    f"stopped at {place}; raise the limit if there is enough memory"
  )


def _added(paid, payoffs):
  if paid is None or payoffs is None:
    return paid or payoffs
  return tuple(map(operator.add, paid, payoffs))


def _visited(builder, file, node, sequence):
  """Returns the first sequence of a node's set."""
  infoset = node.infoset
  if infoset.player == efg_file.CHANCE:
    return builder.visit_chance(sequence[-1], infoset.chances, infoset.actions)
  try:
    return builder.visit(
      infoset.player,
      infoset.name,
      sequence[infoset.player],
      list(infoset.actions),
    )
  except ValueError as error:
    raise ValueError(f"{error} ({file.place(node.start)})") from error


def _utility(file, node, paid):
  if paid is None:
    return [0.0] * file.num_players
  try:
    return [float(payoff) for payoff in paid]
  except OverflowError as error:
    raise file.fault(
      "expected payoffs on the path to this node whose sums a double holds, "
      "got larger ones; choose another unit",
      node.start,
    ) from error
