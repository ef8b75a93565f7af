"""The sampled view of a tree game: gains are unbiased estimates.

External and outcome sampling are those of Lanctot, Waugh, Zinkevich & Bowling,
"Monte Carlo sampling for regret minimization in extensive games" (2009). Where
they walk down the tree and draw an action at each history that they visit, here
an action is drawn at every infostate beforehand, which gives gains of the same
distribution: a walk visits an infostate once at most.

A sampled gain therefore costs about as much as a whole one, and several times
as much on small trees. The view serves to count samples, as a baseline, and not
to save time.
"""

import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray
import numpy as np

from mdrl import checks, struct
from mdrl.games import tree_game, tree_view
from mdrl.trees import quantities, sweeps
from mdrl.trees import treeplex as treeplex_lib

# External sampling draws the moves of chance and of the others; outcome
# sampling draws a player's own as well, and sees one terminal.
SAMPLINGS = ("external", "outcome")


@struct.dataclass
class SampledGame(tree_view.TreeView):
  """A tree game whose gains are estimates from one sample per player.

  With pure plans drawn for chance and for all others, the estimate is the gain
  against them. Outcome sampling multiplies it by

    own pure plan / own sampling plan,

  the pure plan drawn from the sampling policy, (1 - exploration) * policy +
  exploration * uniform. The estimates' means are the tree's gains.

  What is drawn for a player's gain depends on the key and the player alone:
  asked again at equal plans, the view gives equal gains. Plans are those of the
  tree. It is a view and not a `Game`: no evaluation takes sampled gains.

  Attributes:
    tree: The game, with the moves of chance.
    key: Of the samples.
    sampling: `external` or `outcome`.
    exploration: How much of the uniform policy outcome sampling mixes into a
      player's own, in (0, 1]; no unit.
  """

  key: PRNGKeyArray
  sampling: str = struct.static()
  exploration: float | Float[Array, "..."] = 0.6

  @property
  def treeplexes(self) -> tuple[treeplex_lib.Treeplex, ...]:
    """The decisions of each player."""
    return self.tree.treeplexes

  def plans(self, policies: quantities.Policies) -> quantities.Plans:
    """Returns the realization plans of policies."""
    return self.tree.plans(policies)

  @functools.partial(jax.jit, static_argnames="player")
  def gain(self, plans: quantities.Plans, player: int) -> Float[Array, " S"]:
    """Returns an estimate of the derivative of a player's utility.

    Raises:
      ValueError: If the game was built without the moves of chance.
    """
    policies = self._policies(plans)
    drawn = self._draw(policies, jnp.asarray(player))
    return self._estimate(policies, drawn, player)

  @jax.jit
  def gains(self, plans: quantities.Plans) -> quantities.Gains:
    """Returns an estimate of the gain of every player."""
    policies = self._policies(plans)
    # One program for the samples of all players compiles faster than several.
    samples = jax.vmap(lambda player: self._draw(policies, player))(
      jnp.arange(self.num_players)
    )
    return quantities.Gains(
      self._estimate(policies, tuple(x[i] for x in samples), i)
      for i in range(self.num_players)
    )

  def _policies(self, plans):
    """For each player, what others draw from its plan, and what it draws."""
    quantities.check("plans", plans, quantities.Plans)
    share = jnp.asarray(self.exploration).astype(self.dtype)
    pairs = []
    for t, plan in zip(self.treeplexes, plans, strict=True):
      policy = t.to_policy(plan)
      own = policy
      if self.sampling == "outcome":
        own = (1 - share) * policy + share * t.uniform
      pairs.append((policy, own))
    return pairs

  def _draw(self, policies, player):
    """Returns pure plans of everybody, and of chance, for a player's gain.

    They are drawn anew for everyone's gain, so that nobody learns from the
    sample of another.
    """
    moves = _chance(self.tree)
    drawers = [
      (t, jnp.where(player == j, own, policy))
      for j, (t, (policy, own)) in enumerate(
        zip(self.treeplexes, policies, strict=True)
      )
    ]
    drawers.append((moves.treeplex, moves.policy))
    sizes = np.array([t.num_infostates for t, _ in drawers])
    key = jax.random.fold_in(self.key, player)
    points = jax.random.uniform(key, (sizes.sum(),), self.dtype)
    parts = jnp.split(points, np.cumsum(sizes)[:-1])
    return tuple(
      sweeps.sweep_down(t, pure_policy(t, policy, part))
      for (t, policy), part in zip(drawers, parts, strict=True)
    )

  def _estimate(self, policies, drawn, player):
    """Returns a player's gain in a sample."""
    plans = quantities.Plans(drawn[:-1])
    gain = _chance(self.tree).gain(plans, drawn[-1], player)
    if self.sampling == "external":
      return gain
    own = policies[player][1]
    sampling = sweeps.sweep_down(self.treeplexes[player], own)
    # Padding has no probability, nor does it have any weight.
    possible = sampling > 0
    safe = jnp.where(possible, sampling, jnp.ones_like(sampling))
    weight = jnp.where(possible, drawn[player] / safe, jnp.zeros_like(gain))
    return gain * weight


def view(
  game: tree_game.TreeGame,
  key: PRNGKeyArray,
  sampling: str,
  exploration: float | Float[Array, "..."] = 0.6,
) -> SampledGame:
  """Returns a game with sampled gains.

  Args:
    game: The game; it was compiled with `chance`.
    key: Of the samples.
    sampling: `external` or `outcome`.
    exploration: Of outcome sampling, in (0, 1].

  Raises:
    ValueError: If there is no such sampling, the exploration is outside of its
      range, or the game was compiled without the moves of chance.
  """
  check(sampling, exploration)
  _chance(game)
  return SampledGame(
    tree=game, key=key, sampling=sampling, exploration=exploration
  )


def check(sampling: str, exploration: float | Float[Array, "..."]) -> None:
  """Raises ValueError unless this is a way to sample."""
  if sampling not in SAMPLINGS:
    raise ValueError(
      f"`sampling` must be one of {', '.join(SAMPLINGS)}, got {sampling!r}"
    )
  # At zero, what a policy avoids would never be seen.
  checks.between("exploration", exploration, 0, 1, open_low=True)


@jax.jit
def pure_policy(
  t: treeplex_lib.Treeplex,
  policy: Float[Array, " S"],
  points: Float[Array, " I"],
) -> Float[Array, " S"]:
  """Chooses an action at every infostate by inverting its distribution.

  Args:
    t: The player's decisions.
    policy: What is drawn from; zero at padding.
    points: In [0, 1) for each infostate; uniform ones draw from the policy.

  Returns:
    One at what was chosen, zero elsewhere. Actions without probability are not
    chosen.
  """

  def choose(group):
    rows = group.view(policy)
    # Sums in parallel may be rounded otherwise from one action to the next, so
    # that an action without probability must be ruled out by name.
    total = jnp.where(rows > 0, jnp.cumsum(rows, axis=1), jnp.zeros_like(rows))
    at = points[group.first_row : group.first_row + group.num_rows]
    passed = total > (at * jnp.max(total, axis=1))[:, None]
    return jax.nn.one_hot(
      jnp.argmax(passed, axis=1), group.width, dtype=t.dtype
    )

  return t.map_groups(choose)


def _chance(game):
  if not isinstance(game, tree_game.TreeGame):
    raise ValueError(
      f"`game` must be a TreeGame to be sampled, got a {type(game).__name__}"
    )
  if game.chance is None:
    raise ValueError(
      "`game` must have the moves of chance to be sampled, got none; compile "
      "it with chance=True"
    )
  return game.chance
