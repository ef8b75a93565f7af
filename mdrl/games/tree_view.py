"""Properties shared by views of a `TreeGame`."""

from mdrl import struct
from mdrl.games import tree_game
from mdrl.trees import quantities


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
  def symmetric(self) -> bool:
    """Every player has a policy of its own."""
    return self.tree.symmetric

  @property
  def reference(self) -> quantities.Policies | None:
    """Policies that regularised solvers stay near, those of the tree."""
    return self.tree.reference

  @property
  def dtype(self):
    """Floating type of the utilities."""
    return self.tree.dtype
