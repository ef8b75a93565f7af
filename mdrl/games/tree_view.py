"""What views of a tree game have in common: they show the tree otherwise."""

from mdrl import struct
from mdrl.games import base, tree_game


@struct.dataclass
class TreeView:
  """A tree game whose plans or gains are other than the tree's.

  Attributes:
    tree: The game.
  """

  tree: tree_game.TreeGame

  @property
  def num_players(self) -> int:
    """Number of players, chance not included."""
    return self.tree.num_players

  @property
  def zero_sum(self) -> bool:
    """Whether the tree's utilities add up to zero, or to any constant."""
    return self.tree.zero_sum

  @property
  def symmetric(self) -> bool:
    """Every player has a policy of its own."""
    return self.tree.symmetric

  @property
  def reference(self) -> base.Policies | None:
    """Policies that regularised solvers stay near, those of the tree."""
    return self.tree.reference

  @property
  def dtype(self):
    """Floating type of the utilities."""
    return self.tree.dtype
