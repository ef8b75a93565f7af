"""The behavioural view of a tree game: every infostate on its own.

In this view a player's treeplex has no depth: each infostate is a simplex of
its own, and a plan is a policy. The gain at an infostate is what each action
earns there while everybody goes on as before, so that any solver of matrix
games runs at all infostates at once. Regret matching in this view is CFR
(Zinkevich et al., 2007), multiplicative weights is CFR with Hedge, and magnetic
mirror descent on Q-values is that of Sokota et al. (2023),
https://arxiv.org/abs/2206.05825.

It is a view and not a `Game`: its gains are not the derivatives of utilities,
so that no evaluation takes it.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mdrl import struct
from mdrl.games import tree_game, tree_view
from mdrl.trees import quantities, sums, sweeps
from mdrl.trees import treeplex as treeplex_lib

# Counterfactual values are weighted by the others' reach; Q-values are not.
FEEDBACKS = ("counterfactual", "q")


@struct.dataclass
class BehavioralGame(tree_view.TreeView):
  """A tree game whose plans are policies and whose gains are local.

  With q(I, a) the counterfactual value of an action, that is its expected
  utility times the probability that chance and the others contribute to
  reaching I, the gain is q, or the Q-value q / counterfactual reach of I. Where
  that reach is zero, so is q, and the Q-value is zero by definition: what
  happens there says nothing of what to do.

  Attributes:
    tree: The game.
    treeplexes: Its infostates, all at one depth, in the slots of the tree.
    feedback: `counterfactual` or `q`.
  """

  treeplexes: tuple[treeplex_lib.Treeplex, ...]
  feedback: str = struct.static()

  @jax.jit
  def plans(self, policies: quantities.Policies) -> quantities.Plans:
    """Returns the policies, with one at slot 0."""
    quantities.check("policies", policies, quantities.Policies)
    return quantities.Plans(
      jnp.concatenate([jnp.ones(1, p.dtype), p[1:]]) for p in policies
    )

  @functools.partial(jax.jit, static_argnames="player")
  def gain(self, plans: quantities.Plans, player: int) -> Float[Array, " S"]:
    """Returns what each action earns at its infostate."""
    quantities.check("plans", plans, quantities.Plans)
    realized = self.tree.plans(quantities.Policies(plans))
    t, policy = self.tree.treeplexes[player], plans[player]
    values = _action_values(t, policy, self.tree.gain(realized, player))
    if self.feedback == "counterfactual":
      return values
    reach = _action_values(t, policy, self.tree.reach(realized, player))
    reached = reach > 0
    # The inner where keeps the derivative finite.
    safe = jnp.where(reached, reach, jnp.ones_like(reach))
    return jnp.where(reached, values / safe, jnp.zeros_like(values))

  @jax.jit
  def gains(self, plans: quantities.Plans) -> quantities.Gains:
    """Returns the gain of every player."""
    return quantities.Gains(
      self.gain(plans, i) for i in range(self.num_players)
    )


def view(game: tree_game.TreeGame, feedback: str) -> BehavioralGame:
  """Returns a game seen infostate by infostate.

  Args:
    game: The game; for Q-values it was compiled with `reaches`.
    feedback: `counterfactual` for counterfactual values, `q` for Q-values.

  Raises:
    ValueError: If there is no such feedback, or the game has no reaches.
  """
  if feedback not in FEEDBACKS:
    raise ValueError(
      f"`feedback` must be one of {', '.join(FEEDBACKS)}, got {feedback!r}"
    )
  if feedback == "q" and not isinstance(game, tree_game.TreeGame):
    raise ValueError(
      f"`game` must be a TreeGame for Q-values, got a {type(game).__name__}; "
      "use counterfactual values"
    )
  if feedback == "q" and game.reaches is None:
    raise ValueError(
      "`game` must have reaches for Q-values, got none; compile it with "
      "reaches=True"
    )
  return BehavioralGame(
    tree=game,
    treeplexes=tuple(_flat(t) for t in game.treeplexes),
    feedback=feedback,
  )


def _flat(t):
  levels = (t.groups,) if t.groups else ()
  return struct.replace(t, levels=levels, parents=(), children=())


def _action_values(t, policy, gain):
  """Returns, for each action, its gain and what comes below under a policy."""

  def row_fn(q, group):
    return sums.total(q * group.view(policy), 1), q

  return t.mask(sweeps.sweep_up(t, gain, row_fn)[0])
